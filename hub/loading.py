"""Takes in what partners dropped or list: contents into their own partitions, identities into the index.

For: the nightly or hourly load, by the same doors for every partner. Must never put an agency's people into
the matching index unless an agreement in force lets it take part in matching.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from connectors import (
    ConnectorError,
    LoadReport,
    Partner,
    SourceRecord,
    SqlConnector,
    load_drop,
    person_mapping,
    stored_people,
)
from hub.assembly import Hub
from hub.following import after_linking
from hub.people import RefreshReport, refresh, relink
from policies import SharingAgreement
from policies.vocabulary import AgreementStatus, Purpose


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one partner's load did; `problem` is the sentence when it could not be loaded at all."""

    agency: str
    report: LoadReport | None
    index: RefreshReport | None
    problem: str | None = None


def load_all(
    hub: Hub, *, now: datetime, only: str | None = None, tell: Callable[[str], None] = lambda _: None
) -> tuple[Loaded, ...]:
    """Loads every partner, or one. A partner that cannot be loaded costs the others nothing.

    Effects: the partners' partitions, the matching index; one `collect` event per partner.
    """
    after_linking(hub, now=now)  # What an earlier run that died left behind comes before anything is linked anew.
    loaded = []
    for partner in hub.partners.values():
        if only is None or partner.code == only:
            tell(partner.name)
            loaded.append(_load(hub, partner, now))
    with hub.db.writing() as session:
        relink(session, hub.keys, now=now)
    after_linking(hub, now=now)
    return tuple(loaded)


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


def _load(hub: Hub, partner: Partner, now: datetime) -> Loaded:
    report, index = None, None
    try:
        if partner.way == "extract" or _drops_people(partner):
            with hub.db.session() as session:
                report = load_drop(session, hub.keys, partner, hub.settings.drops_folder, now=now)
        if matching_allowed(hub.agreements, partner.code, now.date()) and person_mapping(partner) is not None:
            with hub.db.writing() as session:
                index = refresh(
                    session, hub.keys, _people(hub, partner), agency=partner.code, now=now, complete=True, link=False
                )
    except ConnectorError as error:
        return Loaded(partner.code, report, index, error.sentence)
    hub.trail.append(
        "collect",
        now=now,
        client={"id": "load"},
        custodian=partner.code,
        outcome="LOADED",
        action="load",
        data=[
            {"agency": partner.code, "category": "DEMOGRAPHIC", "count": index.seen if index else 0},
            {"agency": partner.code, "category": "INDICATOR", "count": report.items if report else 0},
        ],
    )
    return Loaded(partner.code, report, index)


def _drops_people(partner: Partner) -> bool:
    mapping = person_mapping(partner)
    return mapping is not None and bool(mapping.file)


def _people(hub: Hub, partner: Partner) -> Iterator[SourceRecord]:
    connector = hub.connectors[partner.code]
    if isinstance(connector, SqlConnector):
        yield from connector.people()
        return
    with hub.db.session() as session:
        yield from stored_people(session, hub.keys, partner)
