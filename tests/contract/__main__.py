"""The interface against its own description, by a judge that others wrote: `make contract EXAMPLES=200`.

Schemathesis reads `/openapi.json`, makes requests that fit it and requests that do not, and checks every answer: its
status, its shape, its headers, and that nobody gets in without signing in. The hub is a demonstration of its own, and
the addresses lead to an enquiry that is there. Exit code 1 for any failure.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from hub.app import create_app
from hub.assembly import open_hub
from hub.demo.setting_up import set_up
from hub.logs import set_up_logs
from hub.settings import read_settings
from tests.conftest import Clock, House, Visitor
from tests.hub.conftest import ask_api
from tests.hub.test_api import MAISIE, WHY

PRACTICE = ("gpCheck", "gpCheckMany")
#: A request that fits may still not be granted: a check digit is wrong, the enquiry is another's, the person too.
LEFT_OUT = "positive_data_acceptance"


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Says nothing: there are thousands."""


def main() -> int:
    """Runs schemathesis once per user; returns the worst exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="requests for each operation and phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="examples,coverage,fuzzing")
    parser.add_argument("--schemathesis", default=str(Path(sys.executable).parent / "schemathesis"))
    given = parser.parse_args()
    set_up_logs("CRITICAL")
    with tempfile.TemporaryDirectory() as folder:
        demonstration = set_up(Path(folder) / "demo", now=datetime.now(UTC), base_url="http://127.0.0.1:8400")
        settings = read_settings(demonstration.environment)
        hub = open_hub(replace(settings, api_per_minute=1_000_000, searches_per_hour=1000, idle_min=60))
        try:
            return _judged(House(hub, create_app(hub), demonstration, Clock()), given)
        finally:
            hub.close()
            demonstration.stop()


def _judged(house: House, given: argparse.Namespace) -> int:
    """A practice's user asks what a practice may, a council's worker the rest, about an enquiry that is there."""
    with served(house) as url:
        practice = run(house, url, "gp_millbrook", given, only=PRACTICE)
        return max(practice, run(house, url, "mash_social_worker", given, never=PRACTICE))


@contextmanager
def served(house: House) -> Iterator[str]:
    """The house on a port of its own."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=_Silent)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()


def run(
    house: House,
    url: str,
    persona: str,
    given: argparse.Namespace,
    *,
    only: tuple[str, ...] = (),
    never: tuple[str, ...] = (),
) -> int:
    """One run of schemathesis with somebody's session; returns its exit code."""
    visitor = Visitor(house)
    visitor.sign_in(persona)
    token, cookie = visitor.token(), visitor.client.get_cookie("kith")
    assert cookie is not None
    print(f"== {persona}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        values = Path(folder) / "schemathesis.toml"
        values.write_text("[parameters]\n" + "".join(f'"path.{n}" = "{v}"\n' for n, v in _there(visitor).items()))
        command = [
            given.schemathesis, "--config-file", str(values), "run", f"{url}/openapi.json",
            "--checks", "all", "--exclude-checks", LEFT_OUT, "--max-examples", str(given.examples),
            "--seed", str(given.seed), "--phases", given.phases, "--no-color",
            "--header", f"Cookie: kith={cookie.value}", "--header", f"X-CSRF-Token: {token}",
            "--suppress-health-check", "all", "--request-timeout", "20", "--continue-on-failure",
        ]  # fmt: skip
        for option, names in (("--include-operation-id", only), ("--exclude-operation-id", never)):
            command += [word for name in names for word in (option, name)]
        return subprocess.run(command, check=False, cwd=folder).returncode


def _there(visitor: Visitor) -> dict[str, str]:
    """Values of addresses that lead somewhere: an enquiry with a confirmed person, an agreement, a receipt."""
    found = {"reference": "THORN-MASH", "version": "2"}
    opened = ask_api(visitor, "/api/v1/enquiries", {**WHY, "subject": MAISIE})
    if opened.status_code == 200:
        found |= {"enquiry_id": opened.json["enquiry"]["id"], "eid": opened.json["receipt"]["eid"]}
        mark = opened.json["candidates"][0]["candidate"]
        ask_api(visitor, f"/api/v1/enquiries/{found['enquiry_id']}/persons", {"candidate": mark})
    return found


if __name__ == "__main__":
    sys.exit(main())
