"""A judge of receipts and inclusion proofs, made of sigstore's own verifiers. Runs under a Python that has sigstore.

One question a line, one answer a line: 1 it holds, 0 it does not. `I index size leafhash root hash...` or
`R vkey json`; sigstore's log has no consistency proofs.
"""

import base64
import json
import sys
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore._internal import merkle
from sigstore._internal.rekor.checkpoint import verify_checkpoint
from sigstore._internal.trust import Keyring
from sigstore_models.common import v1 as common


def keyring(vkey):
    """The log's key as sigstore holds keys, and the id that its signed notes give it."""
    _name, key_id, encoded = vkey.split("+", 2)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = common.PublicKey(raw_bytes=base64.b64encode(der), key_details=common.PublicKeyDetails.PKIX_ED25519)
    return Keyring([key]), bytes.fromhex(key_id)


def entry(index, size, body, root, path, checkpoint="", key_id=b""):
    proof = SimpleNamespace(
        log_index=index, tree_size=size, hashes=path, root_hash=root, checkpoint=SimpleNamespace(envelope=checkpoint)
    )
    log = SimpleNamespace(key_id=key_id)
    return SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=proof, canonicalized_body=body, log_id=log))


def judge(words):
    if words[0] == "I":
        leaf, root, *path = map(bytes.fromhex, words[3:])
        # Here the hash of the leaf is given; sigstore hashes the body itself.
        given, merkle._hash_leaf = merkle._hash_leaf, lambda _: leaf
        try:
            merkle.verify_merkle_inclusion(entry(int(words[1]), int(words[2]), b"", root, path))
        finally:
            merkle._hash_leaf = given
        return
    ring, key_id = keyring(words[1])
    given = json.loads(base64.b64decode(words[2]))
    _, size, root, *_ = given["checkpoint"].split("\n")
    path = [base64.b64decode(node) for node in given["path"]]
    found = entry(
        given["index"],
        int(size),
        base64.b64decode(given["leaf"]),
        base64.b64decode(root),
        path,
        given["checkpoint"],
        key_id,
    )
    merkle.verify_merkle_inclusion(found)
    verify_checkpoint(ring, found)


for line in sys.stdin:
    try:
        judge(line.split())
    except Exception:
        print(0)
    else:
        print(1)
