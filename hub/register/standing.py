"""Where every agreement stands: the files as they were at start, and what the register has added to them since.

For: opening the hub, and every request afterwards, so that a change is in force for every worker process at its next
request. Must never let an agreement count whose stored text was altered: then nothing flows under its reference.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.errors import KeyRefused
from hub.keys import HUB, KeyRing
from hub.register.tables import agreement_signatures, agreement_versions
from policies import AgreementInvalid, Filed, SharingAgreement, Signatories, Signature, count_signed, read_draft

OpenSession = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Standing:
    """The agreements as they count, a sentence for each party or reference that does not, and how far was read."""

    agreements: tuple[SharingAgreement, ...]
    not_signed: tuple[str, ...]
    mark: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Register:
    """The files at start, and the way to what was added since. `signatories` None: no signature is checked."""

    open_session: OpenSession
    keys: KeyRing
    filed: tuple[Filed, ...]
    faults: tuple[str, ...]
    signatories: Signatories | None

    def mark(self) -> tuple[int, int]:
        """The newest version and signature in the register; equal marks, equal standing."""
        newest = select(
            select(func.coalesce(func.max(agreement_versions.c.id), 0)).scalar_subquery(),
            select(func.coalesce(func.max(agreement_signatures.c.id), 0)).scalar_subquery(),
        )
        with self.open_session() as session:
            version, signature = session.execute(newest).one()
        return version, signature

    def standing(self) -> Standing:
        """Every agreement as it counts now."""
        mark = self.mark()
        believed, altered = self._believed()
        counted, wrong = count_signed(believed, self.signatories)
        sentences = (f"{one}: its entry in the register was altered, so nothing flows under it." for one in altered)
        return Standing(counted, (*self.faults, *wrong, *sentences), mark)

    def written(self) -> tuple[Filed, ...]:
        """Every version as it is written, with its signatures, whether they count or not."""
        return self._believed()[0]

    def row_of(self, reference: str, version: int) -> int:
        """The row at which a version stands in the register; 0 while its file, or nothing, says what it is."""
        v = agreement_versions.c
        query = select(func.coalesce(func.max(v.id), 0)).where(v.reference == reference, v.version == version)
        with self.open_session() as session:
            return int(session.execute(query).scalar_one())

    def _believed(self) -> tuple[tuple[Filed, ...], tuple[str, ...]]:
        """Files and register together: a version of the register stands in place of the file's."""
        filed = {(one.agreement.reference, one.agreement.version): one for one in self.filed}
        stored, altered = self._stored()
        for key, agreement in stored.items():
            before = filed[key].signatures if key in filed else ()
            filed[key] = Filed(agreement, before)
        for key, signatures in self._signatures().items():
            if key in filed:
                filed[key] = replace(filed[key], signatures=(*filed[key].signatures, *signatures))
        return tuple(filed[key] for key in sorted(filed) if key[0] not in altered), altered

    def _stored(self) -> tuple[dict[tuple[str, int], SharingAgreement], tuple[str, ...]]:
        """The newest text of each version in the register, and the references whose entries do not open."""
        newest = select(func.max(agreement_versions.c.id)).group_by(
            agreement_versions.c.reference, agreement_versions.c.version
        )
        found: dict[tuple[str, int], SharingAgreement] = {}
        altered = set()
        with self.open_session() as session:
            rows = session.execute(select(agreement_versions).where(agreement_versions.c.id.in_(newest))).all()
        for row in rows:
            try:
                text = self.keys.open(HUB, row.sealed_text, sealed_for(row.reference, row.version, row.cause))
                found[row.reference, row.version] = read_draft(text.decode(), "register")
            except (KeyRefused, AgreementInvalid, UnicodeDecodeError):
                altered.add(row.reference)
        return found, tuple(sorted(altered))

    def _signatures(self) -> Mapping[tuple[str, int], tuple[Signature, ...]]:
        found: dict[tuple[str, int], tuple[Signature, ...]] = {}
        with self.open_session() as session:
            rows = session.execute(select(agreement_signatures).order_by(agreement_signatures.c.id)).all()
        for row in rows:
            one = Signature(agency=row.agency, office=row.office, signed_on=row.signed_on, signature=row.signature)
            found[row.reference, row.version] = (*found.get((row.reference, row.version), ()), one)
        return found


def sealed_for(reference: str, version: int, cause: str) -> str:
    """What a stored text is bound to: another version's text, or an earlier one's, does not open in its place."""
    return f"agreement:{reference}:{version}:{cause}"
