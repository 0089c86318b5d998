"""`python -m connectors.send`: what a partner's machine sends to a hub, signed: notices of events, files of a drop.

For: partners without a system that signs, and developers who try. Must never send anything over plain HTTP but to this
machine, and never follow a redirect. RFC 7523 section 3 (JWT for client authentication).
"""

import argparse
import hashlib
import json
import os
import secrets
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

#: Seconds that a signature lives; a hub takes none that lives longer than two minutes.
SIGNATURE_S = 60
#: Seconds to connect, and to wait for the answer to one request.
PATIENCE_S = (5, 60)
NOTICES = "/api/v1/notices"


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


def main(arguments: list[str]) -> int:
    """Exit status 0: all was taken; 1: something was not; 2: nothing could be sent."""
    parser = argparse.ArgumentParser(prog="python -m connectors.send", description="Sends signed requests to a hub.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    key = verbs.add_parser("key", help="make a key pair: PRIVATE.pem stays here, PUBLIC.json goes to the hub")
    key.add_argument("private", type=Path)
    key.add_argument("public", type=Path)
    notices = verbs.add_parser("notices", help="send notices of events: JSON, one, a list, or one on each line")
    notices.add_argument("file", type=Path)
    for verb in (notices,):
        verb.add_argument("--hub", required=True, help="the hub's address, for example https://kith.example")
        verb.add_argument("--client", required=True, help="as whom, as the hub's operator entered it")
        verb.add_argument("--key", required=True, type=Path, help="the private key")
    typed = parser.parse_args(arguments)
    try:
        if typed.verb == "key":
            new_key(typed.private, typed.public)
            return 0
        return _told(send(typed.hub, NOTICES, typed.file.read_bytes(), client=typed.client, key=typed.key))
    except (SendRefused, OSError) as error:
        sys.stderr.write(f"Not sent: {error}\n")
        return 2


def _told(answer: requests.Response) -> int:
    """Prints what the hub said."""
    sys.stdout.write(answer.text.rstrip() + "\n")
    if not answer.ok:
        return 1
    said = answer.json()
    bad = [n for n in said.get("notices", ()) if n["state"] == "REJECTED" or n.get("advice")]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
