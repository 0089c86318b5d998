"""How each partner stand-in is to behave just now: as usual, slow, down or garbled.

For: showing what an outage looks like, without touching the hub. Must never be read by the hub itself. The
police stand-in is a database file: when it is down, the file is moved away; it cannot be slow.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.demo.model import AGENCIES

#: How a stand-in may behave: as usual, after `delay_s`, with 503, or with something else than it should.
STATES = ("UP", "SLOW", "DOWN", "GARBLED")
_SERVED = {agency.code for agency in AGENCIES if agency.way in ("fhir", "rest")}
_NAME = "behaviour.json"


class BehaviourRefused(ValueError):
    """That stand-in cannot be told to do that; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one stand-in does at the next question."""

    state: str = "UP"
    delay_s: float = 0.0


def behaviours(folder: Path) -> dict[str, Behaviour]:
    """Returns how each stand-in behaves now; one that nobody told anything behaves as usual."""
    try:
        told = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    found = {code: Behaviour(**told.get(code, {})) for code in sorted(_SERVED)}
    found["police"] = Behaviour("UP" if (folder / "police.sqlite").exists() else "DOWN")
    return found


def tell(folder: Path, agency: str, state: str, *, delay_s: float = 5.0) -> dict[str, Behaviour]:
    """Tells a stand-in how to behave from the next question on, and returns how all behave then.

    Raises BehaviourRefused for an agency without a stand-in, or a state that it cannot have.
    """
    if agency == "police":
        _tell_police(folder, state)
        return behaviours(folder)
    if agency not in _SERVED:
        raise BehaviourRefused("Only gp-millbrook, gp-harbourside, sms and police have stand-ins.")
    if state not in STATES or not 0 <= delay_s <= 60:
        raise BehaviourRefused(f"A stand-in can be {', '.join(STATES)}, with a delay of 0 to 60 seconds.")
    told = {code: asdict(b) for code, b in behaviours(folder).items() if code in _SERVED}
    told[agency] = asdict(Behaviour(state, delay_s if state == "SLOW" else 0.0))
    fresh = folder / f"{_NAME}.new"
    fresh.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    fresh.replace(folder / _NAME)
    return behaviours(folder)


def _tell_police(folder: Path, state: str) -> None:
    here, away = folder / "police.sqlite", folder / "police.sqlite.away"
    if state == "DOWN":
        if here.exists():
            here.replace(away)
    elif state == "UP":
        if away.exists():
            away.replace(here)
    else:
        raise BehaviourRefused("The police stand-in is a database file: it can be UP or DOWN.")
