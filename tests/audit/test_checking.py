"""The trail checked on request: what was changed is found, and growing is not a change."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

import audit
from audit import verify
from audit.checkpoint import VerifierKey
from tests.audit.conftest import LOG_KEY, NOW, ORIGIN, TrailMaker, disclosure
from tests.audit.trees import Log, base64_lines

VKEY = str(VerifierKey.of(ORIGIN, LOG_KEY.public_key()))


def write(trail: audit.Trail, count: int) -> None:
    for _ in range(count):
        trail.append("disclosure:made", now=NOW, subjects=["P-1"], **disclosure())


def test_a_check_holds_today_against_yesterday(engine: Engine, open_trail: TrailMaker, tmp_path: Path) -> None:
    now = [NOW]
    trail = open_trail(engine, clock=lambda: now[0])
    write(trail, 5)
    old = trail.head().size
    now[0] += timedelta(days=2)
    write(trail, 4)
    found = trail.check(before=now[0] - timedelta(days=1))
    both = found.consistency
    assert (both.earlier.size, both.later.size, found.recomputed) == (old, old + 4, old + 4)
    assert found.earlier_t == int(NOW.timestamp() * 1000)
    path = tmp_path / "proof.json"
    path.write_text(both.json())
    said = verify.verify_receipt(path, VKEY, [])
    assert (
        said[0] == f"The trail of {old + 4} entries begins with the {old} entries that were signed before, unchanged."
    )


def test_an_empty_trail_has_nothing_to_check(engine: Engine, open_trail: TrailMaker) -> None:
    with pytest.raises(audit.EntryUnknown):
        open_trail(engine, start=False).check(before=NOW)


def test_a_young_trail_is_held_against_its_first_checkpoint(trail: audit.Trail) -> None:
    write(trail, 3)
    assert trail.check(before=NOW).consistency.earlier.size == 1


CHANGES = (
    "UPDATE audit_entry SET envelope = replace(envelope, 'HOUSING', 'POLICE0') WHERE idx = 1",
    "UPDATE audit_entry SET kind = 'check' WHERE idx = 1",
    "DELETE FROM audit_entry WHERE idx = 2",
    "UPDATE audit_node SET hash = zeroblob(32) WHERE level = 1 AND number = 0",
    "UPDATE audit_checkpoint SET root = zeroblob(32) WHERE size = 2",
)


@pytest.mark.parametrize("change", CHANGES)
def test_what_an_administrator_changed_is_found_by_the_next_check(
    change: str, sqlite_engine: Engine, open_trail: TrailMaker
) -> None:
    trail = open_trail(sqlite_engine)
    write(trail, 4)
    trail.check(before=NOW)
    with sqlite_engine.begin() as connection:
        for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        assert connection.execute(text(change)).rowcount == 1
    with pytest.raises(audit.TrailCorrupt):
        trail.check(before=NOW)


def test_a_trail_that_grows_meanwhile_is_no_changed_trail(engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(engine)
    write(trail, 1)
    old = trail.head().size
    done = threading.Event()
    writing = threading.Thread(target=lambda: (write(trail, 60), done.set()))
    writing.start()
    checks = 0
    while not done.is_set() or not checks:
        trail.check(before=NOW)
        checks += 1
    writing.join()
    assert trail.check(before=NOW).consistency.later.size == old + 60


@settings(max_examples=200)
@given(first=st.integers(1, 200), grown=st.integers(0, 200), data=st.data())
def test_the_verifier_takes_a_proof_apart_as_the_writer_put_it_together(
    first: int, grown: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log, second = Log("grown.example/log"), first + grown
    path = tmp_path_factory.mktemp("grown") / "proof.json"
    document = {
        "format": "kith-consistency/1",
        "earlier": log.note(first),
        "later": log.note(second),
        "path": base64_lines(log.consistency(first, second)),
    }
    path.write_text(json.dumps(document))
    assert verify.verify_receipt(path, str(log.vkey), [])
    other = log.forked(second, at=data.draw(st.integers(0, second - 1)))
    wrong = [
        {**document, "later": other.note(second)},
        {**document, "path": [*document["path"], "A" * 43 + "="]},
        {**document, "earlier": log.note(first + 1 if grown != 1 else first + 2)},
        {**document, "also": 1},
    ]
    if document["path"]:
        wrong.append({**document, "path": document["path"][:-1]})
    for one in wrong:
        path.write_text(json.dumps(one))
        with pytest.raises(verify.Refused):
            verify.verify_receipt(path, str(log.vkey), [])
