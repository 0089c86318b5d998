"""What the hub says when its witnesses are silent, or saw something else: in the log, in the trail, on the page."""

import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from wsgiref.simple_server import make_server

import pytest

from audit import Cosigners, Quorum, State, WitnessPolicy, WitnessView, read_policy, witness_app
from audit import Witness as PartnerWitness
from hub.errors import SettingsRefused
from hub.witnesses import Watch, note_of, policy_of
from tests.conftest import House
from tests.hub.conftest import newest, with_parts


@dataclass
class Watched:
    """The house with witnesses of its own, which can be sent away."""

    house: House
    cosigners: Cosigners
    policy: WitnessPolicy


@pytest.fixture
def watched(house: House, tmp_path: Path) -> Iterator[Watched]:
    trail, clock = house.hub.trail, house.clock
    witness = PartnerWitness(
        tmp_path, name="police.example/w", logs=[trail.verifier_key], clock=lambda: int(clock().timestamp())
    )
    server = make_server("127.0.0.1", 0, witness_app(witness))
    server.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[assignment]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    policy = read_policy(f"witness police {witness.verifier_key} {url}\nquorum police\n")
    cosigners = Cosigners(house.hub.db.engine, key=trail.verifier_key, policy=policy, clock=clock, each_s=1.0)
    yield Watched(with_parts(house, cosigners=cosigners), cosigners, policy)
    server.shutdown()
    server.server_close()
    witness.close()


def figure(page: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", page, re.M)
    assert found, name
    return float(found[1])


def test_the_page_and_the_probes_say_who_vouches_for_the_trail(watched: Watched) -> None:
    watched.cosigners.round()
    officer = watched.house.visitor("ig_officer")
    page = officer.get("/ig").text
    size = watched.cosigners.quorum().size
    assert f"police cosigned {size:,} entries of the trail" in page
    assert "govuk-warning-text" not in page
    assert officer.get("/readyz").json == {"status": "ok", "witnesses": "ok"}
    assert figure(officer.get("/metrics").text, "kith_witness_cosigned_size") == size


def test_a_receipt_names_the_witnesses_that_cosigned_the_tree_that_it_is_in(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched.house.hub.trail, "_policy", watched.policy)
    officer = watched.house.visitor("ig_officer")
    number = re.search(r'href="/receipts/([0-9a-f]{32})"', officer.get("/ig").text)
    assert number
    address = f"/receipts/{number[1]}"
    assert "No witness has cosigned this entry yet" in officer.get(address).text
    watched.cosigners.round()
    page = officer.get(address).text
    assert "police.example/w" in page
    assert f"{address}?format=tlog-proof" in page
    proof = officer.get(f"{address}?format=tlog-proof").text
    assert "police.example/w" in proof


def test_five_minutes_without_them_are_an_alarm_once_and_nothing_stops(
    watched: Watched, log_lines: io.StringIO
) -> None:
    hub = watched.house.hub
    watched.cosigners.round()
    officer = watched.house.visitor("ig_officer")
    watched.house.clock.ahead = timedelta(minutes=6)
    before = len(log_lines.getvalue())
    for _ in range(2):
        Watch(hub.trail, hub.clock)(watched.cosigners.quorum())
    alarm = newest(hub, "alarm")
    assert alarm.fields == {"client": {"id": "witnesses"}, "reason": "WITNESS_OVERDUE"}
    assert len([e for e in hub.trail.events(alarm.index - 5) if e.fields.get("reason") == "WITNESS_OVERDUE"]) == 1
    lines = [json.loads(line) for line in log_lines.getvalue()[before:].splitlines()]
    assert any(line["event"] == "witnesses" and line["level"] == "error" for line in lines)
    page = officer.get("/ig")
    assert page.status_code == 200
    assert "Nobody outside vouches for the newest entries" in page.text
    answer = officer.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "witnesses": "overdue"})
    assert figure(officer.get("/metrics").text, "kith_witness_quorum_overdue") == 1
    # And the register says it in words.
    assert "No quorum of witnesses has cosigned the trail for five minutes" in page.text


@pytest.mark.parametrize(
    ("state", "reason"), [(State.CONTRADICTS, "WITNESS_CONTRADICTS"), (State.AHEAD, "WITNESS_AHEAD")]
)
def test_a_witness_that_saw_another_trail_is_an_alarm_at_once(house: House, state: State, reason: str) -> None:
    view = WitnessView("police", 17, 1_795_424_400_000, state, 0)
    quorum = Quorum("1 of 2 witnesses", 1_795_424_400_000, 17, False, False, (view,))
    Watch(house.hub.trail, house.hub.clock)(quorum)
    assert newest(house.hub, "alarm").fields["reason"] == reason
    assert not note_of(quorum).ok
    assert "Tell your data protection officer" in note_of(quorum).sentence


def test_without_a_policy_the_page_says_nothing_of_witnesses(house: House) -> None:
    officer = house.visitor("ig_officer")
    page = officer.get("/ig").text
    assert "kith-witnesses" not in page
    number = re.search(r'href="/receipts/([0-9a-f]{32})"', page)
    assert number
    assert "This hub asks no witnesses" in officer.get(f"/receipts/{number[1]}").text
    assert policy_of(None) is None


@pytest.mark.parametrize("text", [None, "", "quorum nobody\n", "witness w no-key\nquorum w\n"])
def test_a_policy_that_cannot_be_read_stops_the_hub_at_start(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsRefused, match="HUB_WITNESS_POLICY_FILE"):
        policy_of(file)
    file.write_text("quorum none\n")
    assert isinstance(policy_of(file), WitnessPolicy)
