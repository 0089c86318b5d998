"""Only what is on the closed list gets into the trail, and never a person's details."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import SHAPES, EventInvalid, Kind
from audit.events import FIELDS, LARGEST_NUMBER, build, canonical
from tests.audit.conftest import DECISION, NOW, USER, disclosure, search

APPROVER = {"subject": "u-11", "role": "CALDICOTT_GUARDIAN", "agency": "ICB"}
ONE_OF_EACH = {
    "action": "START",
    "outcome": "DONE",
    "reason": "RISK_TO_ANYONE",
    "purpose": "S47_ENQUIRY",
    "basis": {"article6": ["6_1_e"]},
    "agreement": [{"ref": "DSA-1", "version": "2", "hash": "0" * 64}],
    "user": USER,
    "client": {"id": "mais-node-2", "key": "Zm9v"},
    "source": ["POL"],
    "recipient": "CSC",
    "custodian": "POL",
    "authoriser": APPROVER,
    "data": [{"agency": "POL", "category": "POLICE_INCIDENT", "fields": ["date"], "count": 2, "hash": "1" * 64}],
    "withheld": [{"agency": "GP", "category": "MENTAL_HEALTH", "rules": ["P21"]}],
    "answers": [{"agency": "POL", "state": "FOUND", "as_of": 1790000000000}],
    "decision": DECISION,
    "consent": [{"id": "c-1", "version": 1, "state": "GIVEN_EXPLICIT"}],
    "trace": "0af7651916cd43dd8448eb211c80319c",
    "query": "2" * 64,
    "enquiry": "ENQ-2026-0001",
    "refers": ["ab" * 16],
    "object": {"type": "match", "id": "m-1"},
}


def made(kind: str, fields: dict, subjects: int = 1, **more: object) -> object:
    return build(kind, now=NOW, subjects=subjects, fields=fields, **more)


def least(kind: Kind) -> dict:
    """The fewest keys that this kind needs."""
    fields = {name: ONE_OF_EACH[name] for name in SHAPES[kind].required}
    return fields if fields.keys() & {"user", "client"} else {**fields, "client": ONE_OF_EACH["client"]}


def test_every_kind_has_its_keys_and_every_key_its_check() -> None:
    assert set(SHAPES) == set(Kind)
    assert set(ONE_OF_EACH) == set(FIELDS)
    for shape in SHAPES.values():
        assert shape.required | shape.optional <= set(FIELDS)
        assert not shape.required & shape.optional


@pytest.mark.parametrize("kind", ["serach", "", "consent:*", "disclosure", "SEARCH", None, 7])
def test_a_kind_that_is_not_on_the_list_is_refused(kind: str) -> None:
    with pytest.raises(EventInvalid):
        made(kind, search())


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_needs_every_one_of_its_keys(kind: Kind) -> None:
    for missing in SHAPES[kind].required:
        fields = {name: value for name, value in least(kind).items() if name != missing}
        with pytest.raises(EventInvalid):
            made(kind, fields)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_refuses_the_keys_of_others(kind: Kind) -> None:
    allowed = SHAPES[kind].required | SHAPES[kind].optional
    for foreign in [*(set(FIELDS) - allowed), "name", "nhs_number", "note", "v", "eid", "t", "subjects"]:
        with pytest.raises(EventInvalid):
            made(kind, {**least(kind), foreign: ONE_OF_EACH.get(foreign, "X")})


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_takes_all_of_its_keys(kind: Kind) -> None:
    made(kind, least(kind))
    event = made(kind, {name: ONE_OF_EACH[name] for name in SHAPES[kind].required | SHAPES[kind].optional})
    assert json.loads(canonical({**event.header(), **event.fields}))["kind"] == kind


def test_nobody_acts_anonymously() -> None:
    with pytest.raises(EventInvalid):
        made("sign-in", {"outcome": "REFUSED"}, 0)


@pytest.mark.parametrize("kind", ["disclosure:requested", "disclosure:made"])
def test_a_disclosure_is_about_somebody(kind: str) -> None:
    with pytest.raises(EventInvalid):
        made(kind, least(Kind(kind)), 0)


@pytest.mark.parametrize(
    "reason",
    [
        "Mum told the nurse everything",  # free text
        "Alex Example",  # a name
        "alex@example.org",  # an address
        "9990000018",  # an NHS number with its check digit
        "999-000-0018",
        "999 000 0018",
        "",
        "a\nb",
        "a\x1b[31m",
        "a\u202eb",
        "José",
        "x" * 257,
        7,
        1.5,
        True,
        None,
        b"CODE",
        ["CODE"],
        {"code": "X"},
    ],
)
def test_free_text_and_identities_are_refused(reason: object) -> None:
    fields = {**least(Kind.BREAK_GLASS), "reason": reason}
    with pytest.raises(EventInvalid) as refusal:
        made("break-glass", fields)
    if isinstance(reason, str) and reason:
        assert reason not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("query", "Alex Example 2019"),
        ("trace", "xyz"),
        ("source", "POL"),
        ("source", ["POL"] * 1025),
        ("answers", [{"agency": "POL", "state": "NO"}]),
        ("answers", [{"agency": "POL"}]),
        ("answers", [{"agency": "POL", "state": "FOUND", "as_of": 1.5}]),
        ("answers", [{"agency": "POL", "state": "FOUND", "note": "X"}]),
        ("answers", [{"agency": "POL", "state": "FOUND", "subject": 1}]),
        ("data", [{"agency": "POL", "category": "X", "count": -1}]),
        ("data", [{"agency": "POL", "category": "X", "count": LARGEST_NUMBER + 1}]),
        ("data", [{"agency": "POL", "category": "X", "subject": "person-1"}]),
        ("data", [{"agency": "POL", "category": "X", "subject": -1}]),
        ("data", {"agency": "POL", "category": "X"}),
        ("user", {**USER, "name": "Alex"}),
        ("user", {"issuer": "https://idp.example/"}),
        ("decision", "P01"),
        ("basis", {"article6": "6_1_e"}),
        ("basis", {"article99": ["X"]}),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(name: str, value: object) -> None:
    with pytest.raises(EventInvalid):
        made("disclosure:made", disclosure(**{name: value}))


@pytest.mark.parametrize("eid", ["", "ab", "AB" * 16, "zz" * 16, "ab" * 17, 5])
def test_an_event_id_is_128_bits_of_hexadecimal(eid: str) -> None:
    with pytest.raises(EventInvalid):
        made("search", search(), eid=eid)


def test_a_time_needs_its_zone_and_is_kept_in_utc_milliseconds() -> None:
    with pytest.raises(EventInvalid):
        build("search", now=datetime(2026, 7, 1, 12, 0), subjects=0, fields=search())
    summer = timezone(timedelta(hours=1))
    event = build("search", now=datetime(2026, 7, 1, 13, 0, 0, 1999, summer), subjects=0, fields=search())
    assert event.t == int(datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC).timestamp()) * 1000 + 1


def test_what_the_caller_changes_later_does_not_change_the_event() -> None:
    fields = disclosure()
    event = made("disclosure:made", fields)
    fields["source"].append("DWP")
    assert event.fields["source"] == ["POL", "HOU"]


codes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/#+|=~-]{0,30}", fullmatch=True)
values = st.recursive(
    codes | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(codes, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=50)
@given(st.dictionaries(codes, values, max_size=5))
def test_our_canonical_json_is_that_of_an_independent_writer(document: dict) -> None:
    assert canonical(document) == rfc8785.dumps(document)


@given(st.text(max_size=40))
def test_whatever_somebody_types_stays_one_line_of_ascii(text: str) -> None:
    try:
        event = made("sign-in", {"outcome": text, "client": {"id": "web"}})
    except EventInvalid:
        return
    line = canonical({**event.header(), **event.fields})
    assert line.isascii()
    assert line.decode().isprintable()
    assert json.loads(line)["outcome"] == text
