"""What a partner counted, held against what the trail says: was anybody asked without a record?

For: information governance of the hub, with the file that a partner kept (one promise per line, as it came with each
question). It must never take the trail's word for what the partner saw, or the partner's for what was recorded:
every difference is listed. It prints event ids and numbers, never what an entry says. Ruled by
`docs/audit-format.md`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from audit.entry import Entry
from audit.errors import ProofError
from audit.promise import read_promise, verify_promise

#: Kinds of entry that say how partners answered.
_OUTCOMES = frozenset({"disclosure:made", "disclosure:refused", "check"})
_INTENT = "disclosure:requested"
_ANSWERED = frozenset({"FOUND", "NOTHING_HELD"})

#: One question: the intent's event id, and the number of the capsule of the person who was asked about.
Question = tuple[str, int]


@dataclass(slots=True)
class Recorded:
    """What the trail says of one agency: the intents to ask it (with their leaves) and how each question ended."""

    intents: dict[str, bytes] = field(default_factory=dict)
    outcomes: dict[Question, str] = field(default_factory=dict)
    concluded: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The comparison. Whatever is listed below `orphans` is a difference that somebody has to explain."""

    seen: int
    recorded: int
    never_arrived: int
    orphans: tuple[Question, ...]
    unrecorded: tuple[Question, ...]
    beyond: tuple[Question, ...]
    unseen: tuple[Question, ...]
    false_lines: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """True when the partner's count is what the trail records, and the listed orphans, and nothing else."""
        return not (self.unrecorded or self.beyond or self.unseen or self.false_lines)


def recorded_of(entries: Iterable[Entry], agency: str) -> Recorded:
    """What the trail says of its questions to one agency."""
    found = Recorded()
    for entry in entries:
        if entry.kind == _INTENT and agency in entry.fields.get("source", ()):
            found.intents[entry.eid] = entry.leaf
        elif entry.kind in _OUTCOMES:
            for intent in entry.fields.get("refers", ()):
                found.concluded.add(intent)
                for answer in entry.fields.get("answers", ()):
                    if answer["agency"] == agency and "subject" in answer:
                        found.outcomes[intent, answer["subject"]] = answer["state"]
    return found


def reconcile(
    lines: Iterable[str], recorded: Recorded, *, origin: str, submitters: Mapping[str, bytes], agency: str
) -> Reconciled:
    """Hold a partner's file against the trail.

    Takes: `lines`, the header of each question as it came, in any order and as often as it came.
    """
    seen: dict[Question, bytes] = {}
    false_lines = []
    for number, line in enumerate(lines, 1):
        header = line.strip()
        if not header:
            continue
        try:
            then = read_promise(header)[0].t
            said = verify_promise(header, origin=origin, submitters=submitters.values(), agency=agency, now_ms=then)
        except ProofError:
            false_lines.append(number)
        else:
            seen[said.eid, said.subject] = said.leaf
    orphans, unrecorded, beyond, matched = [], [], [], 0
    for question, leaf in seen.items():
        if recorded.intents.get(question[0]) != leaf:
            unrecorded.append(question)
        elif question in recorded.outcomes:
            matched += 1
        elif question[0] in recorded.concluded:
            beyond.append(question)
        else:
            orphans.append(question)
    missing = recorded.outcomes.keys() - seen.keys()
    unseen = [question for question in missing if recorded.outcomes[question] in _ANSWERED]
    return Reconciled(
        seen=len(seen),
        recorded=matched,
        never_arrived=len(missing) - len(unseen),
        orphans=tuple(sorted(orphans)),
        unrecorded=tuple(sorted(unrecorded)),
        beyond=tuple(sorted(beyond)),
        unseen=tuple(sorted(unseen)),
        false_lines=tuple(false_lines),
    )


def sentences(found: Reconciled, agency: str) -> list[str]:
    """The comparison in words, ending in the verdict."""
    said = [
        f"{agency} saw {found.seen} questions with a promise; the trail records {found.recorded} of them with their"
        f" outcome, and {len(found.orphans)} whose outcome was never written.",
        f"{found.never_arrived} more questions got no answer and did not arrive.",
    ]
    for words, questions in (
        ("Asked, and the outcome never written (nothing was shown)", found.orphans),
        ("PROMISED, BUT NOT IN THE TRAIL", found.unrecorded),
        ("ASKED ABOUT SOMEBODY WHOM THE OUTCOME DOES NOT NAME", found.beyond),
        ("ANSWERED BY THE TRAIL'S ACCOUNT, BUT NOT SEEN BY THE PARTNER", found.unseen),
    ):
        said += [f"{words}: {eid} subject {subject}" for eid, subject in questions]
    said += [f"NOT A PROMISE OF THIS HUB TO {agency}: line {number}" for number in found.false_lines]
    said.append("EXACT" if found.exact else "NOT EXACT")
    return said
