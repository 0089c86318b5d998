"""Every role at every door with every thing, judged by an independent oracle: a cut of the matrix of access.

The whole of it, a hundred thousand cases and more: `make access`.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.app import create_app
from hub.assembly import open_hub
from hub.demo.setting_up import set_up
from hub.settings import read_settings
from policies.vocabulary import Role
from tests.access import oracle
from tests.access.matrix import (
    Case,
    Matrix,
    closed_doors,
    draw,
    people,
    require_a_row_for_every_door,
    said_by,
    standings,
)
from tests.access.world import World, build
from tests.conftest import Clock, House
from tests.hub.provider import Provider

ROLES = tuple(role.value for role in Role)
#: For the cut: whoever opens something, and some who open nothing.
SOME = (
    "MASH_SOCIAL_WORKER", "MASH_DECISION_MAKER", "AGENCY_NAVIGATOR", "FAMILY_KEYWORKER", "SOCIAL_WORKER",
    "POLICE_MASH_SUPERVISOR", "GP_CLINICIAN", "IG_OFFICER", "DPO", "DATA_STEWARD", "SYSTEM_ADMIN",
)  # fmt: skip
CUT = 1_500


@pytest.fixture(scope="module")
def world(new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house of its own: what is made in it would be in other tests' way."""
    folder: Path = tmp_path_factory.mktemp("access")
    demonstration = set_up(
        folder / "demo",
        now=datetime.now(UTC),
        base_url="http://127.0.0.1:8400",
        database_url=new_database("sqlite"),
    )
    clock, provider = Clock(), Provider()
    hub = open_hub(read_settings(demonstration.environment), clock=clock, steady=None)
    try:
        yield build(House(hub, create_app(hub), demonstration, clock), provider, folder, small=True)
    finally:
        hub.close()
        provider.close()
        demonstration.stop()


def test_the_oracle_knows_every_door_and_shares_nothing_with_the_hub(world: World) -> None:
    require_a_row_for_every_door(world.gate.house.app)
    source = inspect.getsource(oracle)
    assert "import hub" not in source
    assert "from hub" not in source
    assert "policies." not in source
    assert {role for roles in oracle.groups().values() for role in roles} - {"*"} <= set(ROLES)


def test_who_may_see_what_is_what_the_oracle_says(world: World) -> None:
    matrix = Matrix(world)
    everybody = people(world, SOME, ("csc", "police", "gp-millbrook", "asc", "sms", "school"))
    # One steward's queue takes as long as a hundred other cases.
    everybody = [who for who in everybody if who.role != "DATA_STEWARD" or who.agency in ("csc", "sms")]
    report = matrix.play(draw(world, everybody, CUT, seed=1))
    assert report.cases == CUT
    assert not report.differences, "\n".join(report.differences[:20])
    assert min(report.verdicts[v] for v in ("let-in", "absent", "not-your-role")) > 100, report.verdicts


def test_without_an_agreement_in_force_nobody_gets_in(world: World) -> None:
    matrix = Matrix(world, agreements_in_force=False)
    cases = draw(world, people(world, SOME[:3], ("csc", "police")), 300, seed=2)
    report = matrix.play([case for case in cases if case.door.about == "enquiry"])
    assert not report.differences, "\n".join(report.differences[:20])
    assert not report.verdicts["let-in"]


def test_no_session_that_does_not_stand_well_passes_any_door(world: World) -> None:
    for standing, visitor, who in standings(world):
        for door in closed_doors().values():
            path = door.rule.replace("<enquiry_id>", world.things["enquiry"][0].id)
            answer = visitor.client.open(path, method=door.method, headers={"X-CSRF-Token": "x"})
            verdict, _, _ = oracle.judge(door, replace(who, standing=standing), None)
            assert said_by(answer) == verdict, (standing, door.name)
            if standing == "role ended":
                break  # The first refusal ends the session.


def test_a_case_that_is_wrong_is_noticed(world: World) -> None:
    matrix = Matrix(world)
    stranger = next(who for who in people(world, ("MASH_SOCIAL_WORKER",), ("police",)) if who.strong and not who.close)
    door = next(door for door in oracle.doors() if door.name == "GET /enquiries/<enquiry_id>/who")
    theirs = next(t for t in world.things["enquiry"] if t.facts.get("agency") == "csc")
    told = oracle.Thing(theirs.about, theirs.id, {**theirs.facts, "agency": "police"})
    assert Matrix(world).play([Case(stranger, door, theirs)]).differences == []
    assert len(matrix.play([Case(stranger, door, told)]).differences) == 1
