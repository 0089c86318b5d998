"""Partners that do as they are told, for tests and for trying the hub.

For: whole-system fakes instead of patches. `SimulatedConnector` lives in the process; `SimulatedPartner` is a
real HTTP server on the loopback address that speaks the rest and the fhir dialect of
docs/connecting-a-partner.md and can be slow, down, wrong or hostile. Must never listen anywhere else.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from connectors.contract import (
    PROMISE_HEADER,
    Answer,
    Ask,
    ConnectorError,
    Coverage,
    NoAnswerReason,
    Partner,
    PersonQuery,
    Promise,
)
from connectors.identify import MOST_CANDIDATES, fits, require_asked_properly, require_enough
from connectors.mapping import only_involvement, only_permitted
from connectors.partner import FHIR_SUBJECT, moved
from connectors.paths import text_at
from connectors.records import Item, SourceRecord
from policies.vocabulary import AnswerState, DataCategory


class SimulatedConnector:
    """A partner in the process: holds what it is given, and does what `behave` does before it answers.

    `behave` may raise, wait on an event of the test, or return an Answer of its own to be given instead.
    `asked` lists every question that was put.
    """

    def __init__(
        self,
        partner: Partner,
        items: Sequence[Item] = (),
        people: Sequence[SourceRecord] = (),
        behave: Callable[[Ask], Answer | None] = lambda ask: None,
    ) -> None:
        self.partner, self.items, self.people, self.behave = partner, list(items), list(people), behave
        self.asked: list[Ask] = []
        self._lock = threading.Lock()

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Everybody who fits. Raises ConnectorError (TOO_THIN)."""
        require_enough(query)
        return tuple(p for p in self.people if fits(query, p.person))[:MOST_CANDIDATES]

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Only SERVICE_INVOLVEMENT items."""
        return self._answer(ask, only_involvement(ask.wanted))

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The wanted fields of the wanted categories."""
        return self._answer(ask, ask.wanted)

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def _answer(self, ask: Ask, wanted: Mapping[DataCategory, frozenset[str]]) -> Answer:
        require_asked_properly(ask)
        with self._lock:
            self.asked.append(ask)
        if (instead := self.behave(ask)) is not None:
            return instead
        mine = [item for item in self.items if item.record in ask.records]
        kept, held, _ = only_permitted(mine, wanted, frozenset(ask.records))
        return Answer(ask.agency, ask.person, AnswerState.FOUND if held else AnswerState.NOTHING_HELD, kept)


def refusing(reason: NoAnswerReason) -> Callable[[Ask], Answer | None]:
    """A behaviour: the partner gives no answer for this reason."""

    def behave(ask: Ask) -> Answer | None:
        raise ConnectorError(reason, "The simulated partner gives no answer.")

    return behave


def about_somebody_else(ask: Ask) -> Answer | None:
    """A behaviour: the partner answers about another person than the one asked for."""
    return replace(Answer(ask.agency, ask.person, AnswerState.FOUND), person="somebody-else")


class Fault(StrEnum):
    """What a simulated HTTP partner can be told to do instead of answering well."""

    SILENT = "SILENT"
    DRIP_HEAD = "DRIP_HEAD"
    DRIP_BODY = "DRIP_BODY"
    RESET = "RESET"
    TRUNCATED = "TRUNCATED"
    ERROR_500 = "ERROR_500"
    NOT_FOUND_404 = "NOT_FOUND_404"
    FORBIDDEN_403 = "FORBIDDEN_403"
    BUSY_429 = "BUSY_429"
    REDIRECT = "REDIRECT"
    HTML = "HTML"
    GARBAGE = "GARBAGE"
    NOT_UTF8 = "NOT_UTF8"
    NO_LIST = "NO_LIST"
    STRANGE_ROWS = "STRANGE_ROWS"
    KEY_TWICE = "KEY_TWICE"
    DEEP = "DEEP"
    HUGE = "HUGE"
    ANNOUNCED_HUGE = "ANNOUNCED_HUGE"
    COMPRESSED = "COMPRESSED"
    WRONG_SUBJECT = "WRONG_SUBJECT"
    STRANGERS_TOO = "STRANGERS_TOO"
    NEXT_ELSEWHERE = "NEXT_ELSEWHERE"
    ENDLESS_PAGES = "ENDLESS_PAGES"
    EMPTY = "EMPTY"


#: Record id of somebody who was never asked for.
STRANGER = "stranger-1"
#: Seconds between two bytes of a dripping answer.
DRIP_S = 0.02


class SimulatedPartner:
    """A partner's HTTP service on the loopback address; a context manager that listens while it is open.

    Takes the partner (its base URL is replaced: use `.partner`), `rows` by path (rest) or resource type (fhir),
    and `people` as its search would return them. Set `fault` at any time; `asked` lists method, target and body,
    `promises` the promise that came with each.
    """

    def __init__(
        self,
        partner: Partner,
        rows: Mapping[str, Sequence[dict[str, object]]],
        people: Sequence[dict[str, object]] = (),
    ) -> None:
        self.rows, self.people = {k: list(v) for k, v in rows.items()}, list(people)
        self.fault: Fault | None = None
        #: Changes the bytes of a good answer, for answers that are nearly right.
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        #: Seconds that a good answer takes.
        self.takes_s = 0.0
        self.asked: list[tuple[str, str, str]] = []
        self.promises: list[str] = []
        self._closing = threading.Event()
        simulated = self

        class Handler(_Handler):
            partner_told = simulated

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.base = urlsplit(str(partner.reach["base_url"])).path
        port = self._server.server_address[1]
        self.partner = moved(partner, base_url=f"http://127.0.0.1:{port}{self.base}", network="loopback")

    def __enter__(self) -> "SimulatedPartner":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def waited(self, seconds: float) -> bool:
        """Waits as a slow partner does; False when the server closes."""
        return not self._closing.wait(seconds)

    def answer(self, path: str, body: str) -> object:
        """What a partner in good order answers to this body; another hub answers with the one row of its operation."""
        if self.partner.way == "mais":
            return self.rows[path][0]
        if self.partner.way == "fhir":
            return self._fhir(path.strip("/").split("/")[0], {k: v[0] for k, v in parse_qs(body).items()})
        return self._rest(path, json.loads(body))

    def _rest(self, path: str, question: dict[str, object]) -> object:
        table = self.partner.people or {}
        if path == table.get("find"):
            if self.fault is Fault.EMPTY:
                return {str(table.get("rows", "people[]")).removesuffix("[]"): []}
            number = question.get("nhs_number")
            found = [p for p in self.people if not number or p.get("nhs_number") in (number, None)]
            return {str(table.get("rows", "people[]")).removesuffix("[]"): found}
        spec = next(spec for spec in self.partner.items if spec.source == path)
        records = question["records"]
        assert isinstance(records, list)
        rows = [row for row in self.rows.get(path, ()) if text_at(row, spec.record) in records]
        return {spec.rows.removesuffix("[]"): self._told(rows, lambda row: {**row, spec.record: STRANGER})}

    def _fhir(self, kind: str, form: dict[str, str]) -> object:
        if kind == "Patient":
            wanted = set(form["_id"].split(",")) if "_id" in form else None
            rows = [p for p in self.people if wanted is None or p["id"] in wanted]
            if "identifier" in form:
                number = form["identifier"].partition("|")[2]
                rows = [p for p in rows if text_at(p, "identifier[].value") == number]
        else:
            wanted = set(form["patient"].split(","))
            about = f"{FHIR_SUBJECT[kind]}.reference"
            rows = [row for row in self.rows.get(kind, ()) if text_at(row, about) in wanted]
        subject = FHIR_SUBJECT[kind]
        somebody: object = STRANGER if kind == "Patient" else {"reference": f"Patient/{STRANGER}"}
        told = self._told(rows, lambda row: {**row, subject: somebody})
        bundle: dict[str, object] = {"resourceType": "Bundle", "type": "searchset", "total": len(told)}
        if told:
            bundle["entry"] = [{"resource": row} if isinstance(row, dict) else row for row in told]
        if self.fault is Fault.NEXT_ELSEWHERE:
            bundle["link"] = [{"relation": "next", "url": "http://127.0.0.2:9/fhir?page=2"}]
        if self.fault is Fault.ENDLESS_PAGES:
            url = f"{self.partner.reach['base_url']}/{kind}?page=2"
            bundle["link"] = [{"relation": "next", "url": url}]
        return bundle

    def _told(
        self, rows: list[dict[str, object]], estranged: Callable[[dict[str, object]], dict[str, object]]
    ) -> list[object]:
        if self.fault is Fault.EMPTY:
            return []
        if self.fault is Fault.WRONG_SUBJECT:
            return [estranged(row) for row in rows]
        if self.fault is Fault.STRANGERS_TOO:
            return [*rows, *(estranged(row) for row in rows)]
        if self.fault is Fault.STRANGE_ROWS:
            return ["a text", 7, None, ["a list"]]
        return list(rows)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: callers who hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: Head and body are two writes; waiting to join them would cost each answer 40 ms.
    disable_nagle_algorithm = True
    partner_told: SimulatedPartner

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a simulator's log would hold what was asked."""

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self._answer(self.rfile.read(length).decode())

    def _answer(self, body: str) -> None:
        told = self.partner_told
        told.asked.append((self.command, self.path, body))
        told.promises.append(self.headers.get(PROMISE_HEADER, ""))
        with suppress(OSError):
            self._give(told, told.fault, body)

    def _give(self, told: SimulatedPartner, fault: Fault | None, body: str) -> None:
        kind = "application/fhir+json" if told.partner.way in ("fhir", "mais") else "application/json"
        if fault is Fault.SILENT:
            while told.waited(1):
                pass
            self.close_connection = True
        elif fault is Fault.RESET:
            self.close_connection = True
        elif fault is Fault.DRIP_HEAD:
            self._drip(told, _endless(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: ", b"a"))
        elif fault is Fault.DRIP_BODY:
            self._head(200, kind, 1_000_000)
            self._drip(told, _endless(b"{", b" "))
        elif fault is Fault.HUGE:
            self._head(200, kind, None)
            chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
            while told.waited(0):
                self.wfile.write(chunk)
        elif fault is Fault.ANNOUNCED_HUGE:
            self._head(200, kind, 10**12)
            self.close_connection = True
        elif fault is Fault.REDIRECT:
            self.send_response(302)
            self.send_header("Location", self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fault in _STATUS:
            self._whole(_STATUS[fault], kind, b'{"items": []}')
        elif fault is Fault.TRUNCATED:
            data = self._well(told, body)
            self._head(200, kind, len(data) + 100)
            self.wfile.write(data)
            self.close_connection = True
        elif fault is Fault.COMPRESSED:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
        elif fault is Fault.HTML:
            self._whole(200, "text/html", b"<h1>Sign in</h1>")
        elif fault in _BODIES:
            self._whole(200, kind, _BODIES[fault])
        elif told.waited(told.takes_s):
            self._whole(200, kind, self._well(told, body))

    def _well(self, told: SimulatedPartner, body: str) -> bytes:
        if self.command == "GET":
            body = "patient=nobody"
        path = urlsplit(self.path).path.removeprefix(told.base)
        return told.spoil(json.dumps(told.answer(path, body)).encode())

    def _head(self, status: int, kind: str, length: int | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _whole(self, status: int, kind: str, data: bytes) -> None:
        self._head(status, kind, len(data))
        self.wfile.write(data)

    def _drip(self, told: SimulatedPartner, data: Iterator[bytes]) -> None:
        for piece in data:
            if not told.waited(DRIP_S):
                break
            self.wfile.write(piece)
            self.wfile.flush()
        self.close_connection = True


def _endless(first: bytes, then: bytes) -> Iterator[bytes]:
    yield first
    while True:
        yield then


_STATUS: Mapping[Fault | None, int] = {
    Fault.ERROR_500: 500,
    Fault.NOT_FOUND_404: 404,
    Fault.FORBIDDEN_403: 403,
    Fault.BUSY_429: 429,
}
_BODIES: Mapping[Fault | None, bytes] = {
    Fault.GARBAGE: b"{not json",
    Fault.NOT_UTF8: b'{"items": ["\xff\xfe"]}',
    Fault.NO_LIST: b"{}",
    Fault.KEY_TWICE: b'{"items": [], "items": [1]}',
    Fault.DEEP: b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}
