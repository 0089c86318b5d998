"""Which policy decided: one hash over the rules, the agreements and the gateway register.

For: the trail, so that a recorded decision names exactly what it was made by, and a change of one word of a rule
or of one date of an agreement is seen. It must never depend on where the files lie or in which order they are
read. FIPS 180-4 (SHA-256).
"""

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from policies.agreement import SharingAgreement
from policies.case import GatewayEntry
from policies.form import write

HERE = Path(__file__).parent
#: What can change a decision: the rules, how they are put together, and what their words mean.
DECIDING = (
    "decide.py",
    "case.py",
    "form.py",
    "agreement.py",
    "agreement_files.py",
    "life_cycle.py",
    "signing.py",
    "vocabulary.py",
)


@functools.cache
def rules_hash() -> str:
    """Return the SHA-256 of the code that decides, in hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted([*(HERE / name for name in DECIDING), *(HERE / "rules").glob("*.py")]):
        source = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(HERE).as_posix()}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


def agreement_hash(one: SharingAgreement) -> str:
    """Return the SHA-256 of what an agreement says, whatever its layout and comments."""
    return _hash({"head": write(one.head), "bases": sorted(map(_text, one.bases))})


def bundle_hash(agreements: Iterable[SharingAgreement], gateways: Iterable[GatewayEntry]) -> str:
    """Return `sha256:` and the hash over rules, agreements and gateways; equal content gives an equal hash."""
    content = {
        "rules": rules_hash(),
        "agreements": sorted([one.reference, one.version, agreement_hash(one)] for one in agreements),
        "gateways": sorted(map(_text, gateways)),
    }
    return "sha256:" + _hash(content)


def _text(value: object) -> str:
    return json.dumps(write(value), sort_keys=True)


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
