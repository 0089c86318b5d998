"""Two partner agencies that witness the trail: the police and the health visitors of Thornshire.

For: a demonstration whose receipts carry the word of others than the hub. Must never run outside of one: here the
hub's own machine runs its witnesses, which proves nothing to anybody.
"""

import time
from pathlib import Path

from audit import VerifierKey, Witness

#: Who runs a witness, by agency code; a quorum is both.
WITNESSING = ("police", "hv")
#: What the witnesses are told once: the trail's verifier key.
LOG_FILE = "log.vkey"
POLICY_FILE = "witness-policy.txt"


def tell_witnesses(folder: Path, log: VerifierKey) -> None:
    """Effects: writes the trail's verifier key where the witnesses of this folder look for it."""
    (folder / LOG_FILE).write_text(f"{log}\n", encoding="utf-8")


def open_witnesses(folder: Path) -> dict[str, Witness]:
    """The witnesses, by agency code; none when they were told of no trail."""
    if not (folder / LOG_FILE).exists():
        return {}
    log = VerifierKey.parse((folder / LOG_FILE).read_text(encoding="utf-8"))
    return {
        agency: Witness(
            folder / "witnesses" / agency,
            name=f"{agency}.thornshire.example/witness",
            logs=[log],
            clock=lambda: int(time.time()),
        )
        for agency in WITNESSING
    }


def write_policy(folder: Path, witnesses: dict[str, Witness], ports: dict[str, int]) -> Path:
    """The policy file that the hub is given: both must have cosigned."""
    lines = [f"witness {a} {w.verifier_key} http://127.0.0.1:{ports[a]}\n" for a, w in witnesses.items()]
    path = folder / POLICY_FILE
    path.write_text("".join([*lines, f"group partners all {' '.join(witnesses)}\nquorum partners\n"]), encoding="utf-8")
    return path
