"""How far a load has come, written together with each batch of its rows.

For: loads that break off - a power cut, a full disk, a restart - and go on where they stopped. Must never let two
runs write into one load: the run that came last owns it, and the other finds out at its next batch.
"""

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.contract import ConnectorError
from connectors.quality import Findings, Tally
from connectors.tables import extract_unfinished

_t = extract_unfinished.c


@dataclass(slots=True)
class Done:
    """What an earlier run did of one step: rows of the file that it read, and rows of ours that it wrote."""

    rows: int = 0
    written: int = 0
    tally: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Progress:
    """One run of one load. Step 0 is people, then one step per `[[items]]` table."""

    session: Session
    agency: str
    load: str
    owner: str
    saved: dict[str, Any]
    #: Rows written by the steps that came to their end, in order.
    finished: list[int] = field(default_factory=list)

    def begin(self, step: int) -> Done:
        """Returns what an earlier run did of this step; nothing, when there was none."""
        if self.saved.get("step") != step or not self.saved["tally"]:
            return Done()
        tally = self.saved["tally"]
        return Done(tally["counts"][0], self.saved["written"], tally)

    def save(self, step: int, tally: Tally | None, findings: Findings, written: int) -> None:
        """Commits what was written, and how far that is; without a tally the step has come to its end.

        Raises ConnectorError (INTERRUPTED) when another run of this load has begun; nothing of the batch stays.
        """
        state: dict[str, Any] = {"step": step, "written": written, "tally": tally and tally.saved()}
        if tally is None:
            self.finished.append(written)
            state["step"] = step + 1
        state |= {"finished": self.finished, "findings": findings.saved()}
        mine = (_t.agency == self.agency, _t.owner == self.owner)
        changed = self.session.execute(update(extract_unfinished).where(*mine).values(state=json.dumps(state)))
        if not changed.rowcount:  # type: ignore[attr-defined]
            self.session.rollback()
            raise overtaken(self.agency)
        self.session.commit()


def overtaken(agency: str) -> ConnectorError:
    """What a run is told when another one took its place."""
    return ConnectorError("INTERRUPTED", f"{agency}: another load of this partner ran at the same time; load again")


def begin_or_go_on(session: Session, agency: str, fingerprint: bytes, *, now: datetime) -> Progress:
    """Takes up the load of these very files that broke off, or begins a new one. Effects: commits."""
    row = session.execute(select(extract_unfinished).where(_t.agency == agency)).one_or_none()
    owner = uuid.uuid4().hex
    if row is not None and row.fingerprint == fingerprint:
        session.execute(update(extract_unfinished).where(_t.agency == agency).values(owner=owner))
        session.commit()
        saved = json.loads(row.state)
        return Progress(session, agency, row.load, owner, saved, list(saved.get("finished", ())))
    load = uuid.uuid4().hex
    session.execute(delete(extract_unfinished).where(_t.agency == agency))
    values = {"agency": agency, "load": load, "fingerprint": fingerprint, "owner": owner, "state": "{}"}
    try:
        session.execute(insert(extract_unfinished).values(**values, started_at=now))
        session.commit()
    except IntegrityError:
        session.rollback()
        raise overtaken(agency) from None
    return Progress(session, agency, load, owner, {})


def end(session: Session, agency: str, owner: str | None = None) -> bool:
    """Forgets how far a load has come, without committing; False when the load is not this owner's any more."""
    mine = [_t.agency == agency] + ([_t.owner == owner] if owner else [])
    return bool(session.execute(delete(extract_unfinished).where(*mine)).rowcount)  # type: ignore[attr-defined]
