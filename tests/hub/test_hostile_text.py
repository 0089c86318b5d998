"""Text that no keyboard makes, in every field of every form and of every question of the interface.

The forms are those that people really meet: each persona's pages are walked from their start page, so that a form which
comes new is tried as well. What cannot be used is refused in words; nothing is a fault of ours and sinks a page.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote_from_bytes, urljoin, urlsplit

import pytest

from tests.access import oracle
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate
from tests.hub.test_hostile_user import opened

NUL, SURROGATE = b"a\0b", b"a\xed\xa0\x80b"
#: What is typed: bytes as they go over the wire. Each of them has broken a web application.
TEXTS: Mapping[str, bytes] = {
    "a NUL": NUL,
    "half a surrogate pair": SURROGATE,
    "bytes that are no UTF-8": b"\xff\xfe\x80",
    "very long": "Ünlikely ".encode() * 700,
    "digits of another script, turned round": "\u202e\u200b\ufeff٩٩٩ ٧٠٠ ٠٠٤٨".encode(),
    "a line break and a formula": b'=cmd|"/c"!A1\r\nSet-Cookie: a=b\r\n\r\n<script>',
    "a template and a query": b"{{7*7}}${7*7}' OR 1=1; --%s%n%00",
    "a date that is none": b"30 02 9999999999",
}
PERSONAS = ("mash_social_worker", "mash_decision_maker", "gp_millbrook", "ig_officer", "dpo", "data_steward",
            "school_lead", "operator", "sms_guardian", "police_navigator")  # fmt: skip
#: Whose pages of enquiries are walked.
OPENING = ("mash_social_worker", "mash_decision_maker")
#: Forms that end the walk itself.
NOT_SENT = ("/sign-out", "/close", "/suspend")
PAGES_EACH = 25


@dataclass(frozen=True)
class Form:
    """A form as it stands on a page: where it goes, what it sends untouched, and which of it people type."""

    action: str
    sends: Mapping[str, str]
    typed: tuple[str, ...]


class Page(HTMLParser):
    """The links and forms of a page. Of choices the first that says something is taken."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.path, self.links, self.forms = path, [], []  # type: ignore[var-annotated]
        self._form: dict[str, Any] | None = None
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attributes}
        if tag == "a" and got.get("href", "").startswith("/"):
            self.links.append(got["href"])
        if tag == "form":
            self._form = {
                "action": urljoin(self.path, got.get("action", "")),
                "method": got.get("method", "get").lower(),
            }
            self._form |= {"sends": {}, "typed": []}
        if self._form is None or (not got.get("name") and tag != "option"):
            return
        name, kind = got.get("name", ""), got.get("type", "text")
        if tag == "textarea" or (tag == "input" and kind in ("text", "search", "email", "tel", "number", "date")):
            self._form["typed"].append(name)
            self._form["sends"][name] = got.get("value", "")
        elif tag == "input" and (kind in ("hidden",) or (kind in ("radio", "checkbox") and got.get("value"))):
            self._form["sends"].setdefault(name, got.get("value", ""))
        elif tag == "button" and got.get("value"):
            self._form["sends"].setdefault(name, got["value"])
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and got.get("value"):
            self._form["sends"].setdefault(self._select, got["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "form" and self._form is not None:
            if self._form["method"] == "post":
                one = self._form
                self.forms.append(Form(one["action"], one["sends"], tuple(dict.fromkeys(one["typed"]))))
            self._form = None


def rule_of(house: House, path: str) -> str:
    """The rule of the address, so that one page of a kind is enough."""
    bound = house.app.url_map.bind("")
    try:
        rule, _ = bound.match(urlsplit(path).path, method="GET", return_rule=True)
    except Exception:
        return path
    return str(rule.rule)


def walked(house: House, visitor: Visitor, met: set[tuple[str, tuple[str, ...]]], *starts: str) -> Iterator[Form]:
    """Every form that this user meets on their way, once for each address of a kind and set of fields."""
    waiting, seen = [*starts, "/"], set()
    pages = 0
    while waiting and pages < PAGES_EACH:
        path = waiting.pop(0)
        rule = rule_of(house, path)
        if rule in seen or rule.startswith(("/static", "/receipts", "/verifier")):
            continue
        seen.add(rule)
        answer = visitor.get(path, follow_redirects=True)
        assert answer.status_code < 500, (path, answer.status_code)
        if answer.content_type.split(";")[0] != "text/html":
            continue
        pages += 1
        page = Page(answer.request.path, answer.text)
        waiting += page.links
        for form in page.forms:
            kind = (rule_of_post(house, form.action), form.typed)
            if kind not in met and not form.action.endswith(NOT_SENT):
                met.add(kind)
                yield form


def body_of(form: Form, changed: Mapping[str, bytes]) -> bytes:
    pairs = {name: value.encode() for name, value in form.sends.items()} | changed
    return "&".join(f"{quote_from_bytes(n.encode())}={quote_from_bytes(v)}" for n, v in pairs.items()).encode()


def send(visitor: Visitor, form: Form, changed: Mapping[str, bytes]) -> Any:
    return visitor.client.post(
        form.action, data=body_of(form, changed), content_type="application/x-www-form-urlencoded"
    )


def must_be_refused_or_taken(answer: Any, what: object) -> None:
    assert answer.status_code in (200, 303, 400, 403, 404, 409, 413, 415, 422, 429), (what, answer.status_code)
    assert not any("\n" in value or "\r" in value for _, value in answer.headers), what
    assert "a=b" not in answer.headers.getlist("Set-Cookie"), what
    assert b"<script>" not in answer.data, what
    assert b">49<" not in answer.data, what


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_no_text_in_any_field_of_any_form_is_a_fault(house: House, gate: Gate) -> None:
    """Forms that are met are sent as a browser would; the others with everything that any form asks for."""
    met: set[tuple[str, tuple[str, ...]]] = set()
    for persona in PERSONAS:
        visitor = house.visitor(persona)
        starts = [opened(visitor, confirm=confirm) for confirm in (True, False)] if persona in OPENING else []
        for form in list(walked(house, visitor, met, *starts, *(f"{one}/consent/answer" for one in starts[:1]))):
            for words, text in TEXTS.items():
                must_be_refused_or_taken(send(visitor, form, dict.fromkeys(form.typed, text)), (form.action, words))
            for name in [name for name in form.sends if name != "csrf_token"][:4]:
                must_be_refused_or_taken(send(visitor, form, {name: NUL}), (persona, form.action, name))
            visitor.sign_in(persona)  # Whatever it did to the session, the next form is sent by somebody signed in.
    walked_to = {rule for rule, _ in met}
    assert len(walked_to) >= 15, walked_to
    names = {name for _, typed in met for name in typed}
    for door in oracle.doors():
        if door.method == "POST" and door.who != oracle.OPEN and door.rule not in walked_to | {"/sign-out"}:
            role = min(oracle.groups()[door.who] - {"*"}, default="DPO")
            must_be_refused_or_taken(_blindly(gate, role, door.rule, names), door.name)


def _blindly(gate: Gate, role: str, rule: str, names: set[str]) -> Any:
    visitor = gate.visitor(role)
    form = Form(re.sub(r"<[^>]+>", "0" * 32, rule), {"csrf_token": visitor.token()}, ())
    return send(visitor, form, dict.fromkeys(names, NUL + SURROGATE))


def rule_of_post(house: House, action: str) -> str:
    """The rule of a form's address."""
    rule, _ = house.app.url_map.bind("").match(urlsplit(action).path, method="POST", return_rule=True)
    return str(rule.rule)


#: What may stand in an address, and is no number of anything.
NUMBERS = ("EN-%000000000000000", "%ED%A0%80", "a" * 3000)


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
@pytest.mark.parametrize("persona", ["mash_social_worker", "ig_officer", "data_steward"])
def test_no_text_in_any_address_is_a_fault_and_each_is_like_what_is_not_there(house: House, persona: str) -> None:
    visitor = house.visitor(persona)
    token = {"X-CSRF-Token": visitor.token()}
    for door in oracle.doors():
        if "<" not in door.rule or door.who == oracle.OPEN or "/api/" in door.rule:
            continue
        paths = [re.sub(r"<[^>]+>", number, door.rule) for number in ("0" * 32, *NUMBERS)]
        found = [visitor.client.open(path, method=door.method, headers=token).status_code for path in paths]
        assert set(found) == {found[0]}, (door.name, found)
        assert found[0] < 500, door.name
