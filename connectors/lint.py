"""Everything that is wrong with one partner file, each with its line; and what is allowed but unwise.

For: whoever writes such a file. The loader stops at the first thing that it does not understand; here the part that
was refused is set aside and the rest is read on, by the same loader, so that the two never disagree.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.contract import ConnectorError, Partner
from connectors.partner import PartnerFileRefused, load_partner, read_partner
from policies.vocabulary import DataCategory

#: Findings of one file; a file with more is not a partner file.
MOST_FINDINGS = 50
_HEADING = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*|\"[^\"]*\"|'[^']*')\s*=")
#: The numbers that Ofcom keeps free for drama (01632 960000 to 960999): nobody answers there.
_NOBODY_ANSWERS = re.compile(r"01632\s?960\s?\d{3}")
#: Parts that can be set aside while the rest is read on, and what stands in for them.
_STAND_INS: Mapping[str, object] = {
    "contact": {"name": "-", "in_hours": "-", "out_of_hours": "-"},
    "coverage": {"sentence": "-"},
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a file. `line` counts from 1; `fatal`: the hub would not start with it."""

    file: str
    line: int
    reason: str
    fatal: bool = True


def check_partner_file(path: Path) -> tuple[Finding, ...]:
    """Returns what is wrong (fatal) or unwise in one partner file, by line; nothing when all is well."""
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError:
        return (Finding(path.name, 1, "cannot be read; check that it exists"),)
    except UnicodeDecodeError:
        return (Finding(path.name, 1, "is not UTF-8; save it as UTF-8"),)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else len(path.read_bytes().splitlines()) or 1
        return (Finding(path.name, line, f"is not TOML: {_without_place(error)}; correct its writing"),)
    lines = _lines_of(text)
    wrong = tuple(
        Finding(path.name, _line(lines, where), f"{where or '(top level)'}: {reason}")
        for where, reason in _refusals(table, path.name)
    )
    found = wrong or tuple(_unwise(load_partner(path), lines))
    return tuple(sorted(found, key=lambda one: one.line))


def _without_place(error: Exception) -> str:
    return re.sub(r" \(at [^)]*\)", "", str(error))


def _refusals(table: Mapping[str, Any], file: str) -> Iterator[tuple[str, str]]:
    """The loader's refusals, one after the other: what was refused is set aside, then the rest is read again."""
    rest: dict[str, Any] = deepcopy(dict(table))
    left = list(range(len(rest["items"]))) if isinstance(rest.get("items"), list) else []
    involved_set_aside = False
    for _ in range(MOST_FINDINGS):
        try:
            read_partner(rest, file)
        except PartnerFileRefused as refused:
            where, item = refused.where, re.match(r"items\[(\d+)\]", refused.where)
            if item and int(item[1]) < len(left):
                at = int(item[1])
                where = f"items[{left[at]}]" + where[item.end() :]
                gone = rest["items"].pop(at)
                del left[at]
                category = gone.get("category") if isinstance(gone, dict) else None
                involved_set_aside = involved_set_aside or category not in set(DataCategory) - {
                    DataCategory.SERVICE_INVOLVEMENT
                }
                yield where, f"{refused.reason}; {refused.advice}"
                if not left:
                    return
                continue
            if where == "items" and involved_set_aside:
                return  # The part that it misses was refused itself.
            yield where, f"{refused.reason}; {refused.advice}"
            if not _set_aside(rest, where):
                return
        except ConnectorError as error:
            yield "", error.sentence
            return
        else:
            return


def _set_aside(rest: dict[str, Any], where: str) -> bool:
    """Takes the part away that was refused; False when nothing can be read without it."""
    head, _, below = where.partition(".")
    if head in _STAND_INS and rest.get(head) != _STAND_INS[head]:
        rest[head] = _STAND_INS[head]
        return True
    if head == "people" and head in rest:
        del rest[head]
        return True
    if not below and head in rest and head not in ("code", "items", "reach", "formats"):
        kept = {"name": "-", "type": "POLICE", "public_authority": True, "competent_authority": True}
        if head in kept:
            rest[head] = kept[head]
        else:
            del rest[head]
        return True
    return False


def _lines_of(text: str) -> dict[str, int]:
    """The first line of every table and key, by its path as the loader's refusals name it."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table, inside = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            inside = "" if inside in line else inside
            continue
        if heading := _HEADING.fullmatch(line):
            name = heading[2].replace('"', "").replace("'", "").replace(" ", "")
            if heading[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
            head, dot, below = name.partition(".")
            table = (f"{head}[{counts[head]}]" if head in counts else head) + dot + below
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            name = re.sub(r"\s*\.\s*", ".", key[1]).strip("\"'")
            found.setdefault(f"{table}.{name}".lstrip("."), number)
        inside = next((quotes for quotes in ('"""', "'''") if line.count(quotes) % 2), "")
    return found


def _line(lines: Mapping[str, int], where: str) -> int:
    while where and where not in lines:
        where = where.rpartition(".")[0]
    return lines.get(where, 1)


def _unwise(partner: Partner, lines: Mapping[str, int]) -> Iterator[Finding]:
    def note(where: str, reason: str) -> Finding:
        return Finding(f"{partner.code}.toml", _line(lines, where), f"{where}: {reason}", fatal=False)

    for key in ("in_hours", "out_of_hours"):
        if _NOBODY_ANSWERS.search(getattr(partner.contact, key)):
            yield note(f"contact.{key}", "is a number kept free for drama; write one that somebody answers")
    for key in ("ca_file", "certificate_file", "key_file", "token_file", "password_file"):
        if key in partner.reach and not Path(str(partner.reach[key])).is_file():
            yield note(f"reach.{key}", "names a file that is not on this machine")
    if partner.people is None and partner.way != "fhir":
        yield note("people", "is left out: nobody is found by name or number, only by a record id that is known")
    if partner.coverage.since is None:
        yield note("coverage", "does not say since when; `since` tells readers how far back nothing held reaches")
