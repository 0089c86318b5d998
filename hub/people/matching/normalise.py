"""From what an agency wrote to what can be compared: names, dates, addresses and numbers in one spelling.

For: the first step of matching, the same for files, for the index and for what somebody types. Must never
invent a value: a placeholder, an impossible number or an unreadable part becomes "not known". Ruled by
docs/matching.md.
"""

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from connectors import NHS_NUMBER, Address, Contact, Name, PartialDate, SourceRecord
from policies.vocabulary import SubjectFlag

#: The model that is used unless another is named; its frequencies also tell what a forename is.
SHIPPED_MODEL = "five-agency-2026-11-25.json"
_WORDS = tomllib.loads(files("hub.people.matching").joinpath("data/words.toml").read_text(encoding="utf-8"))


def _listed(*names: str) -> frozenset[str]:
    return frozenset(word for name in names for word in _WORDS[name].split())


TITLES, SUFFIXES, PARTICLES = _listed("titles"), _listed("suffixes"), _listed("particles")
#: What systems write when they do not know a name, and what people write in place of a forename or a family name.
NO_FORENAME, NO_FAMILY = _listed("no_name", "no_forename"), _listed("no_name", "no_family")
#: Flags whose bearers' whereabouts are used for nothing.
PROTECTED = frozenset({SubjectFlag.SHIELDED, SubjectFlag.FLEEING_DA, SubjectFlag.PROTECTED_PERSON})
#: Flags whose bearers are matched without their address (matching must not become a way to find them).
NO_ADDRESS = PROTECTED | {SubjectFlag.ADOPTED}

_CYRILLIC = zip(
    "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯІЇЄҐ",
    "A B V G D E E ZH Z I Y K L M N O P R S T U F KH TS CH SH SHCH - Y - E YU YA I I YE G".split(),  # noqa: SIM905
    strict=True,
)
_GREEK = zip("ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", "A V G D E Z I TH I K L M N X O P R S T Y F CH PS O".split(), strict=True)  # noqa: SIM905
_LATIN = {"Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "Æ": "AE", "Œ": "OE", "ẞ": "SS", "ß": "SS", "ı": "I"}
#: Letters that do not come apart into a Latin letter and a mark (after ISO 9 and ISO 843, simplified).
_LETTERS = str.maketrans(_LATIN | {a: "" if b == "-" else b for a, b in [*_CYRILLIC, *_GREEK]})
_NOT_IN_A_NAME = re.compile(r"[^\w\s'’`´.-]|\d|_", re.UNICODE)
_JUNK_PREFIX = re.compile(r"^(?:[A-Z]+_)+")
_STREET: Mapping[str, str] = _WORDS["street"]
_UNIT_WORDS = _listed("unit")
#: Ends of numbers that also stand for street and road.
_ENDINGS = frozenset({"TH", "ND", "ST", "RD"})
_ORDINAL = re.compile(r"^\d+(?:ST|ND|RD|TH)$")
_POSTCODE = re.compile(r"^[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}$")


@dataclass(frozen=True, slots=True)
class Place:
    """An address in comparable parts; `key` is equal for the same dwelling spelt the same way."""

    number: str
    street: str
    unit: str
    postcode: str
    uprn: str
    town: str = ""

    @property
    def key(self) -> str:
        """The dwelling, or empty when the address is too thin to name one."""
        if self.uprn:
            return f"U{self.uprn}"
        if not self.street or not (self.number or self.unit):
            return ""
        code = self.postcode if _POSTCODE.match(self.postcode) else ""
        return f"{self.number}|{self.street}|{self.unit}|{code}"


@dataclass(frozen=True, slots=True)
class Called:
    """One name in comparable form: forename tokens in order, the family name in one piece, and its parts."""

    given: tuple[str, ...]
    family: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One record, ready to be compared. `names` has the current name first; `born` is yyyymmdd, 0 for unknown parts."""

    agency: str
    record: str
    names: tuple[Called, ...]
    born: str | None
    sex: str | None
    place: Place | None
    numbers: tuple[tuple[str, str], ...]
    is_adopted: bool = False
    contacts: tuple[str, ...] = ()
    is_protected: bool = False


def plain(text: str) -> str:
    """Upper case in Latin letters without marks."""
    upper = text.upper().translate(_LETTERS)
    if upper.isascii():
        return upper
    bare = "".join(c for c in unicodedata.normalize("NFKD", upper) if not unicodedata.combining(c))
    return bare.translate(_LETTERS)


@lru_cache(maxsize=100_000)
def name_tokens(text: str) -> tuple[str, ...]:
    """A name as tokens: marks, titles, apostrophes and system remarks removed, hyphens split."""
    cleaned = _JUNK_PREFIX.sub("", plain(text).replace(" _", "_"))
    cleaned = _NOT_IN_A_NAME.sub("", cleaned)
    for mark in "'’`´.":
        cleaned = cleaned.replace(mark, "")
    tokens = cleaned.replace("-", " ").split()
    if len(tokens) > 1:
        tokens = [t for t in tokens if t not in TITLES and t not in SUFFIXES] or tokens
    return tuple(tokens)


@lru_cache(maxsize=100_000)
def _called(given: tuple[str, ...], family: tuple[str, ...]) -> Called:
    first = tuple(t for text in given for t in name_tokens(text) if t not in NO_FORENAME)
    last = tuple(t for text in family for t in name_tokens(text) if t not in NO_FAMILY)
    parts = tuple(t for t in last if len(t) > 2 and t not in PARTICLES) if len(last) > 1 else ()
    return Called(first, "".join(last), parts)


def called(names: Iterable[Name]) -> tuple[Called, ...]:
    """Every name a person goes by, the current one first, duplicates and empty ones left out."""
    found: dict[Called, None] = {}
    for name in sorted(names, key=lambda n: n.use in ("old", "maiden", "nickname", "temp", "anonymous")):
        if name.use == "anonymous":
            continue
        one = _called(name.given, name.family)
        if one.given or one.family:
            found.setdefault(one)
            found.update(dict.fromkeys(_turned(one)))
        if name.preferred:
            known_as = _called((name.preferred,), name.family)
            if known_as.given and known_as.given[0] not in one.given:
                found.setdefault(known_as)
    return tuple(found)


def _turned(name: Called) -> tuple[Called, ...]:
    """A lone word in the other field: people with one name, and those who write it where it does not belong."""
    if not name.family and len(name.given) == 1 and len(name.given[0]) > 1:
        return (Called((), name.given[0], ()),)
    if not name.given and not name.parts:
        return (Called((name.family,), "", ()),)
    return ()


def born_key(born: PartialDate | None) -> str | None:
    """yyyymmdd with zeros where day or month are not known; None for no date."""
    if born is None:
        return None
    day = "00" if born.accuracy[:1] == "U" else f"{born.date.day:02}"
    month = "00" if born.accuracy[1:2] == "U" else f"{born.date.month:02}"
    return None if born.accuracy[2:3] == "U" else f"{born.date.year:04}{month}{day}"


def nhs_number(text: str) -> str | None:
    """The ten digits of a valid NHS number, else None. Check digit by modulus 11 (NHS Data Dictionary)."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{10}", digits) or len(set(digits)) == 1:
        return None
    check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return digits if check % 11 == int(digits[9]) and check != 10 else None


@lru_cache(maxsize=100_000)
def number_key(system: str, value: str) -> str | None:
    """An identifier in one spelling, or None when it cannot be one (a failed check digit, a filler)."""
    if system == NHS_NUMBER:
        return nhs_number(value)
    kept = "".join(c for c in plain(value) if c.isalnum())
    return kept if len(kept) >= 5 and len(set(kept)) > 1 else None


def postcode(text: str | None) -> str:
    """A UK postcode without blanks; anything else that is not a filler as it stands, else empty."""
    kept = "".join(c for c in plain(text or "") if c.isalnum())
    if _POSTCODE.match(kept):
        return "" if kept.startswith(("NF1", "ZZ99")) else kept
    return "" if len(set(kept)) < 2 else kept


@lru_cache(maxsize=100_000)
def _line(text: str) -> tuple[str, str, str]:
    """(house number, street, unit) of address lines."""
    tokens = re.findall(r"[A-Z]+\d*[A-Z]*|\d+[A-Z]*|#", plain(text).replace("'", ""))
    number, after_unit = "", False
    street: list[str] = []
    unit: list[str] = []
    for token in tokens:
        if token in _UNIT_WORDS and not (street and token in _ENDINGS):
            after_unit = token not in _ENDINGS
        elif _ORDINAL.match(token) and not after_unit:
            street.append(token)
        elif token[:1].isdigit():
            if after_unit or (number and not street):
                unit.append(token)
            elif not number:
                number = token
            else:
                street.append(token)
            after_unit = False
        elif after_unit and len(token) <= 2:
            unit.append(token)
            after_unit = False
        else:
            street.append(_STREET.get(token, token))
            after_unit = False
    return number, " ".join(street), " ".join(sorted(unit))


def place(addresses: Sequence[Address]) -> Place | None:
    """The current home in comparable parts, or None."""
    for address in sorted(addresses, key=lambda a: a.use in ("old", "temp", "work", "billing")):
        if address.use in ("old", "work", "billing"):
            continue
        number, street, unit = _line(address.line1 or "")
        _, more, second = _line(address.line2 or "")
        unit = " ".join(filter(None, (unit, second or more))) if address.line2 else unit
        town = " ".join(name_tokens(address.city or ""))
        found = Place(number, street, unit, postcode(address.postcode), (address.uprn or "").lstrip("0"), town)
        if street or found.uprn or found.postcode or town:
            return found
    return None


def home_of(record: SourceRecord) -> Place | None:
    """Where a record says somebody lives; None when the record protects the person's whereabouts."""
    return None if record.flags & PROTECTED else place(record.person.addresses)


def prepare(record: SourceRecord) -> Prepared:
    """One record in comparable form. Addresses of shielded, fleeing, protected and adopted persons are left out,
    and so are former names of adopted persons."""
    person = record.person
    is_adopted = SubjectFlag.ADOPTED in record.flags
    names = called(n for n in person.names if not (is_adopted and n.use in ("old", "maiden")))
    numbers = dict.fromkeys(
        (i.system, key) for i in person.identifiers if (key := number_key(i.system, i.value)) is not None
    )
    return Prepared(
        agency=record.agency,
        record=record.record,
        names=names[:1] if is_adopted else names,
        born=born_key(person.date_of_birth),
        sex=person.sex_code if person.sex_code in ("1", "2") else None,
        place=None if record.flags & NO_ADDRESS else place(person.addresses),
        numbers=tuple(numbers),
        is_adopted=is_adopted,
        contacts=() if record.flags & NO_ADDRESS else contacts(person.contacts),
        is_protected=bool(record.flags & PROTECTED),
    )


def contacts(held: Sequence[Contact]) -> tuple[str, ...]:
    """E-mail addresses and telephone numbers in one spelling; what cannot be one is left out."""
    found: dict[str, None] = {}
    for contact in held:
        for email in contact.email:
            if "@" in (text := email.strip().casefold()):
                found.setdefault(text)
        for number in contact.telephone:
            digits = re.sub(r"^(?:0044|44(?=\d{10}$))", "0", re.sub(r"\D", "", number.replace("(0)", "")))
            if len(digits) >= 9 and len(set(digits)) > 2:
                found.setdefault(digits)
    return tuple(found)


@lru_cache(maxsize=1)
def _short_forms() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    table = files("hub.people.matching").joinpath("data/nicknames.csv").read_text(encoding="ascii")
    for line in table.splitlines()[1:]:
        name, short = line.split(",")
        found.setdefault(name, set()).add(short)
        found.setdefault(short, set()).add(name)
    return {name: frozenset(others) for name, others in found.items()}


@lru_cache(maxsize=1)
def _frequent() -> frozenset[str]:
    model = files("hub.people.matching").joinpath(f"models/{SHIPPED_MODEL}").read_text(encoding="utf-8")
    return frozenset(json.loads(model)["frequencies"]["given"])


def is_a_forename(given: str) -> bool:
    """Whether this is a forename in its own right: in the list of short forms, or not rare in the shipped model."""
    return given in _short_forms() or given in _frequent()


@lru_cache(maxsize=100_000)
def short_forms(given: str) -> frozenset[str]:
    """Names that a forename is a short form of, or that are short forms of it; -ie and -y make a pet name of either."""
    found = _short_forms().get(given, frozenset())
    stem = given[:-2] if given.endswith("IE") else given[:-1] if given.endswith("Y") else ""
    if len(stem) < 3:
        return found
    plainer = {stem, stem + "E", given[:-2] + "Y", *((stem[:-1],) if stem[-1] == stem[-2] else ())} - {given}
    known = {name for name in plainer if name in _short_forms()}
    return found.union(known, *(_short_forms()[name] for name in known))


_SOUND = str.maketrans("BPFVCSKGJQXZDTLMNR", "111122222222334556", "AEIOUYHW")


@lru_cache(maxsize=100_000)
def sound(name: str) -> str:
    """How a name sounds, roughly: similar consonants alike, vowels dropped, four places."""
    text = name.replace("PH", "F").replace("GH", "").replace("KN", "N").replace("WR", "R")
    if not text:
        return ""
    codes = text.translate(_SOUND)
    kept = "".join(c for c, before in zip(codes, " " + codes, strict=False) if c != before)
    return (kept if text[0].translate(_SOUND) else "0" + kept)[:4] or "0"
