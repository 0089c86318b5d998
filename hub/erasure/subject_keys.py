"""One key per subject, agency and month: seals what the trail says about a person, until it is destroyed.

For: the trail's capsules and the register's index of persons. Must never store a subject key in the clear, and never
keep in the database anything from which, once the key store has forgotten, a person leads to their entries: the
database knows handles, and only the key store leads from a person to a handle and from a handle to its key.
"""

import os
import threading
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Index, LargeBinary, MetaData, String, Table, bindparam, delete, insert, select, update

from hub.erasure.store import KeyStore, MonthKey
from hub.erasure.tree import KeyTree
from hub.errors import KeyRefused, SettingsRefused
from hub.keys import KeyRing, OpenSession, derive

metadata = MetaData()
#: No column leads to a person, and no order of making is kept.
subject_keys = Table(
    "subject_keys",
    metadata,
    Column("handle", LargeBinary(16), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("month", String(7), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("subject_keys_month", "agency", "month"),
    sqlite_with_rowid=False,
)

#: First byte of a capsule under a subject key: format 2 = handle of 16 bytes, 12-byte nonce, AES-256-GCM.
FORMAT = b"\x02"
HANDLE_BYTES = 16
_SHORTEST = 1 + HANDLE_BYTES + 12 + 16
#: Subject keys that one process keeps open for one agency and month.
MOST_OPEN = 20_000
#: So many keys of each agency and month are tried at start.
_TRIED = 5


class SubjectErased(KeyRefused):
    """The key of this capsule is destroyed: nobody can say any more whom it is about."""

    code = "subject-erased"


@dataclass(slots=True)
class _Open:
    """A month's key as this process last read it; thrown away as soon as its file changes."""

    version: tuple[int, int]
    key: MonthKey
    handles: dict[str, bytes] = field(default_factory=dict)
    ciphers: dict[bytes, AESGCM] = field(default_factory=dict)


class SubjectKeys:
    """Seals and opens capsules, finds the handles of a person, and destroys. Safe to use from several threads."""

    def __init__(self, store: KeyStore, keys: KeyRing, open_session: OpenSession) -> None:
        self.store = store
        self._keys = keys
        self._open_session = open_session
        self._opened: dict[tuple[str, str], _Open] = {}
        self._making = threading.Lock()

    def require_store(self) -> None:
        """Refuses to start beside a store that lacks what it should have, or that is another one.

        Else people would read as erased who are not. Raises SettingsRefused.
        """
        with self._open_session() as session:
            sealed = session.execute(select(subject_keys.c.agency, subject_keys.c.month).distinct()).all()
        there = set(self.store.months())
        lost = sorted(
            (month, agency)
            for agency, month in sealed
            if (agency, month) not in there and not self.store.was_destroyed(agency, month)
        )
        steps = ("Mount the folder, or put back a copy of it; see docs/operating.md.",)
        if lost and not there:
            raise SettingsRefused(
                "HUB_SUBJECT_KEYS_DIR is empty, but the database holds keys that were wrapped by it.", next_steps=steps
            )
        if lost:
            named = ", ".join(f"{agency} {month}" for month, agency in lost[:3])
            raise SettingsRefused(
                f"HUB_SUBJECT_KEYS_DIR lacks {len(lost)} keys that nobody destroyed: {named}.", next_steps=steps
            )
        for agency, month in sealed:
            if (agency, month) in there and self._belongs_to_another(agency, month):
                raise SettingsRefused(
                    f"HUB_SUBJECT_KEYS_DIR holds another key for {agency} {month} than the one that wraps in the "
                    "database.",
                    next_steps=("All machines of one hub share one folder; see docs/operating.md.",),
                )

    def _belongs_to_another(self, agency: str, month: str) -> bool:
        """Whether the store's key opens none of the first few keys that it should."""
        key = self.store.read(agency, month)
        where = (subject_keys.c.agency == agency) & (subject_keys.c.month == month)
        with self._open_session() as session:
            rows = session.execute(
                select(subject_keys.c.handle, subject_keys.c.wrapped).where(where).limit(_TRIED)
            ).all()
        if key is None:
            return False
        # A place that was cut out says nothing: that person was erased, and an older database brought the row back.
        standing = [(handle, wrapped) for handle, wrapped in rows if key.wraps.has(handle)]
        return bool(standing) and not any(_opens(key, handle, wrapped) for handle, wrapped in standing)

    def seal(self, agency: str, month: str, person: str, plaintext: bytes) -> bytes:
        """A capsule under the key of this person, agency and month. Effects: the key, at the first time."""
        month_key = self._month(agency, month) or self._make_month(agency, month)
        handle = self._handle(month_key, person)
        cipher = self._cipher(month_key, handle)
        if cipher is None:
            handle, cipher = self._make(agency, month, person)
        nonce = os.urandom(12)
        return FORMAT + handle + nonce + cipher.encrypt(nonce, plaintext, handle)

    def open(self, capsule: bytes) -> bytes:
        """What the capsule holds. Raises SubjectErased when its key is destroyed, KeyRefused when it was altered."""
        handle = handle_of(capsule)
        if handle is None or len(capsule) < _SHORTEST:
            raise KeyRefused("A capsule has an unknown format.")
        with self._open_session() as session:
            row = session.execute(
                select(subject_keys.c.agency, subject_keys.c.month).where(subject_keys.c.handle == handle)
            ).first()
        month_key = self._month(*row) if row else None
        if row is not None and month_key is None and not self.store.was_destroyed(*row):
            raise KeyRefused("The key store lacks the key of this month, which nobody destroyed.")
        cipher = self._cipher(month_key, handle) if month_key else None
        if cipher is None:
            raise SubjectErased("The key of this subject is destroyed.")
        rest = capsule[1 + HANDLE_BYTES :]
        try:
            return cipher.decrypt(rest[:12], rest[12:], handle)
        except InvalidTag as error:
            raise KeyRefused("A capsule was altered.") from error

    def handles(self, person: str) -> dict[tuple[str, str], bytes]:
        """The handle of this person under every (agency, month) that there is a key for."""
        months = ((pair, self._month(*pair)) for pair in self.store.months())
        return {pair: self._handle(key, person) for pair, key in months if key}

    def mark(self, person: str) -> str:
        """A keyed hash of the person, for a legal hold."""
        return self._keys.blind("trail-subject", person).hex()

    def months_of(self, mark: str) -> set[tuple[str, str]]:
        """Every (agency, month) in which the person with this mark has a key."""
        months = ((pair, self._month(*pair)) for pair in self.store.months())
        marked = {pair: self._handle_of_mark(key.key.names, mark) for pair, key in months if key}
        return {pair for pair, handle in marked.items() if self._wrapped(handle) is not None}

    def erase(self, person: str, months: list[tuple[str, str]], *, seen: frozenset[bytes] = frozenset()) -> int:
        """Destroys the person's keys of these agencies and months; the caller holds the store's lock.

        Takes: `seen`, handles that stand in the trail: they are cut out also where this database has no row of them,
        for another copy of it may.
        Effects: the store forgets first, then the rows go. Returns how many keys there were. Repeating it is safe.
        """
        destroyed = 0
        for agency, month in months:
            key = self.store.read(agency, month)
            if key is None:
                continue
            place, handle = self._place(key.names, self.mark(person))
            if self._wrapped(handle) is None and handle not in seen:
                continue
            key.names.cut(place)
            key.wraps.cut(handle)
            if key.old_wraps:
                key.old_wraps.cut(handle)
            self.store.write(key)
            with self._open_session() as session, session.begin():
                session.execute(delete(subject_keys).where(subject_keys.c.handle == handle))
            destroyed += 1
        return destroyed

    def expire(self, agency: str, month: str) -> None:
        """Destroys everything of one agency and month; the caller holds the store's lock."""
        self.store.destroy(agency, month)
        where = (subject_keys.c.agency == agency) & (subject_keys.c.month == month)
        with self._open_session() as session, session.begin():
            session.execute(delete(subject_keys).where(where))

    def fill(self, agency: str, month: str, count: int) -> None:
        """Makes keys of subjects that nobody is, all at once: what a measurement needs."""
        opened = self._month(agency, month) or self._make_month(agency, month)
        handles = (os.urandom(HANDLE_BYTES) for _ in range(count))
        wraps = opened.key.wraps
        rows = [
            {"handle": h, "agency": agency, "month": month, "wrapped": _wrap(wraps, h, AESGCM.generate_key(256))}
            for h in handles
        ]
        with self._open_session() as session, session.begin():
            session.execute(insert(subject_keys), rows)

    def rewrap(self, agency: str, month: str) -> int:
        """Wraps the subject keys of one agency and month anew; the caller holds the store's lock.

        Capsules are not touched. May be repeated after a crash: both wrapping keys stay until every row is written.
        Returns how many keys. Raises KeyRefused, and changes nothing, when a stored key does not open.
        """
        key = self.store.read(agency, month)
        if key is None:
            return 0
        if key.old_wraps is None:
            key.old_wraps, key.wraps = key.wraps, KeyTree.fresh()
            self.store.write(key)
        where = (subject_keys.c.agency == agency) & (subject_keys.c.month == month)
        change = update(subject_keys).where(subject_keys.c.handle == bindparam("h")).values(wrapped=bindparam("w"))
        with self._open_session() as session, session.begin():
            rows = session.execute(select(subject_keys.c.handle, subject_keys.c.wrapped).where(where)).all()
            anew = []
            for handle, wrapped in rows:
                if key.old_wraps.has(handle):
                    anew.append({"h": handle, "w": _wrap(key.wraps, handle, _unwrap(key, handle, wrapped))})
                else:  # An older database brought the row of somebody back who was erased.
                    session.execute(delete(subject_keys).where(subject_keys.c.handle == handle))
            if anew:
                session.connection().execute(change, anew)
        key.old_wraps = None
        self.store.write(key)
        return len(anew)

    def _month(self, agency: str, month: str) -> _Open | None:
        version = self.store.version(agency, month)
        known = self._opened.get((agency, month))
        if known and known.version == version:
            return known
        self._opened.pop((agency, month), None)
        key = self.store.read(agency, month) if version else None
        if version is None or key is None:
            return None
        # Were the file replaced between the two looks, the older version stands and is read again next time.
        fresh = self._opened[agency, month] = _Open(version, key)
        return fresh

    def _make_month(self, agency: str, month: str) -> _Open:
        with self.store.lock():
            if self.store.version(agency, month) is None:
                self.store.write(MonthKey(agency, month, KeyTree.fresh(), KeyTree.fresh()))
        made = self._month(agency, month)
        if made is None:
            raise KeyRefused("The key store could not keep a new key.")
        return made

    def _place(self, names: KeyTree, mark: str) -> tuple[bytes, bytes]:
        """Where this person's handle is, and the handle. Who was erased and comes again gets another place."""
        for turn in range(1000):
            place = self._keys.blind(f"trail-subject-place:{turn}", mark)[:8]
            if secret := names.key(place):
                return place, derive(secret, "subject handle")[:HANDLE_BYTES]
        raise KeyRefused("This subject was erased too often within a month.")

    def _handle_of_mark(self, names: KeyTree, mark: str) -> bytes:
        return self._place(names, mark)[1]

    def _handle(self, month: _Open, person: str) -> bytes:
        handle = month.handles.get(person)
        if handle is None:
            if len(month.handles) >= MOST_OPEN:
                month.handles.clear()
            handle = month.handles[person] = self._handle_of_mark(month.key.names, self.mark(person))
        return handle

    def _cipher(self, month: _Open, handle: bytes) -> AESGCM | None:
        cipher = month.ciphers.get(handle)
        if cipher is None:
            wrapped = self._wrapped(handle)
            if wrapped is None or not month.key.wraps.has(handle):
                return None
            if len(month.ciphers) >= MOST_OPEN:
                month.ciphers.clear()
            try:
                cipher = month.ciphers[handle] = AESGCM(_unwrap(month.key, handle, wrapped))
            except SubjectErased:
                return None
        return cipher

    def _make(self, agency: str, month: str, person: str) -> tuple[bytes, AESGCM]:
        """Makes the subject's key, unless another worker made it meanwhile. Raises SubjectErased."""
        with self._making, self.store.lock():
            current = self._month(agency, month)
            if current is None:
                raise SubjectErased("The keys of this month were destroyed meanwhile.")
            handle = self._handle(current, person)
            if self._cipher(current, handle) is None:
                # A row that is there all the same came with an older database, and nothing opens it any more.
                wrapped = _wrap(current.key.wraps, handle, AESGCM.generate_key(256))
                row = {"handle": handle, "agency": agency, "month": month, "wrapped": wrapped}
                with self._open_session() as session, session.begin():
                    session.execute(delete(subject_keys).where(subject_keys.c.handle == handle))
                    session.execute(insert(subject_keys).values(row))
            cipher = self._cipher(current, handle)
            if cipher is None:
                raise SubjectErased("The key of this subject was destroyed meanwhile.")
            return handle, cipher

    def _wrapped(self, handle: bytes) -> bytes | None:
        with self._open_session() as session:
            return session.execute(select(subject_keys.c.wrapped).where(subject_keys.c.handle == handle)).scalar()


def handle_of(capsule: bytes) -> bytes | None:
    """Which subject key a capsule is under; None for one of the format that had one key for all."""
    return capsule[1 : 1 + HANDLE_BYTES] if capsule[:1] == FORMAT else None


def staff_subject(user: str) -> str:
    """Who a member of staff is among the subjects of keys: never the same as a person of that id."""
    return f"staff:{user}"


def _opens(key: MonthKey, handle: bytes, wrapped: bytes) -> bool:
    try:
        _unwrap(key, handle, wrapped)
    except SubjectErased:
        return False
    return True


def _wrap(tree: KeyTree, handle: bytes, subject_key: bytes) -> bytes:
    secret = tree.key(handle)
    if secret is None:
        raise SubjectErased("The key of this subject is destroyed.")
    nonce = os.urandom(12)
    return nonce + AESGCM(secret).encrypt(nonce, subject_key, handle)


def _unwrap(key: MonthKey, handle: bytes, wrapped: bytes) -> bytes:
    for tree in (key.old_wraps, key.wraps):  # While wrapping anew, most are still under the old one.
        secret = tree.key(handle) if tree else None
        if secret is not None:
            try:
                return AESGCM(secret).decrypt(wrapped[:12], wrapped[12:], handle)
            except InvalidTag:
                continue
    raise SubjectErased("No key of the store opens this subject's key any more.")
