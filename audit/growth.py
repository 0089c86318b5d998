"""The tree that grows: places entries one after another and signs the head over them.

For: whoever may place (`audit.placing` on SQLite, the elected leader of `audit.leader` on PostgreSQL). It must never
sign a tree that is smaller than, or different from, the one that was signed before. Ruled by `docs/audit-format.md`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from audit import store as rows
from audit.checkpoint import VerifierKey, sign
from audit.entry import SigningKey
from audit.errors import ProofError, TrailCorrupt
from audit.events import milliseconds
from audit.tree import Peaks, consistency_positions, leaf_hash, prove_consistency, verify_consistency


class Tree:
    """The stored tree as this process last knew it. Belongs to one thread."""

    def __init__(
        self,
        store: rows.Store,
        *,
        log_key: SigningKey,
        verifier_key: VerifierKey,
        clock: Callable[[], datetime],
        remember: Callable[[str], None],
    ) -> None:
        self._store = store
        self._log_key = log_key
        self._verifier_key = verifier_key
        self._clock = clock
        self._remember = remember
        self._peaks = Peaks()
        #: What the transaction that is open makes of it, and the note over that.
        self._grown: tuple[Peaks, str] | None = None
        self._unsettled = False

    def begin_at(self, peaks: Peaks) -> None:
        """Go on from the tree that these peaks stand for."""
        self._peaks = peaks

    def follow(self, connection: Connection) -> None:
        """Make sure that the stored tree is ours, or one that grew from ours.

        It may have grown through another leader (PostgreSQL), or through a commit of ours whose success we were
        not told of. Raises: TrailCorrupt, for a smaller or different tree: it is never signed.
        """
        self._grown = None
        head = rows.read_head(connection)
        if head.size == self._peaks.size and head.root == self._peaks.root():
            return
        if head.size <= self._peaks.size or (self._store.is_sqlite and not self._unsettled):
            raise TrailCorrupt("The stored trail is not the one that was signed last.")
        head = rows.read_signed_head(connection, self._verifier_key)
        peaks = rows.read_peaks(connection, head.size)
        try:
            if peaks.root() != head.root:
                raise ProofError("The stored tree has another root.")
            if self._peaks.size:
                sizes = (self._peaks.size, head.size)
                proof = prove_consistency(*sizes, rows.node_reader(connection, consistency_positions(*sizes)))
                verify_consistency(*sizes, proof, self._peaks.root(), head.root)
        except ProofError:
            raise TrailCorrupt("The stored trail does not continue the one that was signed.") from None
        self._peaks = peaks

    def grow(self, connection: Connection, pending: Sequence[rows.Pending]) -> None:
        """Place entries behind the last one and sign the new head, inside the open transaction.

        Effects: rows of entries, hashes and one checkpoint; none for an empty list.
        """
        if not pending:
            return
        peaks = self._peaks.copy()
        entry_rows: list[rows.StoredEntry] = []
        node_rows: list[tuple[int, int, bytes]] = []
        for eid, t, kind, leaf, envelope in pending:
            hashed = leaf_hash(leaf)
            entry_rows.append(rows.StoredEntry(peaks.size, eid, t, kind, hashed, leaf, envelope))
            node_rows += peaks.push(hashed)
        key, root = self._verifier_key, peaks.root()
        note = sign(key.name, peaks.size, root, self._log_key, key.key_id)
        rows.insert_group(connection, entry_rows, node_rows, (peaks.size, milliseconds(self._clock()), root, note))
        self._grown = (peaks, note)

    def commit(self, connection: Connection) -> None:
        """Commit; only then is the new tree ours."""
        self._unsettled = self._grown is not None
        connection.commit()
        self._unsettled = False
        if self._grown is not None:
            self._peaks, note = self._grown
            self._grown = None
            self._remember(note)
