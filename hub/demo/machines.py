"""The county's machines: keys made anew with every demonstration, with which an agency's system sends to the hub.

For: trying notices and uploads. Must never be used outside the demonstration: their private keys lie in one folder.
"""

import json
from pathlib import Path

import pyrage
from joserfc.jwk import ECKey

#: Whose machines there are.
AGENCIES = ("police", "csc", "hv", "housing")


def make_machines(folder: Path) -> dict[str, str]:
    """Makes a client of each agency that gives notice and sends files; returns the setting that lets them in."""
    machines = folder / "machines"
    machines.mkdir(mode=0o700)
    text = ""
    for agency in AGENCIES:
        key = ECKey.generate_key("P-256")
        (machines / f"{agency}.pem").write_bytes(key.as_pem(private=True))
        (machines / f"{agency}.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        text += f'[[client]]\nid = "{agency}-machine"\nagency = "{agency}"\nmay = ["notify", "upload"]\n'
        text += f'jwks_file = "{agency}.json"\n\n'
    (machines / "clients.toml").write_text(text)
    identity = pyrage.x25519.Identity.generate()
    (machines / "hub.age").write_text(f"{identity}\n")
    (machines / "recipient.txt").write_text(f"{identity.to_public()}\n")
    return {
        "HUB_CLIENTS_FILE": str((machines / "clients.toml").resolve()),
        "HUB_AGE_IDENTITY_FILE": str((machines / "hub.age").resolve()),
    }
