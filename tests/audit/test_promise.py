"""A partner can tell a question that is on record from one that is not, and a difference in the count is found."""

import random
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

import audit
from audit.__main__ import main
from audit.entry import Submitter
from audit.promise import FRESH_MS, Promised, read_promise, sign_promise
from audit.reconcile import reconcile, recorded_of
from tests.audit.conftest import DECISION, NOW, ORIGIN, SUBMITTER_KEY, USER, TrailMaker, disclosure

NOW_MS = int(NOW.timestamp() * 1000)
SUBMITTERS = [Submitter.of(SUBMITTER_KEY).public]


def intent(**changes: object) -> dict[str, object]:
    basis = {"article6": ["6_1_e"]}
    said = {"user": USER, "purpose": "S47_ENQUIRY", "basis": basis, "recipient": "CSC", "decision": DECISION}
    return {**said, "source": ["HOU", "POL"], **changes}


def ask(trail: audit.Trail, people: int = 1) -> audit.Receipt:
    return trail.append("disclosure:requested", now=NOW, subjects=[f"p-{n}" for n in range(people)], **intent())


def check(header: str, **changes: object) -> Promised:
    known = {"origin": ORIGIN, "submitters": SUBMITTERS, "agency": "HOU", "now_ms": NOW_MS, **changes}
    return audit.verify_promise(header, **known)


@pytest.fixture
def sqlite_trail(sqlite_engine: Engine, open_trail: TrailMaker) -> audit.Trail:
    return open_trail(sqlite_engine)


def test_a_promise_is_refused_by_everybody_but_its_partner_and_when_it_is_old(sqlite_trail: audit.Trail) -> None:
    header = sqlite_trail.promise(ask(sqlite_trail), agency="HOU", subject=0, now=NOW)
    other = Submitter.of(Ed25519PrivateKey.generate()).public
    for wrong in (
        {"agency": "POL"},
        {"origin": "kith.example/other"},
        {"submitters": [other]},
        {"submitters": []},
        {"now_ms": NOW_MS + FRESH_MS + 1},
        {"now_ms": NOW_MS - FRESH_MS - 1},
    ):
        with pytest.raises(audit.ProofError):
            check(header, **wrong)
    assert check(header).agency == "HOU"


def test_every_changed_character_of_a_promise_is_noticed(sqlite_trail: audit.Trail) -> None:
    header = sqlite_trail.promise(ask(sqlite_trail), agency="HOU", subject=0, now=NOW)
    for at in range(len(header)):
        for replacement in "A7 ":
            if header[at] != replacement:
                with pytest.raises(audit.ProofError):
                    check(header[:at] + replacement + header[at + 1 :])
    for nonsense in ("", header + "\n", header + " ", header.upper()):
        with pytest.raises(audit.ProofError):
            check(nonsense)


def test_nobody_promises_what_another_submitter_wrote(sqlite_trail: audit.Trail) -> None:
    receipt = ask(sqlite_trail)
    with pytest.raises(audit.EventInvalid):
        sqlite_trail.promise(replace(receipt, leaf=bytes(128)), agency="HOU", subject=0, now=NOW)


def test_the_count_of_a_partner_is_what_the_trail_records_and_the_orphans_and_every_difference_is_listed(
    sqlite_trail: audit.Trail, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail, draw = sqlite_trail, random.Random(7)
    lines: list[str] = []
    want: dict[str, set[tuple[str, int]]] = {"orphans": set(), "recorded": set(), "never": set()}
    for _ in range(60):
        people = draw.randint(1, 4)
        receipt = ask(trail, people)
        crashed = draw.random() < 0.2
        answers = []
        for subject in range(people):
            header = trail.promise(receipt, agency="HOU", subject=subject, now=NOW)
            lost = draw.random() < 0.2
            lines += [] if lost else [header] * draw.randint(1, 3)
            question = (receipt.eid, subject)
            want["orphans" if crashed else "recorded"] |= set() if lost else {question}
            want["never"] |= {question} if lost and not crashed else set()
            state = "NO_ANSWER" if lost else draw.choice(["FOUND", "NOTHING_HELD", "NO_ANSWER"])
            answers.append({"agency": "HOU", "state": state, "subject": subject})
        if not crashed:
            subjects = [f"p-{n}" for n in range(people)]
            said = disclosure(answers=answers, refers=[receipt.eid])
            trail.append("disclosure:made", now=NOW, subjects=subjects, **said)
    draw.shuffle(lines)
    recorded = recorded_of(trail.events(), "HOU")

    def compare(kept: list[str]) -> audit.Reconciled:
        return reconcile(kept, recorded, origin=ORIGIN, submitters=trail.submitters(), agency="HOU")

    found = compare(lines)
    assert found.exact
    assert set(found.orphans) == want["orphans"]
    assert (found.recorded, found.never_arrived) == (len(want["recorded"]), len(want["never"]))
    assert found.seen == len(want["recorded"]) + len(want["orphans"])
    # A worker that asks without writing: its promise is evidence against it.
    unwritten = Promised(secrets.token_hex(16), 0, "HOU", NOW_MS, audit_leaf())
    rogue = sign_promise(unwritten, ORIGIN, Submitter.of(SUBMITTER_KEY))
    assert compare([*lines, rogue]).unrecorded == ((unwritten.eid, 0),)
    # Asked about somebody whom the outcome does not name.
    done = next(iter(want["recorded"]))[0]
    leaf = trail.entry(done).leaf
    extra = sign_promise(Promised(done, 99, "HOU", NOW_MS, leaf), ORIGIN, Submitter.of(SUBMITTER_KEY))
    assert compare([*lines, extra]).beyond == ((done, 99),)
    assert compare([*lines, "x"]).false_lines == (len(lines) + 1,)
    # A partner that did not count what the trail says it answered.
    answered = {q for q, state in recorded.outcomes.items() if state != "NO_ANSWER"}
    assert set(compare([]).unseen) == answered
    kept = tmp_path / "promises.txt"
    url = trail._store._engine.url
    for text, code, verdict in (("\n".join(lines), 0, "EXACT"), (rogue, 1, "NOT EXACT")):
        kept.write_text(text)
        arguments = ["reconcile", str(kept), "--agency", "HOU", "--database", str(url)]
        assert main(arguments) == code
        assert capsys.readouterr().out.splitlines()[-1] == verdict


def audit_leaf() -> bytes:
    from audit.entry import sign_leaf

    return sign_leaf(b"never written", Submitter.of(SUBMITTER_KEY))


def test_a_promise_says_nothing_about_anybody(sqlite_trail: audit.Trail) -> None:
    receipt = sqlite_trail.append("disclosure:requested", now=NOW, subjects=["person-1"], **intent())
    header = sqlite_trail.promise(receipt, agency="HOU", subject=0, now=NOW)
    assert "person-1" not in header
    assert read_promise(header)[0] == Promised(receipt.eid, 0, "HOU", NOW_MS, receipt.leaf)
