"""Keys in a device: the log key never leaves it, and no private key of the log lies on a disk."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit.__main__ import main as audit_command
from hub.assembly import open_hub
from hub.commands import hub as hub_command
from hub.db import make_engine
from hub.device import Device, DeviceLogKey, device_of, make_keys, master_key_of
from hub.errors import KeyRefused, SettingsRefused
from hub.migrations import upgrade
from hub.settings import Settings, read_settings

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib/pkcs11/libsofthsm2.so")
PIN = "495271"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SoftHSM2 with tokens in a folder of our own."""
    found = next((path for path in MODULES if Path(path).exists()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        pytest.fail("SoftHSM2 is missing: apt-get install softhsm2. Nothing about key devices was tested.")
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    for label in ("kith", "bare"):
        words = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "7391", "--pin", PIN]
        subprocess.run(words, check=True, capture_output=True)
    yield found
    os.environ.pop("SOFTHSM2_CONF")
    if before is not None:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture(scope="module")
def pin_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pin") / "pin"
    path.write_text(PIN + "\n")
    path.chmod(0o600)
    return str(path)


@pytest.fixture(scope="module")
def device(module: str, pin_file: str) -> Device:
    """A device with both keys, made by the command."""
    words = ["keys", "device", "--module", module, "--token", "kith", "--pin-file", pin_file]
    made = CliRunner().invoke(hub_command, words)
    assert made.exit_code == 0, made.output
    return device_of(module, "kith", pin_file)


def environment(folder: Path, module: str, pin_file: str) -> dict[str, str]:
    return {
        "HUB_BASE_URL": "https://kith.example",
        "HUB_DATABASE_URL": f"sqlite:///{folder}/kith.sqlite",
        "HUB_KEYS_DIR": str(folder / "keys"),
        "HUB_ISSUERS_FILE": str(folder / "issuers.toml"),
        "HUB_PKCS11_MODULE": module,
        "HUB_PKCS11_TOKEN": "kith",
        "HUB_PKCS11_PIN_FILE": pin_file,
    }


# Refusals


def test_a_device_that_is_half_named_or_open_to_others_is_refused(module: str, pin_file: str, tmp_path: Path) -> None:
    loose = tmp_path / "pin"
    loose.write_text(PIN)
    loose.chmod(0o644)
    for words, fault in (
        ((module, "", pin_file), "needs HUB_PKCS11_TOKEN"),
        ((module, "kith", ""), "needs HUB_PKCS11_TOKEN"),
        (("/nowhere.so", "kith", pin_file), "names no library"),
        ((module, "kith", str(tmp_path / "none")), "cannot be read"),
        ((module, "kith", str(loose)), "can be read by others"),
    ):
        with pytest.raises(SettingsRefused, match=fault):
            device_of(*words)


def test_a_master_key_beside_the_device_is_refused(device: Device, tmp_path: Path, module: str, pin_file: str) -> None:
    with pytest.raises(SettingsRefused, match="from the device alone"):
        read_settings({**environment(tmp_path, module, pin_file), "HUB_MASTER_KEY": "x"})


def test_a_device_without_keys_or_with_another_pin_says_what_to_do(device: Device, module: str) -> None:
    for other in (
        Device(Path(module), "bare", PIN),
        Device(Path(module), "kith", "1"),
        Device(Path(module), "no", PIN),
    ):
        with pytest.raises(KeyRefused, match="cannot be used") as refused:
            master_key_of(other)
        assert PIN not in str(refused.value)
        assert "keys device" in " ".join(map(str, refused.value.next_steps))


def test_keys_are_made_once(device: Device) -> None:
    with pytest.raises(KeyRefused, match="already"):
        make_keys(device)


def test_the_log_key_cannot_be_taken_out(device: Device) -> None:
    import pkcs11

    from hub.device import LOG_LABEL, MASTER_LABEL, _session

    with _session(device) as session:
        for kind, label, secret in (
            (pkcs11.ObjectClass.PRIVATE_KEY, LOG_LABEL, pkcs11.Attribute.VALUE),
            (pkcs11.ObjectClass.SECRET_KEY, MASTER_LABEL, pkcs11.Attribute.VALUE),
        ):
            key = session.get_key(kind, label=label)
            assert key[pkcs11.Attribute.EXTRACTABLE] is False
            with pytest.raises(pkcs11.PKCS11Error):
                key[secret]


# Grants


def test_a_hub_signs_with_the_device_and_keeps_no_log_key_and_no_master_key(
    device: Device, tmp_path: Path, module: str, pin_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings: Settings = read_settings(environment(tmp_path, module, pin_file))
    engine = make_engine(settings.database_url)
    upgrade(engine)
    engine.dispose()
    for _ in range(2):  # The second start finds the same keys in the device.
        with closing(open_hub(settings)) as hub:
            said = {"client": {"id": "web"}, "outcome": "DONE"}
            hub.trail.append("sign-in", now=datetime.now(UTC), subjects=["PE-1"], **said)
            key = str(hub.trail.verifier_key)
    assert audit_command(["export", str(tmp_path / "export"), "--database", settings.database_url]) == 0
    assert audit_command(["verify", str(tmp_path / "export"), "--key", key]) == 0
    assert "VERIFIED" in capsys.readouterr().out
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "log.key" not in {path.name for path in files}
    assert all(settings.master_key not in path.read_bytes() for path in files)


def test_a_worker_that_was_forked_signs_too(device: Device) -> None:
    key = DeviceLogKey(device)
    assert key.sign(b"before")
    child = os.fork()
    if child == 0:
        try:
            key.public_key().verify(key.sign(b"after"), b"after")
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    key.public_key().verify(key.sign(b"still"), b"still")
