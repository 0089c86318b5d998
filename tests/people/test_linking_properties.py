"""What must hold for any records: their order never matters, and taking one away joins nobody else."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests_people import say

from connectors import SourceRecord
from hub.people.matching.batch import link
from hub.people.matching.normalise import prepare

record = st.builds(
    lambda agency, given, family, born, line1: say(agency, "", given, family, born, line1=line1),
    st.sampled_from(["csc", "gp", "police"]),
    st.sampled_from(["Amira", "Amira J", "Sara", "A", "Jack", "John"]),
    st.sampled_from(["Khan", "Khann", "Wachendorf"]),
    st.sampled_from(["2015-03-02", "2015-02-03", "2013-08-20", None]),
    st.sampled_from(["4 Mill Lane", "9 High Street", None]),
)
household = st.lists(record, min_size=2, max_size=7).map(
    lambda records: [replace(r, record=str(n)) for n, r in enumerate(records)]
)


def together(records: list[SourceRecord]) -> set[frozenset[str]]:
    prepared = [prepare(r) for r in records]
    found = link(prepared)[0].person_of
    return {frozenset(p.record for p, at in zip(prepared, found, strict=True) if at == root) for root in set(found)}


@settings(max_examples=60, deadline=None)
@given(household, st.randoms(use_true_random=False))
def test_the_order_of_records_and_agencies_never_changes_the_persons(
    records: list[SourceRecord], random: object
) -> None:
    mixed = list(records)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert together(mixed) == together(records)


@settings(max_examples=60, deadline=None)
@given(household, st.integers(0, 6))
def test_taking_a_record_away_never_joins_others(records: list[SourceRecord], at: int) -> None:
    gone = records[at % len(records)]
    before = together(records)
    for person in together([r for r in records if r is not gone]):
        assert any(person <= (old - {gone.record}) for old in before)
