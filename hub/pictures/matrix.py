"""The five shapes of an agency's answer.

For: the known-to matrix and the agency cards, where shape, words and colour each tell the five answers apart.
The shapes take the colour of the text beside them, so they stay visible in forced colours and in print.
"""

from collections.abc import Mapping

from policies.vocabulary import AnswerState

#: One drawing per state in a 16 x 16 box: a ticked disc, an open ring, a barred square, a triangle with a
#: mark of exclamation, and three dots.
STATE_DRAWINGS: Mapping[AnswerState, tuple[str, str]] = {
    AnswerState.FOUND: (
        "found",
        '<path fill="currentColor" fill-rule="evenodd" d="M8 .5a7.5 7.5 0 1 1 0 15a7.5 7.5 0 0 1 0-15z'
        'M3.6 8.3l3.3 3.3l5.6-6.1l-1.4-1.3l-4.2 4.6l-1.9-1.9z"/>',
    ),
    AnswerState.NOTHING_HELD: (
        "nothing",
        '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2"/>',
    ),
    AnswerState.WITHHELD: (
        "withheld",
        '<rect x="1.5" y="1.5" width="13" height="13" rx="1.5" fill="none" stroke="currentColor" stroke-width="2"/>'
        '<path d="M4 8h8" stroke="currentColor" stroke-width="2.6"/>',
    ),
    AnswerState.NO_ANSWER: (
        "noanswer",
        '<path d="M8 1.6L15 14.4H1z" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round"/>'
        '<path d="M8 6v4M8 11.4v1.5" stroke="currentColor" stroke-width="1.8"/>',
    ),
    AnswerState.NOT_ASKED: (
        "notasked",
        '<g fill="currentColor"><circle cx="3" cy="8" r="1.6"/><circle cx="8" cy="8" r="1.6"/>'
        '<circle cx="13" cy="8" r="1.6"/></g>',
    ),
}


def state_symbols() -> str:
    """Returns one hidden SVG with a symbol per state; a page holds it once and refers to `#state-<key>`."""
    symbols = "".join(
        f'<symbol id="state-{key}" viewBox="0 0 16 16">{drawing}</symbol>' for key, drawing in STATE_DRAWINGS.values()
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0" aria-hidden="true" focusable="false" '
        f'class="kith-symbols">{symbols}</svg>'
    )
