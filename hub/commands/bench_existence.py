"""Whether the time of an answer tells that somebody exists: the area under the curve of a guess by time alone.

For: `python -m hub bench existence`. 0.5 is a guess by chance; a refusal whose time gives it away comes near 0 or 1.
Each class is compared with "nobody has this number" or "nobody has this name".
"""

import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import click

from hub import enquiries, finding, questions
from hub.assembly import Hub
from hub.commands.bench_stage import demonstration, fresh
from hub.demo.stories import STORIES
from hub.enquiries import EnquiryForm
from policies.vocabulary import Purpose, Threshold

#: Questions per class; the classes take turns by chance, so that a slow moment of the machine meets them all.
QUESTIONS = 2_000
WARM_UP = 20
NOBODY = "nobody"
REASON = "A referral came in that names this child and the family"
#: Valid numbers of nobody, numbers of people about whom this practice may not ask.
NUMBERS: Mapping[str, str] = {
    NOBODY: "9990000018",
    "another practice's patient": STORIES["package_other_list"].nhs_number or "",
    "a shielded person": STORIES["shielded"].nhs_number or "",
    "a patient who objected": STORIES["package_objection"].nhs_number or "",
}
#: Names that find nobody who may be shown.
NAMES: Mapping[str, str] = {
    NOBODY: "Quentin Nobodyhere",
    "a shielded person": "Nadia Zielonka",
    "a name from before an adoption": "Kayleigh Dunmore",
}


def bench_existence(questions: int = QUESTIONS) -> None:
    """Prints, for the GP check and the search, how well each class can be told from nobody by time."""
    with demonstration() as hub:
        for what, ask, classes in (("GP check", _check(hub), NUMBERS), ("search", _search(hub), NAMES)):
            taken = _asked(ask, classes, questions)
            for name in classes:
                if name != NOBODY:
                    area = _area(taken[NOBODY], taken[name])
                    click.echo(
                        f"{what}: {name} against nobody: area under the curve {area:.3f}, "
                        f"{questions:,} questions each  [0.47 to 0.53]"
                    )


def _asked(ask: Callable[[str], object], classes: Mapping[str, str], questions: int) -> dict[str, list[float]]:
    order = [name for name in classes for _ in range(questions)]
    random.Random(2026).shuffle(order)
    taken: dict[str, list[float]] = {name: [] for name in classes}
    for name in [*classes] * WARM_UP:
        ask(classes[name])
    for name in order:
        start = time.perf_counter()
        ask(classes[name])
        taken[name].append(time.perf_counter() - start)
    return taken


def _area(nobody: list[float], somebody: list[float]) -> float:
    """The chance that an answer about somebody took longer than one about nobody (Mann and Whitney 1947)."""
    ranked = sorted([(seconds, 0) for seconds in nobody] + [(seconds, 1) for seconds in somebody])
    ranks = sum(rank for rank, (_, is_somebody) in enumerate(ranked, 1) if is_somebody)
    count = len(somebody)
    return (ranks - count * (count + 1) / 2) / (count * len(nobody))


def _check(hub: Hub) -> Callable[[str], object]:
    def ask(number: str) -> object:
        # A user of one's own for each check: nobody types as fast as this, and is held back who does.
        ctx = fresh("package_current", hub)
        return questions.package_check(hub, replace(ctx, actor=replace(ctx.actor, id=_user())), number)

    return ask


def _search(hub: Hub) -> Callable[[str], object]:
    ctx = fresh("shielded", hub)
    form = EnquiryForm(Purpose.S47_ENQUIRY, "REF/7", REASON, Threshold.S47_DECISION, None, None, None)
    enquiry = enquiries.open_enquiry(hub, ctx, form)

    def ask(name: str) -> object:
        now = fresh("shielded", hub).for_purpose(enquiry.purpose, enquiry=enquiry.id)
        return finding.find_person(hub, replace(now, actor=replace(now.actor, id=_user())), enquiry, name)

    return ask


def _user() -> str:
    return "US-" + secrets.token_hex(8)
