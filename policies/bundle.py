"""Which policy decided: one hash over the rules, the agreements and the gateway register, and the text it is made of.

For: the trail, so that a recorded decision names exactly what it was made by, and a change of one word of a rule
or of one date of an agreement is seen; and replays, which need the agreements and gateways of that day. It must never
depend on where the files lie or in which order they are read. FIPS 180-4 (SHA-256).
"""

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.agreement import SharingAgreement
from policies.agreement_files import agreement_of, written
from policies.case import GatewayEntry
from policies.form import FormError, read, write

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


class BundleInvalid(ValueError):
    """A kept bundle is not what its name says, or this release cannot read it."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What decided: the hash of the rules' code, the agreements as they counted, the gateway register."""

    rules: str
    agreements: tuple[SharingAgreement, ...]
    gateways: tuple[GatewayEntry, ...]


@functools.cache
def rules_hash() -> str:
    """Return the SHA-256 of the code that decides, in hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted([*(HERE / name for name in DECIDING), *(HERE / "rules").glob("*.py")]):
        source = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(HERE).as_posix()}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


def bundle_text(agreements: Iterable[SharingAgreement], gateways: Iterable[GatewayEntry]) -> str:
    """Return what the hash is over, as canonical JSON: rules, agreements and gateways, in an order of its own."""
    content = {
        "rules": rules_hash(),
        "agreements": [_said(one) for one in sorted(agreements, key=lambda one: (one.reference, one.version))],
        "gateways": sorted((write(one) for one in gateways), key=_text),
    }
    return _text(content)


def bundle_hash(agreements: Iterable[SharingAgreement], gateways: Iterable[GatewayEntry]) -> str:
    """Return `sha256:` and the hash over rules, agreements and gateways; equal content gives an equal hash."""
    return _name(bundle_text(agreements, gateways))


def read_bundle(text: str, name: str) -> Bundle:
    """Return the bundle that a text holds. Raises BundleInvalid when it was altered or this release cannot read it."""
    if _name(text) != name:
        raise BundleInvalid("The text is not the one that the hash was made over.")
    try:
        plain: dict[str, Any] = json.loads(text)
        agreements = tuple(agreement_of(one) for one in plain["agreements"])
        gateways = tuple(read(GatewayEntry, one) for one in plain["gateways"])
    except (FormError, ValueError, KeyError) as error:
        raise BundleInvalid("This release cannot read the agreements or gateways of that day.") from error
    return Bundle(plain["rules"], agreements, gateways)


def _said(one: SharingAgreement) -> dict[str, Any]:
    said = written(one)
    return {**said, "basis": sorted(said["basis"], key=_text)}


def _name(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
