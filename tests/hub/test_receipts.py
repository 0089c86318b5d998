"""Whatever is shown carries the number of its own record, on a page, in a file and in an answer to a machine."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit import Entry, verifier_source
from tests.access.matrix import SHOWING
from tests.conftest import House, Visitor
from tests.hub.conftest import check_by_api

WHO = "Maisie Tarrant 9997000048"


def enquiry_of(visitor: Visitor) -> str:
    """The address of an enquiry in which somebody is confirmed."""
    form = {
        "purpose": "S47_ENQUIRY",
        "reference": "REF/7",
        "rationale": "A neighbour rang about shouting and a crying child",
        "threshold": "S47_DECISION",
        "who": WHO,
    }
    found = visitor.post("/enquiries/new", form)
    person = re.search(r'name="person" value="([^"]+)"', found.text)
    action = re.search(r'action="(/enquiries/[^"/]+)/person"', found.text)
    assert person, found.text
    assert action, found.text
    visitor.post(f"{action[1]}/person", {"person": person[1]})
    return action[1]


def ask_new(house: House) -> Any:
    form = {
        "purpose": "S47_ENQUIRY",
        "reference": "REF/8",
        "rationale": "A neighbour rang about shouting and a crying child",
        "threshold": "S47_DECISION",
        "who": WHO,
    }
    return house.visitor("mash_social_worker").post("/enquiries/new", form)


def within(path: str) -> Callable[[House], Any]:
    def ask(house: House) -> Any:
        visitor = house.visitor("mash_social_worker")
        return visitor.get(enquiry_of(visitor) + path)

    return ask


def export_consents(house: House) -> Any:
    visitor = house.visitor("mash_social_worker")
    base = enquiry_of(visitor)
    visitor.get(f"{base}/consent")
    return visitor.post(f"{base}/consent/export")


def check_by_machine(house: House) -> Any:
    return check_by_api(house.visitor("gp_millbrook"), "9997000048")


SHOWN: dict[str, Callable[[House], Any]] = {
    "candidates of a search": ask_new,
    "who is involved": within("/who"),
    "the picture": within("/picture"),
    "what a family agreed to": within("/consent"),
    "the same as FHIR": export_consents,
    "a GP check": lambda house: house.visitor("gp_millbrook").post("/gp-check", {"nhs_number": "9997000048"}),
    "a GP check by a machine": check_by_machine,
    "the register": lambda house: house.visitor("ig_officer").get("/ig"),
    "one entry": lambda house: house.visitor("ig_officer").get(f"/ig/entries/{last(house).eid}"),
}


def last(house: House) -> Entry:
    return next(house.hub.trail.events(house.hub.trail.head().size - 1))


@pytest.mark.parametrize("what", SHOWN)
def test_whatever_is_shown_carries_its_receipt(house: House, what: str) -> None:
    before = house.hub.trail.head().size
    answer = SHOWN[what](house)
    assert answer.status_code == 200, answer.text
    told = [entry for entry in house.hub.trail.events(before) if entry.kind in SHOWING]
    assert told
    # The record of this very answer is the last of those that were written for it.
    numbers = set(re.findall(r"[0-9a-f]{32}", answer.text))
    assert told[-1].eid in numbers or {entry.eid for entry in told} & numbers
    if answer.mimetype == "text/html":
        assert "Check this receipt" in answer.text


@pytest.mark.parametrize("form", ["json", "tlog-proof"])
def test_a_receipt_is_checked_by_the_file_that_the_hub_hands_out(house: House, form: str, tmp_path: Path) -> None:
    officer = house.visitor("ig_officer")
    page = officer.get("/ig").text
    number = re.search(r'href="/receipts/([0-9a-f]{32})"', page)
    assert number
    answer = officer.get(f"/receipts/{number[1]}?format={form}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    (tmp_path / "receipt").write_text(answer.text)
    (tmp_path / "kith_verify.py").write_text(verifier_source())
    done = subprocess.run(
        [sys.executable, "-I", "kith_verify.py", "receipt", "--key", str(house.hub.trail.verifier_key)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("VERIFIED\n"), done.stdout + done.stderr
    if form == "json":
        assert "envelope" not in json.loads(answer.text)
