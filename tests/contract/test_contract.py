"""The interface against its own description, by a judge that others wrote: a small cut of `make contract`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import House
from tests.contract.__main__ import run, served
from tests.hub.conftest import with_parts


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("persona", "operations"),
    [("gp_millbrook", ("gpCheck",)), ("mash_social_worker", ("knownTo", "listAgreements", "getReceipt"))],
)
def test_what_the_interface_answers_is_what_its_description_says(
    house: House, persona: str, operations: tuple[str, ...]
) -> None:
    judge = Path(sys.executable).parent / "schemathesis"
    given = argparse.Namespace(schemathesis=str(judge), examples=8, seed=1, phases="fuzzing")
    own = with_parts(house, settings=replace(house.hub.settings, api_per_minute=100_000))
    with served(own) as url:
        assert run(own, url, persona, given, only=operations) == 0
