"""Writes the next migration from the difference between the tables in the code and those of the migrations.

usage: python -m hub.migrations.generate "what changes" - then read it, and mend what Alembic cannot know.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import TypeDecorator

from hub.db import make_engine
from hub.migrations import configuration, upgrade


def render_plain_types(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Writes our own moment type as the plain type that lies beneath it: a migration imports nothing of ours."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return "sa.DateTime(timezone=True)"
    return False


def main() -> None:
    """Makes a scratch database at the newest revision and compares."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'scratch.sqlite'}")
        upgrade(engine)
        command.revision(configuration(engine), message=sys.argv[1], autogenerate=True)
        engine.dispose()


if __name__ == "__main__":
    main()
