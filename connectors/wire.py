"""HTTP to one partner, and to nobody else.

For: the rest and fhir ways. Must never follow a redirect, use a proxy of the environment, connect to an address
outside the partner's network, read more than a bounded answer, or wait beyond its deadline, however slowly the
bytes drip. Must never put a name, date or number of a person into a URL or an error. Ruled by rows 19, 21 and 22 of
docs/threat-model.md.
"""

import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as PoolTimeout

from connectors.contract import PROMISE_HEADER, ConnectorError, NoAnswerReason, Partner, Promise
from connectors.identify import require_promise

#: Bytes of one answer; nesting of its JSON. An answer about one person is far below both.
MOST_BYTES = 2_000_000
DEEPEST = 40
_CHUNK = 65_536
#: Strings of a JSON text; an unclosed one runs to the end, so that scanning stays linear.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


class _Watch(threading.local):
    """When the question that this thread asks gives up."""

    give_up_at = 0.0

    def remaining_s(self) -> float:
        left = self.give_up_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time left")
        return left


class _TimedSocket(socket.socket):
    """A socket whose every read has only the time that is left, so that single bytes buy no more of it."""

    watch: _Watch

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.watch.remaining_s())
        return super().recv_into(*args, **kwargs)


class _TimedTlsSocket(ssl.SSLSocket):
    """The same under TLS."""

    watch: _Watch

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.watch.remaining_s())
        return super().recv_into(*args, **kwargs)


class OutsideNetworkError(Exception):
    """The partner's name leads to an address where the partner does not live."""


class _Guarded:
    """Connects to an address that was looked at first: resolve, check all, connect to what was checked."""

    watch: _Watch
    network: str

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not all(lives_in(address, self.network) for address in addresses):
            raise OutsideNetworkError
        plain: socket.socket | None = None
        for address in addresses:
            try:
                plain = socket.create_connection((address, port), timeout=self.watch.remaining_s())
                break
            except ConnectionError:
                continue
        if plain is None:
            raise NewConnectionError(self, "not reachable")  # type: ignore[arg-type]
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        left_s = plain.gettimeout()
        timed = _TimedSocket(fileno=plain.detach())
        timed.settimeout(left_s)
        timed.watch = self.watch
        return timed


class Wire:
    """One partner's connections. Every call is bounded by `give_up_at` on the monotonic clock."""

    def __init__(self, partner: Partner, accept: tuple[str, ...], *, explained: frozenset[int] = frozenset()) -> None:
        """Takes `explained`: statuses beside 200 whose body says why, and is returned like an answer."""
        self._code, self._accept, self._explained = partner.code, accept, explained
        self._reach: Mapping[str, object] = partner.reach
        self._watch = _Watch()
        parts = urlsplit(str(partner.reach["base_url"]))
        self.base_url, self._path = str(partner.reach["base_url"]), parts.path
        guard = {"watch": self._watch, "network": str(partner.reach["network"])}
        assert parts.hostname is not None
        self._pool: HTTPConnectionPool
        if parts.scheme == "https":
            self._pool = HTTPSConnectionPool(parts.hostname, parts.port, maxsize=4, ssl_context=self._tls())
            self._pool.ConnectionCls = _tls_connection(guard)
        else:
            self._pool = HTTPConnectionPool(parts.hostname, parts.port, maxsize=4)
            self._pool.ConnectionCls = type("_Guarded", (_Guarded, HTTPConnection), guard)

    def post_json(self, path: str, body: object, *, promise: Promise, give_up_at: float) -> object:
        """Posts JSON and returns the JSON of the answer. Raises ConnectorError with a NoAnswerReason."""
        return self._send("POST", self._path + path, json.dumps(body).encode(), "application/json", promise, give_up_at)

    def post(
        self, path: str, body: bytes, kind: str, *, headers: Mapping[str, str], promise: Promise, give_up_at: float
    ) -> object:
        """Posts these very bytes, which `headers` may sign. Raises ConnectorError with a NoAnswerReason."""
        return self._send("POST", self._path + path, body, kind, promise, give_up_at, headers)

    def post_form(self, path: str, fields: Mapping[str, str], *, promise: Promise, give_up_at: float) -> object:
        """Posts a form and returns the JSON of the answer. Raises ConnectorError with a NoAnswerReason."""
        form = urlencode(fields).encode()
        return self._send("POST", self._path + path, form, "application/x-www-form-urlencoded", promise, give_up_at)

    def get(
        self, path: str, query: Mapping[str, str], *, headers: Mapping[str, str], promise: Promise, give_up_at: float
    ) -> object:
        """Reads a resource, for the one dialect that knows no other way. Raises ConnectorError (NoAnswerReason)."""
        if not re.fullmatch(r"(/[A-Za-z0-9.-]+)+", path) or ".." in path:
            raise self._wrong(NoAnswerReason.NOT_CONFIGURED, "has an id that is none")
        target = self._path + path + ("?" + urlencode(query) if query else "")
        return self._send("GET", target, None, None, promise, give_up_at, headers)

    def get_next(self, url: str, *, promise: Promise, give_up_at: float) -> object:
        """Reads a page that the partner itself named, if it is below the partner's own URL."""
        below = url.removeprefix(self.base_url)
        if below == url or below[:1] not in ("/", "?") or ".." in below or not re.fullmatch(r"[\x21-\x7e]+", below):
            raise self._wrong(NoAnswerReason.MALFORMED, "names a next page somewhere else")
        return self._send("GET", self._path + below, None, None, promise, give_up_at)

    def close(self) -> None:
        """Effects: closes the pooled connections."""
        self._pool.close()

    def _send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        kind: str | None,
        promise: Promise,
        give_up_at: float,
        more: Mapping[str, str] | None = None,
    ) -> object:
        require_promise(promise, self._code)
        headers = {"Accept": self._accept[0], "Accept-Encoding": "identity", "User-Agent": "kith", **(more or {})}
        headers[PROMISE_HEADER] = promise.header
        if kind:
            headers["Content-Type"] = kind
        if token_file := self._reach.get("token_file"):
            headers["Authorization"] = f"Bearer {Path(str(token_file)).read_text(encoding='ascii').strip()}"
        self._watch.give_up_at = give_up_at
        try:
            response = self._pool.urlopen(
                method,
                target,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=Timeout(total=self._watch.remaining_s()),
            )
            whole = False
            try:
                self._check_head(response.status, response.headers)
                data = bytearray()
                while chunk := response.read(_CHUNK):
                    data += chunk
                    self._watch.remaining_s()
                    if len(data) > MOST_BYTES:
                        raise self._wrong(NoAnswerReason.MALFORMED, "sent too much")
                whole = True
            finally:
                if not whole:
                    response.close()
                response.release_conn()
        except ConnectorError:
            raise
        except NewConnectionError:  # Before time-outs: the library counts it as one of them.
            raise self._wrong(NoAnswerReason.ERROR, "could not be reached") from None
        except (TimeoutError, PoolTimeout):
            raise self._wrong(NoAnswerReason.TIMEOUT, "did not answer in time") from None
        except OutsideNetworkError:
            raise self._wrong(NoAnswerReason.NOT_CONFIGURED, "has an address outside its network") from None
        except (SSLError, ssl.SSLError):
            raise self._wrong(NoAnswerReason.REFUSED, "could not prove who it is") from None
        except (HTTPError, OSError, ValueError):
            # What the library says of an error may quote the answer; none of it goes on.
            raise self._wrong(NoAnswerReason.ERROR, "could not be reached") from None
        return self._parse(bytes(data))

    def _check_head(self, status: int, headers: Mapping[str, str]) -> None:
        if status in (401, 403, 429):
            raise self._wrong(NoAnswerReason.REFUSED, "refused the question")
        if 300 <= status < 400:
            raise self._wrong(NoAnswerReason.MALFORMED, "sent us elsewhere")
        if status != 200 and status not in self._explained:
            raise self._wrong(NoAnswerReason.ERROR, "reported an error")
        kind, _, parameters = headers.get("Content-Type", "").partition(";")
        charset = parameters.lower().replace('"', "").partition("charset=")[2].strip() or "utf-8"
        if kind.strip().lower() not in self._accept or charset not in ("utf-8", "utf8"):
            raise self._wrong(NoAnswerReason.MALFORMED, "sent another kind of content")
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise self._wrong(NoAnswerReason.MALFORMED, "sent compressed content")
        length = headers.get("Content-Length", "0")
        if length.isdecimal() and int(length[:20]) > MOST_BYTES:
            raise self._wrong(NoAnswerReason.MALFORMED, "announced too much")

    def _parse(self, data: bytes) -> object:
        depth = 0
        for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", data)):
            depth += 1 if bracket[0] in b"[{" else -1
            if depth > DEEPEST:
                raise self._wrong(NoAnswerReason.MALFORMED, "sent too deep a structure")
        try:
            return json.loads(data, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise self._wrong(NoAnswerReason.MALFORMED, "did not send JSON") from None

    def _wrong(self, reason: NoAnswerReason, words: str) -> ConnectorError:
        return ConnectorError(reason, f"{self._code}: the partner {words}.")

    def _tls(self) -> ssl.SSLContext:
        """TLS as the partner's file says: its own certificate authority only, if it names one (row 19)."""
        context = ssl.create_default_context(cafile=str(self._reach["ca_file"]) if "ca_file" in self._reach else None)
        if "certificate_file" in self._reach:
            context.load_cert_chain(str(self._reach["certificate_file"]), str(self._reach["key_file"]))
        context.sslsocket_class = _TimedTlsSocket
        return context


def _tls_connection(guard: dict[str, Any]) -> type[HTTPSConnection]:
    class _GuardedTls(_Guarded, HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            assert isinstance(self.sock, _TimedTlsSocket)
            self.sock.watch = guard["watch"]

    _GuardedTls.watch, _GuardedTls.network = guard["watch"], guard["network"]
    return _GuardedTls


def lives_in(address: str, network: str) -> bool:
    """Returns whether an IP address is one of the public internet, of a private network, or of this machine."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip.sixtofour is not None or ip.teredo is not None or ip in ipaddress.ip_network("64:ff9b::/32"):
            return False  # Tunnels and translations hide an IPv4 address (RFC 3056, RFC 4380, RFC 6052).
    if ip.is_loopback:
        return network == "loopback"
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return False
    if network == "public":
        return ip.is_global
    return network == "private" and ip.is_private


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError("not a JSON number")
