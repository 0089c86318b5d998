"""The county that the tests of the demonstration share: built once, written once, never changed."""

from datetime import date
from pathlib import Path

import pytest

from hub.demo.county import build_county
from hub.demo.files import write_county
from hub.demo.model import County

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="session")
def county() -> County:
    return build_county(today=TODAY)


@pytest.fixture(scope="session")
def written(county: County, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thornshire")
    write_county(county, folder, ports={})
    return folder
