"""The partners of the demonstration, read through the doors that real partners use."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import connectors
from connectors import Ask, Keys, PersonQuery
from connectors.tables import metadata
from hub.demo.files import SERVERS, write_county
from hub.demo.model import AGENCIES, DESKS, County
from hub.demo.stand_ins import StandIns
from policies.vocabulary import AnswerState, DataCategory
from tests.connectors.conftest import promise_to

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class PlainKeys:
    """Keys that seal nothing: what is sealed is tested elsewhere."""

    def seal(self, agency: str, plaintext: bytes, context: str) -> bytes:
        return plaintext

    def open(self, agency: str, sealed: bytes, context: str) -> bytes:
        return sealed

    def blind(self, index: str, value: str) -> bytes:
        return sha256(f"{index} {value}".encode()).digest()[:16]


@pytest.fixture(scope="module")
def running(county: County, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIns]:
    folder = tmp_path_factory.mktemp("running")
    write_county(county, folder, ports=dict.fromkeys(SERVERS, 0))
    stand_ins = StandIns(folder, demo=True)
    yield stand_ins
    stand_ins.close()


@pytest.fixture(scope="module")
def partners(running: StandIns) -> dict[str, connectors.Partner]:
    return dict(connectors.load_partners(running.folder / "partners"))


def test_every_partner_file_is_accepted(partners: dict[str, connectors.Partner]) -> None:
    assert set(partners) == {agency.code for agency in (*AGENCIES, *DESKS)}
    for agency in (*AGENCIES, *DESKS):
        partner = partners[agency.code]
        assert partner.way == agency.way
        assert DataCategory.SERVICE_INVOLVEMENT in partner.offers
        assert (DataCategory.DEMOGRAPHIC in partner.offers) == (agency in AGENCIES)
    assert not partners["sms"].public_authority
    assert [code for code, partner in partners.items() if partner.competent_authority] == ["police"]


def test_the_showcase_family_is_answered_for_by_everybody_who_knows_it(
    partners: dict[str, connectors.Partner], running: StandIns, county: County, tmp_path: Path
) -> None:
    keys: Keys = PlainKeys()
    engine = create_engine(f"sqlite:///{tmp_path}/partition.db")
    metadata.create_all(engine)
    for partner in partners.values():
        if "folder" in partner.reach:
            with Session(engine) as session:
                report = connectors.load_drop(session, keys, partner, running.folder / "drops", now=NOW)
                session.commit()
            assert report.people == len([r for r in county.records if r.agency == partner.code])
            broken = sum(f.rows_rejected for f in report.files if f.use == "people")
            assert broken == {"csc": 3, "asc": 2, "hv": 2, "housing": 2}.get(partner.code, 0)
    seen: dict[str, set[DataCategory]] = {}
    for code, partner in partners.items():
        if partner.way == "inbox":  # Nobody has answered yet.
            continue
        connector = connectors.build_connector(partner, open_session=lambda: Session(engine), keys=keys)
        wanted = {category: frozenset(f.name for f in fields) for category, fields in partner.offers.items()}
        for member in county.families["tarrant"]:
            records = tuple(r.record for r in county.records_of(member, code))
            if records:
                ask = Ask(code, member, records, None, wanted, "S47_ENQUIRY", promise_to(code))
                answer = connector.fetch(ask, deadline_s=3)
                assert (answer.state, answer.dropped) == (AnswerState.FOUND, 0)
                seen.setdefault(code, set()).update(item.category for item in answer.items)
                assert DataCategory.SERVICE_INVOLVEMENT in {item.category for item in answer.items}
    engine.dispose()
    assert set(seen) == {agency.code for agency in AGENCIES}
    assert {DataCategory.SOCIAL_CARE_STATUS, DataCategory.SOCIAL_CARE_NARRATIVE, DataCategory.CSE_MISSING} <= seen[
        "csc"
    ]
    assert DataCategory.ASC_PACKAGE in seen["asc"]
    assert {DataCategory.POLICE_INCIDENT, DataCategory.CSE_MISSING} <= seen["police"]
    assert DataCategory.HEALTH_SUMMARY in seen["gp-harbourside"] & seen["hv"]
    assert DataCategory.HOUSING in seen["housing"]
    assert DataCategory.SUBSTANCE_MISUSE in seen["sms"]


def test_somebody_is_found_live_at_the_recovery_service_and_a_stranger_is_not(
    partners: dict[str, connectors.Partner], county: County
) -> None:
    connector = connectors.build_connector(partners["sms"], open_session=Session, keys=PlainKeys())
    leanne = county.people["tarrant.leanne"]
    stranger = PersonQuery(given=("Nobody",), family=("Nowhere",), date_of_birth=leanne.born)
    assert connector.find(stranger, promise=promise_to("sms"), deadline_s=3) == ()
    query = PersonQuery(leanne.given, (leanne.family,), leanne.born, leanne.nhs_number, leanne.sex)
    (found,) = connector.find(query, promise=promise_to("sms"), deadline_s=3)
    assert found.record == county.record_of("tarrant.leanne", "sms")
