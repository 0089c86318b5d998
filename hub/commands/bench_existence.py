"""Whether the time of an answer tells that somebody exists: the area under the curve of a guess by time alone.

For: `python -m hub bench existence`. 0.5 is a guess by chance; a refusal whose time gives it away comes near 0 or 1.
Each class is compared with "nobody has this number", "nobody has this name" or "there is no such receipt". The area of
the processor's time beside it says whether the work behind the two differs: where it does, only pacing evens them out.
"""

import contextlib
import math
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
from hub.errors import NotFound
from hub.receipts import receipt_of
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
    """Prints, for the GP check, the search and a receipt, how well each class can be told from nobody by time."""
    with demonstration() as hub:
        receipts = {NOBODY: "0" * 32, "somebody else's receipt": _receipt_of_another(hub)}
        for what, ask, classes in (
            ("GP check", _check(hub), NUMBERS),
            ("search", _search(hub), NAMES),
            ("receipt", _receipt(hub), receipts),
        ):
            waited, worked = _asked(ask, classes, questions)
            for name in classes:
                if name != NOBODY:
                    area = _area(waited[NOBODY], waited[name])
                    low, high = _interval(area, questions)
                    click.echo(
                        f"{what}: {name} against nobody: area under the curve {area:.3f}, "
                        f"95 % from {low:.3f} to {high:.3f}, of processor time "
                        f"{_area(worked[NOBODY], worked[name]):.3f}, {questions:,} questions each  [0.47 to 0.53]"
                    )


Times = dict[str, list[float]]


def _asked(ask: Callable[[str], object], classes: Mapping[str, str], questions: int) -> tuple[Times, Times]:
    """Seconds that each answer took, and seconds of the asking thread's own work."""
    order = [name for name in classes for _ in range(questions)]
    random.Random(2026).shuffle(order)
    waited: Times = {name: [] for name in classes}
    worked: Times = {name: [] for name in classes}
    for name in [*classes] * WARM_UP:
        ask(classes[name])
    for name in order:
        start, work = time.perf_counter(), time.thread_time()
        ask(classes[name])
        waited[name].append(time.perf_counter() - start)
        worked[name].append(time.thread_time() - work)
    return waited, worked


def _interval(area: float, count: int) -> tuple[float, float]:
    """The 95 % confidence interval of an area of so many answers each (Hanley and McNeil 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (count - 1) * (q1 - area**2 + q2 - area**2)
    error = 1.96 * math.sqrt(max(0.0, spread)) / count
    return area - error, area + error


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


def _receipt_of_another(hub: Hub) -> str:
    return questions.package_check(hub, fresh("package_current", hub), NUMBERS[NOBODY]).receipt.eid


def _receipt(hub: Hub) -> Callable[[str], object]:
    def ask(eid: str) -> None:
        with contextlib.suppress(NotFound):
            receipt_of(hub, fresh("shielded", hub), eid)

    return ask


def _user() -> str:
    return "US-" + secrets.token_hex(8)
