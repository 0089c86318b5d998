"""What is judged: a real trail with witnesses, its receipts, and receipts with one fault each."""

import base64
import concurrent.futures
import copy
import hashlib
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

import audit
from audit.checkpoint import VerifierKey
from audit.cosignature import cosign, read_cosignatures
from audit.cosigned import keep
from audit.entry import raw_public
from audit.policy import WitnessPolicy, read_policy
from audit.store import Store
from audit.tiles import export
from audit.tree import prove_consistency, prove_inclusion
from audit.witness import Witness, _key_in, request_body
from tests.audit.conftest import NOW, disclosure, seal_for, seal_staff_for, search
from tests.audit.trees import Log

#: Each fault of an altered receipt: what was altered in it.
FAULTS = (
    "checksum", "leaf", "path", "path too short", "path too long", "path of another", "index", "index outside", "root",
    "size", "log's signature", "cosignature",
)  # fmt: skip


@dataclass(frozen=True)
class Material:
    """A trail's receipts as bundles, its export, its keys and the policy of two witnesses."""

    vkey: str
    receipts: list[dict[str, Any]]
    export: Path
    policy: WitnessPolicy
    log_key: Ed25519PrivateKey
    witness_keys: dict[str, Ed25519PrivateKey]
    log_public: bytes
    submitter_public: bytes


def make(folder: Path, count: int) -> Material:
    """A trail of `count` entries whose name is the one that Sigsum gives the log of this key."""
    log_key, submitter = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    log_public = raw_public(log_key.public_key())
    origin = f"sigsum.org/v1/tree/{hashlib.sha256(log_public).hexdigest()}"
    log = VerifierKey.of(origin, log_key.public_key())
    witnesses = [Witness(folder / n, name=f"{n}.example/w", logs=[log], clock=lambda: 1_795_424_400) for n in "ab"]
    lines = [f"witness {n} {w.verifier_key}" for n, w in zip("ab", witnesses, strict=True)]
    policy = read_policy("\n".join([*lines, "group both all a b", "quorum both\n"]))
    engine = create_engine(f"sqlite:///{folder / 'trail.sqlite'}")
    audit.metadata.create_all(engine)
    trail = audit.Trail(
        engine,
        submitter_key=submitter,
        log_key=log_key,
        origin=origin,
        seal_subject=seal_for,
        seal_staff=seal_staff_for,
        clock=lambda: NOW,
        policy=policy,
        max_wait_s=10,
    )
    with trail:

        def write(number: int) -> str:
            event = ("disclosure:made", disclosure()) if number % 3 else ("search", search())
            return trail.append(event[0], now=NOW, subjects=[f"P-{number}"], **event[1]).eid

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            eids = list(pool.map(write, range(count)))
        head = trail.head()
        for witness in witnesses:
            line = witness.add_checkpoint(request_body(0, [], head.note)).body
            keep(Store(engine, wait_s=2.0), head.size, witness.verifier_key, line, 0)
            witness.close()
        receipts = sorted((trail.receipt(eid).document() for eid in eids), key=lambda one: one["index"])
    export(engine, folder / "export")
    engine.dispose()
    return Material(
        vkey=str(log),
        receipts=receipts,
        export=folder / "export",
        policy=policy,
        log_key=log_key,
        witness_keys={n: _key_in(folder / n) for n in "ab"},
        log_public=log_public,
        submitter_public=raw_public(submitter.public_key()),
    )


def of_size(material: Material, index: int, size: int, log: Log) -> dict[str, Any]:
    """The receipt of an entry in the tree of the first `size` entries, cosigned by both witnesses."""
    note = log.note(size)
    for name, key in material.witness_keys.items():
        note += cosign(log.note(size), key, material.policy.witnesses[name].key, t_s=1_795_424_400)
    path = [base64.b64encode(node).decode() for node in prove_inclusion(index, size, log.node)]
    return {**material.receipts[index], "index": index, "path": path, "checkpoint": note}


def log_of(material: Material) -> Log:
    """The tree over the leaves of the receipts, which can be signed at every size."""
    log = Log(material.vkey.split("+")[0], material.log_key)
    log.give({number: base64.b64decode(one["leaf"]) for number, one in enumerate(material.receipts)})
    return log


def altered(receipts: list[dict[str, Any]], count: int, rng: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Receipts with one fault each, all faults as often."""
    for number in range(count):
        fault = FAULTS[number % len(FAULTS)]
        given = copy.deepcopy(rng.choice(receipts))
        _alter(given, fault, receipts, rng)
        yield fault, given


def _alter(given: dict[str, Any], fault: str, receipts: list[dict[str, Any]], rng: random.Random) -> None:
    origin, size, root, blank, log_line, *witnesses = given["checkpoint"].split("\n")
    if fault in ("checksum", "leaf"):
        raw = bytearray(base64.b64decode(given["leaf"]))
        # The first 32 bytes are the checksum, the others the submitter's signature and key hash.
        raw[rng.randrange(32) if fault == "checksum" else rng.randrange(32, 128)] ^= 1 << rng.randrange(8)
        given["leaf"] = base64.b64encode(bytes(raw)).decode()
    elif fault == "path":
        at = rng.randrange(len(given["path"]))
        given["path"][at] = _flip(given["path"][at], rng)
    elif fault == "path too short":
        del given["path"][rng.randrange(len(given["path"]))]
    elif fault == "path too long":
        given["path"].insert(rng.randrange(len(given["path"]) + 1), base64.b64encode(rng.randbytes(32)).decode())
    elif fault == "index":
        given["index"] += 1 if given["index"] + 1 < int(size) else -1
    elif fault == "index outside":
        given["index"] += int(size)
    elif fault == "path of another":
        given["path"] = rng.choice([r["path"] for r in receipts if r["path"] != given["path"]])
    elif fault == "root":
        root = _flip(root, rng)
    elif fault == "size":
        size = str(int(size) * 2)
    elif fault == "log's signature":
        log_line = _flip_signature(log_line, rng, skip=4)
    elif fault == "cosignature":
        witnesses[0] = _flip_signature(witnesses[0], rng, skip=12)
    given["checkpoint"] = "\n".join([origin, size, root, blank, log_line, *witnesses])


def _flip(text: str, rng: random.Random, skip: int = 0) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[rng.randrange(skip, len(raw))] ^= 1 << rng.randrange(8)
    return base64.b64encode(bytes(raw)).decode()


def _flip_signature(line: str, rng: random.Random, *, skip: int) -> str:
    dash, name, blob = line.split(" ")
    return f"{dash} {name} {_flip(blob, rng, skip)}"


def every_inclusion(largest: int, log: Log) -> Iterator[tuple[int, int, bytes, bytes, list[bytes]]]:
    """index, size, hash of the leaf, root and path: of every entry of every size."""
    for size in range(1, largest + 1):
        root = log.root(size)
        for index in range(size):
            yield index, size, log.node(0, index), root, prove_inclusion(index, size, log.node)


def every_consistency(largest: int, log: Log) -> Iterator[tuple[int, int, bytes, bytes, list[bytes]]]:
    """size1, size2, both roots and the path: of every pair of different sizes."""
    for second in range(2, largest + 1):
        for first in range(1, second):
            yield first, second, log.root(first), log.root(second), prove_consistency(first, second, log.node)


def sigsum_proof(receipt: dict[str, Any], material: Material) -> str:
    """The same receipt as a Sigsum proof, version 2."""
    leaf = base64.b64decode(receipt["leaf"])
    _, size, root, _, log_line, *_ = receipt["checkpoint"].split("\n")
    lines = [
        "version=2",
        f"log={hashlib.sha256(material.log_public).hexdigest()}",
        f"leaf={leaf[96:].hex()} {leaf[32:96].hex()}",
        "",
        f"size={size}",
        f"root_hash={base64.b64decode(root).hex()}",
        f"signature={base64.b64decode(log_line.split(' ')[2])[4:].hex()}",
    ]
    for line in receipt["checkpoint"].split("\n\n")[1].splitlines()[1:]:
        blob = base64.b64decode(line.split(" ")[2])
        witness = next(key for key in material.policy.vkeys() if key.name == line.split(" ")[1])
        key_hash = hashlib.sha256(witness.public).hexdigest()
        lines.append(f"cosignature={key_hash} {int.from_bytes(blob[4:12], 'big')} {blob[12:].hex()}")
    if int(size) > 1:
        lines += ["", f"leaf_index={receipt['index']}"]
        lines += [f"node_hash={base64.b64decode(node).hex()}" for node in receipt["path"]]
    return "\n".join(lines) + "\n"


def sigsum_policy(material: Material) -> str:
    """The policy with bare keys, as Sigsum writes them."""
    witnesses = [f"witness {one.name} {one.key.public.hex()}" for one in material.policy.witnesses.values()]
    return "\n".join([f"log {material.log_public.hex()}", *witnesses, "group both all a b", "quorum both\n"])


def counted_cosignatures(receipt: dict[str, Any], policy: WitnessPolicy) -> int:
    """How many of the policy's witnesses cosigned this receipt's checkpoint."""
    return len(read_cosignatures(receipt["checkpoint"], policy.vkeys()))


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for one run."""
    return tempfile.TemporaryDirectory(prefix="kith-judges-")
