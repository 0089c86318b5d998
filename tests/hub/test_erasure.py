"""Erasure: what the database, its backups and the hub can no longer say about somebody - and what still proves."""

import contextlib
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from audit.tiles import export
from audit.verify import verify_directory, verify_receipt
from hub import commands, oversight, retention
from hub.acting import named
from hub.assembly import open_hub
from hub.db import Database, make_engine
from hub.demo.setting_up import persona_context
from hub.erasure import Hold, KeyStore, SubjectErased, SubjectKeys, handle_of
from hub.erasure import subject_keys as module
from hub.erasure.subject_keys import subject_keys as table
from hub.erasure.tree import STEPS, KeyTree
from hub.errors import KeyRefused, SettingsRefused
from hub.keys import HUB, KeyRing, data_keys
from hub.settings import read_settings
from tests.conftest import ENGINES, House
from tests.hub.conftest import newest

MASTER = bytes(range(32))
MONTH = "2026-11"
WHO, OTHER = "PE-11111111", "PE-22222222"
PLAIN, PLAIN_OTHER = b'{"person":"PE-11111111"}', b'{"person":"PE-22222222"}'
STAFF = "US-erasure"
CASE = "IG-2026-44"
REASON = "UKGDPR_ART17"

PLACES = st.lists(
    st.integers(0, 2**64 - 1) | st.integers(0, 40), min_size=1, max_size=12, unique=True
)  # Neighbours too.


# -- the tree ---------------------------------------------------------------------------------------------


@given(PLACES, st.data())
def test_a_place_that_was_cut_out_has_no_key_and_all_others_keep_theirs(
    numbers: list[int], data: st.DataObject
) -> None:
    places = [number.to_bytes(8, "big") for number in numbers]
    gone = set(data.draw(st.lists(st.sampled_from(places), unique=True)))
    tree = KeyTree.fresh()
    before = {place: tree.key(place) for place in places}
    for place in gone:
        assert tree.cut(place)
        assert not tree.cut(place)
    again = KeyTree.from_bytes(tree.to_bytes())
    for place in places:
        assert again.key(place) == tree.key(place) == (None if place in gone else before[place])
        assert again.has(place) == (place not in gone)
    # No secret that is left lies above a place that was cut out, and none is the key of one.
    for place in gone:
        number = int.from_bytes(place, "big")
        assert not any(path == number >> 4 * (STEPS - depth) for depth, path in again._secrets)
        assert before[place] not in again.to_bytes()
    assert len(set(before.values())) == len(places)


def test_a_damaged_tree_is_refused() -> None:
    with pytest.raises(KeyRefused, match="damaged"):
        KeyTree.from_bytes(KeyTree.fresh().to_bytes()[:-1])


# -- keys of subjects -------------------------------------------------------------------------------------


@dataclass
class Kept:
    """A database and a key store, opened by as many processes as a test wants."""

    database: Database
    folder: Path

    def opened(self, master: bytes = MASTER) -> SubjectKeys:
        ring = KeyRing(master, self.database.session)
        return SubjectKeys(KeyStore(self.folder, master), ring, self.database.session)

    def erase(self, keys: SubjectKeys, person: str) -> int:
        with keys.store.lock():
            return keys.erase(person, sorted(keys.months_of(keys.mark(person))))

    def rows(self) -> list[dict[str, Any]]:
        with self.database.session() as session:
            return [dict(row) for row in session.execute(select(table)).mappings()]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Puts back the table as a backup kept it."""
        with self.database.writing() as session:
            session.execute(delete(table))
            session.execute(insert(table), rows)


@pytest.fixture(params=ENGINES)
def kept(request: pytest.FixtureRequest, new_database: Callable[[str], str], tmp_path: Path) -> Iterator[Kept]:
    engine = make_engine(new_database(request.param))
    for metadata in (data_keys.metadata, table.metadata):
        metadata.create_all(engine)
    yield Kept(Database(engine), tmp_path / "subjects")
    engine.dispose()


def test_what_was_erased_opens_in_no_process_and_what_is_others_stays(kept: Kept) -> None:
    one, two = kept.opened(), kept.opened()
    capsules = [
        one.seal("csc", MONTH, WHO, PLAIN),
        one.seal("police", MONTH, WHO, PLAIN),
        two.seal("csc", "2026-12", WHO, PLAIN),
    ]
    others = one.seal("csc", MONTH, OTHER, PLAIN_OTHER)
    assert [two.open(capsule) for capsule in capsules] == [PLAIN] * 3
    assert kept.erase(one, WHO) == 3
    for process in (one, two, kept.opened()):
        for capsule in capsules:
            with pytest.raises(SubjectErased):
                process.open(capsule)
        assert process.open(others) == PLAIN_OTHER
    assert kept.erase(two, WHO) == 0


def test_a_backup_that_is_put_back_brings_nobody_back(kept: Kept) -> None:
    keys = kept.opened()
    capsule, others = keys.seal("csc", MONTH, WHO, PLAIN), keys.seal("csc", MONTH, OTHER, PLAIN_OTHER)
    handle = handle_of(capsule)
    backup = kept.rows()
    assert handle in {row["handle"] for row in backup}
    kept.erase(keys, WHO)
    assert handle not in {row["handle"] for row in kept.rows()}
    kept.restore(backup)
    for process in (keys, kept.opened()):
        with pytest.raises(SubjectErased):
            process.open(capsule)
        # Nor does the person lead to the row: the index of the register in the same backup is of no use either.
        assert handle not in process.handles(WHO).values()
        assert process.months_of(process.mark(WHO)) == set()
        assert process.open(others) == PLAIN_OTHER
    with keys.store.lock():
        assert keys.rewrap("csc", MONTH) == 1
    assert [row["handle"] for row in kept.rows()] == [handle_of(others)]
    assert keys.open(others) == PLAIN_OTHER
    # Copies from before the keys were wrapped anew open nothing; whoever is met again gets a key that works.
    kept.restore(backup)
    for lost in (capsule, others):
        with pytest.raises(SubjectErased):
            kept.opened().open(lost)
    again = kept.opened()
    assert again.open(again.seal("csc", MONTH, OTHER, PLAIN_OTHER)) == PLAIN_OTHER


def test_a_copy_of_the_key_store_from_before_would_bring_them_back(kept: Kept, tmp_path: Path) -> None:
    """The control: it is the store that forgets, so a store that is backed up with the database forgets nothing."""
    keys = kept.opened()
    capsule = keys.seal("csc", MONTH, WHO, PLAIN)
    backup = kept.rows()
    shutil.copytree(kept.folder, tmp_path / "copy")
    kept.erase(keys, WHO)
    kept.restore(backup)
    assert Kept(kept.database, tmp_path / "copy").opened().open(capsule) == PLAIN


def test_who_was_erased_and_comes_again_is_somebody_new(kept: Kept) -> None:
    keys = kept.opened()
    seen = []
    for _ in range(3):
        capsule = keys.seal("csc", MONTH, WHO, PLAIN)
        assert keys.open(capsule) == kept.opened().open(capsule) == PLAIN
        seen.append(handle_of(capsule))
        kept.erase(keys, WHO)
    assert len(set(seen)) == 3


def test_the_database_leads_from_nobody_to_a_handle(kept: Kept) -> None:
    """Whoever holds the database and the master key, but not the key store, cannot tell whose row is whose."""
    keys = kept.opened()
    handle = handle_of(keys.seal("csc", MONTH, WHO, PLAIN))
    stranger = Kept(kept.database, kept.folder.with_name("empty")).opened()
    assert stranger.handles(WHO) == {}
    stranger.seal("csc", MONTH, OTHER, PLAIN)
    assert handle not in stranger.handles(WHO).values()
    for row in kept.rows():
        assert set(row) == {"handle", "agency", "month", "wrapped"}
        assert len(row["wrapped"]) == 12 + 32 + 16


def test_a_store_that_is_lost_or_not_mounted_is_no_reason_to_call_everybody_erased(kept: Kept) -> None:
    keys = kept.opened()
    keys.require_store()
    keys.seal("csc", "2026-07", "PE-1", b"PE-1")
    kept.opened().require_store()
    lost = Kept(kept.database, kept.folder.with_name("not-mounted")).opened()
    with pytest.raises(SettingsRefused, match="HUB_SUBJECT_KEYS_DIR is empty"):
        lost.require_store()
    keys.expire("csc", "2026-07")
    kept.opened().require_store()


def test_a_store_that_lacks_some_months_is_no_reason_to_call_those_people_erased(kept: Kept) -> None:
    keys = kept.opened()
    july = keys.seal("csc", "2026-07", WHO, PLAIN)
    keys.seal("csc", "2026-08", WHO, PLAIN)
    (kept.folder / "csc-2026-07.kek").rename(kept.folder.parent / "aside")
    with pytest.raises(SettingsRefused, match="lacks 1 keys that nobody destroyed: csc 2026-07"):
        kept.opened().require_store()
    with pytest.raises(KeyRefused, match="nobody destroyed") as refused:
        kept.opened().open(july)
    assert not isinstance(refused.value, SubjectErased)
    (kept.folder.parent / "aside").rename(kept.folder / "csc-2026-07.kek")
    kept.opened().require_store()
    assert kept.opened().open(july) == PLAIN


def test_a_month_that_was_destroyed_and_comes_back_with_an_older_database_is_not_lost(kept: Kept) -> None:
    keys = kept.opened()
    keys.seal("csc", "2020-01", WHO, PLAIN)
    keys.seal("csc", "2020-02", WHO, PLAIN)
    backup = kept.rows()
    with keys.store.lock():
        keys.expire("csc", "2020-01")
    kept.restore(backup)
    kept.opened().require_store()


def test_a_second_machine_with_a_folder_of_its_own_does_not_start(kept: Kept) -> None:
    keys = kept.opened()
    keys.seal("csc", MONTH, WHO, PLAIN)
    elsewhere = Kept(kept.database, kept.folder.with_name("elsewhere")).opened()
    elsewhere._make_month("csc", MONTH)
    with pytest.raises(SettingsRefused, match="another key for csc"):
        elsewhere.require_store()
    kept.erase(keys, WHO)
    keys.seal("csc", MONTH, OTHER, PLAIN)
    kept.opened().require_store()


def test_a_key_store_that_cannot_be_read_says_so_in_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(SettingsRefused, match="HUB_SUBJECT_KEYS_DIR cannot be used"):
        KeyStore(blocked / "subjects", MASTER)
    store = KeyStore(tmp_path / "store", MASTER)
    (tmp_path / "store" / "csc-2026-07.kek").mkdir()
    with pytest.raises(KeyRefused, match="cannot be read"):
        store.read("csc", "2026-07")
    shutil.rmtree(tmp_path / "store")
    (tmp_path / "store").write_text("not a folder any more")
    with pytest.raises(KeyRefused, match="cannot be read"):
        store.months()


def test_an_erasure_cuts_also_what_only_another_copy_of_the_database_has(kept: Kept) -> None:
    keys = kept.opened()
    capsule = keys.seal("csc", MONTH, WHO, PLAIN)
    whole = kept.rows()
    with kept.database.writing() as session:
        session.execute(delete(table))
    handle = handle_of(capsule)
    assert keys.months_of(keys.mark(WHO)) == set()
    with keys.store.lock():
        keys.erase(WHO, [("csc", MONTH)], seen=frozenset({handle}))
    kept.restore(whole)
    for process in (keys, kept.opened()):
        with pytest.raises(SubjectErased):
            process.open(capsule)


def test_what_was_altered_is_refused_and_never_taken_for_erased(kept: Kept) -> None:
    keys = kept.opened()
    capsule = keys.seal("csc", MONTH, WHO, PLAIN)
    for place in range(17, len(capsule), 7):
        with pytest.raises(KeyRefused) as refused:
            keys.open(capsule[:place] + bytes([capsule[place] ^ 1]) + capsule[place + 1 :])
        assert not isinstance(refused.value, SubjectErased)
    for short in (b"", b"\x02", capsule[:30], b"\x01" + capsule[1:]):
        with pytest.raises(KeyRefused, match="unknown format"):
            keys.open(short)
    with pytest.raises(KeyRefused, match="another master key"):
        kept.opened(bytes(reversed(MASTER))).open(capsule)


def test_an_expired_month_is_gone_and_the_next_one_is_not(kept: Kept) -> None:
    keys = kept.opened()
    old, new = keys.seal("csc", "2020-01", WHO, PLAIN), keys.seal("csc", "2020-02", WHO, PLAIN)
    backup = kept.rows()
    with keys.store.lock():
        keys.expire("csc", "2020-01")
    assert keys.store.months() == [("csc", "2020-02")]
    kept.restore(backup)
    for process in (keys, kept.opened()):
        with pytest.raises(SubjectErased):
            process.open(old)
        assert process.open(new) == PLAIN


class Crash(Exception):
    """The process ends here."""


def crash(*_anything: object) -> Any:
    raise Crash


@pytest.mark.parametrize("after", ["nothing", "the rows"])
def test_keys_wrapped_anew_open_the_same_capsules_also_after_a_crash_between(kept: Kept, after: str) -> None:
    keys = kept.opened()
    capsules = [keys.seal("csc", MONTH, f"PE-{n}", PLAIN) for n in range(40)]
    before = {row["wrapped"] for row in kept.rows()}
    crashing, writes = kept.opened(), iter([kept.opened().store.write, crash])
    crashing.store.write = lambda key: next(writes)(key)  # type: ignore[method-assign]
    if after == "nothing":
        crashing._open_session = crash
    with pytest.raises(Crash), crashing.store.lock():
        crashing.rewrap("csc", MONTH)
    assert ({row["wrapped"] for row in kept.rows()} == before) == (after == "nothing")
    for process in (keys, kept.opened()):
        assert {process.open(capsule) for capsule in capsules} == {PLAIN}
    capsules.append(keys.seal("csc", MONTH, "PE-new", PLAIN))
    for _ in range(2):
        with keys.store.lock():
            assert keys.rewrap("csc", MONTH) == 41
        for process in (keys, kept.opened()):
            assert {process.open(capsule) for capsule in capsules} == {PLAIN}
    assert not before & {row["wrapped"] for row in kept.rows()}


def test_threads_and_processes_that_meet_somebody_new_at_once_make_one_key(kept: Kept) -> None:
    processes = [kept.opened() for _ in range(3)]
    gate = threading.Barrier(6)
    sealed: list[bytes] = []

    def seal(keys: SubjectKeys) -> None:
        gate.wait()
        sealed.append(keys.seal("csc", MONTH, WHO, PLAIN))

    threads = [threading.Thread(target=seal, args=(processes[n % 3],)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept.rows()) == 1
    assert [kept.opened().open(capsule) for capsule in sealed] == [PLAIN] * 6


# -- the key store ----------------------------------------------------------------------------------------


def test_the_store_is_closed_to_others_and_refuses_one_that_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "subjects"
    store = KeyStore(folder, MASTER)
    with store.lock():
        store.hold(Hold("A-1", None, None, None, "now"))
    engine = make_engine(f"sqlite:///{tmp_path / 'kith.sqlite'}")
    table.metadata.create_all(engine)
    kept = Kept(Database(engine), folder)
    kept.opened().seal("a/../b", MONTH, WHO, PLAIN)
    engine.dispose()
    assert store.months() == [("a/../b", MONTH)]
    assert {path.parent for path in folder.iterdir()} == {folder}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert not list(folder.glob("*.new"))
    folder.chmod(0o750)
    with pytest.raises(SettingsRefused, match="can be entered by others"):
        KeyStore(folder, MASTER)


def test_a_hold_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "subjects", MASTER)
    (tmp_path / "subjects" / "A-1.hold").write_text("{")
    with pytest.raises(KeyRefused, match="nothing is destroyed"):
        store.holds()


def test_only_one_at_a_time_changes_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.erasure.store.LOCK_WAIT_S", 0.0)
    one, two = KeyStore(tmp_path / "subjects", MASTER), KeyStore(tmp_path / "subjects", MASTER)
    with one.lock(), pytest.raises(KeyRefused, match="another process"), two.lock():
        pass
    with two.lock():
        pass


# -- orders, through the hub ------------------------------------------------------------------------------


def tell_of(house: House, person: str, agency: str = "csc", user: str = STAFF) -> str:
    """A disclosure about somebody whom only the trail knows; returns its event id."""
    hub = house.hub
    receipt = hub.trail.append(
        "disclosure:made",
        now=hub.clock(),
        subjects=[person],
        user={"issuer": "demo", "subject": user, "role": "MASH_SOCIAL_WORKER", "agency": agency},
        purpose="S47_ENQUIRY",
        basis={"article6": ["6_1_e"]},
        source=["housing"],
        recipient=agency,
        decision={"bundle": "sha256:" + "0" * 64, "rules": ["P01"]},
        data=[{"agency": "housing", "category": "HOUSING", "count": 1, "subject": 0}],
        answers=[{"agency": "housing", "state": "FOUND", "subject": 0}],
    )
    return receipt.eid


def found(house: House, person: str) -> set[str]:
    """What the register lists for an officer who asks about this person."""
    ctx = persona_context("ig_officer", now=house.hub.clock(), request_id="ef" * 16)
    ctx = replace(ctx, case_reference="IG-2026-7")
    wanted = oversight.Filter(case_reference="IG-2026-7", person=person)
    return {row.eid for row in oversight.register(house.hub, ctx, wanted).rows}


def somebody() -> str:
    return "PE-" + uuid4().hex[:16]


def test_an_erased_person_is_shown_as_erased_and_every_receipt_still_verifies(house: House, tmp_path: Path) -> None:
    hub, who, other = house.hub, somebody(), somebody()
    officer = house.visitor("ig_officer")
    eids, others = [tell_of(house, who), tell_of(house, who, "police")], tell_of(house, other)
    assert who in officer.get(f"/ig/entries/{eids[0]}").text
    assert found(house, who) == set(eids)
    before = {eid: hub.trail.entry(eid).leaf for eid in eids}
    done = retention.erase(hub, who, case=CASE, reason=REASON)
    assert (done.keys, done.older_entries) >= (2, 0)
    for eid in eids:
        page = officer.get(f"/ig/entries/{eid}")
        assert (page.status_code, who in page.text) == (200, False)
        assert "Erased: nobody can say any more who this was" in page.text
        assert "Verified now" in page.text
        assert hub.trail.entry(eid).leaf == before[eid]
        (tmp_path / "receipt.json").write_text(hub.trail.receipt(eid).json())
        assert verify_receipt(tmp_path / "receipt.json", str(hub.trail.verifier_key), [])
    assert found(house, who) == set()
    assert found(house, other) == {others}
    assert other in officer.get(f"/ig/entries/{others}").text
    assert officer.get(f"/ig/entries/{done.receipt.eid}").status_code == 200
    assert "Keys destroyed" in officer.post("/ig", {"from": "", "to": ""}).text


def test_a_register_that_is_rebuilt_after_an_erasure_does_not_find_them_again(house: House) -> None:
    who = somebody()
    tell_of(house, who)
    found(house, who)
    retention.erase(house.hub, who, case=CASE, reason=REASON)
    with house.hub.db.writing() as session:
        for one in (oversight.disclosure_persons, oversight.disclosure_sources, oversight.disclosure_register):
            session.execute(delete(one))
    assert found(house, who) == set()


def test_an_erasure_is_told_before_and_after_without_saying_whom(house: House) -> None:
    who = somebody()
    tell_of(house, who)
    start = house.hub.trail.head().size
    done = retention.erase(house.hub, who, case=CASE, reason=REASON)
    ordered, erased = house.hub.trail.events(start)
    assert (ordered.kind, erased.kind, erased.eid) == ("erase", "erase", done.receipt.eid)
    assert [entry.fields["outcome"] for entry in (ordered, erased)] == ["ORDERED", "ERASED"]
    assert erased.fields["refers"] == [ordered.eid]
    for entry in (ordered, erased):
        assert entry.subjects == ()
        assert entry.fields["object"] == {"type": "case", "id": CASE}
        assert who.encode() not in entry.envelope


def test_who_left_and_was_erased_is_nowhere_named_and_what_they_did_still_verifies(
    house: House, tmp_path: Path
) -> None:
    hub, leaver = house.hub, "US-" + uuid4().hex[:16]
    ctx = persona_context("ig_officer", now=hub.clock(), request_id="ef" * 16)
    oversight.remember_staff(hub, replace(ctx, actor=replace(ctx.actor, id=leaver, name="Leonora Leaver")))
    officer = house.visitor("ig_officer")
    eid, other = tell_of(house, somebody(), user=leaver), tell_of(house, somebody())

    def did(user: str) -> set[str]:
        return {row.eid for row in oversight.register(hub, ctx, oversight.Filter(user=user)).rows}

    entry = hub.trail.entry(eid)
    assert leaver.encode() not in entry.envelope
    assert named(hub, entry).fields["user"]["subject"] == leaver
    assert "Leonora Leaver" in officer.get(f"/ig/entries/{eid}").text
    assert did("Leonora") == did(leaver) == {eid}

    done = retention.erase_staff(hub, leaver, case=CASE, reason="COURT_ORDER")
    assert (done.keys, done.older_entries) == (1, 0)
    page = officer.get(f"/ig/entries/{eid}").text
    assert "Leonora" not in page
    assert leaver not in page
    assert "Erased: nobody can say any more who this was" in page
    assert "Verified now" in page
    # What they were stays: the role, and for which agency.
    assert named(hub, entry).fields["user"] == {**entry.fields["user"], "issuer": "erased", "subject": "erased"}
    assert did("Leonora") == did(leaver) == set()
    assert other in did(STAFF)
    (tmp_path / "receipt.json").write_text(hub.trail.receipt(eid).json())
    assert verify_receipt(tmp_path / "receipt.json", str(hub.trail.verifier_key), [])
    with pytest.raises(retention.OrderRefused, match="no key for this person"):
        retention.erase_staff(hub, leaver, case=CASE, reason="COURT_ORDER")


def test_entries_from_before_subject_keys_still_open_and_are_counted_at_an_erasure(
    house: House,
) -> None:
    hub, who = house.hub, somebody()
    seal = hub.trail._seal_subject
    hub.trail._seal_subject = lambda event, person, plain: hub.keys.seal(HUB, plain, "trail subject")
    try:
        old = tell_of(house, who)
    finally:
        hub.trail._seal_subject = seal
    new = tell_of(house, who)
    assert found(house, who) == {old, new}
    done = retention.erase(hub, who, case=CASE, reason=REASON)
    assert done.older_entries == 1
    with pytest.raises(retention.OrderRefused, match="1 entries of an older format"):
        retention.erase(hub, who, case=CASE, reason=REASON)
    assert found(house, who) == {old}
    assert who in house.visitor("ig_officer").get(f"/ig/entries/{old}").text


@pytest.mark.parametrize(
    ("person", "case", "reason"),
    [
        ("PE-nobody-at-all", CASE, REASON),
        (WHO, "Maisie Tarrant", REASON),
        (WHO, "9997000048", REASON),
        (WHO, f"X-{WHO}", REASON),
        (WHO, CASE, "BECAUSE"),
    ],
)
def test_an_order_that_cannot_be_carried_out_destroys_and_tells_nothing(
    house: House, person: str, case: str, reason: str
) -> None:
    eid = tell_of(house, WHO)
    size = house.hub.trail.head().size
    with pytest.raises(retention.OrderRefused):
        retention.erase(house.hub, person, case=case, reason=reason)
    assert house.hub.trail.head().size == size
    assert oversight.person_in(house.hub, house.hub.trail.entry(eid).subjects[0]) == WHO


def test_a_legal_hold_stops_erasure_and_expiry_until_it_is_released(house: House) -> None:
    hub, who, other = house.hub, somebody(), somebody()
    eid = tell_of(house, who)
    tell_of(house, other)
    month = f"{hub.clock():%Y-%m}"
    for limits in (
        {"person": who, "agency": None, "month": None},
        {"person": None, "agency": "csc", "month": None},
        {"person": None, "agency": None, "month": month},
        {"person": None, "agency": None, "month": None},
    ):
        retention.hold(hub, case="HOLD-1", **limits)
        try:
            with pytest.raises(retention.StoppedByHold, match="HOLD-1"):
                retention.erase(hub, who, case=CASE, reason=REASON)
            assert newest(hub, "erase").fields["outcome"] == "STOPPED"
            with pytest.raises(KeyRefused, match="already"):
                retention.hold(hub, case="HOLD-1", person=None, agency=None, month=None)
            house.clock.ahead = timedelta(days=31 * (hub.settings.retention_months + 2))
            assert ("csc", month) in retention.past_retention(hub, hub.clock())
            with pytest.raises(retention.StoppedByHold, match="HOLD-1"):
                retention.expire(hub, "csc", month)
            assert oversight.person_in(hub, hub.trail.entry(eid).subjects[0]) == who
        finally:
            house.clock.ahead = None
            retention.release(hub, case="HOLD-1")
    retention.hold(hub, case="HOLD-2", person=who, agency=None, month=None)
    assert retention.erase(hub, other, case=CASE, reason=REASON).keys == 1
    retention.release(hub, case="HOLD-2")
    assert retention.erase(hub, who, case=CASE, reason=REASON).keys == 1
    with pytest.raises(KeyRefused, match="no legal hold"):
        retention.release(hub, case="HOLD-2")


def test_a_month_expires_only_when_its_retention_is_over(house: House) -> None:
    hub = house.hub
    keys, kept_months = hub.subject_keys, hub.settings.retention_months
    now = hub.clock()
    count = now.year * 12 + now.month - 1 - kept_months
    first_kept, last_over = (f"{n // 12:04}-{n % 12 + 1:02}" for n in (count, count - 1))
    capsules = {month: keys.seal("csc", month, WHO, PLAIN) for month in (first_kept, last_over)}
    assert retention.past_retention(hub, now) == [("csc", last_over)]
    with pytest.raises(retention.OrderRefused, match="not over"):
        retention.expire(hub, "csc", first_kept)
    receipt = retention.expire(hub, "csc", last_over)
    fields = hub.trail.entry(receipt.eid).fields
    assert (fields["reason"], fields["custodian"], fields["object"]["id"]) == ("RETENTION", "csc", f"csc/{last_over}")
    with pytest.raises(SubjectErased):
        keys.open(capsules[last_over])
    assert keys.open(capsules[first_kept]) == PLAIN
    assert retention.past_retention(hub, now) == []


# -- bytes on the disk ------------------------------------------------------------------------------------


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_after_an_erasure_no_byte_on_the_disk_names_them_and_yesterdays_copy_brings_nothing_back(
    house: House, tmp_path: Path
) -> None:
    hub, who, other = house.hub, somebody(), somebody()
    eid, others = tell_of(house, who), tell_of(house, other)
    found(house, who)
    capsule, kept = hub.trail.entry(eid).subjects[0], hub.trail.entry(others).subjects[0]
    handle = handle_of(capsule)
    assert handle
    month_key = hub.subject_keys.store.read("csc", f"{hub.clock():%Y-%m}")
    wrapped = hub.subject_keys._wrapped(handle)
    leaver = "US-" + uuid4().hex[:16]
    tell_of(house, other, user=leaver)
    assert month_key
    assert wrapped
    subject_key = module._unwrap(month_key, handle, wrapped)
    path = Path(hub.settings.database_url.removeprefix("sqlite:///"))
    copy_of(path, tmp_path / "yesterday.sqlite")

    retention.erase(hub, who, case=CASE, reason=REASON)
    retention.erase_staff(hub, leaver, case=CASE, reason=REASON)
    export(hub.db.engine, tmp_path / "export")
    copy_of(path, tmp_path / "today.sqlite")
    assert verify_directory(tmp_path / "export", str(hub.trail.verifier_key), [])
    files = [path, path.with_name(path.name + "-wal"), tmp_path / "today.sqlite", tmp_path / "yesterday.sqlite"]
    files += [file for file in (tmp_path / "export").rglob("*") if file.is_file()]
    files += [file for file in hub.settings.keys_folder.rglob("*") if file.is_file()]
    content = {file: file.read_bytes() for file in files if file.exists()}
    for needle in (
        who.encode(),
        leaver.encode(),
        subject_key,
        subject_key.hex().encode(),
        hub.subject_keys.mark(who).encode(),
    ):
        assert [file.name for file, data in content.items() if needle in data] == []
    # The scan can find: the wrapped key, which nothing unwraps any more, is in the copy from before and in none since.
    holding = {file.name for file, data in content.items() if wrapped in data}
    assert "yesterday.sqlite" in holding
    assert "today.sqlite" not in holding

    yesterday = make_engine(f"sqlite:///{tmp_path / 'yesterday.sqlite'}")
    database = Database(yesterday)
    ring = KeyRing(hub.settings.master_key, database.session)
    restored = SubjectKeys(KeyStore(hub.settings.subject_keys_folder, hub.settings.master_key), ring, database.session)
    with pytest.raises(SubjectErased):
        restored.open(capsule)
    assert json.loads(restored.open(kept))["person"] == other
    marks = [ring.blind("disclosure-person", who), *restored.handles(who).values()]
    with database.session() as session:
        column = oversight.disclosure_persons.c.person_blind
        assert handle in session.scalars(select(column)).all()
        assert session.scalars(select(column).where(column.in_(marks))).all() == []
    yesterday.dispose()


def copy_of(path: Path, target: Path) -> None:
    """A backup as SQLite makes it."""
    with sqlite3.connect(path) as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()


# -- the command ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_the_command_holds_erases_and_lets_expire(house: House, tmp_path: Path) -> None:
    own = {
        **house.demonstration.environment,
        "HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'kith.sqlite'}",
        "HUB_KEYS_DIR": str(tmp_path / "keys"),
    }

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(commands.hub, arguments, env=own, prog_name="python -m hub")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.output

    run("migrate")
    about = ("--subject", WHO, "--case", CASE, "--reason", REASON, "--yes")
    assert "no key for this person" in run("keys", "erase", *about, code=2)
    with contextlib.closing(open_hub(read_settings(own))) as hub:
        tell_of(House(hub, house.app, house.demonstration, house.clock), WHO)
        hub.subject_keys.seal("csc", "2001-01", WHO, PLAIN)
    run("keys", "hold", "--case", "HOLD-1", "--subject", WHO)
    assert "legal hold stops this: HOLD-1" in run("keys", "erase", *about, code=2)
    assert "would expire" in run("keys", "expire", "--dry-run")
    assert "legal hold stops this: HOLD-1" in run("keys", "expire", code=1)
    run("keys", "release", "--case", "HOLD-1")
    assert "csc 2001-01: keys destroyed" in run("keys", "expire")
    assert "Nothing is past its retention" in run("keys", "expire")
    assert "2 keys wrapped anew" in run("keys", "rewrap")
    assert "1 keys destroyed" in run("keys", "erase", *about)
    about_staff = ("--staff", STAFF, *about[2:])
    run("keys", "hold", "--case", "HOLD-2", "--staff", STAFF)
    assert "legal hold stops this: HOLD-2" in run("keys", "erase", *about_staff, code=2)
    run("keys", "release", "--case", "HOLD-2")
    assert "1 keys destroyed" in run("keys", "erase", *about_staff)
    assert "0 keys wrapped anew" in run("keys", "rewrap")
    assert "Give --subject or --staff" in run("keys", "erase", *about_staff, *about[:2], code=2)
