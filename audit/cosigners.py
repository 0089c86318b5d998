"""Ask the witnesses of the policy to cosign the trail, again and again, and know how that stands.

For: the hub, beside its writer. It must never hold up an entry: a witness that is lost, slow, lying or set back costs
its own cosignature and nothing else. Ruled by c2sp.org/tlog-witness and `docs/audit-format.md`.

Every worker asks, but only whom nobody has heard lately; so no worker has to be elected, and none is missed.
"""

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Engine

from audit import cosigned
from audit import store as rows
from audit.asking import Said, WitnessSilent, ask
from audit.checkpoint import VerifierKey, open_note
from audit.cosignature import read_cosignatures
from audit.errors import AuditError, ProofError, TrailCorrupt, TrailUnavailable
from audit.events import milliseconds
from audit.policy import PolicyWitness, WitnessPolicy
from audit.store import Head
from audit.tree import consistency_positions, prove_consistency
from audit.witness import request_body

#: A receipt has its cosignatures within a minute, also when one round is lost.
EVERY_S = 20.0
#: A trail that does not grow is cosigned again so often, so that a lost witness is noticed.
QUIET_S = 120.0
#: What one witness may take.
EACH_S = 5.0
#: Older than this, the quorum is overdue and information governance is alerted.
OVERDUE_S = 300.0
#: A witness whose clock is further from ours says that one of the two is wrong.
LARGEST_SKEW_S = 60
_ATTEMPTS = 3


class State(StrEnum):
    """How a witness stands. CONTRADICTS and AHEAD mean that it saw another history, or a longer one."""

    COSIGNED = "COSIGNED"
    WAITING = "WAITING"
    SILENT = "SILENT"
    UNUSABLE = "UNUSABLE"
    CONTRADICTS = "CONTRADICTS"
    AHEAD = "AHEAD"


@dataclass(frozen=True, slots=True)
class WitnessView:
    """One witness: what it last cosigned (`size`, `t` in UTC milliseconds) and how it answered this worker last."""

    name: str
    size: int
    t: int | None
    state: State
    skew_s: int


@dataclass(frozen=True, slots=True)
class Quorum:
    """How the witnesses stand. `t` is the time (UTC milliseconds) at which the oldest of the newest quorum spoke."""

    words: str
    t: int | None
    size: int
    overdue: bool
    clock_differs: bool
    witnesses: tuple[WitnessView, ...]


class Cosigners:
    """Asks in a thread of its own, with one more thread for each witness that has an address.

    Takes: `tell`, called after each round with how things stand; it may raise nothing.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        key: VerifierKey,
        policy: WitnessPolicy,
        clock: Callable[[], datetime],
        tell: Callable[[Quorum], None] = lambda _: None,
        every_s: float = EVERY_S,
        quiet_s: float = QUIET_S,
        each_s: float = EACH_S,
    ) -> None:
        self.policy = policy
        self._store = rows.Store(engine, wait_s=2.0)
        self._key = key
        self._clock = clock
        self._tell = tell
        self._every_s, self._quiet_s, self._each_s = every_s, quiet_s, each_s
        self._asked = [witness for witness in policy.witnesses.values() if witness.url]
        self._said: dict[str, tuple[State, int]] = {}
        self._busy: dict[str, threading.Thread] = {}
        self._since = milliseconds(clock())
        self._proven = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._thread = threading.Thread(target=self._run, name="audit-cosigners", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop asking. A question that is under way ends by itself, and holds nobody up."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self._each_s + 3)

    def round(self, question: Callable[[PolicyWitness], None] | None = None) -> None:
        """Ask each witness once that is not still busy, and wait for them together as long as one may take."""
        for witness in self._asked:
            if witness.name not in self._busy or not self._busy[witness.name].is_alive():
                thread = threading.Thread(target=question or self._ask, args=[witness], daemon=True)
                self._busy[witness.name] = thread
                thread.start()
        until = time.monotonic() + self._each_s
        for thread in self._busy.values():
            thread.join(max(0.0, until - time.monotonic()))

    def quorum(self) -> Quorum:
        """How the witnesses stand now. Raises: TrailUnavailable."""
        with self._store.reading() as connection:
            heard = {one.name: cosigned.newest_of(connection, one.key) for one in self.policy.witnesses.values()}
            empty = rows.read_head(connection).size == 0
            found = cosigned.quorum_head(connection, self.policy)
        spoken = sorted(((said.t, name) for name, said in heard.items() if said), reverse=True)
        t = next(
            (t for place, (t, _) in enumerate(spoken) if self.policy.met_by({name for _, name in spoken[: place + 1]})),
            None,
        )
        age_ms = milliseconds(self._clock()) - (self._since if t is None else t)
        views = tuple(self._view(name, said) for name, said in heard.items())
        off = {view.name for view in views if abs(view.skew_s) > LARGEST_SKEW_S}
        asks = self.policy.quorum != "none"
        return Quorum(
            words=self.policy.in_words(),
            t=t,
            size=found.head.size if found else 0,
            overdue=asks and not empty and age_ms > OVERDUE_S * 1000,
            clock_differs=asks and self.policy.met_by(off),
            witnesses=views,
        )

    def require_not_behind(self) -> None:
        """Before anything is signed: ask each witness whether it knows a longer trail than this database holds.

        Raises: TrailCorrupt, when one proves it with a checkpoint of the log's own, or a quorum says it. Those who do
        not answer in time say nothing.
        """
        self.round(self._look)
        self.round()
        ahead = {name for name, (state, _) in self._said.items() if state is State.AHEAD}
        if self._proven or (ahead and self.policy.met_by(ahead)):
            raise TrailCorrupt("Witnesses have cosigned a longer trail than this one: an older copy was put back.")

    # One witness

    def _run(self) -> None:
        while not self._stop.is_set():
            self.round()
            # When the database is away, whoever needs the trail is told by the trail.
            with suppress(AuditError):
                self._tell(self.quorum())
            self._stop.wait(self._every_s)

    def _ask(self, witness: PolicyWitness) -> None:
        try:
            self._said[witness.name] = self._push(witness)
        except WitnessSilent:
            self._said[witness.name] = (State.SILENT, 0)
        except ProofError:
            self._said[witness.name] = (State.UNUSABLE, 0)
        except (
            Exception
        ):  # The database is away, or the witness found a new way to be wrong: the next round asks again.
            self._said.setdefault(witness.name, (State.WAITING, 0))

    def _push(self, witness: PolicyWitness) -> tuple[State, int]:
        """Returns: how the witness stands, and by how many seconds its clock is ahead of ours."""
        with self._store.reading() as connection:
            target, old = self._target(connection, witness)
        if target is None:
            return self._said.get(witness.name, (State.COSIGNED, 0))
        for _ in range(_ATTEMPTS):
            said = self._submit(witness, old, target)
            if said.status == 200:
                return State.COSIGNED, self._keep(witness, target, said)
            if said.status == 422:
                return State.CONTRADICTS, 0
            known = _size(said)
            if known == old == target.size:
                return State.CONTRADICTS, 0
            with self._store.reading() as connection:
                head = rows.read_signed_head(connection, self._key)
            if known > head.size:
                return State.AHEAD, 0
            old, target = known, (head if known > target.size else target)
        raise ProofError("The witness keeps changing its mind.")

    def _target(self, connection: Connection, witness: PolicyWitness) -> tuple[Head | None, int]:
        """Which checkpoint to have cosigned, and from which size on; None when there is nothing to ask now."""
        head = rows.read_signed_head(connection, self._key)
        heard = cosigned.newest_of(connection, witness.key) or cosigned.Heard(0, 0)
        now = milliseconds(self._clock())
        wait_s = self._every_s if heard.size < head.size else self._quiet_s
        # The rounds are not on the second; and a clock that was set back must not silence us.
        if not head.size or 0 <= now - heard.t < wait_s * 900:
            return None, heard.size
        return self._with_the_others(connection, head, heard.size, now), heard.size

    def _with_the_others(self, connection: Connection, head: Head, least: int, now: int) -> Head:
        """What another witness cosigned a moment ago, so that there is one checkpoint which a quorum cosigned."""
        for other in self.policy.witnesses.values():
            heard = cosigned.newest_of(connection, other.key)
            if heard and heard.size > least and now - heard.t < self._every_s * 1000:
                return cosigned.checkpoint_at(connection, heard.size) or head
        return head

    def _submit(self, witness: PolicyWitness, old: int, target: Head) -> Said:
        proof: list[bytes] = []
        if 0 < old < target.size:
            positions = consistency_positions(old, target.size)
            with self._store.reading() as connection:
                proof = prove_consistency(old, target.size, rows.node_reader(connection, positions))
        lines = [base64.b64encode(node).decode("ascii") for node in proof]
        return ask(f"{witness.url}/add-checkpoint", request_body(old, lines, target.note), within_s=self._each_s)

    def _keep(self, witness: PolicyWitness, target: Head, said: Said) -> int:
        if "\n\n" in said.text:
            raise ProofError("The answer is more than signature lines.")
        found = read_cosignatures(target.note + said.text, [witness.key])
        if not found:
            raise ProofError("The answer holds no cosignature of this witness.")
        now = milliseconds(self._clock())
        cosigned.keep(self._store, target.size, witness.key, found[0].line, now)
        return found[0].t_s - now // 1000

    def _look(self, witness: PolicyWitness) -> None:
        """Ask for the last checkpoint that the witness cosigned; one of ours that is longer proves itself."""
        where = hashlib.sha256(self._key.name.encode()).hexdigest()
        try:
            said = ask(f"{witness.url}/checkpoint/{where}", None, within_s=self._each_s)
            known = open_note(said.text, [self._key]) if said.status == 200 else None
            with self._store.reading() as connection:
                size = rows.read_head(connection).size
        except (WitnessSilent, ProofError):
            return  # Not every witness tells; what it says to a checkpoint counts as well.
        except TrailUnavailable:
            return
        if known is not None and known.origin == self._key.name and known.size > size:
            self._proven = True

    def _view(self, name: str, heard: cosigned.Heard | None) -> WitnessView:
        state, skew_s = self._said.get(name, (State.WAITING if heard is None else State.COSIGNED, 0))
        return WitnessView(name, heard.size if heard else 0, heard.t if heard else None, state, skew_s)


def _size(said: Said) -> int:
    """The size in the answer to a conflict. Raises: ProofError, for any other answer."""
    text = said.text.removesuffix("\n")
    if said.status != 409 or not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ProofError("The witness answered in no way that the protocol knows.")
    return int(text)
