"""Every role at every door with every thing, judged by an independent oracle: a cut of the matrix of access.

The whole of it, a hundred thousand cases and more: `make access`.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from werkzeug.routing import Map, Rule

from hub.app import create_app
from hub.assembly import open_hub
from hub.demo.setting_up import Demonstration
from hub.settings import read_settings
from policies.vocabulary import Role
from tests.access import oracle
from tests.access.matrix import (
    CIRCUMSTANCES,
    Case,
    Circumstance,
    Matrix,
    closed_doors,
    draw,
    one_of_each,
    people,
    require_a_row_for_every_door,
    said_by,
    standings,
)
from tests.access.oracle import Who
from tests.access.world import World, build
from tests.conftest import Clock, House, copied
from tests.hub.provider import Provider

ROLES = tuple(role.value for role in Role)
#: For the cut: whoever opens something, and some who open nothing.
SOME = (
    "MASH_SOCIAL_WORKER", "MASH_DECISION_MAKER", "AGENCY_NAVIGATOR", "FAMILY_KEYWORKER", "SOCIAL_WORKER",
    "POLICE_MASH_SUPERVISOR", "GP_CLINICIAN", "IG_OFFICER", "DPO", "DATA_STEWARD", "SYSTEM_ADMIN",
)  # fmt: skip
#: Cases out of which one of each kind is played: the same door, method, verdict, line of the oracle and state.
POOL = 6_000


@pytest.fixture(scope="module")
def world(
    templates: Callable[[str], Demonstration],
    copied_database: Callable[[str, str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A house of its own: what is made in it would be in other tests' way."""
    folder: Path = tmp_path_factory.mktemp("access")
    template = templates("sqlite")
    address = copied_database("sqlite", template.environment["HUB_DATABASE_URL"])
    demonstration = copied(template, folder / "demo", address)
    del demonstration.environment["HUB_WITNESS_POLICY_FILE"]
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


def test_a_door_without_a_row_and_a_row_without_a_door_fail(world: World) -> None:
    rules = list(world.gate.house.app.url_map.iter_rules())
    for left, more, words in (
        (rules, [Rule("/new-door", methods=["GET"])], "GET /new-door"),
        (rules[:-1], [], rules[-1].rule),
    ):
        other = SimpleNamespace(url_map=Map([*(rule.empty() for rule in left), *more]))
        with pytest.raises(AssertionError, match=re.escape(words)):
            require_a_row_for_every_door(other)


def somebody(world: World) -> list[Who]:
    """Those of the cut; one steward's queue takes as long as a hundred other cases."""
    everybody = people(world, SOME, ("csc", "police", "gp-millbrook", "asc", "sms", "school"))
    return [who for who in everybody if who.role != "DATA_STEWARD" or who.agency in ("csc", "sms")]


def test_who_may_see_what_is_what_the_oracle_says(world: World) -> None:
    """Every door meets every verdict that its table can give it, once, by each line that gives it."""
    cases = one_of_each(draw(world, somebody(world), POOL, seed=1))
    report = Matrix(world).play(cases)
    assert not report.differences, "\n".join(report.differences[:20])
    assert {case.door.name for case in cases} == {door.name for door in oracle.doors()}
    # Whatever is shown carries the number of its own record, at every door.
    assert not report.without_receipt
    assert len(report.with_receipt) >= 8, report.with_receipt
    assert min(report.verdicts[v] for v in ("let-in", "absent", "not-your-role", "no-such-method", "sign-in")) > 20


@pytest.mark.parametrize("circumstance", CIRCUMSTANCES[1:], ids=lambda one: one.words)
def test_an_agreement_that_is_not_in_force_lets_nobody_in(world: World, circumstance: Circumstance) -> None:
    """What opens while it is in force and no more when it is not: every such door once, and some that stay open."""
    cases = draw(world, people(world, SOME, ("csc", "police", "hv")), 2_500, seed=2)
    cases = [c for c in cases if c.thing and "purpose" in c.thing.facts and "closing" not in c.thing.facts]
    cases = [c for c in cases if not c.door.rule.endswith("/close")]
    shut, open_ = [], []
    for case in one_of_each(cases, circumstance.stopped):
        before, *_ = oracle.judge(case.door, case.who, case.thing, method=case.method)
        now, *_ = oracle.judge(case.door, case.who, case.thing, stopped=circumstance.stopped, method=case.method)
        (shut if (before, now) == ("let-in", "absent") else open_).append(case)
    everything = circumstance.stopped == oracle.agreements()
    report = Matrix(world, circumstance).play([*shut, *(open_[:10] if everything else open_[:25])])
    assert not report.differences, "\n".join(report.differences[:20])
    assert shut
    assert bool(report.verdicts["let-in"]) != everything or not everything


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
