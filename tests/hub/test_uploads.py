"""Files that a partner's machine sends: refused first, then in parts, whole or not at all, with a report."""

import csv
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
import requests
from joserfc.jwk import ECKey
from werkzeug.serving import make_server

from connectors import last_loads, uploads
from connectors import send as sender
from connectors.send import UPLOADS, send, upload
from hub.loading import load_all
from tests.conftest import House
from tests.hub.conftest import newest, with_parts

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
FILES = ["people.csv", "involvement.csv", "tenancy_events.csv"]


@dataclass
class Machine:
    """The housing authority's machine, a hub over loopback HTTP, and the folder from which it sends."""

    house: House
    url: str
    key: Path
    recipient: str
    folder: Path
    drop: Path

    def sends(self, *names: str, mode: str = "full", client: str = "housing-machine", **more: Any) -> requests.Response:
        about = {"key": self.key, "recipient": self.recipient, **more}
        return upload(self.url, self.folder, list(names or FILES), mode=mode, client=client, **about)

    def asks(self, path: str, body: bytes = b"", **more: Any) -> requests.Response:
        return send(self.url, path, body, **{"client": "housing-machine", "key": self.key, **more})

    def begins(self, files: list[dict[str, Any]], mode: str = "full") -> requests.Response:
        return self.asks(UPLOADS, json.dumps({"mode": mode, "files": files}).encode())

    def rows(self, name: str = "tenancy_events.csv") -> list[dict[str, str]]:
        with (self.drop / name).open(newline="", encoding="cp1252") as file:
            return list(csv.DictReader(file))

    def write(self, name: str, rows: list[dict[str, str]]) -> None:
        with (self.folder / name).open("w", newline="", encoding="cp1252") as file:
            writer = csv.DictWriter(file, list(self.rows()[0]))
            writer.writeheader()
            writer.writerows(rows)


@pytest.fixture
def machine(house: House, tmp_path: Path) -> Iterator[Machine]:
    made = house.demonstration.folder / "machines"
    server = make_server("127.0.0.1", 0, lambda _e, _s: [], threaded=True)
    url = f"http://127.0.0.1:{server.port}"
    there = with_parts(house, settings=replace(house.hub.settings, base_url=url))
    server.app = there.app
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    drop = house.hub.settings.drops_folder / "housing"
    folder = tmp_path / "out"
    shutil.copytree(drop, folder)
    recipient = (made / "recipient.txt").read_text().strip()
    try:
        yield Machine(there, url, made / "housing.pem", recipient, folder, drop)
    finally:
        server.shutdown()
        server.server_close()
        shutil.rmtree(drop)
        shutil.copytree(tmp_path / "out", drop, ignore=shutil.ignore_patterns(".sending", "*.removed"))
        for name in FILES:
            shutil.copyfile(tmp_path / "before" / name, drop / name)
        load_all(house.hub, now=house.hub.clock(), only="housing")


@pytest.fixture(autouse=True)
def before(house: House, tmp_path: Path) -> None:
    """The drop as it was, to be put back."""
    shutil.copytree(house.hub.settings.drops_folder / "housing", tmp_path / "before")


def sent_as(data: bytes, name: str = "people.csv") -> dict[str, Any]:
    return {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def items(house: House) -> int:
    with house.hub.db.session() as session:
        return last_loads(session)["housing"].items


# --- Refused ---------------------------------------------------------------------------------------------------------


def test_nobody_sends_unsigned_or_for_another_agency_or_with_another_key(machine: Machine, tmp_path: Path) -> None:
    assert requests.post(machine.url + UPLOADS, data=b"{}", timeout=5).status_code == 401
    other = tmp_path / "other.pem"
    other.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    assert machine.asks(UPLOADS, b"{}", key=other).status_code == 401
    begun = machine.begins([sent_as(b"x", name) for name in FILES])
    assert begun.status_code == 200, begun.text
    here = f"{UPLOADS}/{begun.json()['id']}"
    csc = {"client": "csc-machine", "key": machine.key.parent / "csc.pem"}
    assert machine.asks(here, method="GET", **csc).status_code == 404
    assert machine.asks(here + "/people.csv/0", b"x", method="PUT", **csc).status_code == 404
    assert machine.asks(here + "/complete", **csc).status_code == 404


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"[]",
        b'{"mode": "full"}',
        b'{"mode": "all", "files": []}',
        b'{"mode": "full", "files": []}',
        json.dumps({"mode": "full", "files": [{"name": "../x", "size": 1, "sha256": "0" * 64}]}).encode(),
        json.dumps({"mode": "full", "files": [{"name": "people.csv", "size": 1, "sha256": "0" * 64}]}).encode(),
        json.dumps({"mode": "delta", "files": [{"name": "people.csv", "size": 10**12, "sha256": "0" * 64}]}).encode(),
        json.dumps({"mode": "delta", "files": [{"name": "people.csv", "size": True, "sha256": "0" * 64}]}).encode(),
        b"[" * 50_000,
    ],
)
def test_a_list_that_is_not_understood_begins_nothing(machine: Machine, plain: bytes) -> None:
    assert machine.asks(UPLOADS, plain).status_code in (400, 422)


def test_what_is_not_what_was_signed_for_or_not_encrypted_to_the_hub_changes_nothing(machine: Machine) -> None:
    before = {name: (machine.drop / name).read_bytes() for name in FILES}
    plain = [sent_as(b"plain text", name) for name in FILES]
    here = f"{UPLOADS}/{machine.begins(plain).json()['id']}"
    assert machine.asks(here + "/complete").json()["code"] == "INCOMPLETE"
    for name in FILES:
        assert machine.asks(f"{here}/{name}/0", b"plain texT", method="PUT").status_code == 200
    assert machine.asks(here + "/complete").json()["code"] == "ALTERED"
    for name in FILES:
        machine.asks(f"{here}/{name}/0", b"plain text", method="PUT")
    answer = machine.asks(here + "/complete").json()
    assert answer["state"] == "REFUSED"
    assert "encrypt it with age" in answer["report"]["problem"]
    assert {name: (machine.drop / name).read_bytes() for name in FILES} == before
    somebody = str(pyrage.x25519.Identity.generate().to_public())
    assert machine.sends(recipient=somebody).json()["state"] == "REFUSED"


def test_a_part_that_does_not_go_on_from_what_is_here_is_out_of_step(machine: Machine) -> None:
    files = [sent_as(b"0123456789", name) for name in FILES]
    here = f"{UPLOADS}/{machine.begins(files).json()['id']}/people.csv"
    assert machine.asks(here + "/0", b"0123", method="PUT").json() == {"received": 4}
    for at, data in ((0, b"0123"), (5, b"5"), (4, b"4567890")):
        answer = machine.asks(f"{here}/{at}", data, method="PUT")
        assert (answer.status_code, answer.json()["received"]) == (409, 4)
    assert machine.asks(here + "/0", b"x" * (8_000_001), method="PUT").status_code == 413


def test_an_upload_is_completed_by_one_request_at_a_time(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    real, answers = uploads.Spool._decrypt, list[requests.Response]()

    def slowly(spool: Any, name: str, to: Path, identity: Any) -> None:
        real(spool, name, to, identity)
        if not answers:
            answers.append(machine.asks(f"{UPLOADS}/{spool.folder.name}/complete"))

    monkeypatch.setattr(uploads.Spool, "_decrypt", slowly)
    assert machine.sends().json()["state"] == "LOADED"
    assert (answers[0].status_code, answers[0].json()["code"]) == (409, "BUSY")
    assert list((machine.drop.parent / ".uploads").rglob("*.claim")) == []


def test_of_two_deltas_at_once_none_is_lost(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows, real, both = machine.rows(), uploads.merged, threading.Barrier(2)
    other = replace(machine, folder=tmp_path / "other")
    shutil.copytree(machine.folder, other.folder)
    machine.write("tenancy_events.csv", [{**rows[0], "status": "First"}])
    other.write("tenancy_events.csv", [{**rows[1], "status": "Second"}])

    def slowly(*about: Any) -> None:
        real(*about)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.3)  # Both would be here at once, were they let in.

    monkeypatch.setattr(uploads, "merged", slowly)
    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(lambda one: one.sends("tenancy_events.csv", mode="delta").json(), (machine, other)))
    assert [one["state"] for one in sent] == ["LOADED", "LOADED"]
    assert [row["status"] for row in machine.rows()[:2]] == ["First", "Second"]


# --- Taken -----------------------------------------------------------------------------------------------------------


def test_sent_in_parts_with_a_break_it_is_loaded_once_and_reported(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = machine.rows()
    machine.write("tenancy_events.csv", [{**row, "status": "Sent"} for row in rows[1:]])
    count, calls = items(machine.house), []

    def breaks(*args: Any, **more: Any) -> requests.Response:
        calls.append(args[1])
        if len(calls) == 4:
            raise sender.SendRefused("The line is down.")
        return send(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(sender, "send", breaks)
        with pytest.raises(sender.SendRefused):
            machine.sends(part=2000)
    answer = machine.sends(part=20_000).json()
    assert answer["state"] == "LOADED", answer
    assert answer["report"]["problem"] is None
    assert {one["file"] for one in answer["report"]["report"]["files"]} == set(FILES)
    assert items(machine.house) == count - 1
    assert {row["status"] for row in machine.rows()} == {"Sent"}
    assert newest(machine.house.hub, "collect").fields["action"] == "load"
    # Nothing readable, and nothing at all, is left outside the drop.
    left = [p for p in (machine.drop.parent / ".uploads").rglob("*") if p.is_file()]
    assert [p.name for p in left if p.name != "lock" and not p.name.endswith(".part")] == []
    assert not (machine.folder / ".sending").exists()
    again = machine.asks(f"{UPLOADS}/{answer['id']}/complete").json()
    assert again == answer


def test_a_delta_changes_adds_and_removes_rows_and_leaves_the_others(machine: Machine) -> None:
    rows = machine.rows()
    changed, removed, others = rows[0], rows[1], rows[2:]
    new = {**rows[0], "ref": "housing-new-1", "status": "New"}
    machine.write("tenancy_events.csv", [{**changed, "status": "Changed"}, new])
    (machine.folder / "tenancy_events.csv.removed").write_text(removed["ref"] + "\n")
    answer = machine.sends("tenancy_events.csv", "tenancy_events.csv.removed", mode="delta").json()
    assert answer["state"] == "LOADED", answer
    assert machine.rows() == [{**changed, "status": "Changed"}, *others, new]


def test_a_delta_with_other_columns_is_refused_whole(machine: Machine) -> None:
    before = (machine.drop / "tenancy_events.csv").read_bytes()
    (machine.folder / "tenancy_events.csv").write_text("ref,something\n1,2\n")
    answer = machine.sends("tenancy_events.csv", mode="delta").json()
    assert answer["state"] == "REFUSED"
    assert "heading" in answer["report"]["problem"]
    assert (machine.drop / "tenancy_events.csv").read_bytes() == before


def test_a_drop_that_cannot_be_loaded_is_reported_and_the_last_good_load_stays(machine: Machine) -> None:
    count = items(machine.house)
    (machine.folder / "involvement.csv").write_text("nothing\n1\n")
    answer = machine.sends().json()
    assert answer["state"] == "REFUSED"
    assert "MISSING" in answer["report"]["problem"] or "has no column" in answer["report"]["problem"]
    assert items(machine.house) == count


def test_what_a_process_that_died_had_made_ready_is_put_in_place_by_the_next_load(machine: Machine) -> None:
    ready = machine.drop.parent / ".uploads" / "housing" / "ready"
    ready.mkdir(parents=True)
    machine.write("tenancy_events.csv", machine.rows()[:5])
    os.replace(machine.folder / "tenancy_events.csv", ready / "tenancy_events.csv")
    (loaded,) = load_all(machine.house.hub, now=machine.house.hub.clock(), only="housing")
    assert loaded.problem is None
    assert len(machine.rows()) == 5
    assert not ready.exists()


def test_without_a_key_of_its_own_the_hub_takes_no_files(machine: Machine) -> None:
    hub = machine.house.app.extensions["hub"]
    machine.house.app.extensions["hub"] = replace(hub, settings=replace(hub.settings, age_identity_file=None))
    answer = machine.begins([sent_as(b"x", name) for name in FILES])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
