"""The witness's address: `add-checkpoint` over HTTP, and what it last cosigned for anybody to read.

For: `python -m audit witness`. It must never read more than a request may hold, and never log who asked what. Ruled by
c2sp.org/tlog-witness.

    POST /add-checkpoint        a checkpoint with its consistency proof -> a cosignature
    GET  /checkpoint/<sha-256>  the last cosigned checkpoint of the log with this origin (hexadecimal of its SHA-256)
    GET  /                      the witness's verifier key, and the origins it knows with their sizes
"""

import hashlib
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from audit.errors import AuditError
from audit.witness import LARGEST_REQUEST_BYTES, Answer, Witness

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_NOT_FOUND = Answer(404, "There is nothing here.\n")


def witness_app(witness: Witness) -> Application:
    """The WSGI application over one witness."""
    origins = {hashlib.sha256(origin.encode()).hexdigest(): origin for origin in witness.origins()}

    def answer(method: str, path: str, environ: dict[str, Any]) -> Answer:
        if path == "/add-checkpoint":
            return _submitted(witness, environ) if method == "POST" else Answer(405, "This address takes a POST.\n")
        if method not in ("GET", "HEAD"):
            return Answer(405, "This address takes a GET.\n")
        try:
            if path == "/":
                return _described(witness)
            origin = origins.get(path.removeprefix("/checkpoint/"))
            latest = witness.latest(origin) if origin else None
        except AuditError:
            return Answer(500, "The witness cannot use its own state.\n")
        return Answer(200, latest.note) if latest else _NOT_FOUND

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        said = answer(method, environ.get("PATH_INFO", ""), environ)
        body = said.body.encode()
        headers = [
            ("Content-Type", said.content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        if said.status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST" if environ.get("PATH_INFO") == "/add-checkpoint" else "GET, HEAD"))
        start_response(f"{said.status} {HTTPStatus(said.status).phrase}", headers)
        return [] if method == "HEAD" else [body]

    return application


def run(witness: Witness, bind: str) -> None:
    """Serve until told to stop: one process, for only one may look at the state and replace it."""
    from gunicorn.app.base import BaseApplication

    class Site(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": bind,
                "workers": 1,
                "threads": 8,
                "worker_class": "gthread",
                "timeout": 30,
                "keepalive": 30,
                "limit_request_line": 1024,
                "limit_request_fields": 40,
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Application:
            return witness_app(witness)

    Site().run()


def _submitted(witness: Witness, environ: dict[str, Any]) -> Answer:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return Answer(400, "The length of the request is not a number.\n")
    if not 0 < length <= LARGEST_REQUEST_BYTES:
        return Answer(413 if length > 0 else 400, "The request has no proper length.\n")
    body = environ["wsgi.input"].read(length)
    return witness.add_checkpoint(body) if len(body) == length else Answer(400, "The request broke off.\n")


def _described(witness: Witness) -> Answer:
    lines = [f"{witness.verifier_key}\n"]
    for origin in witness.origins():
        latest = witness.latest(origin)
        lines.append(f"{origin} {latest.size if latest else 0}\n")
    return Answer(200, "".join(lines))
