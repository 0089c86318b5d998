"""Proofs hold for what is true and for nothing else."""

import base64
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import ProofError
from audit.tree import (
    EMPTY_ROOT,
    Peaks,
    leaf_hash,
    node_hash,
    peak_positions,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parent.parent / "data" / "merkle" / "vectors.jsonl"
LARGEST = 64


def reference_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, read aloud: the definition, without any of our cleverness."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(reference_root(leaves[:split]), reference_root(leaves[split:]))


LEAVES = [bytes([number]) * 3 for number in range(LARGEST)]


@cache
def root_of(size: int) -> bytes:
    return reference_root(LEAVES[:size])


def read_node(level: int, number: int) -> bytes:
    return reference_root(LEAVES[number << level : (number + 1) << level])


def cases(family: str) -> list[dict]:
    with VECTORS.open() as lines:
        found = [json.loads(line) for line in lines]
    return [case for case in found if case["_path"].startswith(f"testdata/{family}/")]


def decoded(case: dict, *names: str) -> list[bytes]:
    return [base64.b64decode(case[name]) for name in names]


def path_of(case: dict) -> list[bytes]:
    return [base64.b64decode(node) for node in case["proof"] or []]


def test_the_vectors_are_all_there() -> None:
    assert len(cases("inclusion")) == 46
    assert len(cases("consistency")) == 54


@pytest.mark.parametrize("case", cases("inclusion"), ids=lambda case: case["_path"])
def test_published_inclusion_vectors(case: dict) -> None:
    leaf, root = decoded(case, "leafHash", "root")
    if case["wantErr"]:
        with pytest.raises(ProofError):
            verify_inclusion(case["leafIdx"], case["treeSize"], leaf, path_of(case), root)
    else:
        assert verify_inclusion(case["leafIdx"], case["treeSize"], leaf, path_of(case), root) is None


@pytest.mark.parametrize("case", cases("consistency"), ids=lambda case: case["_path"])
def test_published_consistency_vectors(case: dict) -> None:
    root1, root2 = decoded(case, "root1", "root2")
    # One vector expects roots of 12 bytes to be believed; hash lengths are checked here.
    if case["wantErr"] or len(root1) != 32:
        with pytest.raises(ProofError):
            verify_consistency(case["size1"], case["size2"], path_of(case), root1, root2)
    else:
        assert verify_consistency(case["size1"], case["size2"], path_of(case), root1, root2) is None


def test_growing_tree_has_the_root_of_the_definition() -> None:
    peaks = Peaks()
    assert peaks.root() == EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, start=1):
        completed = peaks.push(leaf_hash(leaf))
        assert peaks.root() == root_of(size)
        assert all(node == read_node(level, number) for level, number, node in completed)
        assert peaks.hashes == [read_node(*position) for position in peak_positions(size)]


def test_every_inclusion_proof_holds_for_its_own_entry_and_no_other() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = prove_inclusion(index, size, read_node)
            verify_inclusion(index, size, leaf_hash(LEAVES[index]), proof, root_of(size))
            other = (index + 1) % LARGEST
            with pytest.raises(ProofError):
                verify_inclusion(index, size, leaf_hash(LEAVES[other]), proof, root_of(size))


def test_every_consistency_proof_holds_between_its_own_sizes() -> None:
    for size2 in range(1, LARGEST + 1):
        for size1 in range(1, size2 + 1):
            proof = prove_consistency(size1, size2, read_node)
            verify_consistency(size1, size2, proof, root_of(size1), root_of(size2))
            if size1 < size2:
                with pytest.raises(ProofError):
                    verify_consistency(size1, size2, proof, root_of(size2), root_of(size1))


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (1, 1), (-1, 4), (4, 4), (2**64 - 1, 1), (True, 4), (0.0, 4), ("0", 4), (0, True)]
)
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(index, size, root_of(1), [], root_of(1))
    with pytest.raises(ProofError):
        prove_inclusion(index, size, read_node)


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 1), (2, 1), (-1, 1), (1, True), (None, 1)])
def test_a_proof_from_nothing_or_backwards_is_refused(size1: int, size2: int) -> None:
    with pytest.raises(ProofError):
        verify_consistency(size1, size2, [], EMPTY_ROOT, EMPTY_ROOT)
    with pytest.raises(ProofError):
        prove_consistency(size1, size2, read_node)


@pytest.mark.parametrize("wrong", [b"", b"\0" * 31, b"\0" * 33, "0" * 32, None])
def test_a_hash_of_another_length_is_refused(wrong: bytes) -> None:
    proof = prove_inclusion(1, 3, read_node)
    leaf = leaf_hash(LEAVES[1])
    for arguments in ([leaf, [wrong, *proof[1:]], root_of(3)], [wrong, proof, root_of(3)], [leaf, proof, wrong]):
        with pytest.raises(ProofError):
            verify_inclusion(1, 3, *arguments)
    with pytest.raises(ProofError):
        verify_consistency(3, 3, [], root_of(3), wrong)
    with pytest.raises(ProofError):
        verify_inclusion(1, 3, leaf, None, root_of(3))


@st.composite
def altered_proofs(draw: st.DrawFn, nodes: int) -> tuple[str, int, int]:
    kind = draw(st.sampled_from(["flip", "drop", "insert", "swap"] if nodes > 1 else ["flip", "insert"]))
    return kind, draw(st.integers(0, max(nodes - 1, 0))), draw(st.integers(0, 255))


def alter(proof: list[bytes], change: tuple[str, int, int]) -> list[bytes]:
    kind, at, bit = change
    changed = list(proof)
    if kind == "flip":
        node = bytearray(changed[at])
        node[bit // 8] ^= 1 << (bit % 8)
        changed[at] = bytes(node)
    elif kind == "drop":
        del changed[at]
    elif kind == "insert":
        changed.insert(at, leaf_hash(bytes([bit])))
    else:
        other = (at + 1) % len(changed)
        changed[at], changed[other] = changed[other], changed[at]
    return changed


@given(st.data(), st.integers(2, LARGEST))
def test_an_altered_inclusion_proof_is_refused(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(index, size, read_node)
    changed = alter(proof, data.draw(altered_proofs(len(proof))))
    with pytest.raises(ProofError):
        verify_inclusion(index, size, leaf_hash(LEAVES[index]), changed, root_of(size))


@given(st.data(), st.integers(2, LARGEST))
def test_an_altered_consistency_proof_is_refused(data: st.DataObject, size2: int) -> None:
    size1 = data.draw(st.integers(1, size2 - 1))
    proof = prove_consistency(size1, size2, read_node)
    changed = alter(proof, data.draw(altered_proofs(len(proof))))
    with pytest.raises(ProofError):
        verify_consistency(size1, size2, changed, root_of(size1), root_of(size2))


@given(st.integers(1, LARGEST), st.integers(0, LARGEST - 1), st.integers(1, LARGEST), st.integers(0, LARGEST - 1))
def test_a_proof_holds_at_no_other_place(size: int, index: int, other_size: int, other_index: int) -> None:
    index, other_index = index % size, other_index % other_size
    if (size, index) == (other_size, other_index):
        return
    proof = prove_inclusion(index, size, read_node)
    with pytest.raises(ProofError):
        verify_inclusion(other_index, other_size, leaf_hash(LEAVES[index]), proof, root_of(other_size))


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_tree_that_grows_by_many_at_once_is_the_one_that_grows_one_by_one(parts: list[int]) -> None:
    slow, fast = Peaks(), Peaks()
    wanted: dict[int, list[bytes]] = {}
    found: dict[int, list[bytes]] = {}
    for number, part in enumerate(parts):
        hashes = [leaf_hash(bytes([number, entry])) for entry in range(part)]
        for hashed in hashes:
            for level, _, node in slow.push(hashed):
                wanted.setdefault(level, []).append(node)
        for level, completed in enumerate(fast.extend(hashes), 1):
            if completed:
                found.setdefault(level, []).extend(completed)
        assert (fast.size, fast.hashes) == (slow.size, slow.hashes)
    assert found == wanted
