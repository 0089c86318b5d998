"""Makes the small cut in this folder from the whole seven files: `python cut.py WHOLE_FOLDER`.

Sixty households with a child (every n-th, so the same each time) with all their records in all seven files and every
housing row that names one of them, and every fortieth other person. Rows are copied unchanged.
"""

import csv
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = (
    "council_csc",
    "adult_social_care",
    "police",
    "health_gp",
    "health_visiting",
    "substance_misuse",
    "housing",
)
HOUSEHOLDS = 60
OTHERS = 40


def rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or ()), list(reader)


def write(name: str, header: list[str], kept: list[dict[str, str]]) -> None:
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


def main(whole: Path) -> None:
    record_header, records = rows(whole / "truth_records.csv")
    person_header, persons = rows(whole / "truth_persons_households.csv")
    inside_header, inside = rows(whole / "truth_housing_members.csv")
    in_csc = {r["person_id"] for r in records if r["agency"] == "council_csc"}
    homes = sorted({p["household_id"] for p in persons if int(p["age"]) < 18 and p["person_id"] in in_csc})
    chosen = {homes[at * len(homes) // HOUSEHOLDS] for at in range(HOUSEHOLDS)}
    everyone = sorted(p["person_id"] for p in persons)
    wanted = {p["person_id"] for p in persons if p["household_id"] in chosen} | set(everyone[::OTHERS])
    of_record = {(r["agency"], r["record_id"]): r["person_id"] for r in records}
    named = {r["record_id"] for r in inside if r["person_id"] in wanted}
    keep = {key for key, person in of_record.items() if person in wanted} | {("housing", row) for row in named}
    for agency in FILES:
        header, held = rows(whole / f"{agency}.csv")
        write(f"{agency}.csv", header, [r for r in held if (agency, r["record_id"]) in keep])
    write("truth_records.csv", record_header, [r for r in records if (r["agency"], r["record_id"]) in keep])
    write("truth_housing_members.csv", inside_header, [r for r in inside if ("housing", r["record_id"]) in keep])
    shown = wanted | {of_record[key] for key in keep} | {r["person_id"] for r in inside if r["record_id"] in named}
    write("truth_persons_households.csv", person_header, [p for p in persons if p["person_id"] in shown])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
