"""Runs the stand-ins of the demo partnership: `python -m hub.demo.stand_ins --folder F`.

For: one process with two practices, the recovery service and the identity provider, on loopback only. Must
never log a request: what is asked is about people. Prints one line of JSON when everything answers, then serves
until it is told to stop.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from audit import witness_app
from hub.demo.behaviour import BehaviourRefused, behaviours, tell
from hub.demo.citizens import CITIZENS
from hub.demo.county import build_county
from hub.demo.files import write_issuers, write_partners
from hub.demo.identity_provider import Client, NotADemonstration, Provider, create_provider_app
from hub.demo.partner_servers import create_fhir_app, create_recovery_app
from hub.demo.witnesses import open_witnesses, write_policy

_HOST = "127.0.0.1"
#: Where the hub takes people back after sign-in, when nothing else is said.
DEFAULT_REDIRECT = "http://127.0.0.1:8000/sign-in/answer"
DEFAULT_CLIENT = "kith-demo"


class _Silent(WSGIRequestHandler):
    """Serves without writing who asked what."""

    def log(self, type: str, message: str, *args: Any) -> None:
        return


class StandIns:
    """The running stand-ins. `ports` are the ports they are bound to; `close` stops them all."""

    def __init__(
        self,
        folder: Path,
        *,
        demo: bool,
        client_id: str = DEFAULT_CLIENT,
        redirect_uris: Sequence[str] = (DEFAULT_REDIRECT,),
        post_logout_redirect_uris: Sequence[str] = (),
    ) -> None:
        """Starts everything that `county.json` in the folder describes, and writes the partner files anew.

        Raises NotADemonstration without `demo`, and OSError when the folder holds no county or a port is taken.
        """
        self.folder, self.client_id = folder, client_id
        if demo is not True:
            raise NotADemonstration("Stand-ins run in a demonstration only; they need demo=True.")
        about = json.loads((folder / "county.json").read_text(encoding="utf-8"))
        county = build_county(about["seed"], today=date.fromisoformat(about["today"]))
        self._servers: dict[str, BaseWSGIServer] = {}
        for name, port in about["ports"].items():
            self._servers[name] = make_server(_HOST, port, Flask("starting"), threaded=True, request_handler=_Silent)
        self.ports = {name: server.port for name, server in self._servers.items()}
        self.issuer = f"http://{_HOST}:{self.ports['identity']}"
        self.citizens = f"http://{_HOST}:{self.ports['citizens']}"
        try:
            for practice in ("gp-millbrook", "gp-harbourside"):
                base = f"http://{_HOST}:{self.ports[practice]}/fhir"
                app = create_fhir_app(county, practice, base_url=lambda base=base: base, folder=folder)  # type: ignore[misc]
                self._servers[practice].app = app
            self._servers["sms"].app = create_recovery_app(county, folder=folder)
            self._witnesses = open_witnesses(folder)
            for agency, witness in self._witnesses.items():
                self._servers[f"witness {agency}"] = make_server(
                    _HOST, 0, witness_app(witness), threaded=True, request_handler=_Silent
                )
            self.secret_file = folder / "identity-client-secret"
            client = Client(
                client_id,
                tuple(redirect_uris),
                secret=_secret(self.secret_file),
                post_logout_redirect_uris=tuple(post_logout_redirect_uris),
            )
            provider = Provider(self.issuer, {client_id: client}, clock=lambda: datetime.now(UTC), demo=demo)
            self._servers["identity"].app = _with_switches(create_provider_app(provider), folder)
            public = Provider(
                self.citizens, {client_id: client}, clock=lambda: datetime.now(UTC), demo=demo, personas=CITIZENS
            )
            self._servers["citizens"].app = create_provider_app(public)
        except BaseException:
            for server in self._servers.values():
                server.server_close()
            raise
        write_partners(folder, ports=self.ports)
        witness_ports = {agency: self._servers[f"witness {agency}"].port for agency in self._witnesses}
        self.policy_file = write_policy(folder, self._witnesses, witness_ports) if self._witnesses else None
        self.issuers_file = write_issuers(
            folder, issuer=self.issuer, citizens=self.citizens, client_id=client_id, secret_file=self.secret_file
        )
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), name=name, daemon=True)
            for name, server in self._servers.items()
        ]
        for thread in self._threads:
            thread.start()

    def about(self) -> dict[str, Any]:
        """Returns what the process prints when it is ready."""
        return {
            "ready": True,
            "pid": os.getpid(),
            "ports": self.ports,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "client_secret_file": str(self.secret_file.resolve()),
            "issuers_file": str(self.issuers_file.resolve()),
            "partners_folder": str((self.folder / "partners").resolve()),
            "drops_folder": str((self.folder / "drops").resolve()),
            "witness_policy_file": str(self.policy_file.resolve()) if self.policy_file else None,
            "switches": f"{self.issuer}/demo/partners",
        }

    def close(self) -> None:
        """Stops the servers and waits for them."""
        for server in self._servers.values():
            server.shutdown()
        for thread in self._threads:
            thread.join()
        for server in self._servers.values():
            server.server_close()
        for witness in self._witnesses.values():
            witness.close()


def _secret(path: Path) -> str:
    """The client secret of this demonstration: made once, readable by its owner only."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    return path.read_text(encoding="utf-8").strip()


def _with_switches(app: Flask, folder: Path) -> Flask:
    """Adds the address where stand-ins are told to be slow or down; JSON only, so that no form can post it."""

    def now() -> Response:
        return jsonify({code: asdict(behaviour) for code, behaviour in behaviours(folder).items()})

    @app.get("/demo/partners")
    def partners() -> Response:
        return now()

    @app.post("/demo/partners")
    def switch() -> Response:
        body = request.get_json(silent=True)
        try:
            if not isinstance(body, dict) or not set(body) <= {"agency", "state", "delay_s"}:
                raise BehaviourRefused("A JSON object with agency, state and perhaps delay_s is needed.")
            tell(folder, str(body.get("agency")), str(body.get("state")), delay_s=float(body.get("delay_s", 5.0)))
        except ValueError as error:
            response = jsonify({"error": str(error)})
            response.status_code = 400
            return response
        return now()

    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit codes: 0 stopped as asked, 1 could not start, 2 wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m hub.demo.stand_ins", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="where write_county wrote the county")
    parser.add_argument("--client-id", default=DEFAULT_CLIENT)
    parser.add_argument("--redirect-uri", action="append", help=f"may be repeated; default {DEFAULT_REDIRECT}")
    parser.add_argument("--post-logout-redirect-uri", action="append", default=[])
    said = parser.parse_args(arguments)
    try:
        running = StandIns(
            said.folder,
            demo=True,
            client_id=said.client_id,
            redirect_uris=said.redirect_uri or (DEFAULT_REDIRECT,),
            post_logout_redirect_uris=said.post_logout_redirect_uri,
        )
    except OSError as error:
        sys.stderr.write(f"The stand-ins could not start: {error.strerror}. Was the county written there?\n")
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sys.stdout.write(json.dumps(running.about()) + "\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        stop.wait()
    running.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
