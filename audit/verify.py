"""An independent check of an exported trail or of one receipt.

For: anyone who does not want to believe the hub. It shares no code with the writer: it reads the files by itself,
recomputes every hash and signature, and says in words what it found. Only the standard library and `cryptography`
are used, so that this one file can be carried away and run on its own: `python verify.py DIR [--key VKEY]`.
It must never print what an entry says. Ruled by RFC 6962, c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint,
c2sp.org/signed-note, c2sp.org/tlog-proof, c2sp.org/tlog-cosignature, c2sp.org/tlog-policy and the Sigsum v1 tree leaf.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_WIDTH = 256
_HASH = 32
_LEAF = 128

#: A signature costs fifty times a hash. Beyond so many entries, so many are drawn by lot unless all are asked for:
#: every byte of every leaf is under the log's signature in any case, and every submitter's key is looked at.
_SIGNATURES_BY_LOT = 10_000

#: An envelope is canonical JSON, so it looks like this and in no other way.
_ENVELOPE = re.compile(
    rb'\{"event":\{.*\},"header":\{"eid":"([0-9a-f]{32})","kind":"([a-z:-]+)","t":(-?[0-9]+),"v":(?:1\},'
    rb'"salt":"[A-Za-z0-9+/]{43}="|2\},"salt":"[A-Za-z0-9+/]{43}=","staff":\[[^\]]*\]),"subjects":\[[^\]]*\]\}',
    re.DOTALL,
)


class Refused(Exception):
    """What was found wrong, in words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names. Returns: 0 when everything holds, 1 when anything does not."""
    parser = argparse.ArgumentParser(prog="audit verify", description="Check an exported audit trail, or a receipt.")
    parser.add_argument("path", type=Path, help="the directory of an export, or the file of a receipt")
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the witnesses, and how many of them must have cosigned"
    )
    parser.add_argument("--key", metavar="VKEY", help="the log's verifier key, from a source other than the export")
    parser.add_argument(
        "--submitter", metavar="HEX", action="append", default=[], help="accept leaves of this public key only"
    )
    parser.add_argument(
        "--all-signatures",
        action="store_true",
        help=f"check the submitter's signature on every entry, also beyond {_SIGNATURES_BY_LOT} entries",
    )
    parser.add_argument(
        "--known",
        metavar="CHECKPOINT",
        type=Path,
        action="append",
        default=[],
        help="a checkpoint kept from before, or had from a partner: this export must continue it (may be repeated)",
    )
    options = parser.parse_args(arguments)
    try:
        policy = _Policy(options.policy.read_text(encoding="utf-8")) if options.policy else None
        key = policy.log() if policy and options.key is None else options.key
        if options.path.is_dir():
            said = verify_directory(
                options.path, key, options.submitter, every=options.all_signatures, known=options.known, policy=policy
            )
        else:
            said = verify_receipt(options.path, key, options.submitter, policy=policy)
    except Refused as fault:
        sys.stdout.write(f"NOT VERIFIED: {fault}\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError, IndexError) as fault:
        sys.stdout.write(f"NOT VERIFIED: the files cannot be read as they should ({type(fault).__name__}).\n")
        return 1
    for sentence in said:
        sys.stdout.write(f"{sentence}\n")
    sys.stdout.write("VERIFIED\n")
    return 0


def verify_directory(
    directory: Path,
    vkey: str | None,
    trusted: Sequence[str],
    *,
    every: bool = True,
    known: Sequence[Path] = (),
    policy: "_Policy | None" = None,
) -> list[str]:
    """Recompute a whole export. Returns: sentences. Raises: Refused."""
    said: list[str] = []
    if vkey is None:
        vkey = _own_key(directory)
        said.append(
            "The key came from the export itself: this shows that the export is whole, not who made it."
            " Give --key from another source."
        )
    size, root = _open_checkpoint((directory / "checkpoint").read_text(encoding="utf-8"), vkey)
    if policy is not None:
        witnessed = directory / "cosigned"
        if not witnessed.exists():
            raise Refused("the export holds no checkpoint that witnesses cosigned.")
        known = [*known, witnessed]
        said.append(policy.require(witnessed.read_text(encoding="utf-8")))
    kept = _earlier_roots(known, vkey, size)
    lot = None if every or size <= _SIGNATURES_BY_LOT else set(_draw(size))
    keys = {**_submitter_keys(directory, trusted), **_keys_by_hash([_log_key(vkey)])}
    walked = _walk(directory, size, keys, log_hash=hashlib.sha256(_log_key(vkey)).digest(), kept=kept, lot=lot)
    if walked.tree.root() != root:
        raise Refused("the entries lead to another root than the one that was signed.")
    tiles = _check_tiles(directory, walked.tree, size)
    _check_nothing_beyond(directory, size)
    said += walked.sentences(lot, tiles)
    if known:
        said.append(f"The export continues {len(known)} known checkpoint(s).")
    if not trusted:
        said.append("Submitters' keys came from the export; give --submitter to accept certain keys only.")
    return said


class _Walked:
    """What was met on the way through all entries."""

    def __init__(self) -> None:
        self.tree = _Tree()
        self.envelopes = 0
        self.certified: set[bytes] = set()
        self.backwards = 0
        self._latest = 0

    def meet(self, t: int) -> None:
        """An envelope of this time, in UTC milliseconds."""
        self.envelopes += 1
        self.backwards += t < self._latest - 60_000
        self._latest = max(self._latest, t)

    def sentences(self, lot: "set[int] | None", tiles: int) -> list[str]:
        checked = "all" if lot is None else f"{len(lot)} drawn by lot (--all-signatures checks every one)"
        said = [
            f"{self.tree.size} entries of known submitters lead to the signed root.",
            f"Submitters' signatures checked: {checked}.",
            f"{tiles} tiles hold the hashes that the entries lead to.",
        ]
        if self.envelopes:
            said.append(f"{self.envelopes} envelopes are the ones that the entries commit to.")
            said.append(f"Submitters that the log certified by a key leaf: {len(self.certified)}.")
        else:
            said.append("The export has no envelopes: what the entries say was not looked at.")
        if self.backwards:
            said.append(
                f"Look at the clocks: {self.backwards} events are more than 60 seconds older than an earlier entry."
            )
        return said


def _walk(
    directory: Path,
    size: int,
    keys: dict[bytes, Ed25519PublicKey],
    *,
    log_hash: bytes,
    kept: dict[int, bytes],
    lot: "set[int] | None",
) -> _Walked:
    """Every entry in order: its leaf, its envelope, who may write, and the tree so far. Raises: Refused."""
    walked = _Walked()
    tree = walked.tree
    for number, width in _bundles(size):
        leaves = list(_split(_read(directory, "tile/entries", number, width), 2))
        if len(leaves) != width:
            raise Refused(f"entry bundle {number} holds {len(leaves)} entries, not {width}.")
        envelopes = _envelopes(directory, number, width)
        for index, leaf in enumerate(leaves, number * _WIDTH):
            by_log = leaf[96:] == log_hash
            _check_leaf(index, leaf, keys, with_signature=lot is None or by_log or index in lot)
            tree.add(hashlib.sha256(b"\x00" + leaf).digest())
            if tree.size in kept and tree.root() != kept[tree.size]:
                raise Refused(f"the first {tree.size} entries are not those of a known checkpoint: two histories.")
            if envelopes is None:
                continue
            envelope = envelopes[index - number * _WIDTH]
            walked.meet(_check_envelope(index, leaf, envelope))
            if by_log:
                walked.certified.add(_certified(index, envelope))
            elif walked.certified and leaf[96:] not in walked.certified:
                raise Refused(f"entry {index} was signed by a key that no key leaf before it certifies.")
    if tree.size != size:
        raise Refused(f"the checkpoint speaks of {size} entries, the export has {tree.size}.")
    return walked


def _own_key(directory: Path) -> str:
    """The log's key as the export itself has it."""
    own = directory / "log.vkey"
    if not own.exists():
        raise Refused("no --key was given, and the export has none beside it.")
    return own.read_text(encoding="utf-8")


def _earlier_roots(known: Sequence[Path], vkey: str, size: int) -> dict[int, bytes]:
    """The roots of known checkpoints by size. Raises: Refused, when one is of more entries than there are."""
    kept: dict[int, bytes] = {}
    for path in known:
        earlier, root = _open_checkpoint(path.read_text(encoding="utf-8"), vkey)
        if earlier > size:
            raise Refused(f"a known checkpoint speaks of {earlier} entries, this export only of {size}.")
        if kept.setdefault(earlier, root) != root:
            raise Refused(f"two known checkpoints of {earlier} entries contradict each other: two histories.")
    return kept


def verify_receipt(
    path: Path, vkey: str | None, trusted: Sequence[str], *, policy: "_Policy | None" = None
) -> list[str]:
    """Check one receipt, as a bundle or as a tlog-proof. Returns: sentences. Raises: Refused."""
    if vkey is None:
        raise Refused("a receipt can only be checked against the log's key: give --key.")
    data = path.read_bytes()
    if data.startswith(b"c2sp.org/tlog-proof@v1\n"):
        return _verify_tlog_proof(data.decode("utf-8"), vkey, policy)
    bundle = _json(data)
    if bundle.get("format") == "kith-consistency/1":
        return _verify_consistency(bundle, vkey, policy)
    if not isinstance(bundle, dict) or bundle.get("format") != "kith-receipt/1":
        raise Refused("this is not a receipt of the format kith-receipt/1.")
    expected = {"format", "eid", "kind", "t", "index", "leaf", "path", "checkpoint", "submitter", "envelope"}
    if bundle.keys() - expected or (expected - {"envelope"}) - bundle.keys():
        raise Refused("the receipt has other keys than it should.")
    size, root = _open_checkpoint(bundle["checkpoint"], vkey)
    leaf, submitter = _unbase64(bundle["leaf"]), _unbase64(bundle["submitter"])
    if trusted and submitter != _log_key(vkey) and submitter.hex() not in {key.lower() for key in trusted}:
        raise Refused("the receipt's submitter is not one that you accept.")
    index = bundle["index"]
    if type(index) is not int or not 0 <= index < size:
        raise Refused("the receipt's index lies outside the tree.")
    _check_leaf(index, leaf, {hashlib.sha256(submitter).digest(): Ed25519PublicKey.from_public_bytes(submitter)})
    path_hashes = [_unbase64(node) for node in bundle["path"]]
    if any(len(node) != _HASH for node in path_hashes):
        raise Refused("a hash of the path has not 32 bytes.")
    if _climb(index, size, hashlib.sha256(b"\x00" + leaf).digest(), path_hashes) != root:
        raise Refused("the path does not lead to the signed root.")
    said = [f"Entry {index} is in the signed trail of {size} entries."]
    said.append(policy.require(bundle["checkpoint"]) if policy else _NO_POLICY)
    if "envelope" not in bundle:
        said.append("The receipt has no envelope: which event this is, and when, rests on the word of its giver.")
        return said
    envelope = _unbase64(bundle["envelope"])
    _check_envelope(index, leaf, envelope)
    header = _json(envelope)["header"]
    if (header["eid"], header["kind"], header["t"]) != (bundle["eid"], bundle["kind"], bundle["t"]):
        raise Refused("the receipt says something else than its envelope.")
    said.append("Its envelope is the one that the entry commits to, and the receipt says what the envelope says.")
    return said


def _verify_tlog_proof(text: str, vkey: str, policy: "_Policy | None") -> list[str]:
    """A proof in the form of c2sp.org/tlog-proof, whose extra data is the leaf."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise Refused("the proof has no extra data (the leaf), no index or no checkpoint.")
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[2][6:], re.ASCII):
        raise Refused("the proof's index is not a plain number.")
    leaf, index = _unbase64(lines[1][6:]), int(lines[2][6:])
    path = [_unbase64(line) for line in lines[3:]]
    size, root = _open_checkpoint(note, vkey)
    if len(leaf) != _LEAF or any(len(node) != _HASH for node in path):
        raise Refused("the leaf or a hash of the path has not the proper length.")
    if index >= size:
        raise Refused("the proof's index lies outside the tree.")
    if _climb(index, size, hashlib.sha256(b"\x00" + leaf).digest(), path) != root:
        raise Refused("the path does not lead to the signed root.")
    said = [f"Entry {index} is in the signed trail of {size} entries."]
    said.append(policy.require(note) if policy else _NO_POLICY)
    said.append("A proof of this form holds no envelope and no submitter's key: those were not looked at.")
    return said


def _verify_consistency(bundle: "dict[str, object]", vkey: str, policy: "_Policy | None") -> list[str]:
    """Two checkpoints, and the proof that the later one continues the earlier one."""
    notes = bundle.get("earlier"), bundle.get("later")
    path = bundle.get("path")
    if bundle.keys() != {"format", "earlier", "later", "path"} or not isinstance(path, list):
        raise Refused("the proof has other keys than it should.")
    (first, root1), (second, root2) = (_open_checkpoint(str(note), vkey) for note in notes)
    hashes = [_unbase64(node) for node in path]
    if first > second or any(len(node) != _HASH for node in hashes):
        raise Refused("the checkpoints are the wrong way round, or a hash has not 32 bytes.")
    if _both_roots(first, second, list(hashes), root1) != (root1, root2):
        raise Refused("the later checkpoint does not continue the earlier one.")
    said = [f"The trail of {second} entries begins with the {first} entries that were signed before, unchanged."]
    said.append(policy.require(str(notes[1])) if policy else _NO_POLICY)
    return said


def _both_roots(first: int, second: int, path: list[bytes], whole: bytes) -> tuple[bytes, bytes]:
    """The two roots that a consistency proof leads to, taken apart as RFC 6962 section 2.1.2 puts it together."""

    def roots(first: int, second: int, known: bool) -> tuple[bytes, bytes]:
        if first == second:
            node = whole if known else _next(path)
            return node, node
        half = 1
        while half * 2 < second:
            half *= 2
        if first <= half:
            then, now = roots(first, half, known)
            return then, _parent(now, _next(path))
        then, now = roots(first - half, second - half, False)
        left = _next(path)
        return _parent(left, then), _parent(left, now)

    found = roots(first, second, True)
    if path:
        raise Refused("the proof is too long.")
    return found


def _next(path: list[bytes]) -> bytes:
    if not path:
        raise Refused("the proof is too short.")
    return path.pop(0)


# Witnesses

_NO_POLICY = "No --policy was given: whether witnesses cosigned was not looked at."


class _Policy:
    """The witnesses that count, and how many must have cosigned: a file of c2sp.org/tlog-policy."""

    def __init__(self, text: str) -> None:
        self._logs: list[str] = []
        self._witnesses: dict[str, tuple[str, bytes, bytes]] = {}
        self._groups: dict[str, tuple[int, list[str]]] = {}
        self._quorum: str | None = None
        members: set[str] = set()
        for number, line in enumerate(text.split("\n"), 1):
            words = line.replace("\t", " ").split()
            if not words or words[0].startswith("#"):
                continue
            known = {*self._witnesses, *self._groups}
            if words[0] == "log" and len(words) in (2, 3):
                self._logs.append(words[1])
            elif words[0] == "witness" and len(words) in (3, 4) and words[1] not in {*known, "none"}:
                self._witnesses[words[1]] = self._witness_key(words[2])
            elif words[0] == "group" and len(words) >= 4 and words[1] not in {*known, "none"}:
                least = {"any": "1", "all": str(len(words) - 3)}.get(words[2], words[2])
                if (
                    not known.issuperset(words[3:])
                    or members.intersection(words[3:])
                    or len(set(words[3:])) < len(words[3:])
                ):
                    raise Refused(f"line {number} of the policy names a member twice, or one that is not there.")
                if not re.fullmatch(r"[1-9][0-9]{0,3}", least, re.ASCII) or int(least) > len(words) - 3:
                    raise Refused(f"line {number} of the policy asks for another number than it can have.")
                members.update(words[3:])
                self._groups[words[1]] = int(least), words[3:]
            elif words[0] == "quorum" and len(words) == 2 and self._quorum is None and words[1] in {*known, "none"}:
                self._quorum = words[1]
            else:
                raise Refused(f"line {number} of the policy cannot be read.")
        if self._quorum is None:
            raise Refused("the policy has no quorum line.")
        if len({key for _, _, key in self._witnesses.values()}) < len(self._witnesses):
            raise Refused("the policy lists one witness twice.")

    def log(self) -> str | None:
        """The log's verifier key, when the policy names one log."""
        return self._logs[0] if len(self._logs) == 1 else None

    def require(self, note: str) -> str:
        """Returns: a sentence. Raises: Refused, when these are not enough, or when one of a known witness fails."""
        text, _, tail = note.rpartition("\n\n")
        signed: dict[str, int] = {}
        for line in tail.removesuffix("\n").split("\n"):
            parts = line.split(" ")
            if len(parts) != 3:
                raise Refused("a signature line of the checkpoint is malformed.")
            blob = _unbase64(parts[2])
            for name, (key_name, key_id, key) in self._witnesses.items():
                if (parts[1], blob[:4]) != (key_name, key_id):
                    continue
                at = int.from_bytes(blob[4:12], "big")
                message = f"cosignature/v1\ntime {at}\n{text}\n".encode()
                try:
                    Ed25519PublicKey.from_public_bytes(key).verify(blob[12:], message)
                except InvalidSignature:
                    raise Refused(f"the cosignature of {name} does not hold.") from None
                if name in signed:
                    raise Refused(f"{name} cosigned twice.")
                signed[name] = at
        if self._quorum != "none" and not self._met(str(self._quorum), signed):
            raise Refused(f"cosigned by {', '.join(sorted(signed)) or 'nobody'}: that is no quorum of the policy.")
        when = max((datetime.fromtimestamp(at, UTC) for at in signed.values()), default=None)
        last = f", the last at {when:%Y-%m-%d %H:%M:%S} UTC" if when else ""
        return f"Cosigned by {', '.join(sorted(signed)) or 'nobody'}{last}: a quorum of the policy."

    def _met(self, name: str, signed: "dict[str, int]") -> bool:
        if name not in self._groups:
            return name in signed
        least, members = self._groups[name]
        return sum(self._met(member, signed) for member in members) >= least

    @staticmethod
    def _witness_key(vkey: str) -> tuple[str, bytes, bytes]:
        name, key_hash, encoded = _three(vkey)
        material = _unbase64(encoded)
        key_id = hashlib.sha256(f"{name}\n".encode() + material).digest()[:4]
        if len(material) != 33 or material[0] != 4 or key_id.hex() != key_hash:
            raise Refused("a witness's key in the policy is not one of Ed25519 cosignatures.")
        return name, key_id, material[1:]


# The signed note


def _open_checkpoint(note: str, vkey: str) -> tuple[int, bytes]:
    """Returns: the size and root that this key signed."""
    name, key_hash, encoded = _three(vkey.strip())
    material = _unbase64(encoded)
    if len(material) != 33 or material[0] != 1:
        raise Refused("the verifier key is not an Ed25519 key.")
    key_id = hashlib.sha256(f"{name}\n".encode() + material).digest()[:4]
    if key_id.hex() != key_hash:
        raise Refused("the verifier key's own hash is wrong.")
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise Refused("the checkpoint is not a signed note.")
    text += "\n"
    seen = 0
    for line in signatures[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise Refused("a signature line of the checkpoint is malformed.")
        blob = _unbase64(parts[2])
        if parts[1] != name or blob[:4] != key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(material[1:]).verify(blob[4:], text.encode())
        except InvalidSignature:
            raise Refused("the signature of the checkpoint does not hold.") from None
        seen += 1
    if seen != 1:
        raise Refused("the checkpoint is not signed, once, by this key.")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or lines[0] != name:
        raise Refused("the checkpoint belongs to another log.")
    if not re.fullmatch(r"[1-9][0-9]{0,18}", lines[1], re.ASCII):
        raise Refused("the checkpoint has no proper size.")
    root = _unbase64(lines[2])
    if len(root) != _HASH:
        raise Refused("the root of the checkpoint has not 32 bytes.")
    return int(lines[1]), root


def _log_key(vkey: str) -> bytes:
    """The log's public key; the verifier key was checked before."""
    return _unbase64(_three(vkey.strip())[2])[1:]


def _three(vkey: str) -> tuple[str, str, str]:
    # The key itself may contain a plus sign, so only the first two separate.
    first, second = vkey.find("+"), vkey.find("+", vkey.find("+") + 1)
    if first <= 0 or second < 0:
        raise Refused("the verifier key is not of the form name+hash+key.")
    return vkey[:first], vkey[first + 1 : second], vkey[second + 1 :]


# The tree


class _Tree:
    """All hashes of the tree, level by level: those of complete subtrees at every eighth level are kept."""

    def __init__(self) -> None:
        self.size = 0
        self.kept: dict[int, bytearray] = {}
        self._stack: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        self.size += 1
        level, node = 0, leaf
        self._keep(level, node)
        while self._stack and self._stack[-1][0] == level:
            node = _parent(self._stack.pop()[1], node)
            level += 1
            self._keep(level, node)
        self._stack.append((level, node))

    def _keep(self, level: int, node: bytes) -> None:
        if level % 8 == 0:
            self.kept.setdefault(level // 8, bytearray()).extend(node)

    def root(self) -> bytes:
        nodes = [node for _, node in self._stack]
        while len(nodes) > 1:
            right = nodes.pop()
            nodes.append(_parent(nodes.pop(), right))
        return nodes[0] if nodes else hashlib.sha256(b"").digest()


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _climb(index: int, size: int, node: bytes, path: list[bytes]) -> bytes:
    """The root that a path leads to, by halving the tree as RFC 6962 section 2.1.1 does."""
    if size == 1:
        if path:
            raise Refused("the path is too long.")
        return node
    if not path:
        raise Refused("the path is too short.")
    half = 1
    while half * 2 < size:
        half *= 2
    if index < half:
        return _parent(_climb(index, half, node, path[:-1]), path[-1])
    return _parent(path[-1], _climb(index - half, size - half, node, path[:-1]))


# Leaves and envelopes


def _check_leaf(index: int, leaf: bytes, keys: dict[bytes, Ed25519PublicKey], *, with_signature: bool = True) -> None:
    if len(leaf) != _LEAF:
        raise Refused(f"entry {index} has not 128 bytes.")
    key = keys.get(leaf[96:])
    if key is None:
        raise Refused(f"entry {index} was signed by an unknown submitter.")
    if not with_signature:
        return
    try:
        key.verify(leaf[32:96], b"sigsum.org/v1/tree-leaf\x00" + leaf[:32])
    except InvalidSignature:
        raise Refused(f"the submitter's signature on entry {index} does not hold.") from None


def _check_envelope(index: int, leaf: bytes, envelope: bytes) -> int:
    """Returns: the event's time, in UTC milliseconds."""
    if hashlib.sha256(hashlib.sha256(envelope).digest()).digest() != leaf[:32]:
        raise Refused(f"the envelope of entry {index} is not the one that was signed.")
    found = _ENVELOPE.fullmatch(envelope)
    if found is None:
        raise Refused(f"the envelope of entry {index} is not built as it should be.")
    return int(found[3])


def _certified(index: int, envelope: bytes) -> bytes:
    """The hash of the key that a key leaf certifies. Nothing else is signed by the log's key."""
    event = _json(envelope)["event"]
    about = event.get("object", {})
    algorithm, _, public = str(about.get("id")).partition(":")
    key_hash = str(about.get("hash"))
    if event.get("action") != "SUBMITTER_KEY" or algorithm != "ed25519":
        raise Refused(f"entry {index} is signed by the log's key and is no key leaf.")
    if hashlib.sha256(bytes.fromhex(public)).hexdigest() != key_hash:
        raise Refused(f"the key leaf in entry {index} contradicts itself.")
    return bytes.fromhex(key_hash)


def _draw(size: int) -> list[int]:
    """Numbers that nobody could foresee."""
    return secrets.SystemRandom().sample(range(size), _SIGNATURES_BY_LOT)


def _submitter_keys(directory: Path, trusted: Sequence[str]) -> dict[bytes, Ed25519PublicKey]:
    if trusted:
        keys = [bytes.fromhex(key) for key in trusted]
    else:
        labelled = _json((directory / "submitters.json").read_bytes())
        keys = [bytes.fromhex(key) for key in labelled.values()]
        if labelled != {hashlib.sha256(key).hexdigest(): key.hex() for key in keys}:
            raise Refused("submitters.json does not name each key by its SHA-256.")
    return _keys_by_hash(keys)


def _keys_by_hash(keys: Sequence[bytes]) -> dict[bytes, Ed25519PublicKey]:
    return {hashlib.sha256(key).digest(): Ed25519PublicKey.from_public_bytes(key) for key in keys}


# Files


def _bundles(size: int) -> Iterator[tuple[int, int]]:
    for number in range(size // _WIDTH):
        yield number, _WIDTH
    if size % _WIDTH:
        yield size // _WIDTH, size % _WIDTH


def _number_path(number: int) -> str:
    path = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        path = f"x{number % 1000:03d}/{path}"
    return path


def _read(directory: Path, kind: str, number: int, width: int) -> bytes:
    path = f"{kind}/{_number_path(number)}"
    if width != _WIDTH:
        path += f".p/{width}"
    try:
        return (directory / path).read_bytes()
    except FileNotFoundError:
        raise Refused(f"{path} is missing.") from None


def _split(bundle: bytes, prefix: int) -> Iterator[bytes]:
    at = 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + prefix], "big")
        at += prefix
        if at + length > len(bundle):
            raise Refused("a bundle ends in the middle of an entry.")
        yield bundle[at : at + length]
        at += length


def _envelopes(directory: Path, number: int, width: int) -> list[bytes] | None:
    if not (directory / "envelopes").is_dir():
        return None
    envelopes = list(_split(_read(directory, "envelopes", number, width), 4))
    if len(envelopes) != width:
        raise Refused(f"envelope bundle {number} holds {len(envelopes)} envelopes, not {width}.")
    return envelopes


def _check_tiles(directory: Path, tree: _Tree, size: int) -> int:
    count, level = 0, 0
    while size >> (8 * level):
        hashes = bytes(tree.kept[level])
        for number, width in _bundles(size >> (8 * level)):
            start = number * _WIDTH * _HASH
            if _read(directory, f"tile/{level}", number, width) != hashes[start : start + width * _HASH]:
                raise Refused(f"tile {number} of level {level} holds other hashes than the entries lead to.")
            count += 1
        level += 1
    return count


def _check_nothing_beyond(directory: Path, size: int) -> None:
    """Complete bundles beyond the checkpoint mean that a larger trail was exported here before."""
    for kind in ("tile/entries", "tile/0"):
        beyond = directory / kind / _number_path(size // _WIDTH)
        if beyond.is_file():
            raise Refused("the directory holds more complete bundles than the checkpoint covers.")


def _json(data: bytes) -> "dict":  # type: ignore[type-arg]
    def once(pairs: "list[tuple[str, object]]") -> "dict[str, object]":
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Refused("a key stands twice in one record.")
        return found

    document = json.loads(data, object_pairs_hook=once)
    if not isinstance(document, dict):
        raise Refused("a record was expected.")
    return document


def _unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode("ascii") != text:
        raise Refused("a base64 text is not written in the one proper way.")
    return data


if __name__ == "__main__":
    # A reader who closes the pipe early has seen enough.
    try:
        sys.exit(main())
    except BrokenPipeError:
        os._exit(1)
