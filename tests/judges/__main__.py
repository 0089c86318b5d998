"""`make judges`: every verifier that we did not write says what it holds of our receipts, proofs, tiles and witnesses.

Prints one line for each judgement, with its size, and loudly what could not be had here. Ends with 1 when a judge
disagrees; with --strict also when one was skipped.
usage: python -m tests.judges [--receipts N] [--largest N] [--strict]
"""

import argparse
import base64
import copy
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import verify
from audit.tree import ProofError, verify_consistency, verify_inclusion
from tests.audit.test_tree import cases, decoded, path_of
from tests.audit.trees import Log
from tests.judges import material as made
from tests.judges import tools, witnesses
from tests.judges.material import Material
from tests.judges.tools import Missing

#: What a judge without signed notes, or without witnesses, cannot see.
UNSEEN = {
    "@transmute/rfc9162": {"log's signature", "cosignature"},
    "Go x/mod": {"cosignature"},
    "sigstore": {"cosignature"},
    # It computes the checksum itself, from the envelope.
    "sigsum-verify": {"checksum"},
}
FLIPS = 3_000


@dataclass
class Report:
    """What was judged, what went wrong and what was skipped."""

    wrong: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def judged(self, judge: str, what: str, expected: Iterable[bool], said: Iterable[bool], began: float) -> None:
        pairs = list(zip(expected, said, strict=True))
        faults = sum(want != got for want, got in pairs)
        accepted = sum(1 for want, got in pairs if want and got)
        refused = sum(1 for want, got in pairs if not want and not got)
        valid = sum(want for want, _ in pairs)
        altered = len(pairs) - valid
        line = f"{judge}: {what}: {accepted:,} of {valid:,} valid accepted, {refused:,} of {altered:,} altered refused"
        print(f"{'WRONG' if faults else 'ok':6} {line} ({time.monotonic() - began:.1f} s)", flush=True)
        if faults:
            self.wrong.append(line)

    def skip(self, judge: str, why: object) -> None:
        print(f"SKIPPED {judge}: {why}", flush=True)
        self.skipped.append(judge)


def main() -> int:
    """Run all judges. Returns: 0 when all agree."""
    parser = argparse.ArgumentParser(prog="make judges", description=__doc__)
    parser.add_argument("--receipts", type=int, default=1_000)
    parser.add_argument("--largest", type=int, default=600, help="sizes 1 to this one, exhaustively")
    parser.add_argument("--strict", action="store_true", help="a judge that cannot be had is a failure")
    options = parser.parse_args()
    report, rng = Report(), random.Random(6962)
    with made.scratch() as name:
        folder = Path(name)
        print(f"Writing a trail of {options.receipts:,} entries with two witnesses ...", flush=True)
        material = made.make(folder, options.receipts)
        judgements: dict[str, Callable[[], None]] = {
            "the vectors of transparency-dev/merkle": lambda: _vectors(report),
            "our one-file verifier": lambda: _ours(report, material, folder, rng),
            "Go x/mod": lambda: _go(report, material, folder, options.largest, rng),
            "@transmute/rfc9162": lambda: _transmute(report, material, options.largest, rng),
            "sigstore": lambda: _sigstore(report, material, options.largest, rng),
            "sigsum-verify": lambda: _sigsum(report, material, folder, options.largest, rng),
            "litewitness": lambda: witnesses.judge(report, folder, rng),
        }
        for judge, judgement in judgements.items():
            try:
                judgement()
            except Missing as why:
                report.skip(judge, why)
    if report.skipped:
        print(f"\n*** NOT JUDGED HERE: {', '.join(report.skipped)} ***")
    print(f"\n{'A JUDGE DISAGREES' if report.wrong else 'Every judge that was asked agrees.'}")
    return 1 if report.wrong or (options.strict and report.skipped) else 0


# One judge each


def _vectors(report: Report) -> None:
    began = time.monotonic()
    expected, said = [], []
    for case in cases("inclusion"):
        leaf, root = decoded(case, "leafHash", "root")
        expected.append(not case["wantErr"])
        said.append(_holds(verify_inclusion, case["leafIdx"], case["treeSize"], leaf, path_of(case), root))
    for case in cases("consistency"):
        root1, root2 = decoded(case, "root1", "root2")
        # One expects roots of 12 bytes to be believed; hash lengths are checked here.
        expected.append(not case["wantErr"] and len(root1) == 32)
        said.append(_holds(verify_consistency, case["size1"], case["size2"], path_of(case), root1, root2))
    report.judged("transparency-dev/merkle", "vectors held against our own tree", expected, said, began)


def _ours(report: Report, material: Material, folder: Path, rng: random.Random) -> None:
    began = time.monotonic()
    policy_file = folder / "policy"
    lines = [f"witness {one.name} {one.key}" for one in material.policy.witnesses.values()]
    policy_file.write_text("\n".join([f"log {material.vkey}", *lines, "group both all a b", "quorum both\n"]))
    policy, path = verify._Policy(policy_file.read_text()), folder / "receipt.json"
    expected, said = [], []
    for valid, receipt in _receipts(material, rng, set()):
        path.write_text(json.dumps(receipt))
        try:
            verify.verify_receipt(path, material.vkey, [], policy=policy)
        except (verify.Refused, ValueError):
            said.append(False)
        else:
            said.append(True)
        expected.append(valid)
    report.judged("our one-file verifier", "receipts with two witnesses", expected, said, began)


def _go(report: Report, material: Material, folder: Path, largest: int, rng: random.Random) -> None:
    command = [str(tools.go_judge())]
    _receipts_by(report, "Go x/mod", command, material, rng)
    _exhaustively(report, "Go x/mod", command, largest, rng, consistency=True)
    began = time.monotonic()
    target = folder / "flipped"
    shutil.copytree(material.export, target)
    tiles = sorted(path for path in (target / "tile").rglob("*") if path.is_file())
    expected, said = [True], []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as judge:
        assert judge.stdin is not None
        assert judge.stdout is not None

        def asked() -> bool:
            judge.stdin.write(f"T {material.vkey} {target}\n")  # type: ignore[union-attr]
            judge.stdin.flush()  # type: ignore[union-attr]
            return judge.stdout.readline() == "1\n"  # type: ignore[union-attr]

        said.append(asked())
        for _ in range(FLIPS):
            tile = rng.choice(tiles)
            given = tile.read_bytes()
            flipped = bytearray(given)
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            tile.write_bytes(bytes(flipped))
            expected.append(False)
            said.append(asked())
            tile.write_bytes(given)
        expected.append(True)
        said.append(asked())
        judge.stdin.close()
    report.judged("Go x/mod", "tiles and entry bundles, whole and with one flipped bit", expected, said, began)


def _transmute(report: Report, material: Material, largest: int, rng: random.Random) -> None:
    node, package = tools.transmute()
    command = [str(node), str(tools.HERE / "judge.mjs"), str(package)]
    _receipts_by(report, "@transmute/rfc9162", command, material, rng)
    _exhaustively(report, "@transmute/rfc9162", command, largest, rng, consistency=True)


def _sigstore(report: Report, material: Material, largest: int, rng: random.Random) -> None:
    command = [str(tools.sigstore()), str(tools.HERE / "judge_sigstore.py")]
    _receipts_by(report, "sigstore", command, material, rng)
    _exhaustively(report, "sigstore", command, largest, rng, consistency=False)


def _sigsum(report: Report, material: Material, folder: Path, largest: int, rng: random.Random) -> None:
    program = tools.debian("sigsum-go", "bookworm-backports", "sigsum-verify")
    files = {name: folder / f"sigsum-{name}" for name in ("keys", "policy", "proof")}
    public = Ed25519PublicKey.from_public_bytes(material.submitter_public)
    files["keys"].write_bytes(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b"\n")
    files["policy"].write_text(made.sigsum_policy(material))
    command = [program, "-k", files["keys"], "-p", files["policy"], files["proof"]]

    def holds(receipt: dict[str, Any]) -> bool:
        files["proof"].write_text(made.sigsum_proof(receipt, material))
        envelope = base64.b64decode(receipt["envelope"])
        return subprocess.run(command, input=envelope, capture_output=True, check=False).returncode == 0

    began = time.monotonic()
    asked = list(_receipts(material, rng, UNSEEN["sigsum-verify"]))
    said = [holds(receipt) for _, receipt in asked]
    report.judged("sigsum-verify", "receipts with two witnesses", [valid for valid, _ in asked], said, began)
    began, expected, said = time.monotonic(), [], []
    log = made.log_of(material)
    # Each is a process of its own: of every size the first, the last and one other entry.
    for size in range(1, min(largest, len(material.receipts)) + 1):
        for index in sorted({0, size - 1, rng.randrange(size)}):
            receipt = made.of_size(material, index, size, log)
            expected += [True, False]
            said.append(holds(receipt))
            receipt["leaf"] = base64.b64encode(base64.b64decode(receipt["leaf"])[::-1]).decode()
            said.append(holds(receipt))
    report.judged("sigsum-verify", f"receipts of every size from 1 to {largest}", expected, said, began)


# What several judges are asked


def _receipts(material: Material, rng: random.Random, unseen: set[str]) -> Iterable[tuple[bool, dict[str, Any]]]:
    """As many altered receipts as valid ones; what a judge cannot see is replaced by more of what it can."""
    yield from ((True, receipt) for receipt in material.receipts)
    wanted = len(material.receipts)
    for fault, receipt in made.altered(material.receipts, wanted * 2, rng):
        if wanted and fault not in unseen:
            wanted -= 1
            yield False, copy.deepcopy(receipt)


def _receipts_by(report: Report, judge: str, command: list[str], material: Material, rng: random.Random) -> None:
    began = time.monotonic()
    asked = list(_receipts(material, rng, UNSEEN[judge]))
    lines = [f"R {material.vkey} {base64.b64encode(json.dumps(r).encode()).decode()}\n" for _, r in asked]
    unseen = f" (it cannot see: {', '.join(sorted(UNSEEN[judge]))})"
    report.judged(judge, "receipts" + unseen, [valid for valid, _ in asked], _answers(command, lines), began)


def _exhaustively(
    report: Report, judge: str, command: list[str], largest: int, rng: random.Random, *, consistency: bool
) -> None:
    """Each proof as it is, and once with one flipped bit in one of its hashes."""
    log = Log("exhaustive.example/log")
    proofs = {"I": made.every_inclusion(largest, log)}
    if consistency:
        proofs["C"] = made.every_consistency(largest, log)
    for letter, all_proofs in proofs.items():
        began, lines, expected = time.monotonic(), [], []
        for first, second, one, other, path in all_proofs:
            hashes = [one, other, *path]
            lines.append(f"{letter} {first} {second} {' '.join(h.hex() for h in hashes)}\n")
            at = rng.randrange(len(hashes))
            flipped = bytearray(hashes[at])
            flipped[rng.randrange(32)] ^= 1 << rng.randrange(8)
            hashes[at] = bytes(flipped)
            lines.append(f"{letter} {first} {second} {' '.join(h.hex() for h in hashes)}\n")
            expected += [True, False]
        what = f"{'inclusion' if letter == 'I' else 'consistency'} proofs, sizes 1 to {largest} exhaustively"
        report.judged(judge, what, expected, _answers(command, lines), began)


def _holds(check: Callable[..., None], *given: Any) -> bool:
    try:
        check(*given)
    except ProofError:
        return False
    return True


def _answers(command: list[str], lines: list[str]) -> list[bool]:
    done = subprocess.run(command, input="".join(lines), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"it broke off: {(done.stderr.strip().splitlines() or ['without a word'])[-1]}")
    return [word == "1" for word in done.stdout.split()]


if __name__ == "__main__":
    sys.exit(main())
