"""How a stand-in keeps the hub honest: no question without a promise that holds, and each one kept on file.

For: the live partners of the demonstration, as an example of the few lines that a real partner needs. Must never
keep anything of a question but its promise. Ruled by docs/audit-format.md and docs/connecting-a-partner.md.
"""

import json
import time
from pathlib import Path

from flask import Flask, Response, jsonify, request

from audit import PROMISE_HEADER, ProofError, verify_promise

#: What a partner is told once, when it joins: the trail's name and the public keys of the hub's workers.
KNOWN_FILE = "hub-keys.json"


def tell_partners(folder: Path, *, origin: str, submitters: dict[str, bytes]) -> None:
    """Effects: writes what the partners of this folder are told about the hub."""
    known = {"origin": origin, "submitters": [public.hex() for public in submitters.values()]}
    (folder / KNOWN_FILE).write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def count_file(folder: Path, agency: str) -> Path:
    """Where a stand-in keeps the promises that it was given: one a line."""
    return folder / f"promises-{agency}.txt"


def check_promises(app: Flask, agency: str, folder: Path | None) -> None:
    """Refuses every question without a promise that holds, once the partner was told the hub's keys."""

    @app.before_request
    def promised() -> Response | None:
        if folder is None or not (folder / KNOWN_FILE).exists() or request.path.endswith("/metadata"):
            return None
        known = json.loads((folder / KNOWN_FILE).read_text(encoding="utf-8"))
        header = request.headers.get(PROMISE_HEADER, "")
        try:
            verify_promise(
                header,
                origin=known["origin"],
                submitters=[bytes.fromhex(key) for key in known["submitters"]],
                agency=agency,
                now_ms=time.time_ns() // 1_000_000,
            )
        except ProofError as fault:
            response = jsonify({"error": str(fault)})
            response.status_code = 403
            return response
        with count_file(folder, agency).open("a", encoding="ascii") as kept:
            kept.write(header + "\n")
        return None
