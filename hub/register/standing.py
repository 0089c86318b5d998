"""Where every agreement stands: the files as they were at start, and what the register has added to them since.

For: opening the hub, and every request afterwards, so that a change is in force for every worker process at its next
request. Must never let an agreement count whose stored text was altered or taken away: then nothing flows under its
reference, and whoever looks is told.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit import Entry, newest_agreement_event
from hub.errors import KeyRefused
from hub.keys import HUB, KeyRing
from hub.register.recorded import Enacted, Key, Recorded, read_recorded
from hub.register.tables import agreement_signatures, agreement_versions
from policies import AgreementInvalid, Filed, SharingAgreement, Signatories, Signature, count_signed, read_draft

OpenSession = Callable[[], AbstractContextManager[Session]]
#: The newest version and signature in the register, and the newest event about an agreement in the trail.
Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """The agreements as they count, a sentence for each party or reference that does not, and how far was read."""

    agreements: tuple[SharingAgreement, ...]
    not_signed: tuple[str, ...]
    #: References under which nothing flows, because the register does not hold what the trail says was enacted.
    stopped: tuple[str, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Register:
    """The files at start, and the way to what was added since. `signatories` None: no signature is checked."""

    open_session: OpenSession
    keys: KeyRing
    #: What the trail holds about agreements, in its order.
    events: Callable[[], Iterable[Entry]]
    filed: tuple[Filed, ...]
    faults: tuple[str, ...]
    signatories: Signatories | None

    def mark(self) -> Mark:
        """How far the register and the trail have come; equal marks, equal standing. One query, whatever their size."""
        newest = select(
            select(func.coalesce(func.max(agreement_versions.c.id), 0)).scalar_subquery(),
            select(func.coalesce(func.max(agreement_signatures.c.id), 0)).scalar_subquery(),
            func.coalesce(newest_agreement_event.scalar_subquery(), -1),
        )
        with self.open_session() as session:
            version, signature, event = session.execute(newest).one()
        return version, signature, event

    def standing(self) -> Standing:
        """Every agreement as it counts now."""
        mark = self.mark()
        believed, stopped = self._believed()
        counted, wrong = count_signed(believed, self.signatories)
        sentences = (f"{one}: {why}, so nothing flows under it. {WHAT_NEXT}" for one, why in stopped.items())
        return Standing(counted, (*self.faults, *wrong, *sentences), tuple(stopped), mark)

    def written(self) -> tuple[Filed, ...]:
        """Every version as it is written, with its signatures, whether they count or not."""
        return self._believed()[0]

    def recorded(self) -> Recorded:
        """What the trail says was put in force."""
        return read_recorded(self.events())

    def texts(self) -> dict[str, list[str]]:
        """The stored texts that open, by the event that put them in force; no text where none opens."""
        with self.open_session() as session:
            rows = session.execute(select(agreement_versions).order_by(agreement_versions.c.id)).all()
        found: dict[str, list[str]] = {}
        for row in rows:
            texts = found.setdefault(row.receipt, [])
            with suppress(KeyRefused, UnicodeDecodeError):
                sealed_as = sealed_for(row.reference, row.version, row.cause)
                texts.append(self.keys.open(HUB, row.sealed_text, sealed_as).decode())
        return found

    def missing(self) -> dict[Key, Enacted]:
        """What the trail says stands and the register does not hold as it was enacted."""
        standing, texts = self.recorded().standing, self.texts()
        return {key: one for key, one in standing.items() if one.hash not in map(hash_of_text, texts.get(one.eid, ()))}

    def _believed(self) -> tuple[tuple[Filed, ...], dict[str, str]]:
        """Files and register together: a version of the register stands in place of the file's."""
        filed = {(one.agreement.reference, one.agreement.version): one for one in self.filed}
        stored, stopped = self._stored()
        for key, agreement in stored.items():
            before = filed[key].signatures if key in filed else ()
            filed[key] = Filed(agreement, before)
        for key, signatures in self._signatures().items():
            if key in filed:
                filed[key] = replace(filed[key], signatures=(*filed[key].signatures, *signatures))
        return tuple(filed[key] for key in sorted(filed) if key[0] not in stopped), stopped

    def _stored(self) -> tuple[dict[Key, SharingAgreement], dict[str, str]]:
        """The text of each version that the trail says stands, and why the register has it not, by reference."""
        standing = self.recorded().standing
        texts = self.texts() if standing else {}
        found: dict[Key, SharingAgreement] = {}
        stopped = {}
        for key, enacted in standing.items():
            try:
                found[key] = _read(texts, enacted)
            except LookupError:
                stopped[key[0]] = f"its newest entry in the register, version {key[1]}, was taken away"
            except AgreementInvalid:
                stopped[key[0]] = f"its entry in the register, version {key[1]}, was altered"
        return found, stopped

    def _signatures(self) -> Mapping[Key, tuple[Signature, ...]]:
        found: dict[Key, tuple[Signature, ...]] = {}
        with self.open_session() as session:
            rows = session.execute(select(agreement_signatures).order_by(agreement_signatures.c.id)).all()
        for row in rows:
            one = Signature(agency=row.agency, office=row.office, signed_on=row.signed_on, signature=row.signature)
            found[row.reference, row.version] = (*found.get((row.reference, row.version), ()), one)
        return found


#: What whoever reads that an agreement is stopped does about it.
WHAT_NEXT = "Find out who changed the database; python -m hub agreements put-back puts it back"


def _read(texts: Mapping[str, list[str]], enacted: Enacted) -> SharingAgreement:
    """The text that was enacted. Raises LookupError when there is none, AgreementInvalid when it is another."""
    for text in texts[enacted.eid]:
        if hash_of_text(text) == enacted.hash:
            return read_draft(text, "register")
    raise AgreementInvalid("register", "text", "it is not what was enacted")


def hash_of_text(text: str) -> str:
    """The SHA-256 of what a version says, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def sealed_for(reference: str, version: int, cause: str) -> str:
    """What a stored text is bound to: another version's text, or an earlier one's, does not open in its place."""
    return f"agreement:{reference}:{version}:{cause}"
