"""What was compared, for the drawing of weights and the table beneath it.

For: the candidates of a search and the pair of a data steward, which show it alike. Must never hold a part that its
caller did not name: addresses and telephone numbers have no label here.
"""

from collections.abc import Iterable, Mapping

from hub.pictures import Weighed

LABELS: Mapping[str, str] = {
    "given": "Forename",
    "family": "Surname",
    "middle": "Middle name",
    "born": "Date of birth",
    "sex": "Sex",
    "number": "Identifying number",
}


def weighed(parts: Iterable[tuple[str, str, float]], shown: Iterable[str] = tuple(LABELS)) -> list[Weighed]:
    """The parts that may be shown, of (component, words, bits), with their labels."""
    shown = set(shown)
    return [Weighed(LABELS[part], words, bits) for part, words, bits in parts if part in shown and part in LABELS]
