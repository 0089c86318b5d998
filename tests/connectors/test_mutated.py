"""Good answers, changed at random: whatever a partner sends, an answer comes of it and nobody else's rows do.

A cut of the whole: `make hostile` tries ten thousand and more and prints how many came to what.
"""

import copy
import json
import os
import random
from collections import Counter
from contextlib import ExitStack, closing

import pytest

from connectors import Gatherer, build_connector, moved
from connectors.simulator import SimulatedPartner
from policies.vocabulary import AnswerState

from .test_faults import FHIR_ROWS, REST_ROWS

#: Payloads per way.
COUNT = int(os.environ.get("KITH_HOSTILE", "150"))
#: Words of rows about somebody else: never to be shown.
STRANGERS = "Not this person's"
#: Nothing here names the person who was asked about: a row about somebody else stays one.
JUNK = [
    None, True, -1, 10**30, 1e308, "", "\x00\x1b[31m", "\u202eevil", "<script>alert(1)</script>", "{{7*7}}",
    "' OR 1=1 --", "x" * 5000, [], {}, [[]], {"a": {"b": []}}, "2024-13-45", "Patient/other", "stranger-1",
]  # fmt: skip
ROWS = {
    "rest": ("sms", REST_ROWS, "client_ref", "stranger-1"),
    "fhir": ("gp-millbrook", FHIR_ROWS, "patient", {"reference": "Patient/stranger-1"}),
}


def places(node, path=()):
    """Every place in a JSON value."""
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def at(node, path):
    for key in path:
        node = node[key]
    return node


def mutated(rng: random.Random, data: bytes) -> bytes:
    """One to four changes of a good answer: of its values, its shape, or its bytes."""
    if rng.random() < 0.2:
        raw = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            spot = rng.randrange(len(raw) + 1)
            raw[spot : spot + rng.randint(0, 3)] = bytes(rng.randrange(256) for _ in range(rng.randint(0, 4)))
        return bytes(raw)
    whole = json.loads(data)
    for _ in range(rng.randint(1, 4)):
        path = rng.choice(list(places(whole)))
        if not path:
            whole = rng.choice([whole, whole, [whole], {"items": whole}, rng.choice(JUNK)])
            continue
        parent, key = at(whole, path[:-1]), path[-1]
        change = rng.choice(("junk", "drop", "twice", "swap", "rename"))
        if change == "junk":
            parent[key] = copy.deepcopy(rng.choice(JUNK))
        elif change == "drop":
            del parent[key]
        elif change == "twice" and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        elif change == "swap":
            siblings = list(parent.values()) if isinstance(parent, dict) else parent
            parent[key] = copy.deepcopy(rng.choice(siblings))
        elif isinstance(parent, dict):
            parent[str(rng.choice(("resourceType", "id", "subject", "patient", "x")))] = parent.pop(key)
        if len(list(places(whole))) > 4_000:
            break
    return json.dumps(whole).encode()


@pytest.mark.parametrize("way", ROWS)
def test_whatever_comes_is_an_answer_and_never_somebody_elses(way, example, ask_about):
    code, rows, about, somebody = ROWS[way]
    stranger = {
        path: [*(copy.deepcopy(row) for row in told), *(estranged(row, about, somebody) for row in told)]
        for path, told in rows.items()
    }
    rng, came = random.Random(20261125), Counter()
    people = [{"resourceType": "Patient", "id": "c1"}]
    with ExitStack() as stack:
        simulated = stack.enter_context(SimulatedPartner(moved(example(code), deadline_s=3.0), stranger, people))
        # The partner itself sends strangers' rows along: nothing of its question holds them back.
        simulated.answer = lambda path, body, _answer=simulated.answer: everybody(simulated, path, body, _answer)
        simulated.spoil = lambda data: mutated(rng, data) if rng.random() < 0.6 else data
        connector = stack.enter_context(closing(build_connector(simulated.partner, open_session=None, keys=None)))
        gatherer = stack.enter_context(
            closing(Gatherer({code: connector}, each_s=9.0, total_s=10.0, failures_to_open=10**9))
        )
        for _ in range(COUNT):
            (answer,) = gatherer.gather([ask_about(simulated.partner, "c1")]).values()
            came[answer.reason or str(answer.state)] += 1
            assert answer.state in (AnswerState.FOUND, AnswerState.NOTHING_HELD, AnswerState.NO_ANSWER)
            assert {item.record for item in answer.items} <= {"c1"}
            assert STRANGERS not in repr(answer)
    print(f"{way}: {COUNT} payloads, {dict(came)}")
    assert came["FOUND"] > 0
    assert sum(came.values()) - came["FOUND"] > 0


def estranged(row, about, somebody):
    """The same row, about somebody else, with words that give it away."""
    other = json.loads(json.dumps(row).replace("Young adults", STRANGERS).replace("Registered patient", STRANGERS))
    other = json.loads(json.dumps(other).replace("Alcohol", STRANGERS).replace("Consultation", STRANGERS))
    key = "subject" if about == "patient" and "subject" in other else about
    other[key] = somebody
    return other


def everybody(simulated, path, body, answer):
    """What the partner answers when it forgets to look at whom it was asked about."""
    told = answer(path, body)
    if simulated.partner.way == "rest" and path in simulated.rows:
        spec = next(spec for spec in simulated.partner.items if spec.source == path)
        return {spec.rows.removesuffix("[]"): simulated.rows[path]}
    kind = path.strip("/").split("/")[0]
    if simulated.partner.way == "fhir" and kind in simulated.rows:
        return {**told, "entry": [{"resource": row} for row in simulated.rows[kind]]}
    return told
