"""`python -m hub bench load`: what it costs to take in a partner's files, with the size of the work.

For: the load of a census and of a long CSV file, each in a process of its own, so that the memory printed is that
of the load alone. Children and rows are invented.
"""

import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from secrets import token_bytes

import click

from connectors import LoadReport, load_drop, load_partner
from hub.assembly import utc_now
from hub.db import Database, make_engine
from hub.keys import KeyRing
from hub.migrations import upgrade

CHILDREN, ROWS = 10_000, 1_000_000
_PARTNER = """
code = "csc"
name = "Bench"
type = "CHILDRENS_SOCIAL_CARE"
public_authority = true
competent_authority = false
contact = { name = "Bench", in_hours = "01632 960101", out_of_hours = "01632 960102" }
coverage = { sentence = "Nobody: these are invented." }
reach = { way = "extract", folder = "csc" }
"""
_CENSUS = 'formats = ["cin-census"]\n'
_CSV = """
[people]
file = "people.csv"
record = "person_id"
person = { given = ["given"], family = ["family"], date_of_birth = "born" }

[[items]]
file = "contacts.csv"
category = "SERVICE_INVOLVEMENT"
id = "contact_id"
record = "person_id"
occurred_on = "started"
values = { service = "team", since = "started", until = "ended", worker = "worker" }
"""


def bench_load() -> None:
    """Prints seconds, processor time and the highest memory of both loads."""
    for what, size, make, mapping in (
        ("load: census XML", f"{CHILDREN:,} children", _census, _CENSUS),
        ("load: CSV", f"{ROWS:,} rows", _contacts, _CSV),
    ):
        context = get_context("spawn")
        with context.Pool(1) as pool:
            wall_s, cpu_s, peak_mb, items, rejects = pool.apply(_one, (make, mapping))
        click.echo(
            f"{what:34} {wall_s:8.1f} s  cpu {cpu_s:8.1f} s  peak {peak_mb:6.0f} MB  "
            f"{size}, {items:,} items, {rejects} rejects"
        )


def _one(make: Callable[[Path], None], mapping: str) -> tuple[float, float, float, int, int]:
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as name:
        folder = Path(name)
        (folder / "csc").mkdir()
        make(folder / "csc")
        head, _, rest = mapping.partition("[people]")
        (folder / "csc.toml").write_text(head + _PARTNER + ("[people]" + rest if rest else ""), encoding="utf-8")
        begun, cpu = time.perf_counter(), time.process_time()
        report = _load(folder)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rejects = len(report.rejects) + report.rejects_unlisted
        return time.perf_counter() - begun, time.process_time() - cpu, peak_mb, report.items, rejects


def _load(folder: Path) -> LoadReport:
    database = Database(make_engine(f"sqlite:///{folder / 'bench.sqlite'}"))
    try:
        upgrade(database.engine)
        keys = KeyRing(token_bytes(32), database.session)
        keys.make_sure_of(["csc"])
        with database.session() as session:
            return load_drop(session, keys, load_partner(folder / "csc.toml"), folder, now=utc_now())
    finally:
        database.engine.dispose()


def _census(folder: Path) -> None:
    chance = random.Random(5)
    with (folder / "cin.xml").open("w", encoding="utf-8") as file:
        file.write("<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>2024</Year>")
        file.write("</CollectionDetails></Header><Children>")
        for number in range(CHILDREN):
            file.write(_child(number, chance))
        file.write("</Children></Message>")


def _child(number: int, chance: random.Random) -> str:
    day = date(2022, 1, 1) + timedelta(days=chance.randrange(700))
    later = day + timedelta(days=40)
    return (
        f"<Child><ChildIdentifiers><LAchildID>C{number:06}</LAchildID><UPN>A{number:012}</UPN>"
        f"<PersonBirthDate>{day - timedelta(days=3000)}</PersonBirthDate><GenderCurrent>1</GenderCurrent>"
        "</ChildIdentifiers><ChildCharacteristics><Ethnicity>WBRI</Ethnicity><Disabilities><Disability>HAND</Disability>"
        f"</Disabilities></ChildCharacteristics><CINdetails><CINreferralDate>{day}</CINreferralDate>"
        "<ReferralSource>1A</ReferralSource><PrimaryNeedCode>N1</PrimaryNeedCode><Assessments>"
        f"<AssessmentActualStartDate>{day}</AssessmentActualStartDate>"
        f"<AssessmentAuthorisationDate>{later}</AssessmentAuthorisationDate><FactorsIdentifiedAtAssessment>"
        "<AssessmentFactors>3B</AssessmentFactors><AssessmentFactors>4B</AssessmentFactors>"
        f"</FactorsIdentifiedAtAssessment></Assessments><CINPlanDates><CINPlanStartDate>{later}</CINPlanStartDate>"
        f"</CINPlanDates><Section47><S47ActualStartDate>{day}</S47ActualStartDate><ICPCnotRequired>false"
        "</ICPCnotRequired></Section47><ReferralNFA>false</ReferralNFA><ChildProtectionPlans>"
        f"<CPPstartDate>{later}</CPPstartDate><InitialCategoryOfAbuse>NEG</InitialCategoryOfAbuse>"
        "<LatestCategoryOfAbuse>NEG</LatestCategoryOfAbuse><NumberOfPreviousCPP>1</NumberOfPreviousCPP><Reviews>"
        f"<CPPreviewDate>{later}</CPPreviewDate></Reviews></ChildProtectionPlans></CINdetails></Child>"
    )


def _contacts(folder: Path) -> None:
    with (folder / "people.csv").open("w", encoding="utf-8") as file:
        file.write("person_id,given,family,born\n")
        for number in range(ROWS // 100):
            file.write(f"P{number},Given{number % 97},Family{number % 89},19{50 + number % 50}-03-04\n")
    with (folder / "contacts.csv").open("w", encoding="utf-8") as file:
        file.write("contact_id,person_id,team,started,ended,worker\n")
        for number in range(ROWS):
            file.write(f"K{number},P{number % (ROWS // 100)},Team {number % 12},2024-0{1 + number % 9}-05,,Worker\n")
