"""The bill of materials names everything that is locked, each file with its hash."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_bill_of_materials_has_every_locked_package_with_its_hashes() -> None:
    written = subprocess.run([sys.executable, ROOT / "scripts" / "sbom"], capture_output=True, text=True, check=True)
    bill = json.loads(written.stdout)
    locked = (ROOT / "requirements.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==([^ ;\\]+)", locked, re.M))
    assert {(one["name"], one["version"]) for one in bill["components"]} == pinned
    files = [file["hashes"][0]["content"] for one in bill["components"] for file in one["components"]]
    assert set(files) == set(re.findall(r"sha256:([0-9a-f]{64})", locked))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(refs) == len(set(refs))
    assert sum("licenses" in one for one in bill["components"]) >= len(refs) * 0.7
