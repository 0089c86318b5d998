"""A signature that does not fit what the file says is none: nothing flows to or from that party (rule P04)."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies import AgreementInvalid, basis_for, bundle_hash, in_force, load_agreements, load_signed, read_agreement
from policies.signing import add_signature, load_signatures, sign, signatures_file, signed_form
from policies.vocabulary import PartyStatus, Purpose
from tests.policies.test_agreements import FILE, TODAY

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
DAY = date(2025, 12, 1)


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def listed(agency: str = "csc", office: str = "Director", key: str = public(KEY), more: str = "") -> str:
    return f'[[signatory]]\nagency = "{agency}"\noffice = "{office}"\npublic_key = "{key}"\n{more}\n'


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A folder with one agreement that its one signed party has signed, and the list of signatories."""
    folder = tmp_path / "agreements"
    folder.mkdir()
    file = folder / "a.toml"
    file.write_text(FILE)
    (tmp_path / "signatories.toml").write_text(listed())
    add_signature(file, sign(read_agreement(file), "csc", "Director", DAY, KEY))
    return file


def counted(file: Path) -> tuple[bool, str]:
    """Does csc count as signed, claim and all; and what is said."""
    read, sentences = load_signed(file.parent, file.parent.parent / "signatories.toml")
    (one,) = read
    status = next(party.status for party in one.parties if party.agency == "csc")
    claims = basis_for(read, "csc", Purpose.EARLY_HELP, TODAY) is not None
    assert (status == PartyStatus.SIGNED) == claims
    assert [party.status for party in one.for_decision().parties] == [party.status for party in one.parties]
    assert len(in_force(read, TODAY)) == 1
    return claims, " ".join(sentences)


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def resign(file: Path, office: str = "Director", day: date = DAY, key: Ed25519PrivateKey = KEY) -> None:
    add_signature(file, sign(read_agreement(file), "csc", office, day, key))


def flip(file: Path) -> None:
    (one,) = load_signatures(file)
    raw = bytearray(base64.b64decode(one.signature))
    raw[0] ^= 1
    add_signature(file, replace(one, signature=base64.b64encode(bytes(raw)).decode()))


def list_anew(text: str) -> Callable[[Path], object]:
    return lambda file: (file.parent.parent / "signatories.toml").write_text(text)


SPOILT: list[tuple[str, Callable[[Path], object], str]] = [
    ("no signature", lambda file: signatures_file(file).unlink(), "there is no signature of it"),
    ("flipped bit", flip, "does not fit"),
    ("another key", lambda file: resign(file, key=OTHER), "does not fit"),
    ("not base64", lambda file: rewrite(signatures_file(file), '"signature": "', '"signature": "!'), "does not fit"),
    ("a clause changed", lambda file: rewrite(file, '["HOUSING"]', '["HOUSING", "FINANCE"]'), "does not fit"),
    ("the end changed", lambda file: rewrite(file, "2026-12-31", "2027-12-31"), "does not fit"),
    ("the version changed", lambda file: rewrite(file, "version = 1", "version = 2"), "does not fit"),
    ("a basis changed", lambda file: rewrite(file, "PUBLIC_TASK", "LEGAL_OBLIGATION"), "does not fit"),
    ("a role changed", lambda file: rewrite(file, '"BOTH"', '"DISCLOSER"'), "does not fit"),
    ("another office", lambda file: rewrite(file, '"Director"', '"Deputy"'), "not what the file says"),
    ("another day", lambda file: rewrite(file, "2025-12-01", "2025-12-02"), "not what the file says"),
    ("day changed in the signature too", lambda file: (
        rewrite(file, "2025-12-01", "2025-12-02"), rewrite(signatures_file(file), "2025-12-01", "2025-12-02"),
    ), "does not fit"),
    ("nobody listed", list_anew("signatory = []\n"), "does not name the Director"),
    ("another office listed", list_anew(listed(office="Deputy")), "does not name the Director"),
    ("listed for another agency", list_anew(listed(agency="hv")), "does not name the Director"),
    ("another key listed", list_anew(listed(key=public(OTHER))), "does not fit"),
    ("listed later", list_anew(listed(more="valid_from = 2025-12-02")), "could not sign for it on 2025-12-01"),
    ("listed earlier", list_anew(listed(more="valid_until = 2025-11-30")), "could not sign for it on 2025-12-01"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "why"), [one[1:] for one in SPOILT], ids=[one[0] for one in SPOILT])
def test_a_party_whose_signature_does_not_verify_counts_as_not_signed(
    signed: Path, spoil: Callable[[Path], object], why: str
) -> None:
    assert counted(signed) == (True, "")
    spoil(signed)
    counts, said = counted(signed)
    assert not counts
    assert "csc counts as not signed" in said
    assert why in said


@pytest.mark.parametrize("text", ["{", "[]", '{"signatures": [{}]}', '{"signatures": []}x', "[" * 100_000, "\x00"])
def test_signatures_that_cannot_be_read_are_none_and_sink_nothing_else(signed: Path, text: str) -> None:
    signatures_file(signed).write_text(text)
    counts, said = counted(signed)
    assert not counts
    assert said.startswith("a.signatures.json: ")
    with pytest.raises(AgreementInvalid, match=r"a\.signatures\.json"):
        resign(signed)
    assert signatures_file(signed).read_text() == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("signatory", "cannot be read"),
        (listed(key="AAAA"), "32 bytes in base64"),
        (listed(key="not base64"), "32 bytes in base64"),
        (listed(more='name = "A Person"'), "unknown keys"),
    ],
)
def test_a_list_of_signatories_that_is_wrong_is_refused_whole(signed: Path, text: str, why: str) -> None:
    list_anew(text)(signed)
    with pytest.raises(AgreementInvalid, match=why):
        counted(signed)


def test_a_list_that_is_not_there_is_refused_and_only_no_list_checks_nothing(signed: Path) -> None:
    with pytest.raises(AgreementInvalid, match="cannot be read"):
        load_signed(signed.parent, signed.parent / "nowhere.toml")
    signatures_file(signed).unlink()
    assert load_signed(signed.parent, None) == (load_agreements(signed.parent), ())


def test_a_signature_for_one_agency_is_none_for_another(signed: Path) -> None:
    rewrite(signed, 'status = "NOT_SIGNED"', 'status = "SIGNED"\nsigned_on = 2025-12-01\nsignatory = "Director"')
    rewrite(signatures_file(signed), '"csc"', '"hv"')
    list_anew(listed() + listed(agency="hv"))(signed)
    _, said = counted(signed)
    assert "csc counts as not signed: there is no signature" in said
    assert "hv counts as not signed: its signature does not fit" in said


def test_nobody_signs_who_is_no_party(signed: Path) -> None:
    with pytest.raises(ValueError, match="police is no party to TEST-1"):
        sign(read_agreement(signed), "police", "Director", DAY, KEY)


def test_layout_title_and_life_leave_a_signature_standing(signed: Path) -> None:
    rewrite(signed, '"A test"', '"A better title" # with a remark')
    rewrite(
        signed,
        'data_subjects = ["CHILD"]\nfield_kinds = ["STATUS"]',
        'field_kinds = ["STATUS"]\ndata_subjects = ["CHILD"]',
    )
    rewrite(signed, 'gateways = ["CA2004_S10"]', 'gateways = ["CA2004_S10"]\napd = false')
    assert counted(signed) == (True, "")


def test_a_second_signature_of_a_party_takes_the_place_of_its_first(signed: Path) -> None:
    resign(signed, key=OTHER)
    resign(signed)
    assert len(load_signatures(signed)) == 1
    assert counted(signed) == (True, "")


def test_what_is_signed_is_canonical_and_says_what_for(signed: Path) -> None:
    said = signed_form(read_agreement(signed), "csc", "Direktör", DAY)
    plain = json.loads(said)
    assert said == json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert "Direktör".encode() in said
    assert plain["context"].startswith("Kith sharing agreement")
    assert (plain["agency"], plain["signed_on"], plain["agreed"]["version"]) == ("csc", "2025-12-01", 1)


def test_the_policy_that_decided_is_another_when_a_signature_falls(signed: Path) -> None:
    before, _ = load_signed(signed.parent, signed.parent.parent / "signatories.toml")
    flip(signed)
    after, _ = load_signed(signed.parent, signed.parent.parent / "signatories.toml")
    assert bundle_hash(before, ()) != bundle_hash(after, ())
