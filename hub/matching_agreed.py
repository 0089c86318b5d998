"""Whether an agency's people may be in the matching index: an agreement in force says so, or they are not."""

from datetime import date

from policies import SharingAgreement
from policies.vocabulary import AgreementStatus, Purpose


def matching_allowed(agreements: tuple[SharingAgreement, ...], agency: str, today: date) -> bool:
    """True when an agreement in force that this agency signed as discloser has DATA_MATCHING."""
    return any(
        a.status == AgreementStatus.ACTIVE
        and a.effective_from <= today
        and (a.expires_on is None or today <= a.expires_on)
        and agency in a.disclosers
        and any(Purpose.DATA_MATCHING in clause.purposes for clause in a.clauses)
        for a in (agreement.for_decision() for agreement in agreements)
    )
