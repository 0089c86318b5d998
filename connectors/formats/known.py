"""The formats whose mapping files come with the product: what a return of the whole country means to us.

For: `formats = [...]` in a partner's file. A mapping file holds `[people]` and `[[items]]` as a partner's own does.
"""

import tomllib
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
#: Name in a partner's file -> mapping file beside this one.
KNOWN_FORMATS = {"cin-census": "cin_census.toml", "ssda903": "ssda903.toml"}


def format_tables(name: str) -> dict[str, Any]:
    """Returns the tables of a format's mapping file."""
    return tomllib.loads((_HERE / KNOWN_FORMATS[name]).read_text(encoding="utf-8"))
