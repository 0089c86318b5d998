"""Partners' systems that are registered in the demonstration, so that the first call needs no setting up.

For: `docs/examples/kith_client.py` against `make demo`. Must never be used outside the demonstration: its key lies
beside the demonstration's data.
"""

import json
from pathlib import Path

from joserfc.jwk import ECKey

from hub.demo.personas import PERSONAS

#: For whom the practice's system and the council's ask.
USER, WORKER = "gp_millbrook", "mash_social_worker"


def register_clients(folder: Path, base_url: str, setting: dict[str, str]) -> dict[str, str]:
    """Adds a practice's and a council's system to the register of clients, with their key; returns the setting.

    Takes `setting`, which names the register.
    """
    home = folder / "client"
    home.mkdir(mode=0o700)
    key = ECKey.generate_key("P-256")
    (home / "key.pem").touch(mode=0o600)
    (home / "key.pem").write_bytes(key.as_pem(private=True))
    (home / "keys.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    entries = []
    for client_id, agency, roles, scopes in (
        ("demo-practice", "gp-millbrook", '["GP_CARE_COORDINATOR", "GP_CLINICIAN"]', ("gp-check",)),
        (
            "demo-council",
            "csc",
            '["MASH_SOCIAL_WORKER", "MASH_DECISION_MAKER"]',
            ("enquiries", "known-to", "family-picture", "consents"),
        ),
    ):
        granted = json.dumps([*scopes, "agreements", "receipts"])
        entries.append(
            f'[[client]]\nid = "{client_id}"\nagency = "{agency}"\nroles = {roles}\nmay = []\n'
            f'jwks_file = "../client/keys.json"\nscopes = {granted}\nusers_of = "demo"\n'
        )
    with Path(setting["HUB_CLIENTS_FILE"]).open("a") as register:
        register.write("\n".join(entries))
    for client_id, name, key_of_persona in (("demo-practice", "client", USER), ("demo-council", "council", WORKER)):
        persona = PERSONAS[key_of_persona]
        user = {"sub": persona.sub, "role": persona.role, "claims": {"name": persona.name}}
        told = {"base_url": base_url, "client_id": client_id, "key_file": "key.pem", "user": user}
        (home / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")
    return setting
