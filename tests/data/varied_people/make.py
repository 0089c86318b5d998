"""Makes people.csv: invented people of the demo county as its agencies record them, and how one name came to be two.

Run from the project's root: python tests/data/varied_people/make.py. The golden weights rest on the file as it is.
"""

import csv
from datetime import date
from pathlib import Path
from random import Random

from hub.demo.county import build_county

COLUMNS = (
    "id", "given", "family", "known_as", "former", "born", "sex", "nhs", "line1", "postcode", "uprn",
    "mobile", "second_mobile",
)  # fmt: skip
draw = Random(20261125)
county = build_county(7, today=date(2026, 11, 25))
held: dict[str, list[object]] = {}
for record in county.records:
    held.setdefault(county.truth[record.agency, record.record], []).append(record)
chosen = draw.sample(sorted(key for key, records in held.items() if len(records) > 2), 60)
with (Path(__file__).parent / "people.csv").open("w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key in chosen:
        for record in county.records_of(key):
            person, name = record.person, record.person.names[0]
            home = person.addresses[0] if person.addresses else None
            born = person.date_of_birth.date.isoformat() if person.date_of_birth else ""
            former = person.names[1].family[0] if len(person.names) > 1 else draw.choice(["", "", "", "Marlowe"])
            mobile = person.contacts[0].telephone[0] if person.contacts else ""
            writer.writerow(
                (
                    f"{record.agency}-{record.record}", " ".join(name.given), " ".join(name.family),
                    name.preferred or "", former, draw.choice([born, born, born, born[:7], born[:4]]),
                    person.sex_code or "",
                    next((i.value for i in person.identifiers), ""), home.line1 if home else "",
                    home.postcode if home else "", (home.uprn or "") if home else "", mobile,
                    draw.choice(["", mobile, "07700 900999"]),
                )
            )  # fmt: skip
