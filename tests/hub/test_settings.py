"""Settings: what the hub refuses to start with, and that no refusal repeats a value."""

import base64
import os
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.errors import SettingsRefused
from hub.settings import DESCRIBED, ROOT, read_settings
from hub.signin.oidc import read_issuers

KEY = base64.b64encode(bytes(range(32))).decode()
#: The demonstration's partners, because a partnership's own are not in the repository.
PARTNERS = str(ROOT / "hub" / "demo" / "partners")
GOOD = {"HUB_BASE_URL": "https://kith.example.gov.uk", "HUB_MASTER_KEY": KEY, "HUB_PARTNERS_DIR": PARTNERS}
POSTGRESQL = "postgresql+psycopg://kith:a-password-nobody-may-see@db/kith"

#: What is set wrongly, and what the refusal names. None stands for a variable that is not there.
REFUSED = [
    ({"HUB_BASE_URL": None}, "HUB_BASE_URL must be set"),
    ({"HUB_BASE_URL": "kith.example.gov.uk"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "ftp://kith.example.gov.uk"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "https://kith.example.gov.uk/hub"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "https://kith.example.gov.uk?a=b"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "https://kith.example.gov.uk#top"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "https://me:secret@kith.example.gov.uk"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "https://[::1"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "https://kith.example.gov.uk:99999"}, "HUB_BASE_URL"),
    ({"HUB_BASE_URL": "http://kith.example.gov.uk"}, "must be https outside the demonstration"),
    ({"HUB_MODE": "test"}, "HUB_MODE"),
    ({"HUB_MODE": "demo"}, "this machine only"),
    ({"HUB_MODE": "demo", "HUB_BASE_URL": "http://10.0.0.7:8400"}, "this machine only"),
    ({"HUB_MASTER_KEY": None}, "Exactly one of"),
    ({"HUB_MASTER_KEY_FILE": "/nowhere"}, "Exactly one of"),
    ({"HUB_MASTER_KEY": "not base64 !"}, "not base64"),
    ({"HUB_MASTER_KEY": base64.b64encode(bytes(range(16))).decode()}, "has 16 bytes"),
    ({"HUB_MASTER_KEY": base64.b64encode(b"\0" * 32).decode()}, "not random"),
    ({"HUB_MASTER_KEY": None, "HUB_MASTER_KEY_FILE": "/nowhere"}, "HUB_MASTER_KEY_FILE cannot be read"),
    ({"HUB_DATABASE_URL": "mysql://db/kith"}, "HUB_DATABASE_URL"),
    ({"HUB_DATABASE_URL": "postgresql://db/kith"}, "HUB_DATABASE_URL"),
    ({"HUB_DATABASE_URL": ""}, "HUB_DATABASE_URL"),
    ({"HUB_WORKERS": "2"}, "SQLite serves one process"),
    ({"HUB_WORKERS": "two"}, "HUB_WORKERS must be a whole number"),
    ({"HUB_WORKERS": "0", "HUB_DATABASE_URL": POSTGRESQL}, "HUB_WORKERS"),
    ({"HUB_THREADS": "0"}, "HUB_THREADS"),
    ({"HUB_IDLE_MIN": "0"}, "HUB_IDLE_MIN"),
    ({"HUB_IDLE_MIN": "61"}, "HUB_IDLE_MIN"),
    ({"HUB_ABSOLUTE_MIN": "721"}, "HUB_ABSOLUTE_MIN"),
    ({"HUB_IDLE_MIN": "30", "HUB_ABSOLUTE_MIN": "20"}, "HUB_ABSOLUTE_MIN"),
    ({"HUB_PARTNER_DEADLINE_S": "soon"}, "HUB_PARTNER_DEADLINE_S must be a number"),
    ({"HUB_PARTNER_DEADLINE_S": "0"}, "HUB_PARTNER_DEADLINE_S"),
    ({"HUB_PARTNER_DEADLINE_S": "nan"}, "HUB_PARTNER_DEADLINE_S"),
    ({"HUB_PARTNER_DEADLINE_S": "4"}, "HUB_PARTNER_DEADLINE_S"),
    ({"HUB_GATHER_DEADLINE_S": "11"}, "HUB_GATHER_DEADLINE_S"),
    ({"HUB_TRAIL_WAIT_S": "0"}, "HUB_TRAIL_WAIT_S"),
    ({"HUB_TRAIL_WAIT_S": "inf"}, "HUB_TRAIL_WAIT_S"),
    ({"HUB_SEARCHES_PER_HOUR": "-1"}, "HUB_SEARCHES_PER_HOUR"),
    ({"HUB_COMPETENCE_FROM_AGE": "3"}, "HUB_COMPETENCE_FROM_AGE"),
    ({"HUB_SMALLEST_GROUP": "1"}, "HUB_SMALLEST_GROUP"),
    ({"HUB_LOG_LEVEL": "LOUD"}, "HUB_LOG_LEVEL"),
    ({"HUB_ORIGIN": "two words"}, "HUB_ORIGIN"),
    ({"HUB_ORIGIN": "two\nlines"}, "HUB_ORIGIN"),
    ({"HUB_PARTNERS_DIR": "/nowhere"}, "HUB_PARTNERS_DIR"),
    ({"HUB_AGREEMENTS_DIR": "/nowhere"}, "HUB_AGREEMENTS_DIR"),
    ({"HUB_MASTERKEY": KEY}, "Unknown setting HUB_MASTERKEY"),
]


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not None}


@pytest.mark.parametrize(("changes", "named"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_hub_with_an_unsafe_setting_does_not_start_and_repeats_no_value(
    changes: Mapping[str, str | None], named: str
) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(environment(changes))
    assert named in refused.value.sentence
    told = "".join(traceback.format_exception(refused.value)) + " ".join(refused.value.next_steps)
    for secret in (KEY, "a-password-nobody-may-see", "me:secret", *(v for n, v in changes.items() if v and "KEY" in n)):
        assert secret == "/nowhere" or secret not in told


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text(KEY)
    path.chmod(0o640)
    with pytest.raises(SettingsRefused, match="can be read by others") as refused:
        read_settings(environment({"HUB_MASTER_KEY": None, "HUB_MASTER_KEY_FILE": str(path)}))
    assert "chmod 600" in refused.value.next_steps[0]


def test_a_key_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"\xff\xfe" * 16)
    path.chmod(0o600)
    with pytest.raises(SettingsRefused, match="not base64"):
        read_settings(environment({"HUB_MASTER_KEY": None, "HUB_MASTER_KEY_FILE": str(path)}))


def test_a_key_file_of_the_hubs_own_user_is_used(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    settings = read_settings(environment({"HUB_MASTER_KEY": None, "HUB_MASTER_KEY_FILE": str(path)}))
    assert settings.master_key == bytes(range(32))


def test_a_demonstration_on_this_machine_starts() -> None:
    for host in ("127.0.0.1:8400", "localhost:8400", "[::1]:8400"):
        assert read_settings(environment({"HUB_MODE": "demo", "HUB_BASE_URL": f"http://{host}"})).demo


def test_settings_show_neither_the_master_key_nor_the_databases_password() -> None:
    settings = read_settings(environment({"HUB_DATABASE_URL": POSTGRESQL, "HUB_WORKERS": "4"}))
    assert "a-password-nobody-may-see" not in repr(settings)
    assert repr(settings.master_key) not in repr(settings)
    assert settings.workers == 4


def test_what_nobody_sets_has_the_default_that_the_list_of_settings_says() -> None:
    settings = read_settings(GOOD)
    assert settings.secure_cookies
    assert not settings.demo
    said = {name: default for name, (default, _) in DESCRIBED.items()}
    held = {
        "HUB_MODE": settings.mode,
        "HUB_DATABASE_URL": settings.database_url.replace(f"{ROOT}/", ""),
        "HUB_ORIGIN": settings.origin.replace("kith.example.gov.uk", "(host of HUB_BASE_URL)"),
        "HUB_KEYS_DIR": os.path.relpath(settings.keys_folder, ROOT),
        "HUB_SUBJECT_KEYS_DIR": str(settings.subject_keys_folder).replace(str(settings.keys_folder), "(HUB_KEYS_DIR)"),
        "HUB_PARTNERS_DIR": said["HUB_PARTNERS_DIR"],
        "HUB_DROPS_DIR": os.path.relpath(settings.drops_folder, ROOT),
        "HUB_AGREEMENTS_DIR": os.path.relpath(settings.agreements_folder, ROOT),
        "HUB_GATEWAYS_FILE": os.path.relpath(settings.gateways_file, ROOT),
        "HUB_SIGNATORIES_FILE": "(none)" if settings.signatories_file is None else "a file",
        "HUB_ISSUERS_FILE": os.path.relpath(settings.issuers_file, ROOT),
        "HUB_CLIENTS_FILE": "(none)" if settings.clients_file is None else "a file",
        "HUB_AGE_IDENTITY_FILE": "(none)" if settings.age_identity_file is None else "a file",
        "HUB_WORKERS": settings.workers,
        "HUB_THREADS": settings.threads,
        "HUB_IDLE_MIN": settings.idle_min,
        "HUB_ABSOLUTE_MIN": settings.absolute_min,
        "HUB_PARTNER_DEADLINE_S": settings.partner_deadline_s,
        "HUB_GATHER_DEADLINE_S": settings.gather_deadline_s,
        "HUB_TRAIL_WAIT_S": settings.trail_wait_s,
        "HUB_SEARCHES_PER_HOUR": settings.searches_per_hour,
        "HUB_API_PER_MINUTE": settings.api_per_minute,
        "HUB_COMPETENCE_FROM_AGE": settings.competence_from_age,
        "HUB_SMALLEST_GROUP": settings.smallest_group,
        "HUB_RETENTION_MONTHS": settings.retention_months,
        "HUB_WITNESS_POLICY_FILE": "(none)" if settings.witness_policy_file is None else "a file",
        "HUB_LOG_LEVEL": settings.log_level,
        "HUB_BASE_URL": "(none)",
        "HUB_PKCS11_MODULE": "(none)" if settings.device is None else "a library",
        "HUB_PKCS11_TOKEN": "(none)",
        "HUB_PKCS11_PIN_FILE": "(none)",
        "HUB_MASTER_KEY": "(none)",
        "HUB_MASTER_KEY_FILE": "(none)",
    }
    assert {name: str(value) for name, value in held.items()} == said


#: An identity provider as a file would say it, one thing wrong in each.
ISSUER = {
    "code": '"one"',
    "name": '"One"',
    "issuer": '"https://id.example"',
    "client_id": '"kith"',
    "client_secret": '"a-secret-nobody-may-see"',
    "agencies": '["csc"]',
}
ISSUERS_REFUSED = [
    ({"agencies": '"csc"'}, "must be a list"),
    ({"issuer": '"http://id.example"'}, "must be https"),
    ({"client_id": None}, "client_id"),
    ({"client_secret": None}, "client_secret_file"),
    ({"client_secret": "7"}, "HUB_ISSUERS_FILE"),
    ({"code": '"one'}, "TOMLDecodeError"),
]


def issuers_file(folder: Path, changes: Mapping[str, str | None]) -> Path:
    path = folder / "issuers.toml"
    lines = [f"{name} = {value}" for name, value in {**ISSUER, **changes}.items() if value is not None]
    path.write_text("\n".join(["[[issuer]]", *lines, ""]))
    return path


@pytest.mark.parametrize(("changes", "named"), ISSUERS_REFUSED)
def test_an_identity_provider_that_is_written_wrongly_is_refused(
    tmp_path: Path, changes: Mapping[str, str | None], named: str
) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_issuers(issuers_file(tmp_path, changes), https_only=True)
    assert named in refused.value.sentence
    assert "a-secret-nobody-may-see" not in refused.value.sentence


def test_an_identity_provider_keeps_its_secret_out_of_its_words(tmp_path: Path) -> None:
    issuer = read_issuers(issuers_file(tmp_path, {}), https_only=True)["one"]
    assert issuer.client_secret == "a-secret-nobody-may-see"
    assert "a-secret-nobody-may-see" not in repr(issuer)
