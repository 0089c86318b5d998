"""Telling of a register that does not hold what the trail says was put in force.

For: opening the hub, and the first request that notices. Must never stop a request by itself: nothing flows under the
agreement already, and the page says whom to ring.
"""

import contextlib
import hashlib
from datetime import datetime

from audit import AuditError, Trail
from hub.logs import log
from hub.register.standing import Standing

#: The reason of an `alarm` event; permanent, like every code in the trail.
ALTERED = "REGISTER_ALTERED"
ALARM_WORDS = {ALTERED: "An agreement in the database is not what was put in force"}


def tell_of(trail: Trail, now: datetime, standing: Standing) -> None:
    """Effects: an error in the log and one `alarm` for each agreement that was taken away or altered."""
    for reference in standing.stopped:
        log.error("register", reason=ALTERED, code=reference)
        # Every process and every start finds it: the same alarm has the same id, and is there once.
        eid = hashlib.sha256(f"{ALTERED} {reference} {standing.mark}".encode()).hexdigest()[:32]
        about = {"type": "agreement", "id": reference}
        with contextlib.suppress(AuditError):
            trail.append("alarm", now=now, eid=eid, client={"id": "register"}, reason=ALTERED, object=about)
