"""The closed list of obligations: each has somebody who carries it out, and who cannot shows nothing."""

import importlib
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from hub.obligations import ENFORCERS, ONCE, ORDINARY, may_show
from policies import BreakGlass, Decision, DecisionRequest
from policies.vocabulary import AccessMode, Obligation, Outcome

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
REASON = "School saw a bruise, and the explanation does not fit"


def request(mode: AccessMode = AccessMode.VIEW, rationale: str = REASON, *, emergency: bool = False) -> DecisionRequest:
    declared = BreakGlass(declared_at=NOW, reason=REASON, imminent_risk=True) if emergency else None
    return SimpleNamespace(  # type: ignore[return-value]
        access=SimpleNamespace(mode=mode, rationale=rationale), break_glass=declared
    )


def decision(*owed: Obligation, outcome: Outcome = Outcome.PERMIT, fields: tuple[str, ...] = ("status",)) -> Decision:
    return Decision(outcome, None, fields, tuple(sorted(owed)), ("P04",))


@pytest.mark.parametrize("obligation", Obligation)
def test_every_obligation_has_somebody_who_carries_it_out(obligation: Obligation) -> None:
    path = ENFORCERS[obligation].by.split(".")
    for cut in range(len(path) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(path[:cut]))
        except ModuleNotFoundError:
            continue
        for name in path[cut:]:
            found = getattr(found, name)
        assert callable(found)
        return
    pytest.fail(f"{ENFORCERS[obligation].by} is nowhere")


def test_an_obligation_that_nobody_knows_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ENFORCERS, Obligation.NOTIFY_OWNER)  # type: ignore[arg-type]
    assert not may_show(decision(Obligation.NOTIFY_OWNER), request())
    assert may_show(decision(Obligation.LOG_RATIONALE), request())


@pytest.mark.parametrize("outcome", [Outcome.DENY, Outcome.DENY_SILENT, Outcome.REFER])
def test_what_is_refused_is_never_shown_whatever_it_names(outcome: Outcome) -> None:
    assert not may_show(decision(outcome=outcome), request())


@pytest.mark.parametrize(
    ("owed", "asked", "shows"),
    [
        ({Obligation.NO_EXPORT}, request(AccessMode.EXPORT), False),
        ({Obligation.NO_EXPORT}, request(AccessMode.BULK), False),
        ({Obligation.NO_EXPORT}, request(), True),
        ({Obligation.LOG_RATIONALE}, request(rationale="urgent"), False),
        ({Obligation.LOG_RATIONALE}, request(rationale="word word word word word"), False),
        ({Obligation.LOG_RATIONALE}, request(), True),
        ({Obligation.RETRO_REVIEW, Obligation.EXPIRE_AT}, request(), False),
        ({Obligation.EXPIRE_AT}, request(emergency=True), False),
        ({Obligation.RETRO_REVIEW, Obligation.EXPIRE_AT}, request(emergency=True), True),
    ],
)
def test_who_cannot_do_what_is_demanded_shows_nothing(
    owed: set[Obligation], asked: DecisionRequest, shows: bool
) -> None:
    assert may_show(decision(*owed), asked) == shows


def test_what_is_to_be_seen_once_is_shown_only_by_a_way_that_shows_it_once() -> None:
    owed = decision(Obligation.VIEW_ONCE, Obligation.NO_EXPORT)
    assert not may_show(owed, request())
    assert not may_show(owed, request(), ORDINARY)
    assert not may_show(owed, request(AccessMode.EXPORT), ONCE)
    assert may_show(owed, request(), ONCE)
