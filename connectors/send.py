"""`python -m connectors.send`: what a partner's machine sends to a hub, signed: notices of events, files of a drop.

For: partners without a system that signs, and developers who try. Must never send anything over plain HTTP but to this
machine, and never follow a redirect. RFC 7523 section 3 (JWT for client authentication).
"""

import argparse
import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

import pyrage
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

#: Seconds that a signature lives; a hub takes none that lives longer than two minutes.
SIGNATURE_S = 60
#: Seconds to connect, and to wait for the answer to one request.
PATIENCE_S = (5, 60)
NOTICES, UPLOADS = "/api/v1/notices", "/api/v1/uploads"
#: Bytes of one part.
PART = 4_000_000


class SendRefused(Exception):
    """What cannot be sent, in a sentence."""


def new_key(private: Path, public: Path) -> None:
    """Makes a key pair: the private key for this machine alone, the public one as a JWK Set for the hub."""
    key = ECKey.generate_key("P-256")
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.as_pem(private=True))
    public.write_text(json.dumps({"keys": [key.as_dict(private=False)]}) + "\n", encoding="utf-8")


def send(
    hub: str, path: str, body: bytes, *, client: str, key: Path, method: str = "POST", kind: str = "application/json"
) -> requests.Response:
    """One signed request: the signature is for this address and these very bytes, and is good once.

    Raises SendRefused for an address that is not to be trusted, a key that cannot be read, or no answer.
    """
    place = urlsplit(hub)
    if place.scheme != "https" and place.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise SendRefused("The hub's address must begin with https://")
    now = int(time.time())
    claims = {
        "iss": client,
        "sub": client,
        "aud": hub.rstrip("/") + path,
        "iat": now,
        "exp": now + SIGNATURE_S,
        "jti": secrets.token_urlsafe(24),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    try:
        token = jwt.encode({"alg": "ES256"}, claims, ECKey.import_key(key.read_bytes()), algorithms=["ES256"])
    except (OSError, ValueError):
        raise SendRefused("The private key cannot be read.") from None
    headers = {"Authorization": "Bearer " + token, "Content-Type": kind}
    try:
        return requests.request(
            method, hub.rstrip("/") + path, data=body, headers=headers, timeout=PATIENCE_S, allow_redirects=False
        )
    except requests.RequestException as error:
        raise SendRefused(f"The hub does not answer ({type(error).__name__}).") from None


def upload(
    hub: str, folder: Path, names: list[str], *, mode: str, client: str, key: Path, recipient: str, part: int = PART
) -> requests.Response:
    """Sends files of a folder, encrypted to the hub; goes on where an earlier try stopped. Returns the last answer.

    Raises SendRefused. Effects: encrypted copies in `.sending` below the folder until all is sent.
    """
    sending = folder / ".sending"
    sending.mkdir(exist_ok=True, mode=0o700)
    sealed = {name: _sealed(folder / name, sending, recipient) for name in names}
    files = [{"name": name, "size": path.stat().st_size, "sha256": _sha256(path)} for name, path in sealed.items()]
    body = json.dumps({"mode": mode, "files": files}).encode()
    answer = send(hub, UPLOADS, body, client=client, key=key)
    if not answer.ok or answer.json()["state"] != "RECEIVING":
        return answer
    here = f"{UPLOADS}/{answer.json()['id']}"
    for name, path in sealed.items():
        at = int(answer.json()["received"].get(name, 0))
        with path.open("rb") as file:
            file.seek(at)
            while block := file.read(part):
                place = f"{here}/{quote(name)}/{at}"
                said = send(hub, place, block, client=client, key=key, method="PUT", kind="application/octet-stream")
                if not said.ok:
                    return said
                at = int(said.json()["received"])
    answer = send(hub, f"{here}/complete", b"", client=client, key=key)
    if answer.ok:
        shutil.rmtree(sending, ignore_errors=True)
    return answer


def _sealed(path: Path, sending: Path, recipient: str) -> Path:
    """The encrypted copy of a file; the same one as in an earlier try, so that it can go on."""
    sealed = sending / f"{_sha256(path)}-{path.name}.age"
    if not sealed.exists():
        part = sealed.with_suffix(".part")
        with path.open("rb") as plain, part.open("wb") as out:
            pyrage.encrypt_io(plain, out, [pyrage.x25519.Recipient.from_str(recipient)])
        part.rename(sealed)
    return sealed


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    """Exit status 0: all was taken; 1: something was not; 2: nothing could be sent."""
    parser = argparse.ArgumentParser(prog="python -m connectors.send", description="Sends signed requests to a hub.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    key = verbs.add_parser("key", help="make a key pair: PRIVATE.pem stays here, PUBLIC.json goes to the hub")
    key.add_argument("private", type=Path)
    key.add_argument("public", type=Path)
    notices = verbs.add_parser("notices", help="send notices of events: JSON, one, a list, or one on each line")
    notices.add_argument("file", type=Path)
    files = verbs.add_parser("files", help="send files of a drop, encrypted to the hub, and print the report")
    files.add_argument("folder", type=Path)
    files.add_argument("names", nargs="+")
    files.add_argument("--delta", action="store_true", help="changed rows only, and NAME.removed with removed ids")
    files.add_argument("--recipient", required=True, help="the hub's age recipient: age1...")
    for verb in (notices, files):
        verb.add_argument("--hub", required=True, help="the hub's address, for example https://kith.example")
        verb.add_argument("--client", required=True, help="as whom, as the hub's operator entered it")
        verb.add_argument("--key", required=True, type=Path, help="the private key")
    typed = parser.parse_args(arguments)
    try:
        if typed.verb == "key":
            new_key(typed.private, typed.public)
            return 0
        if typed.verb == "files":
            mode = "delta" if typed.delta else "full"
            about = {"client": typed.client, "key": typed.key, "recipient": typed.recipient}
            return _told(upload(typed.hub, typed.folder, typed.names, mode=mode, **about))
        return _told(send(typed.hub, NOTICES, typed.file.read_bytes(), client=typed.client, key=typed.key))
    except (SendRefused, OSError, pyrage.RecipientError) as error:
        sys.stderr.write(f"Not sent: {error}\n")
        return 2


def _told(answer: requests.Response) -> int:
    """Prints what the hub said."""
    sys.stdout.write(answer.text.rstrip() + "\n")
    if not answer.ok:
        return 1
    said = answer.json()
    if said.get("state") == "REFUSED":
        return 1
    bad = [n for n in said.get("notices", ()) if n["state"] == "REJECTED" or n.get("advice")]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
