"""What people are asked, word for word: one file per statement and version, never changed once it was used.

For: the wording that an answer refers to, so that years later everybody can read what was agreed. Must never be
edited in place: a new wording is a new file with the next version. UK GDPR Article 7(1) and (2): who relies on
consent must be able to show it, and the request must be intelligible and in plain language.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from policies.vocabulary import ConsentKind

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Statement:
    """One wording: `id` and `version` name it; `text` is what the person hears or reads."""

    id: str
    version: int
    kind: ConsentKind
    title: str
    text: str
    since: date

    @property
    def reference(self) -> str:
        """The statement as one code, for records and exports."""
        return f"{self.id}/{self.version}"


@cache
def statements() -> tuple[Statement, ...]:
    """Every statement, the newest version of each first."""
    found = [_read(path) for path in sorted(FOLDER.glob("*.toml"))]
    return tuple(sorted(found, key=lambda s: (s.id, -s.version)))


def current_statements(today: date) -> tuple[Statement, ...]:
    """The newest version of each statement that is in use today."""
    newest: dict[str, Statement] = {}
    for one in statements():
        if one.since <= today:
            newest.setdefault(one.id, one)
    return tuple(newest.values())


def statement(reference: str) -> Statement | None:
    """The statement that this code names, of whatever age."""
    return next((one for one in statements() if one.reference == reference), None)


def _read(path: Path) -> Statement:
    held = tomllib.loads(path.read_text(encoding="utf-8"))
    return Statement(
        id=held["id"],
        version=held["version"],
        kind=ConsentKind(held["kind"]),
        title=held["title"],
        text=held["text"].strip(),
        since=held["since"],
    )
