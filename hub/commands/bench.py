"""`python -m hub bench [NAME]`: the product's own measurements, each with the size of the work.

For: anybody who wants to know how fast the hub is on their machine. Every figure is taken by the same code
that serves pages; the spread is printed, and a target only beside the figure it belongs to.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import click

from connectors import (
    NHS_NUMBER,
    Answer,
    Ask,
    Connector,
    Coverage,
    Gatherer,
    Identifier,
    Name,
    PartialDate,
    Partner,
    Person,
    PersonQuery,
    Promise,
    SourceRecord,
)
from hub import disclosure, questions
from hub.app import create_app
from hub.commands.bench_api import bench_api
from hub.commands.bench_decide import bench_decide
from hub.commands.bench_existence import bench_existence
from hub.commands.bench_fan_out import bench_fan_out
from hub.commands.bench_households import bench_households
from hub.commands.bench_load import bench_load
from hub.commands.bench_matching import bench_index, bench_linking
from hub.commands.bench_radar import bench_radar
from hub.commands.bench_rewrap import bench_rewrap
from hub.commands.bench_stage import demonstration, fresh, say, timed
from hub.commands.demo import open_story
from hub.context import RequestContext
from hub.demo.stories import STORIES
from hub.people import candidates, parse_box, refresh, relink
from hub.web.common import receipt_view

PEOPLE = 100_000


@click.command()
@click.argument("name", required=False)
def bench(name: str | None) -> None:
    """Measure everything, or one of: picture, gp-check, api, search, decide, trail, rewrap, drawings, load, fan-out,
    existence (whether time tells that somebody exists: takes long), radar (three made-up years of looks with seeded
    misuse: takes minutes), linking (two agencies' files), households (invented counties) and index
    (100,000 and 1,000,000 records: takes long)."""
    if name is not None and name not in BENCHES:
        raise click.UsageError(f"No such measurement. There are: {', '.join(BENCHES)}.")
    for one, run in BENCHES.items():
        if name in (None, one):
            run()


class _Recorded:
    """A live partner whose answers were recorded: everything the hub does, without waiting for anybody."""

    def __init__(self, partner: Partner, real: Connector) -> None:
        self.partner, self._real = partner, real
        self._said: dict[tuple[object, ...], Answer] = {}

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Asks the real partner."""
        return self._real.find(query, promise=promise, deadline_s=deadline_s)

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The recorded answer."""
        return self.fetch(ask, deadline_s=deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The recorded answer; the first time, the real one."""
        key = (ask.person, ask.records, tuple(sorted((c, tuple(sorted(f))) for c, f in ask.wanted.items())))
        if key not in self._said:
            self._said[key] = self._real.fetch(ask, deadline_s=deadline_s)
        return self._said[key]

    def coverage(self) -> Coverage:
        """What the partner covers."""
        return self.partner.coverage


def _picture() -> None:
    with demonstration() as hub:
        enquiry = open_story(hub, fresh("showcase", hub), "showcase")

        def context() -> RequestContext:
            return fresh("showcase", hub).for_purpose(enquiry.purpose, enquiry=enquiry.id)

        live = {
            c: _Recorded(hub.partners[c], x) if hub.partners[c].way != "extract" else x
            for c, x in hub.connectors.items()
        }
        settings = hub.settings
        without = replace(
            hub,
            connectors=live,
            gatherer=Gatherer(live, total_s=settings.gather_deadline_s, each_s=settings.partner_deadline_s),
        )
        shown, _ = disclosure.family_picture(without, context(), enquiry)
        size = f"{len(shown.people)} people x {len(shown.agencies)} agencies, {len(shown.events)} events"
        say(
            "picture, partner waiting excluded",
            size,
            timed(lambda: disclosure.family_picture(without, context(), enquiry)),
            "p50 <= 60 ms, p95 <= 150 ms",
        )
        say("known-to matrix, waiting excluded", size, timed(lambda: disclosure.known_to(without, context(), enquiry)))
        say(
            "picture, asking loopback partners",
            size,
            timed(lambda: disclosure.family_picture(hub, context(), enquiry), 30),
        )
        page = create_app(hub).jinja_env.get_template("picture.html")
        picture, receipt = disclosure.family_picture(without, context(), enquiry)
        shown_as = {
            "picture": picture,
            "receipt": receipt_view(receipt),
            "enquiry": {"reference": "-"},
            "csrf_token": lambda: "-",
            "csp_nonce": lambda: "-",
        }
        say("page of that picture, HTML", size, timed(lambda: page.render(shown_as), 30))
        without.gatherer.close()


def _gp_check() -> None:
    with demonstration() as hub:
        number = STORIES["package_current"].nhs_number or ""

        def check() -> object:
            # A user of one's own for each check: nobody types as fast as this, and is held back who does.
            ctx = fresh("package_current", hub)
            ctx = replace(ctx, actor=replace(ctx.actor, id="US-" + secrets.token_hex(8)))
            return questions.package_check(hub, ctx, number)

        say("GP check", f"{len(hub.partners)} agencies, trail included", timed(check, 200), "p95 <= 50 ms")


def _search() -> None:
    with demonstration() as hub:
        start = time.perf_counter()
        with hub.db.writing() as session:
            refresh(session, hub.keys, _crowd(PEOPLE), agency="housing", now=hub.clock(), link=False)
            relink(session, hub.keys, now=hub.clock())
        click.echo(f"{'loading the index':34} {time.perf_counter() - start:8.1f} s   {PEOPLE:,} people more")
        picked = random.Random(7).sample(list(_crowd(PEOPLE)), 200)

        def ask(text: str) -> object:
            with hub.db.session() as session:
                found = candidates(session, hub.keys, parse_box(text), now=hub.clock())
            assert len(found.candidates) <= 10
            return found

        for what, typed in (
            ("search: name and date of birth", [f"{_named(r)} {_born(r):%d %m %Y}" for r in picked]),
            ("search: NHS number", [r.person.identifier(NHS_NUMBER) or "" for r in picked]),
            ("search: full name only", [_named(r) for r in picked]),
        ):
            taken = []
            for text in typed:
                begin = time.perf_counter()
                ask(text)
                taken.append(time.perf_counter() - begin)
            say(what, f"among {PEOPLE:,} people", taken, "p95 <= 100 ms")


def _crowd(count: int) -> Iterator[SourceRecord]:
    """Invented people, the same every time: names as uneven as real ones, NHS numbers from 999."""
    from hub.demo.names import POOLS
    from hub.demo.numbers import nhs_numbers

    families = sorted({name for pool in POOLS.values() for name in pool.family})
    givens = {
        "1": sorted({n for p in POOLS.values() for n in p.male}),
        "2": sorted({n for p in POOLS.values() for n in p.female}),
    }
    chance = random.Random(11)
    for number, nhs_number in zip(range(count), nhs_numbers(range(10**6)), strict=False):
        sex = chance.choice("12")
        given = min(int(chance.expovariate(3 / len(givens[sex]))), len(givens[sex]) - 1)
        family = min(int(chance.expovariate(3 / len(families))), len(families) - 1)
        person = Person(
            identifiers=(Identifier(nhs_number, NHS_NUMBER),),
            names=(Name((families[family],), (givens[sex][given],)),),
            date_of_birth=PartialDate(date(1940, 1, 1) + timedelta(days=chance.randrange(31000))),
            sex_code=sex,
        )
        yield SourceRecord(agency="housing", record=f"bench-{number}", person=person)


def _named(record: SourceRecord) -> str:
    name = record.person.names[0]
    return f"{name.given[0]} {name.family[0]}"


def _born(record: SourceRecord) -> date:
    born = record.person.date_of_birth
    assert born is not None
    return born.date


def _trail() -> None:
    with demonstration() as hub:

        def append() -> object:
            return hub.trail.append("admin", now=hub.clock(), client={"id": "bench"}, action="measure", outcome="DONE")

        say("trail: one durable entry", "signed checkpoint included", timed(append, 300))


def _drawings() -> None:
    from hub.pictures.bench import bench as drawings

    for figure in drawings(30):
        click.echo(
            f"{figure.name:34} p50 {figure.median_ms:8.2f} ms  best {figure.best_ms:8.2f} ms  "
            f"{figure.work}, {figure.bytes_out:,} bytes"
        )


BENCHES: dict[str, Callable[[], None]] = {
    "picture": _picture,
    "gp-check": _gp_check,
    "api": bench_api,
    "search": _search,
    "decide": bench_decide,
    "trail": _trail,
    "rewrap": bench_rewrap,
    "linking": bench_linking,
    "index": bench_index,
    "households": bench_households,
    "drawings": _drawings,
    "load": bench_load,
    "fan-out": bench_fan_out,
    "existence": bench_existence,
    "radar": bench_radar,
}
