"""Takes in what partners dropped or list: contents into their own partitions, identities into the index.

For: the nightly or hourly load, by the same doors for every partner. Must never put an agency's people into
the matching index unless an agreement in force lets it take part in matching.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from connectors import (
    ConnectorError,
    LoadReport,
    Partner,
    SourceRecord,
    SqlConnector,
    exclusive,
    load_drop,
    person_mapping,
    put_ready,
    stored_people,
)
from hub.assembly import Hub
from hub.following import after_linking
from hub.matching_agreed import matching_allowed
from hub.notices.watching import bring_changes
from hub.people import RefreshReport, refresh, relink
from hub.people.quality import look_through


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
    for one in loaded:
        if one.index is not None:
            with hub.db.writing() as session:
                look_through(session, hub.keys, one.agency, now=now)
    bring_changes(hub, [one.agency for one in loaded if one.report and not one.report.unchanged], now=now)
    return tuple(loaded)


def report_of(one: Loaded) -> dict[str, Any]:
    """The quality report as it goes back to the partner, as JSON data: files, lines, elements and reasons."""
    report = asdict(one.report) if one.report else None
    whole = {"agency": one.agency, "problem": one.problem, "report": report}
    plain: dict[str, Any] = json.loads(json.dumps(whole, default=str))
    return plain


def _load(hub: Hub, partner: Partner, now: datetime) -> Loaded:
    report, index = None, None
    try:
        if partner.way == "extract" or _drops_people(partner):
            drops = hub.settings.drops_folder
            with exclusive(drops, partner.code), hub.db.session() as session:
                put_ready(drops, partner)
                report = load_drop(session, hub.keys, partner, drops, now=now)
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
