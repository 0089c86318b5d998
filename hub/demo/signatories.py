"""The county's signatories: keys made anew with every demonstration, and the seed agreements signed with them.

For: a demonstration in which signatures are checked as they are in production. Must never be used outside it: all
private keys of all agencies lie in one folder here, and nowhere else.
"""

import base64
import json
import shutil
from pathlib import Path

from hub.keys import new_signing_key
from hub.settings import ROOT
from policies import add_signature, load_agreements, sign
from policies.vocabulary import PartyStatus

SEED = ROOT / "policies" / "agreements"


def sign_agreements(folder: Path) -> dict[str, str]:
    """Copies the seed agreements below `folder`, signs them for every party; returns the settings that use them."""
    agreements, keys = folder / "agreements", folder / "signing-keys"
    for place in (agreements, keys):
        place.mkdir(mode=0o700)
    made = {}
    listed: dict[tuple[str, str], str] = {}
    for path in SEED.glob("*.toml"):
        shutil.copyfile(path, agreements / path.name)
    for one in load_agreements(agreements):
        for party in one.parties:
            if party.status != PartyStatus.SIGNED or party.signatory is None or party.signed_on is None:
                continue
            if party.agency not in made:
                made[party.agency] = new_signing_key(keys / f"{party.agency}.key")
            key = made[party.agency]
            listed[party.agency, party.signatory] = base64.b64encode(key.public_key().public_bytes_raw()).decode()
            add_signature(agreements / one.file, sign(one, party.agency, party.signatory, party.signed_on, key))
    signatories = folder / "signatories.toml"
    # A JSON text is a TOML text.
    signatories.write_text(
        "".join(
            f"[[signatory]]\nagency = {json.dumps(agency)}\noffice = {json.dumps(office)}\n"
            f"public_key = {json.dumps(public)}\n\n"
            for (agency, office), public in sorted(listed.items())
        )
    )
    return {
        "HUB_AGREEMENTS_DIR": str(agreements.resolve()),
        "HUB_SIGNATORIES_FILE": str(signatories.resolve()),
    }
