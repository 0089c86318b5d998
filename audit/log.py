"""The trail: append an event, and go on only with a receipt in hand.

For: every use-case of the hub that asks, shows, refuses or decides. It must never give a receipt for an entry that
is not durable, and never wait without a bound. Ruled by `docs/audit-format.md`.

On SQLite one process writes, with as many threads as it likes, and an entry has its place in the signed tree before
its receipt is given. On PostgreSQL several processes write, and a leader among them gives the places within a second.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from audit import outbox
from audit import store as rows
from audit.checking import Checked, check
from audit.checkpoint import Checkpoint, VerifierKey
from audit.cosignature import read_cosignatures
from audit.cosigned import quorum_head
from audit.entry import Entry, Sealed, SealStaff, SealSubject, SigningKey, Submitter, read_entry, seal
from audit.errors import AuditError, EntryUnknown, EventInvalid, ProofError, TrailCorrupt, TrailUnavailable
from audit.events import EID, Event, build, milliseconds
from audit.growth import Tree
from audit.keyleaf import certify
from audit.leader import Leader
from audit.placing import Placing
from audit.policy import WitnessPolicy
from audit.promise import Promised, sign_promise
from audit.receipts import Receipt, ReceiptProof
from audit.rederive import rederive
from audit.tables import missing_guards, missing_tables
from audit.timekeeping import HEARTBEAT_S, Pulse, Steady, Timekeeper
from audit.tree import (
    consistency_positions,
    inclusion_positions,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    verify_inclusion,
)
from audit.writer import Slot, Writer

#: How often a reader looks whether an entry has its place by now, in seconds.
_LOOK_S = 0.01
#: How the trail itself is named in events that nobody else caused.
_SELF = {"id": "trail"}


class Trail:
    """An append-only, independently checkable trail in one database.

    Takes: `origin`, the name of the log as others know it, such as `kith.example/county`; `seal_subject`, which
    encrypts under a person's own key, and `seal_staff` under that of whoever acted; `clock`, the time of checkpoints;
    `max_wait_s`, how long `append` may take; `max_queue`, how many callers may wait at once; `state_folder`, where a
    PostgreSQL trail remembers its last tree head, outside the database and its backups (SQLite: beside the database);
    `steady`, seconds that only ever pass, against which the clock is held (None: it is not); `policy`, whose
    witnesses' cosignatures go into receipts.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        submitter_key: SigningKey,
        log_key: SigningKey,
        origin: str,
        seal_subject: SealSubject,
        seal_staff: SealStaff,
        clock: Callable[[], datetime],
        max_wait_s: float = 2.0,
        max_queue: int = 1024,
        state_folder: Path | None = None,
        steady: Steady | None = None,
        policy: WitnessPolicy | None = None,
    ) -> None:
        self.verifier_key = VerifierKey.of(origin, log_key.public_key())
        self._store = rows.Store(engine, wait_s=max_wait_s)
        self._submitter = Submitter.of(submitter_key)
        self._log = Submitter.of(log_key)
        self._seal_subject = seal_subject
        self._seal_staff = seal_staff
        self._clock = clock
        self._time = Timekeeper(clock, steady)
        self._pulse = Pulse(self._look_around)
        self._max_wait_s = max_wait_s
        self._state_folder = state_folder
        self._policy = policy
        self._head_file: rows.HeadFile | None = None
        self._started_in: int | None = None
        self._closed = False
        self._tree = Tree(
            self._store, log_key=log_key, verifier_key=self.verifier_key, clock=clock, remember=self._remember
        )
        outgoing = outbox.HandingIn()
        target = Placing(self._store, self._tree) if self._store.is_sqlite else outgoing
        self._writer = Writer(self._store, target, max_wait_s=max_wait_s, max_queue=max_queue)
        self._leader = None if self._store.is_sqlite else self._candidate(outgoing)

    def __enter__(self) -> "Trail":
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def start(self, *, before_signing: Callable[[], None] = lambda: None) -> None:
        """Build the tree again, compare it with the last signed checkpoint, and begin to write.

        Takes: `before_signing`, called in between; what it raises keeps the trail from being signed.

        Raises: TrailCorrupt, when it differs (nothing is ever signed then); TrailUnavailable, when the database
        cannot be used or, on SQLite, when another process writes.
        """
        if self._started_in is not None or self._closed:
            raise TrailUnavailable("A trail is started once.")
        if self._store.is_sqlite:
            self._head_file = rows.HeadFile(f"{self._store.database_path()}-audit-head", alone=True)
        elif self._state_folder is not None:
            self._head_file = rows.HeadFile(str(self._state_folder / "audit-head"), alone=False)
        if self._head_file is not None:
            self._head_file.acquire()
        try:
            # Before the database is looked at: another worker may grow both meanwhile.
            remembered = self._head_file.read() if self._head_file else ""
            with self._store.reading() as connection:
                _require_tables(connection)
                peaks = rederive(connection, self.verifier_key, remembered)
                self._time.begin(rows.newest_time(connection), whole=bool(remembered))
            before_signing()
            began = self._clock()
            for role, name, public in (
                (rows.SUBMITTER, "", self._submitter.public),
                (rows.SUBMITTER, "", self._log.public),  # It signs key leaves.
                (rows.LOG, self.verifier_key.name, self.verifier_key.public),
            ):
                self._store.enrol(role, name, public, milliseconds(began))
            self._tree.begin_at(peaks)
            self._started_in = os.getpid()
            self._writer.start()
            if self._leader is not None:
                self._leader.start()
            certified = self._write(
                certify(self._submitter.public, origin=self.verifier_key.name, log=self._log, now=began)
            )
            self._await_place(certified.eid)
            self._pulse.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Write what waits, then stop. Appending afterwards raises TrailUnavailable."""
        self._closed = True
        self._pulse.stop()
        ended = True
        if self._started_in == os.getpid():
            ended = self._writer.stop()
            if self._leader is not None:
                ended = self._leader.stop(self._max_wait_s * 2 + 1) and ended
        # A writer that is stuck keeps its lock, so that no second one can begin beside it.
        if self._head_file is not None and ended:
            self._head_file.release()

    def append(
        self,
        kind: str,
        *,
        now: datetime,
        subjects: Sequence[str] = (),
        eid: str | None = None,
        **fields: object,
    ) -> Receipt:
        """Write one event, and return only when it is durable.

        Takes: `subjects`, ids of the persons it is about, which are sealed; `eid`, to make a retry safe: the same
        event under the same id gives the same receipt; the other keys as `audit.events.SHAPES` has them.
        Raises: EventInvalid, EventConflict (the id was used for something else), TrailUnavailable (the user sees
        503 and nothing is shown; the entry may have been written all the same, and a retry with the same id tells).
        Effects: one entry; its tree hashes and a checkpoint, at once (SQLite) or within a second (PostgreSQL).
        """
        event = build(kind, now=now, subjects=len(subjects), fields=fields, eid=eid)
        self._require_clock()
        return self._record(event, subjects, may_be_replay=eid is not None)

    def promise(self, intent: Receipt, *, agency: str, subject: int, now: datetime) -> str:
        """The header that goes with one question to a partner: that this intent is on record (`audit.promise`).

        Takes: `subject`, the number of the capsule of the person who is asked about. Raises: EventInvalid, for an
        intent that another submitter wrote.
        """
        if intent.leaf[96:] != self._submitter.key_hash:
            raise EventInvalid("A promise is given by whoever wrote the intent.")
        promised = Promised(intent.eid, subject, agency, milliseconds(now), intent.leaf)
        return sign_promise(promised, self.verifier_key.name, self._submitter)

    def head(self) -> Checkpoint:
        """The newest signed checkpoint, over all that was recorded before.

        Raises: EntryUnknown, for a trail without entries; TrailUnavailable, when something gets no place in time.
        """
        self._await_places()
        with self._store.reading() as connection:
            head = rows.read_signed_head(connection, self.verifier_key)
        if not head.size:
            raise EntryUnknown("The trail has no entries yet.")
        return Checkpoint(self.verifier_key.name, head.size, head.root, head.note)

    def entry(self, eid: str) -> Entry:
        """The entry with this event id, checked against its leaf.

        Raises: EntryUnknown, TrailCorrupt; TrailUnavailable, when it is recorded and gets no place in time.
        """
        self._await_place(eid)
        with self._store.reading() as connection:
            return _decoded(_row_of(connection, eid))

    def events(self, start: int = 0) -> Iterator[Entry]:
        """Entries from number `start` to the newest at this moment, for those who rebuild a view of them.

        Raises: TrailUnavailable, when something was recorded before and gets no place in time.
        """
        self._await_places()
        with self._store.reading() as connection:
            end = rows.read_head(connection).size
            for row in rows.entry_rows_from(connection, start, end):
                yield _decoded(row)

    def agreement_events(self) -> tuple[Entry, ...]:
        """Every event about an agreement, in the order of the trail, each checked against its leaf; no other is read.

        Raises: TrailCorrupt; TrailUnavailable, when something was recorded before and gets no place in time.
        """
        self._await_places()
        with self._store.reading() as connection:
            return tuple(map(_decoded, rows.agreement_rows(connection)))

    def receipt(self, eid: str) -> ReceiptProof:
        """The proof that an entry is in the signed tree, checked before it is handed out.

        It leads to the newest checkpoint that a quorum of witnesses cosigned, or to the newest of all when the entry
        is younger than that.

        Raises: EntryUnknown, TrailCorrupt; TrailUnavailable, when it is recorded and gets no place in time.
        """
        self._await_place(eid)
        with self._store.reading() as connection:
            entry = _decoded(_row_of(connection, eid))
            head = rows.read_signed_head(connection, self.verifier_key)
            submitter = rows.public_key_of(connection, rows.SUBMITTER, entry.leaf[96:])
            if entry.index >= head.size or submitter is None:
                raise TrailCorrupt("An entry is covered by no checkpoint, or by no known submitter.")
            checkpoint = head.note
            if self._policy and (witnessed := quorum_head(connection, self._policy, covering=entry.index)):
                head, checkpoint = witnessed.head, witnessed.note
                rows.open_signed(head.note, self.verifier_key)
            read = rows.node_reader(connection, inclusion_positions(entry.index, head.size))
            path = prove_inclusion(entry.index, head.size, read)
        hashed = leaf_hash(entry.leaf)
        cosigned = read_cosignatures(checkpoint, self._policy.vkeys() if self._policy else [])
        try:
            verify_inclusion(entry.index, head.size, hashed, path, head.root)
        except ProofError:
            raise TrailCorrupt("The stored tree does not prove what was signed.") from None
        return ReceiptProof(
            eid=entry.eid,
            kind=entry.kind,
            t=entry.t,
            index=entry.index,
            size=head.size,
            root=head.root,
            envelope=entry.envelope,
            leaf=entry.leaf,
            leaf_hash=hashed,
            path=tuple(path),
            checkpoint=checkpoint,
            submitter=submitter,
            witnesses=tuple((one.witness.name, one.t_s) for one in cosigned),
        )

    def check(self, *, before: datetime) -> Checked:
        """Whether the trail is what was signed, now: recomputed, and held against the last checkpoint before a moment.

        Raises: TrailCorrupt, EntryUnknown.
        """
        self._await_places()
        with self._store.reading() as connection:
            return check(connection, self.verifier_key, self._policy, before=milliseconds(before))

    def submitters(self) -> dict[str, bytes]:
        """The public keys of everybody who ever signed leaves here, by the hexadecimal SHA-256 of the key."""
        with self._store.reading() as connection:
            return rows.public_keys(connection, rows.SUBMITTER)

    def consistency(self, size1: int, size2: int) -> list[bytes]:
        """The proof that the tree of `size2` entries begins with that of `size1`. Raises: ProofError."""
        with self._store.reading() as connection:
            if size2 > rows.read_head(connection).size:
                raise ProofError("The trail is not that large.")
            positions = consistency_positions(size1, size2)
            return prove_consistency(size1, size2, rows.node_reader(connection, positions))

    def _candidate(self, outgoing: outbox.HandingIn) -> Leader:
        return Leader(
            self._store,
            self._tree,
            origin=self.verifier_key.name,
            log_public=self.verifier_key.public,
            take_own=outgoing.take_own,
            condemn=lambda sentence: self._writer.condemn(sentence),
            on_refused=self._tell_of_refusal,
        )

    def _write(self, sealed: Sealed, *, may_be_replay: bool = True) -> Receipt:
        return self._writer.submit(Slot(sealed, may_be_replay=may_be_replay))

    def beat(self) -> Receipt | None:
        """A heartbeat, when nothing was written for an hour; only the leader beats. Effects: at most one entry."""
        if self._leader is not None and not self._leader.leads:
            return None
        now = self._clock()
        with self._store.reading() as connection:
            newest_ms = rows.newest_checkpoint_time(connection)
        if newest_ms is not None and milliseconds(now) - newest_ms < HEARTBEAT_S * 1000:
            return None
        return self.append("admin", now=now, client=_SELF, action="HEARTBEAT", outcome="ALIVE")

    def _look_around(self) -> None:
        """What the pulse does: is the clock right, was anything written of late."""
        with contextlib.suppress(AuditError):  # What cannot be written now is looked at again with the next beat.
            self._tell_of_jump()
            self.beat()

    def _require_clock(self) -> None:
        """Nothing is recorded while the clock is wrong, except that it is."""
        try:
            self._time.require()
        except TrailUnavailable:
            with contextlib.suppress(AuditError):
                self._tell_of_jump()
            raise

    def _tell_of_jump(self) -> None:
        jumped = self._time.jumped()
        if jumped is not None:
            skew_s, believed = jumped
            about = {"type": "clock", "id": f"{'ahead' if skew_s > 0 else 'behind'}-{abs(skew_s)}s"}
            said = {"client": _SELF, "action": "REFUSED", "reason": "CLOCK_JUMP", "object": about}
            self._record(build("alarm", now=believed, subjects=0, fields=said), (), may_be_replay=False)

    def _record(self, event: Event, subjects: Sequence[str], *, may_be_replay: bool) -> Receipt:
        if self._started_in is None or self._closed:
            raise TrailUnavailable("The trail is not open.")
        if self._started_in != os.getpid():
            raise TrailUnavailable("The trail was started in another process: start it after forking.")
        try:
            sealed = seal(event, subjects, self._seal_subject, self._seal_staff, self._submitter)
        except AuditError:
            raise
        except Exception as error:
            raise rows.unavailable("The persons could not be sealed", error) from None
        return self._write(sealed, may_be_replay=may_be_replay)

    def _tell_of_refusal(self, reason: str) -> None:
        """Somebody handed in what no worker of ours signed: an alarm. The row itself is kept in `audit_refused`."""
        with contextlib.suppress(AuditError):
            self.append("alarm", now=self._clock(), client=_SELF, action="OUTBOX_ROW_REFUSED", reason=reason)

    def _await_place(self, eid: str) -> None:
        """Wait, for a bounded time, until this event has its place, if it is recorded at all."""
        if self._leader is not None and EID.fullmatch(eid):
            self._await(lambda connection: not outbox.is_waiting(connection, eid))

    def _await_places(self) -> None:
        """Wait, for a bounded time, until all that is recorded at this moment has its place."""
        if self._leader is None:
            return
        with self._store.reading() as connection:
            newest = outbox.newest_waiting(connection)
        if newest is not None:
            self._await(lambda connection: outbox.is_placed_up_to(connection, newest))

    def _await(self, is_so: Callable[[Connection], bool]) -> None:
        until = time.monotonic() + self._max_wait_s
        while True:
            with self._store.reading() as connection:
                if is_so(connection):
                    return
            self._writer.require_sound()
            if self._leader is not None:
                self._leader.call()
            if time.monotonic() > until:
                raise TrailUnavailable("It is recorded, and has no place in the signed tree yet.")
            time.sleep(_LOOK_S)

    def _remember(self, note: str) -> None:
        if self._head_file is not None:
            self._head_file.remember(note)


def _require_tables(connection: Connection) -> None:
    if missing := missing_tables(connection):
        raise TrailUnavailable(f"The tables {', '.join(missing)} are missing: run the migrations.")
    if missing := missing_guards(connection):
        raise TrailCorrupt(f"The guards {', '.join(missing)} are missing: somebody removed them.")


def _row_of(connection: Connection, eid: str) -> rows.StoredEntry:
    if not EID.fullmatch(eid):
        raise EventInvalid("An event id is 32 lower-case hexadecimal digits.")
    row = rows.entry_row(connection, eid)
    if row is None:
        raise EntryUnknown("No entry has this event id.")
    return row


def _decoded(row: rows.StoredEntry) -> Entry:
    return read_entry(row.idx, row.envelope, row.leaf)
