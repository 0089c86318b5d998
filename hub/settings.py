"""Settings: from the environment only, read once, refused at start when unsafe.

For: every knob of the hub, each with a safe default, a unit and a line in docs/operating.md. Must never
read the environment after start, and never print a secret.
"""

import base64
import ipaddress
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from hub.device import Device, device_of, master_key_of
from hub.errors import SettingsRefused

ROOT = Path(__file__).resolve().parent.parent
#: Longest idle session that the hub accepts, in minutes: a shared MASH desk (NCSC guidance favours short idle limits).
LONGEST_IDLE_MIN = 60
#: A checkpoint's origin is one line without spaces or plus signs (C2SP signed-note, key names).
_ORIGIN = re.compile(r"[!-*,-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Folders are paths, times carry their unit, `master_key` is 32 bytes."""

    mode: str
    database_url: str = field(repr=False)
    base_url: str
    origin: str
    master_key: bytes = field(repr=False)
    device: Device | None
    keys_folder: Path
    subject_keys_folder: Path
    partners_folder: Path
    drops_folder: Path
    agreements_folder: Path
    gateways_file: Path
    signatories_file: Path | None
    issuers_file: Path
    clients_file: Path | None
    age_identity_file: Path | None
    workers: int
    threads: int
    idle_min: int
    absolute_min: int
    partner_deadline_s: float
    gather_deadline_s: float
    trail_wait_s: float
    searches_per_hour: int
    api_per_minute: int
    competence_from_age: int
    smallest_group: int
    retention_months: int
    witness_policy_file: Path | None
    log_level: str

    @property
    def demo(self) -> bool:
        """True only for the demonstration: built-in identity provider, invented people, loopback."""
        return self.mode == "demo"

    @property
    def secure_cookies(self) -> bool:
        """True when the hub is reached over https."""
        return self.base_url.startswith("https://")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Reader:
    """Reads HUB_* names from a mapping; a wrong value is refused with its name, never its content."""

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source

    def text(self, name: str, default: str | None = None) -> str:
        value = self._source.get("HUB_" + name, default)
        if value is None:
            raise SettingsRefused(f"HUB_{name} must be set.", next_steps=("python -m hub doctor lists all settings.",))
        return value

    def whole(self, name: str, default: int) -> int:
        try:
            return int(self.text(name, str(default)))
        except ValueError:  # Its text would quote the value.
            raise SettingsRefused(f"HUB_{name} must be a whole number.") from None

    def seconds(self, name: str, default: float) -> float:
        try:
            return float(self.text(name, str(default)))
        except ValueError:
            raise SettingsRefused(f"HUB_{name} must be a number of seconds.") from None

    def path(self, name: str, default: Path) -> Path:
        return Path(self.text(name, str(default)))


def _device(env: _Reader) -> Device | None:
    if not (module := env.text("PKCS11_MODULE", "")):
        return None
    return device_of(module, env.text("PKCS11_TOKEN", ""), env.text("PKCS11_PIN_FILE", ""))


def _master_key(env: _Reader, device: Device | None) -> bytes:
    text = env.text("MASTER_KEY", "")
    file = env.text("MASTER_KEY_FILE", "")
    if device is not None:
        if text or file:
            raise SettingsRefused("With HUB_PKCS11_MODULE the master key comes from the device alone.")
        return master_key_of(device)
    if bool(text) == bool(file):
        raise SettingsRefused(
            "Exactly one of HUB_MASTER_KEY and HUB_MASTER_KEY_FILE must be set.",
            next_steps=("Make a key with: python -m hub keys new", "Keep it outside the database's backups."),
        )
    if file:
        path = Path(file)
        try:
            mode = path.stat().st_mode
            text = path.read_text().strip()
        except OSError as error:
            raise SettingsRefused(f"HUB_MASTER_KEY_FILE cannot be read: {error.strerror}.") from error
        except ValueError:
            raise SettingsRefused("The master key is not base64.") from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsRefused("HUB_MASTER_KEY_FILE can be read by others.", next_steps=(f"Run: chmod 600 {path}",))
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        raise SettingsRefused("The master key is not base64.") from None
    if len(key) != 32:
        raise SettingsRefused(f"The master key has {len(key)} bytes; it needs 32 (AES-256).")
    if len(set(key)) < 16:
        raise SettingsRefused("The master key is not random.", next_steps=("python -m hub keys new",))
    return key


def _base_url(text: str) -> SplitResult:
    """The address in parts; a host, a scheme and perhaps a port, and nothing else."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    if (
        url.scheme not in ("http", "https")
        or not url.hostname
        or port == 0
        or url.username
        or url._replace(scheme="", netloc="") != ("", "", "", "", "")
    ):
        raise SettingsRefused("HUB_BASE_URL must be like https://kith.example.gov.uk, without a path.")
    return url


def _check(settings: Settings) -> None:
    url = urlsplit(settings.base_url)
    if settings.mode not in ("production", "demo"):
        raise SettingsRefused("HUB_MODE must be production or demo.")
    if settings.demo and not _is_loopback(url.hostname or ""):
        raise SettingsRefused(
            "The demonstration signs anybody in, so it serves on this machine only.",
            next_steps=("Set HUB_BASE_URL to a loopback address, or HUB_MODE=production.",),
        )
    if not settings.demo and url.scheme != "https":
        raise SettingsRefused("HUB_BASE_URL must be https outside the demonstration.")
    backend = settings.database_url.split(":", 1)[0]
    if backend not in ("sqlite", "postgresql+psycopg"):
        raise SettingsRefused("HUB_DATABASE_URL must start with sqlite:/// or postgresql+psycopg://.")
    if backend == "sqlite" and settings.workers != 1:
        raise SettingsRefused(
            "SQLite serves one process with threads; several processes starve each other.",
            next_steps=("Set HUB_WORKERS=1, or use PostgreSQL.",),
        )
    if not 1 <= settings.idle_min <= LONGEST_IDLE_MIN or not settings.idle_min <= settings.absolute_min <= 12 * 60:
        raise SettingsRefused(f"HUB_IDLE_MIN must be 1 to {LONGEST_IDLE_MIN}, HUB_ABSOLUTE_MIN at most 720.")
    if not 0.05 <= settings.partner_deadline_s <= settings.gather_deadline_s <= 10:
        raise SettingsRefused("HUB_PARTNER_DEADLINE_S must not exceed HUB_GATHER_DEADLINE_S, at most 10 s.")
    if not 0.1 <= settings.trail_wait_s <= 10:
        raise SettingsRefused("HUB_TRAIL_WAIT_S must be 0.1 to 10 seconds.")
    if not _ORIGIN.fullmatch(settings.origin):
        raise SettingsRefused("HUB_ORIGIN must be like kith.example.gov.uk/trail, without spaces.")
    for name, number, (least, most) in (
        ("HUB_WORKERS", settings.workers, (1, 64)),
        ("HUB_THREADS", settings.threads, (1, 64)),
        ("HUB_SEARCHES_PER_HOUR", settings.searches_per_hour, (1, 1000)),
        ("HUB_API_PER_MINUTE", settings.api_per_minute, (1, 1_000_000)),
        ("HUB_COMPETENCE_FROM_AGE", settings.competence_from_age, (8, 16)),
        ("HUB_SMALLEST_GROUP", settings.smallest_group, (2, 1000)),
        ("HUB_RETENTION_MONTHS", settings.retention_months, (12, 1200)),
    ):
        if not least <= number <= most:
            raise SettingsRefused(f"{name} must be {least} to {most}.")
    if settings.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsRefused("HUB_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
    for name, folder in (
        ("HUB_PARTNERS_DIR", settings.partners_folder),
        ("HUB_AGREEMENTS_DIR", settings.agreements_folder),
    ):
        if not folder.is_dir():
            raise SettingsRefused(f"{name} names no folder.", next_steps=(f"Check {folder}.",))


#: What each setting is for; docs/operating.md and `python -m hub doctor` are made from this.
DESCRIBED: Mapping[str, tuple[str, str]] = {
    "HUB_MODE": ("production", "production, or demo for invented people on this machine only"),
    "HUB_DATABASE_URL": (
        "sqlite:///var/kith.sqlite",
        "where everything is stored; postgresql+psycopg://… in production",
    ),
    "HUB_BASE_URL": ("(none)", "the address that users type; https outside the demonstration"),
    "HUB_ORIGIN": (
        "(host of HUB_BASE_URL)/trail",
        "the name of the audit trail in its signed checkpoints; never change it",
    ),
    "HUB_MASTER_KEY": ("(none)", "32 random bytes in base64; wraps one data key per agency"),
    "HUB_MASTER_KEY_FILE": ("(none)", "a file with that key, readable by the hub's user only"),
    "HUB_PKCS11_MODULE": ("(none)", "library of a key device, which then holds log key and master key"),
    "HUB_PKCS11_TOKEN": ("(none)", "label of the token in that device"),
    "HUB_PKCS11_PIN_FILE": ("(none)", "a file with its PIN, readable by the hub's user only"),
    "HUB_KEYS_DIR": ("var/keys", "folder with the trail's signing keys; made at the first start"),
    "HUB_SUBJECT_KEYS_DIR": (
        "(HUB_KEYS_DIR)/subjects",
        "key store: what opens the trail's subject keys; never in the backup of the database",
    ),
    "HUB_PARTNERS_DIR": ("connectors/partners", "folder with one TOML file per partner"),
    "HUB_DROPS_DIR": ("var/drops", "folder below which partners drop their files"),
    "HUB_AGREEMENTS_DIR": ("policies/agreements", "folder with the sharing agreements"),
    "HUB_GATEWAYS_FILE": ("policies/gateways.toml", "register of statutory gateways and their dates"),
    "HUB_SIGNATORIES_FILE": ("(none)", "who signs agreements for each agency; without it signatures are not checked"),
    "HUB_ISSUERS_FILE": ("var/issuers.toml", "identity providers, one per agency or shared"),
    "HUB_CLIENTS_FILE": (
        "(none)",
        "partners' systems and other hubs that may ask, give notice or send files, and their keys; without it none may",
    ),
    "HUB_AGE_IDENTITY_FILE": (
        "(none)",
        "the key to which partners encrypt the files that they send (`keys age`); without it none can be sent",
    ),
    "HUB_WORKERS": ("1", "processes; more than one needs PostgreSQL"),
    "HUB_THREADS": ("8", "threads per process"),
    "HUB_IDLE_MIN": ("15", "minutes without a request until a session ends (1 to 60)"),
    "HUB_ABSOLUTE_MIN": ("480", "minutes until a session ends in any case (at most 720)"),
    "HUB_PARTNER_DEADLINE_S": ("1.5", "seconds that one partner may take"),
    "HUB_GATHER_DEADLINE_S": ("3.0", "seconds until the page goes on without those who have not answered"),
    "HUB_TRAIL_WAIT_S": ("2.0", "seconds to wait for the trail; then nothing is asked and nothing is shown"),
    "HUB_SEARCHES_PER_HOUR": ("60", "searches one user may make in an hour"),
    "HUB_API_PER_MINUTE": ("600", "requests that one client of the API, or one user without one, may make in a minute"),
    "HUB_COMPETENCE_FROM_AGE": ("12", "age in years from which a child's own competence is assessed (rule P16)"),
    "HUB_SMALLEST_GROUP": ("5", "smallest group that a figure may be about (rule P45)"),
    "HUB_RETENTION_MONTHS": (
        "72",
        "full months that the trail can say whom an entry is about (Limitation Act 1980, sections 2 and 5: six years)",
    ),
    "HUB_WITNESS_POLICY_FILE": (
        "(none)",
        "who witnesses the trail, and how many must have cosigned (c2sp.org/tlog-policy); without it nobody is asked",
    ),
    "HUB_LOG_LEVEL": ("INFO", "DEBUG, INFO, WARNING or ERROR"),
}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from HUB_* variables (or from `environment`, for tests).

    Raises SettingsRefused with the variable's name and what to do, never with a value.
    """
    source = os.environ if environment is None else environment
    unknown = sorted(name for name in source if name.startswith("HUB_") and name not in DESCRIBED)
    if unknown:
        raise SettingsRefused(f"Unknown setting {unknown[0]}.", next_steps=("python -m hub doctor lists them all.",))
    env = _Reader(source)
    base_url = env.text("BASE_URL").rstrip("/")
    host = _base_url(base_url).hostname
    device = _device(env)
    settings = Settings(
        mode=env.text("MODE", "production"),
        database_url=env.text("DATABASE_URL", f"sqlite:///{ROOT / 'var' / 'kith.sqlite'}"),
        base_url=base_url,
        origin=env.text("ORIGIN", f"{host}/trail"),
        master_key=_master_key(env, device),
        device=device,
        keys_folder=env.path("KEYS_DIR", ROOT / "var" / "keys"),
        subject_keys_folder=env.path("SUBJECT_KEYS_DIR", env.path("KEYS_DIR", ROOT / "var" / "keys") / "subjects"),
        partners_folder=env.path("PARTNERS_DIR", ROOT / "connectors" / "partners"),
        drops_folder=env.path("DROPS_DIR", ROOT / "var" / "drops"),
        agreements_folder=env.path("AGREEMENTS_DIR", ROOT / "policies" / "agreements"),
        gateways_file=env.path("GATEWAYS_FILE", ROOT / "policies" / "gateways.toml"),
        signatories_file=Path(listed) if (listed := env.text("SIGNATORIES_FILE", "")) else None,
        issuers_file=env.path("ISSUERS_FILE", ROOT / "var" / "issuers.toml"),
        clients_file=Path(clients) if (clients := env.text("CLIENTS_FILE", "")) else None,
        age_identity_file=Path(identity) if (identity := env.text("AGE_IDENTITY_FILE", "")) else None,
        workers=env.whole("WORKERS", 1),
        threads=env.whole("THREADS", 8),
        idle_min=env.whole("IDLE_MIN", 15),
        absolute_min=env.whole("ABSOLUTE_MIN", 480),
        partner_deadline_s=env.seconds("PARTNER_DEADLINE_S", 1.5),
        gather_deadline_s=env.seconds("GATHER_DEADLINE_S", 3.0),
        trail_wait_s=env.seconds("TRAIL_WAIT_S", 2.0),
        searches_per_hour=env.whole("SEARCHES_PER_HOUR", 60),
        api_per_minute=env.whole("API_PER_MINUTE", 600),
        competence_from_age=env.whole("COMPETENCE_FROM_AGE", 12),
        smallest_group=env.whole("SMALLEST_GROUP", 5),
        retention_months=env.whole("RETENTION_MONTHS", 72),
        witness_policy_file=Path(asked) if (asked := env.text("WITNESS_POLICY_FILE", "")) else None,
        log_level=env.text("LOG_LEVEL", "INFO"),
    )
    _check(settings)
    return settings
