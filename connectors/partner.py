"""One TOML file per partner: who they are, what they cover, how they are reached, what their fields mean.

For: connecting a partner without code. Must never ignore a key or a word that it does not know: a misspelt
category would otherwise show less, or more, than the agreement says. Ruled by docs/connecting-a-partner.md.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time
from enum import StrEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from connectors.contract import ConnectorError, ContactLine, Coverage, ItemMapping, Partner, SchoolDay
from connectors.formats.known import KNOWN_FORMATS, format_tables
from connectors.formats.people import PersonMapping
from connectors.paths import is_path
from connectors.records import STANDARD_FIELDS, OfferedField
from policies.vocabulary import AgencyType, DataCategory, FieldKind

Word = TypeVar("Word", bound=StrEnum)

WAYS = ("extract", "fhir", "inbox", "mais", "rest", "sql")
#: What a way calls the place that one kind of item comes from.
SOURCE_KEY = {
    "extract": "file",
    "fhir": "resource",
    "inbox": "fields",
    "mais": "fields",
    "rest": "path",
    "sql": "query",
}
#: FHIR R4 (hl7.org/fhir/R4) resource type -> the element that says whom it is about.
FHIR_SUBJECT: Mapping[str, str] = MappingProxyType(
    {
        "Patient": "id",
        "RelatedPerson": "patient",
        "EpisodeOfCare": "patient",
        "Encounter": "subject",
        "Flag": "subject",
        "CarePlan": "subject",
        "CareTeam": "subject",
    }
)
#: Where a FHIR resource says how confidential it is; read for every resource.
FHIR_SEAL = "meta.security"
ENCODINGS = ("utf-8", "cp1252", "latin-1")
DELIMITERS = (",", ";", "\t", "|")
#: Servers that speak FHIR in a way of their own.
DIALECTS = ("plain", "nhs-pds")
NETWORKS = ("public", "private", "loopback")
#: Seconds that one question may wait, if the file does not say; and the most that it may say.
DEFAULT_DEADLINE_S = 1.5
LONGEST_DEADLINE_S = 3.0

_DROP_KEYS = ("folder", "encoding", "delimiter")
_HTTP_KEYS = ("base_url", "network", "ca_file", "certificate_file", "key_file", "token_file", "deadline_s")
_REACH_KEYS = {
    "extract": _DROP_KEYS,
    "fhir": (*_DROP_KEYS, *_HTTP_KEYS, "dialect"),
    "inbox": (),
    "mais": ("base_url", "network", "ca_file", "key_file", "client_id", "policy", "system", "deadline_s"),
    "rest": (*_DROP_KEYS, *_HTTP_KEYS),
    "sql": (*_DROP_KEYS, "url", "password_file", "deadline_s"),
}
#: Keys of [people] that say where rows come from and are not part of the person mapping.
_PEOPLE_REACH_KEYS = ("find", "rows", "element")


class PartnerFileRefused(ConnectorError):
    """A partner file says something that is not understood: in which key (`items[1].id`), why, and what to do."""

    def __init__(self, file: str, where: str, reason: str, advice: str) -> None:
        super().__init__("PARTNER_FILE", f"{file}: {where or '(top level)'}: {reason}; {advice}")
        self.where, self.reason, self.advice = where, reason, advice


class _Table:
    """A TOML table that is taken apart key by key; what is left over at the end is refused."""

    def __init__(self, table: object, file: str, path: str) -> None:
        self.file, self.path = file, path
        if not isinstance(table, dict):
            self.refuse("", "is not a table", f"write it as [{path}]")
        self.rest: dict[str, Any] = dict(table)

    def refuse(self, key: str, reason: str, advice: str) -> NoReturn:
        where = ".".join(part for part in (self.path, key) if part)
        raise PartnerFileRefused(self.file, where, reason, advice)

    def take(self, key: str, kind: type | tuple[type, ...], words: str) -> Any:
        value = self.rest.pop(key, None)
        if value is None:
            self.refuse(key, "is missing", f"add {words}")
        wrong_bool = isinstance(value, bool) and bool not in (kind if isinstance(kind, tuple) else (kind,))
        if not isinstance(value, kind) or wrong_bool:
            self.refuse(key, "has the wrong type", f"write {words}")
        return value

    def text(self, key: str) -> str:
        value: str = self.take(key, str, "a text")
        if not value.strip():
            self.refuse(key, "is empty", "write a text")
        return value

    def maybe_text(self, key: str) -> str | None:
        return self.text(key) if key in self.rest else None

    def word(self, key: str, words: type[Word]) -> Word:
        return self.as_word(key, self.text(key), words)

    def as_word(self, key: str, value: str, words: type[Word]) -> Word:
        if value not in words.__members__:
            self.refuse(key, f"{value!r} is not a word of {words.__name__}", "use one of policies/vocabulary.py")
        return words(value)

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = default if default is not None and key not in self.rest else self.text(key)
        if value not in allowed:
            self.refuse(key, f"{value!r} is not known", f"use one of {', '.join(allowed)}")
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        if key not in self.rest:
            return default
        value = self.take(key, list, "a list of texts")
        if not value or not all(isinstance(v, str) and v for v in value):
            self.refuse(key, "is not a list of texts", 'write for example ["a", "b"]')
        return tuple(value)

    def pairs(self, key: str) -> dict[str, str]:
        table = self.table(key)
        return {name: table.text(name) for name in list(table.rest)}

    def table(self, key: str) -> "_Table":
        return _Table(self.rest.pop(key, {}), self.file, f"{self.path}.{key}".lstrip("."))

    def done(self) -> None:
        if self.rest:
            self.refuse(min(self.rest), "is not a known key", "remove it or correct its spelling")


def load_partners(folder: Path) -> dict[str, Partner]:
    """Reads every partner file of a folder, by code.

    Raises ConnectorError (PARTNER_FILE) with file, key, reason and advice; nobody is connected then.
    """
    found: dict[str, Partner] = {}
    for path in sorted(folder.glob("*.toml")):
        partner = load_partner(path)
        found[partner.code] = partner
    return found


def load_partner(path: Path) -> Partner:
    """Reads one partner file. Raises ConnectorError (PARTNER_FILE) with file, key, reason and advice."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConnectorError("PARTNER_FILE", f"{path.name}: cannot be read; check that it exists") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConnectorError("PARTNER_FILE", f"{path.name}: is not TOML in UTF-8; correct its writing") from error
    return read_partner(table, path.name)


def read_partner(table: Mapping[str, Any], file: str) -> Partner:
    """Reads one partner from its TOML tables; `file` is named in every refusal and must be `<code>.toml`."""
    top = _Table(dict(table), file, "")
    code = top.text("code")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", code):
        top.refuse("code", "has other characters", "use lower-case letters, digits and hyphens, at most 31")
    if file != f"{code}.toml":
        top.refuse("code", "is not the name of the file", f"rename the file to {code}.toml or correct the code")
    name = top.text("name")
    kind = top.word("type", AgencyType)
    public = top.take("public_authority", bool, "true or false")
    competent = top.take("competent_authority", bool, "true or false")
    contact, coverage = _contact(top.table("contact")), _coverage(top.table("coverage"))
    _add_formats(top)
    people_table = top.rest.pop("people", None)
    way, reach = _reach(top.table("reach"), drops_people=isinstance(people_table, dict) and "file" in people_table)
    people = _people(_Table(people_table, file, "people"), way, code, reach) if people_table is not None else None
    rows = top.take("items", list, "at least one [[items]] table")
    items = tuple(_items(_Table(row, file, f"items[{n}]"), way) for n, row in enumerate(rows))
    if not any(i.category is DataCategory.SERVICE_INVOLVEMENT for i in items):
        top.refuse("items", "has no SERVICE_INVOLVEMENT", "add one: the known-to matrix is made of it")
    trial = top.table("trial")
    invented = trial.texts("records", ())
    trial.done()
    school_day = _school_day(top.table("school_day"))
    top.done()
    return Partner(
        code,
        name,
        kind,
        public,
        competent,
        contact,
        coverage,
        way,
        _offers(top, items),
        reach,
        items,
        people,
        invented,
        school_day,
    )


def moved(partner: Partner, **reach: object) -> Partner:
    """Returns the partner reached elsewhere, for example `moved(p, base_url=...)`; every rule of the file applies.

    Raises ConnectorError (PARTNER_FILE) when the new place is not one that the file could have named.
    """
    table = _Table({"way": partner.way, **partner.reach, **reach}, f"{partner.code}.toml", "reach")
    way, checked = _reach(table, drops_people=partner.people is not None and "file" in partner.people)
    return replace(partner, way=way, reach=checked)


def person_mapping(partner: Partner) -> PersonMapping | None:
    """Returns what the columns of the partner's people mean, or None when it describes nobody."""
    if partner.people is None or not set(partner.people) - {*_PEOPLE_REACH_KEYS}:
        return None
    table = {key: value for key, value in partner.people.items() if key not in _PEOPLE_REACH_KEYS}
    return PersonMapping.from_table(table, agency=partner.code)


def _add_formats(top: _Table) -> None:
    """Adds what the known formats' own mapping files say: their items, and their people if the partner names none."""
    for name in top.texts("formats", ()):
        if name not in KNOWN_FORMATS:
            top.refuse("formats", f"{name!r} is not known", f"use of {', '.join(KNOWN_FORMATS)}")
        known = format_tables(name)
        if isinstance(way := top.rest.get("reach"), dict) and way.get("way") != "extract":
            top.refuse("formats", "are files that are dropped", 'use way = "extract"')
        top.rest.setdefault("people", known["people"])
        own = top.rest.get("items", [])
        top.rest["items"] = [*(own if isinstance(own, list) else []), *known["items"]]


def _contact(t: _Table) -> ContactLine:
    contact = ContactLine(t.text("name"), t.text("in_hours"), t.text("out_of_hours"))
    t.done()
    return contact


def _coverage(t: _Table) -> Coverage:
    sentence = t.text("sentence")
    since = t.take("since", date, "a date such as 2015-04-01") if "since" in t.rest else None
    ages = t.take("ages", list, "[from, to]") if "ages" in t.rest else None
    if ages is not None and not (
        len(ages) == 2 and all(type(a) is int for a in ages) and 0 <= ages[0] <= ages[1] <= 130
    ):
        t.refuse("ages", "is not a span of years", "write [from, to]")
    places = t.texts("places", ())
    t.done()
    return Coverage(sentence, since, places, (ages[0], ages[1]) if ages else None)


def _school_day(t: _Table) -> SchoolDay:
    begins = t.take("lessons_begin", time, "a time such as 08:50:00") if "lessons_begin" in t.rest else None
    spans = t.take("holidays", list, "a list of [first day, last day]") if "holidays" in t.rest else []
    for one in spans:
        if not (isinstance(one, list) and len(one) == 2 and all(type(d) is date for d in one) and one[0] <= one[1]):
            t.refuse("holidays", "is not a list of first and last days", "write [[2026-12-21, 2027-01-01]]")
    t.done()
    return SchoolDay(begins or SchoolDay().lessons_begin, tuple((one[0], one[1]) for one in spans))


def _reach(t: _Table, *, drops_people: bool) -> tuple[str, Mapping[str, object]]:
    way = t.choice("way", WAYS)
    if left := sorted(set(t.rest) - set(_REACH_KEYS[way])):
        t.refuse(left[0], f"is not a key of way {way!r}", "remove it or correct its spelling")
    reach: dict[str, object] = {}
    if way == "extract" or drops_people or "folder" in t.rest:
        reach["folder"] = _folder(t)
        reach["encoding"] = t.choice("encoding", ENCODINGS, "utf-8")
        reach["delimiter"] = t.choice("delimiter", DELIMITERS, ",")
    if way == "mais":
        reach |= _as_client(t)
    if way in ("fhir", "rest"):
        reach["network"] = t.choice("network", NETWORKS, "public")
        reach["base_url"] = _base_url(t, str(reach["network"]))
        files = {key: t.maybe_text(key) for key in ("ca_file", "certificate_file", "key_file", "token_file")}
        if bool(files["certificate_file"]) != bool(files["key_file"]):
            t.refuse("key_file", "goes with certificate_file", "give both or neither")
        reach |= {key: value for key, value in files.items() if value}
    if way == "fhir" and "dialect" in t.rest:
        reach["dialect"] = t.choice("dialect", DIALECTS)
    if way == "sql":
        reach["url"] = _database(t)
        if password_file := t.maybe_text("password_file"):
            reach["password_file"] = password_file
    if way not in ("extract", "inbox"):
        deadline = t.take("deadline_s", (int, float), "seconds") if "deadline_s" in t.rest else DEFAULT_DEADLINE_S
        if not 0.1 <= deadline <= LONGEST_DEADLINE_S:
            t.refuse("deadline_s", "is too short or too long", f"write 0.1 to {LONGEST_DEADLINE_S:g} seconds")
        reach["deadline_s"] = float(deadline)
    t.done()
    return way, MappingProxyType({"way": way, **reach})


def _as_client(t: _Table) -> dict[str, object]:
    """How we ask another hub: where, as whom, with which key, under which policy."""
    network = t.choice("network", NETWORKS, "public")
    reach: dict[str, object] = {"network": network, "base_url": _base_url(t, network)}
    reach |= {key: t.text(key) for key in ("key_file", "client_id", "policy", "system")}
    if ca_file := t.maybe_text("ca_file"):
        reach["ca_file"] = ca_file
    return reach


def _folder(t: _Table) -> str:
    folder = t.text("folder")
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or "\\" in folder:
        t.refuse("folder", "leads out of the drops folder", "write a plain folder name")
    return folder


def _base_url(t: _Table, network: str) -> str:
    url = t.text("base_url")
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        t.refuse("base_url", "is not a URL", "write https://host/path")
    plain = not (parts.query or parts.fragment or parts.username or parts.password or url.endswith("/"))
    if not (parts.hostname and plain and port_ok and re.fullmatch(r"[\x21-\x7e]+", url)):
        t.refuse("base_url", "is not a plain URL", "write https://host[:port]/path without query, user or final slash")
    if parts.scheme != "https" and not (parts.scheme == "http" and network == "loopback"):
        t.refuse("base_url", "is not https", 'use https; http is only for network = "loopback"')
    return url


def _database(t: _Table) -> str:
    text = t.text("url")
    try:
        url = make_url(text)
    except ArgumentError:
        t.refuse("url", "is not a database URL", "write sqlite:///file.db or postgresql+psycopg://user@host/db")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        t.refuse("url", "names another database", "use sqlite or postgresql+psycopg")
    if url.password:
        t.refuse("url", "holds a password", "put it into a file and name that in password_file")
    return text


def _people(t: _Table, way: str, code: str, reach: Mapping[str, object]) -> Mapping[str, object]:
    table = dict(t.rest)
    if way in ("inbox", "mais"):
        t.refuse("", f"is not for way {way!r}", "remove it: whoever answers is told who is meant")
    for key, wanted in (("query", "sql"), ("rows", "rest")):
        if key in table and way != wanted:
            t.refuse(key, f"is not for way {way!r}", f"it belongs to {wanted!r}")
    for key in ("encoding", "delimiter"):
        if key in table and table[key] != reach.get(key):
            t.refuse(key, "is one for all files", "write it in [reach]")
    if "find" in table and way not in ("sql", "rest"):
        t.refuse("find", f"is not for way {way!r}", "remove it")
    if way == "extract" and "file" not in table:
        t.refuse("file", "is missing", "name the CSV file of people")
    if way == "rest" and "find" in table:
        _path(t, "find", t.text("find"))
        _list_path(t, "people[]")
    for key in ("query", "find"):
        if way == "sql" and key in table:
            _select(t, key, t.text(key))
    if "file" in table:
        _file_name(t, "file", t.text("file"))
        if ("element" in table) != str(table["file"]).endswith(".xml"):
            t.refuse("element", "goes with an .xml file", "name the repeated element that people are")
    if left := {key: value for key, value in table.items() if key not in _PEOPLE_REACH_KEYS}:
        try:
            PersonMapping.from_table(left, agency=code)
        except ConnectorError as error:
            raise PartnerFileRefused(t.file, "people", error.sentence.rstrip("."), "correct the mapping") from error
    return MappingProxyType(table)


def _items(t: _Table, way: str) -> ItemMapping:
    if way in ("inbox", "mais"):
        return _form(t, way)
    key = SOURCE_KEY[way]
    source = t.text(key)
    if way == "extract":
        _file_name(t, key, source)
    elif way == "sql":
        _select(t, key, source)
        if not re.search(r"\bIN\s+:records\b", source, re.IGNORECASE):
            t.refuse(key, "does not ask for the given records only", "end it with WHERE column IN :records")
    elif way == "rest":
        _path(t, key, source)
    elif source not in FHIR_SUBJECT:
        t.refuse(key, f"{source!r} is not a resource that is read", f"use one of {', '.join(FHIR_SUBJECT)}")
    id_columns = t.texts("id", ()) if isinstance(t.rest.get("id"), list) else ()
    one_id = "id" if way == "fhir" else " + ".join(id_columns) or t.text("id")
    ids = (one_id, FHIR_SUBJECT[source]) if way == "fhir" else (one_id, t.text("record"))
    element = t.maybe_text("element")
    if (element is not None) != (way == "extract" and source.endswith(".xml")):
        t.refuse("element", "goes with an .xml file", "name the repeated element that its rows are")
    values, fixed = t.pairs("values"), t.pairs("fixed")
    if not values and not fixed:
        t.refuse("values", "is missing", "say which column holds which field")
    kinds = _kinds(t, values, fixed)
    if way in ("rest", "fhir"):
        for name, path in values.items():
            if not is_path(path):
                t.refuse(f"values.{name}", "is not a dotted path", "write a.b, a[0].b or a[].b")
    words_table = t.table("words")
    words = {name: MappingProxyType(words_table.pairs(name)) for name in list(words_table.rest)}
    if left := sorted({*words} - {*values}):
        t.refuse(f"words.{left[0]}", "is not one of values", "words go with a field of values")
    mapping = ItemMapping(
        t.word("category", DataCategory),
        source,
        *ids,
        MappingProxyType(values),
        MappingProxyType(fixed),
        MappingProxyType(words),
        MappingProxyType(kinds),
        t.maybe_text("occurred_on"),
        t.texts("date_formats", ("%Y-%m-%d",)),
        _list_path(t, "items[]") if way == "rest" else "items[]",
        FHIR_SEAL if way == "fhir" else t.maybe_text("seal"),
        element,
        id_columns,
        MappingProxyType(_when(t.table("when"), way)),
    )
    t.done()
    return mapping


def _kinds(t: _Table, values: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, FieldKind]:
    """The kinds of fields that are not standard ones; every field has a kind, and one only."""
    kinds_table = t.table("kinds")
    kinds = {name: kinds_table.word(name, FieldKind) for name in list(kinds_table.rest)}
    for name in sorted({*values, *fixed}):
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
            t.refuse(f"values.{name}", "is not a field name", "use lower-case letters, digits and underscores")
        if name in kinds and name in STANDARD_FIELDS:
            t.refuse(f"kinds.{name}", "is a standard field", "its kind is fixed: remove it, or use another name")
        if name not in kinds and name not in STANDARD_FIELDS:
            t.refuse(f"values.{name}", "is not a standard field", "say its kind in kinds")
    if left := sorted(({*values} & {*fixed}) | ({*kinds} - {*values, *fixed})):
        t.refuse(left[0], "is named twice, or only in kinds", "a field is in values or in fixed, once")
    return kinds


def _form(t: _Table, way: str) -> ItemMapping:
    """What a person is asked for on a form, or another hub by its operation; always that the service is involved."""
    category = t.word("category", DataCategory)
    named = t.texts("fields", ())
    if not named:
        t.refuse("fields", "is missing", 'say what is asked for, for example ["service", "since"]')
    if way == "mais" and (category is not DataCategory.SERVICE_INVOLVEMENT or {*named} - {"service", "contact"}):
        t.refuse("fields", "is more than the operation tells", 'write ["service", "contact"] of SERVICE_INVOLVEMENT')
    extra: tuple[str, ...] = ("held", "involved") if category is DataCategory.SERVICE_INVOLVEMENT else ("held",)
    extra = ("involved",) if way == "mais" else extra
    values = {name: name for name in dict.fromkeys((*extra, *named))}
    kinds = _kinds(t, values, {})
    t.done()
    return ItemMapping(category, "form", "id", "record", MappingProxyType(values), kinds=MappingProxyType(kinds))


def _when(t: _Table, way: str) -> dict[str, frozenset[str]]:
    if t.rest and way != "extract":
        t.refuse("", "is for dropped files", "let the partner's own query or service leave out such rows")
    return {column: frozenset(t.texts(column, ())) for column in list(t.rest)}


def _file_name(t: _Table, key: str, name: str) -> None:
    if PurePosixPath(name).name != name or "\\" in name or name.startswith("."):
        t.refuse(key, "is not a plain file name", "files lie directly in the partner's folder")


def _path(t: _Table, key: str, path: str) -> None:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path) or any(p in (".", "..") for p in path.split("/")):
        t.refuse(key, "is not a plain path", "write /words/separated/by/slashes: ids and names go into the posted body")


def _list_path(t: _Table, default: str) -> str:
    path = t.text("rows") if "rows" in t.rest else default
    if not (path.endswith("[]") and is_path(path)):
        t.refuse("rows", "is not a path to a list", "write it as name[] or outer.name[]")
    return path


def _select(t: _Table, key: str, query: str) -> None:
    if not re.match(r"\s*(SELECT|WITH)\b", query, re.IGNORECASE) or ";" in query or "--" in query or "/*" in query:
        t.refuse(key, "is not one SELECT", "write a single SELECT without semicolon or comment")


def _offers(top: _Table, items: tuple[ItemMapping, ...]) -> Mapping[DataCategory, tuple[OfferedField, ...]]:
    offers: dict[DataCategory, dict[str, OfferedField]] = {}
    for item in items:
        known = offers.setdefault(item.category, {})
        for offered in item.fields():
            if known.setdefault(offered.name, offered) != offered:
                top.refuse(f"items.kinds.{offered.name}", "has two kinds in one category", "use two names")
    return MappingProxyType({c: tuple(fields[n] for n in sorted(fields)) for c, fields in offers.items()})
