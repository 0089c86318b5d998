"""The smallest site that discloses: one body of 1 kB, with a record and without, under the server that serves the hub.

For: the proofs that look at a disclosure from outside. `WRONG=early` answers before it records, `WRONG=unsynced`
records without syncing: two builds that the proofs must catch.
"""

import os
import threading
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response

import audit
from tests.simulation.nursery import do_not_sync, open_trail

BODY_BYTES = 1024
#: Stands for what a family's picture would show: no byte of it may leave without a record.
CANARY = "CANARY-OF-A-PERSON"

_USER = {"issuer": "https://idp.example/", "subject": "u-7f3a", "role": "MASH_SOCIAL_WORKER", "agency": "CSC"}
SAID: dict[str, Any] = {
    "user": _USER,
    "purpose": "S47_ENQUIRY",
    "basis": {"article6": ["6_1_e"], "gateway": ["CA1989_S47"]},
    "source": ["POL", "HOU"],
    "recipient": "CSC",
    "decision": {"bundle": "sha256:" + "0" * 64, "rules": ["P01", "P03"]},
    "data": [{"agency": "HOU", "category": "HOUSING", "fields": ["tenancy_status"], "count": 1, "subject": 0}],
    "answers": [{"agency": "HOU", "state": "FOUND"}, {"agency": "POL", "state": "NO_ANSWER"}],
}


def make_site(trail: audit.Trail, *, wrong: str = "") -> Flask:
    """The site over a trail that is open."""
    site = Flask(__name__)

    @site.get("/disclose")
    def disclose() -> Response:
        eid = os.urandom(16).hex()
        if wrong == "early":
            threading.Timer(0.05, record, [eid]).start()
        else:
            record(eid)
        return _body(eid)

    @site.get("/plain")
    def plain() -> Response:
        return _body(os.urandom(16).hex())

    @site.errorhandler(audit.TrailUnavailable)
    def refused(_error: audit.TrailUnavailable) -> Response:
        return Response("Nothing was shown.", status=503, headers={"Retry-After": "5"})

    def record(eid: str) -> None:
        trail.append("disclosure:made", now=datetime.now(UTC), eid=eid, subjects=["PE-1"], **SAID)

    return site


def _body(eid: str) -> Response:
    return Response(f"{eid} {CANARY} ".ljust(BODY_BYTES, "."), content_type="text/plain")


def serve() -> Flask:
    """The site as a server's worker makes it."""
    wrong = os.environ.get("WRONG", "")
    if wrong == "unsynced":
        do_not_sync()
    return make_site(open_trail(os.environ["DATABASE"], "site"), wrong=wrong)
