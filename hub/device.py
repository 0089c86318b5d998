"""Keys in a device (PKCS#11): the trail's log key and the master key, which then lie on no disk of the hub.

For: partnerships with a hardware security module; SoftHSM2 stands in for one in the tests. Optional: without
HUB_PKCS11_MODULE nothing of this is used, and `python-pkcs11` need not be installed. The log key never leaves the
device. The master key is computed in it with a secret that never leaves it; the hub holds the outcome in memory only.
Must never write either to a disk or a log. Ruled by PKCS #11 version 3.0 (OASIS, June 2020): CKM_EDDSA and
CKM_SHA256_HMAC.
"""

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.errors import KeyRefused, SettingsRefused

#: What the two keys are called in the device.
LOG_LABEL, MASTER_LABEL = "kith-log", "kith-master"
#: What the device computes the master key from. Never to be changed: every sealed byte hangs on it.
_MASTER_INPUT = b"kith master key/1"
#: The curve of Ed25519 (RFC 8410 section 3).
_ED25519 = "1.3.101.112"


@dataclass(frozen=True, slots=True)
class Device:
    """Which token, by which library, opened with which PIN."""

    module: Path
    token: str
    pin: str = field(repr=False)


def device_of(module: str, token: str, pin_file: str) -> Device:
    """The device that the settings name. Raises SettingsRefused."""
    path = Path(pin_file)
    if not token or not pin_file:
        raise SettingsRefused("HUB_PKCS11_MODULE needs HUB_PKCS11_TOKEN and HUB_PKCS11_PIN_FILE.")
    if not Path(module).is_file():
        raise SettingsRefused("HUB_PKCS11_MODULE names no library.")
    try:
        mode, pin = path.stat().st_mode, path.read_text().strip()
    except (OSError, ValueError):
        raise SettingsRefused("HUB_PKCS11_PIN_FILE cannot be read.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsRefused("HUB_PKCS11_PIN_FILE can be read by others.", next_steps=(f"Run: chmod 600 {path}",))
    return Device(Path(module), token, pin)


def master_key_of(device: Device) -> bytes:
    """32 bytes that only this device can compute. Raises KeyRefused."""
    pkcs11 = _library()
    with _session(device) as session:
        secret = session.get_key(pkcs11.ObjectClass.SECRET_KEY, label=MASTER_LABEL)
        return bytes(secret.sign(_MASTER_INPUT, mechanism=pkcs11.Mechanism.SHA256_HMAC))


def make_keys(device: Device) -> bytes:
    """Makes both keys in the device, never to be given out. Returns the log's public key. Raises KeyRefused."""
    pkcs11 = _library()
    from pkcs11.util.ec import encode_named_curve_parameters

    hidden = {pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True}
    with _session(device, writing=True) as session:
        for label in (LOG_LABEL, MASTER_LABEL):
            if list(session.get_objects({pkcs11.Attribute.LABEL: label})):
                raise KeyRefused(f"The device holds a key {label} already; nothing was made.")
        curve = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS,
            {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)},
            local=True,
        )
        public, _ = curve.generate_keypair(
            mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=LOG_LABEL, private_template=hidden
        )
        session.generate_key(
            pkcs11.KeyType.GENERIC_SECRET,
            256,
            store=True,
            label=MASTER_LABEL,
            template=hidden,
            mechanism=pkcs11.Mechanism.GENERIC_SECRET_KEY_GEN,
            capabilities=pkcs11.MechanismFlag.SIGN,
        )
        return _raw(public)


class DeviceLogKey:
    """The log key of a device, as the trail uses one. Safe to use from several threads; opens again after a fault."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._opened: tuple[int, Any, Any] | None = None
        pkcs11 = _library()
        with _session(device) as session:
            self._public = _raw(session.get_key(pkcs11.ObjectClass.PUBLIC_KEY, label=LOG_LABEL))

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""
        return Ed25519PublicKey.from_public_bytes(self._public)

    def sign(self, data: bytes, /) -> bytes:
        """An Ed25519 signature (RFC 8032). Raises KeyRefused, when the device does not answer."""
        pkcs11 = _library()
        with self._lock:
            try:
                if self._opened is None or self._opened[0] != os.getpid():
                    session = _open(self._device, writing=False)
                    key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=LOG_LABEL)
                    self._opened = os.getpid(), session, key
                return bytes(self._opened[2].sign(data, mechanism=pkcs11.Mechanism.EDDSA))
            except pkcs11.PKCS11Error as error:
                self._opened = None
                _sign_out(self._device)
                raise KeyRefused(f"The key device does not sign ({type(error).__name__}).") from None


@contextmanager
def _session(device: Device, *, writing: bool = False) -> Iterator[Any]:
    pkcs11 = _library()
    try:
        with _open(device, writing=writing) as session:
            yield session
    except pkcs11.PKCS11Error as error:
        raise KeyRefused(
            f"The key device cannot be used ({type(error).__name__}).",
            next_steps=("Check HUB_PKCS11_TOKEN and the PIN.", "Keys are made by: python -m hub keys device"),
        ) from None


#: In which process each library was set up: after a fork it must be again.
_set_up_in: dict[Path, int] = {}
#: A process signs in to a token once; this session holds the sign-in, and all others share it.
_signed_in: dict[Device, Any] = {}
_signing_in = threading.Lock()


def _open(device: Device, *, writing: bool) -> Any:
    library = _library().lib(str(device.module))
    with _signing_in:
        if _set_up_in.setdefault(device.module, os.getpid()) != os.getpid():
            _signed_in.clear()
            library.reinitialize()
            _set_up_in[device.module] = os.getpid()
        token = library.get_token(token_label=device.token)
        if device not in _signed_in:
            _signed_in[device] = token.open(user_pin=device.pin)
    return token.open(rw=writing)


def _sign_out(device: Device) -> None:
    """After a fault: the next session signs in anew."""
    with _signing_in:
        session = _signed_in.pop(device, None)
    if session is not None:
        with contextlib.suppress(_library().PKCS11Error):
            session.close()


def _raw(public: Any) -> bytes:
    """The 32 bytes of RFC 8032, which the device may wrap into an OCTET STRING."""
    return bytes(public[_library().Attribute.EC_POINT])[-32:]


def _library() -> Any:
    try:
        import pkcs11
    except ImportError:
        raise KeyRefused(
            "HUB_PKCS11_MODULE is set, but python-pkcs11 is not installed.",
            next_steps=("pip install --require-hashes -r requirements-device.txt",),
        ) from None
    return pkcs11
