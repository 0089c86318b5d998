"""A fresh index per test. What tests say about people lies in `tests_people.py` beside this."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tests_people import Index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(tmp_path / "index.sqlite")
    yield made
    made.db.engine.dispose()
