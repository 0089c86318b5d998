"""How the witnesses of the trail stand, told to whoever must act: the log, the trail itself, the page of information
governance.

For: noticing within five minutes that nobody outside vouches for the trail any more, or that somebody outside saw
another one. Must never stop a disclosure: the trail is durable without witnesses, only less checkable.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from audit import AuditError, PolicyInvalid, Quorum, State, Trail, WitnessPolicy, WitnessView, read_policy
from hub.errors import SettingsRefused
from hub.logs import log

_LONDON = ZoneInfo("Europe/London")
#: Reasons of `alarm` events; permanent, like every code in the trail.
OVERDUE, CONTRADICTS, AHEAD, CLOCK = "WITNESS_OVERDUE", "WITNESS_CONTRADICTS", "WITNESS_AHEAD", "WITNESS_CLOCK"
_BY_STATE = {State.CONTRADICTS: CONTRADICTS, State.AHEAD: AHEAD}
ALARM_WORDS = {
    OVERDUE: "No quorum of witnesses has cosigned the trail for five minutes",
    CONTRADICTS: "A witness says that it was shown another trail",
    AHEAD: "A witness says that it was shown a longer trail",
    CLOCK: "The witnesses' clocks agree that the hub's clock is wrong",
}
STATE_WORDS = {
    State.COSIGNED: "has cosigned",
    State.WAITING: "has not been heard yet",
    State.SILENT: "does not answer",
    State.UNUSABLE: "answers in a way that cannot be used",
    State.CONTRADICTS: "says that it was shown another trail",
    State.AHEAD: "says that it was shown a longer trail",
}


@dataclass(frozen=True, slots=True)
class WitnessNote:
    """What a page says: `ok` is False when somebody must act."""

    ok: bool
    sentence: str
    witnesses: tuple[str, ...]


def policy_of(path: Path | None) -> WitnessPolicy | None:
    """The policy in this file; None when there is none. Raises: SettingsRefused."""
    if path is None:
        return None
    try:
        return read_policy(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"HUB_WITNESS_POLICY_FILE cannot be read ({type(error).__name__}).") from error
    except PolicyInvalid as error:
        raise SettingsRefused(f"HUB_WITNESS_POLICY_FILE: {error}") from error


class Watch:
    """Told after each round of questions. One alarm for each thing that is wrong: in the log, and as an event."""

    def __init__(self, trail: Trail, clock: Callable[[], datetime]) -> None:
        self._trail = trail
        self._clock = clock
        self._told: set[tuple[str, str]] = set()

    def __call__(self, quorum: Quorum) -> None:
        """Effects: an `alarm` event and an error in the log for what was not told yet."""
        wrong = {(reason, what) for reason, what in _wrong(quorum)}
        for reason, what in sorted(wrong - self._told):
            log.error("witnesses", reason=reason, size=quorum.size)
            try:
                # The same alarm of another worker has the same id, and is the same event.
                eid = hashlib.sha256(f"{reason} {what}".encode()).hexdigest()[:32]
                self._trail.append("alarm", now=self._clock(), eid=eid, client={"id": "witnesses"}, reason=reason)
            except AuditError:
                continue  # Told again in the next round.
            self._told.add((reason, what))
        if self._told - wrong and not wrong:
            log.info("witnesses", state="ok", size=quorum.size)
            self._told.clear()


def note_of(quorum: Quorum) -> WitnessNote:
    """How the witnesses stand, in words."""
    names = tuple(f"{view.name} {STATE_WORDS[view.state]}{_size(view)}" for view in quorum.witnesses)
    since = _time(quorum.t)
    if any(view.state in _BY_STATE for view in quorum.witnesses):
        sentence = (
            "A partner's witness says that it was shown another trail than this one. Tell your data protection officer "
            "and the hub's operator now."
        )
        return WitnessNote(False, sentence, names)
    if quorum.overdue:
        sentence = (
            f"Nobody outside vouches for the newest entries: {quorum.words} last cosigned the trail {since}. "
            "Disclosures go on and are recorded. Tell the hub's operator."
        )
        return WitnessNote(False, sentence, names)
    if quorum.clock_differs:
        return WitnessNote(False, "The hub's clock and its witnesses' differ. Tell the hub's operator.", names)
    if quorum.t is None:
        return WitnessNote(True, "Witnesses have not cosigned the trail yet.", names)
    return WitnessNote(True, f"{quorum.words} cosigned {quorum.size:,} entries of the trail {since}.", names)


def _wrong(quorum: Quorum) -> list[tuple[str, str]]:
    """What is wrong, each with what makes it one occurrence."""
    found = [(_BY_STATE[v.state], f"{v.name} {v.size}") for v in quorum.witnesses if v.state in _BY_STATE]
    if quorum.overdue:
        found.append((OVERDUE, str(quorum.t)))
    if quorum.clock_differs:
        found.append((CLOCK, str(quorum.size)))
    return found


def _size(view: WitnessView) -> str:
    return f" {view.size:,} entries, {_time(view.t)}" if view.t is not None else ""


def _time(t: int | None) -> str:
    if t is None:
        return "never"
    return datetime.fromtimestamp(t / 1000, UTC).astimezone(_LONDON).strftime("at %H:%M on %-d %B %Y")
