"""What somebody typed into the one search box, as a question that can be answered or a sentence that says why not.

For: name in either order, date of birth in the usual forms, NHS number with its check digit. Must never search by
address, never guess a century, and never put what was typed into an exception. Ruled by docs/matching.md.
"""

import re
from dataclasses import dataclass
from datetime import date

from connectors import PartialDate
from hub.people.matching.normalise import NO_FORENAME, name_tokens, nhs_number

MONTHS = {
    m: n for n, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
#: Longest text the box takes; nobody's name, birth date and number need more.
LONGEST = 200

_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATES = (
    re.compile(r"(?<![\d/.-])(?P<day>\d{1,2})[/.-](?P<number>\d{1,2})[/.-](?P<year>\d{4})(?![\d/.-])"),
    re.compile(r"(?<![\d/.-])(?P<year>\d{4})[/.-](?P<number>\d{1,2})[/.-](?P<day>\d{1,2})(?![\d/.-])"),
    re.compile(
        r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?:of\s+)?" + _MONTH + r"[\s,-]+(?P<year>\d{4})(?!\d)", re.I
    ),
    re.compile(r"(?<![a-z])" + _MONTH + r"\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})(?!\d)", re.I),
    re.compile(r"(?<![\d/.-])(?P<day>\d{1,2})[ ](?P<number>\d{1,2})[ ](?P<year>\d{4})(?![\d/.-])"),
    re.compile(r"(?<!\d)(?P<day>\d{2})(?P<number>\d{2})(?P<year>(?:18|19|20)\d{2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>(?:18|19|20)\d{2})(?P<number>\d{2})(?P<day>\d{2})(?!\d)"),
)
_MONTH_AND_YEAR = re.compile(r"(?<![a-z])" + _MONTH + r"\s+(?P<year>\d{4})(?!\d)", re.I)
_SHORT_YEAR = re.compile(r"(?<![\d/.-])\d{1,2}[/.-]\d{1,2}[/.-]\d{2}(?![\d/.-])")
_NHS = re.compile(r"(?<![\d-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\d-])")
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.I)
_WILD = re.compile(r"[*?%_]")


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """Who is meant: `words` are name words as typed (comparable form), `family_first` when a comma said so.

    `problems` are sentences for the person who typed; while there are any, nothing is searched.
    """

    words: tuple[str, ...] = ()
    family_first: bool = False
    date_of_birth: PartialDate | None = None
    nhs_number: str | None = None
    problems: tuple[str, ...] = ()
    has_wildcard: bool = False


def _found_date(text: str) -> tuple[PartialDate | None, str, str | None]:
    """(date, the text without it, what is wrong)."""
    for form in _DATES:
        if match := form.search(text):
            parts = match.groupdict()
            month = MONTHS[parts["month"].lower()] if parts.get("month") else int(parts["number"])
            rest = text[: match.start()] + " " + text[match.end() :]
            try:
                day = date(int(parts["year"]), month, int(parts["day"]))
            except ValueError:
                return None, rest, "The date of birth is not a real date. Give day, month and year, like 31 3 2014."
            return PartialDate(day), rest, None
    if match := _SHORT_YEAR.search(text):
        rest = text[: match.start()] + " " + text[match.end() :]
        return None, rest, "Give the year of birth in four figures, like 31 3 2014."
    if match := _MONTH_AND_YEAR.search(text):
        rest = text[: match.start()] + " " + text[match.end() :]
        return PartialDate(date(int(match["year"]), MONTHS[match["month"].lower()], 1), "UAA"), rest, None
    return None, text, None


def parse_box(text: str) -> CandidateQuery:
    """Reads one line of free typing; never raises, what cannot be used is said in `problems`."""
    problems: list[str] = []
    rest = " ".join(text.split())
    if len(rest) > LONGEST:
        return CandidateQuery(
            problems=(f"Enter at most {LONGEST} characters: a name, a date of birth, an NHS number.",)
        )
    if _WILD.search(rest):
        return CandidateQuery(has_wildcard=True)
    number = None
    if match := _NHS.search(rest):
        number = nhs_number(match[0])
        rest = rest[: match.start()] + " " + rest[match.end() :]
        if number is None:
            problems.append("The NHS number is not valid: its check digit does not fit. Check the ten digits.")
    born, rest, wrong = _found_date(rest)
    if wrong:
        problems.append(wrong)
    if _POSTCODE.search(rest):
        problems.append("Addresses and postcodes are not searched. Enter a name, a date of birth or an NHS number.")
        rest = _POSTCODE.sub(" ", rest)
    if left := re.findall(r"\d+", rest):
        if sum(map(len, left)) >= 9:
            problems.append("An NHS number has ten digits. Check the number.")
        else:
            problems.append("Part of what was entered is neither a name nor a date. Give the date like 31 3 2014.")
        rest = re.sub(r"\d+", " ", rest)
    words = tuple(w for w in name_tokens(rest.replace(",", " ").replace("/", " ")) if w not in {"DOB", "BORN", "NHS"})
    words = tuple(w for w in words if len(words) > 1 or w not in NO_FORENAME)
    if not (words or born or number or problems):
        problems.append("Enter a name with a date of birth, or an NHS number.")
    return CandidateQuery(words[:6], "," in rest and bool(rest.split(",")[0].strip()), born, number, tuple(problems))
