"""How many GP checks a partner's system gets answered in a second, with proof, limits, decision and trail.

For: `python -m hub bench api`. Every request is a whole one, by as many threads as a worker serves with: the token, a
proof of its own, the key that makes it once, the disclosure and both its entries. The network is left out.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from joserfc import jwt
from joserfc.jwk import ECKey

from hub.app import create_app
from hub.assembly import Hub, calm_collector
from hub.commands.bench_stage import demonstration
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.signin import tokens
from hub.signin.clients import read_clients, thumbprint

REQUESTS, WARM_UP, THREADS = 2_000, 50, 8
#: Checks that one user may make in a minute; so many users ask.
EACH = 20
PATH = "/api/v1/gp-check"


def bench_api(requests: int = REQUESTS) -> None:
    """Prints requests a second, CPU milliseconds a request and the spread."""
    with demonstration() as hub, TemporaryDirectory() as folder:
        hub = _with_client(hub, Path(folder))
        send = _sender(create_app(hub))
        prepared = _prepared(hub, requests + WARM_UP)
        calm_collector()
        for one in prepared[:WARM_UP]:
            send(one)
        with ThreadPoolExecutor(THREADS) as pool:
            cpu, begun = time.process_time(), time.perf_counter()
            taken = sorted(pool.map(send, prepared[WARM_UP:]))
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    p50, p95 = (taken[int(len(taken) * part)] * 1000 for part in (0.5, 0.95))
    click.echo(
        f"API GP check, {requests:,} requests by {THREADS} threads of one process: {requests / wall:.0f} a second, "
        f"{cpu / requests * 1000:.1f} ms CPU each, median {p50:.0f} ms, p95 {p95:.0f} ms  [200 a second, p95 50 ms, "
        "on two cores]"
    )


def _with_client(hub: Hub, folder: Path) -> Hub:
    register = folder / "clients.toml"
    (folder / "keys.json").write_text('{"keys": []}')
    register.write_text(
        '[[client]]\nid = "bench"\nagency = "gp-millbrook"\nroles = ["GP_CARE_COORDINATOR"]\njwks_file = "keys.json"\n'
        'scopes = ["gp-check"]\nper_minute = 1000000\n'
    )
    return replace(hub, settings=replace(hub.settings, clients_file=register))


def _prepared(hub: Hub, count: int) -> list[dict[str, str]]:
    """The headers of each request: a token of the user whose turn it is, and a fresh proof."""
    key, client = ECKey.generate_key("P-256"), read_clients(hub.settings.clients_file)["bench"]
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    bound_to, given = f"jkt:{key.thumbprint()}", ""
    found, now = [], hub.clock()
    for number in range(count):
        if number % EACH == 0:
            actor = persona_context("gp_millbrook", now=now, request_id="0" * 32).actor
            given = tokens.issue(hub, client, ["gp-check"], replace(actor, id=f"US-{number}"), bound_to, now=now)
        claims = {
            "htm": "POST",
            "htu": hub.settings.base_url + PATH,
            "iat": int(time.time()),
            "jti": secrets.token_hex(16),
            "ath": thumbprint(hashlib.sha256(given.encode()).digest()),
        }
        proof = jwt.encode(header, claims, key)
        found.append({"Authorization": f"DPoP {given}", "DPoP": proof, "Idempotency-Key": secrets.token_hex(16)})
    return found


def _sender(app: Any) -> Callable[[dict[str, str]], float]:
    subject = {"nhs_number": STORIES["package_current"].nhs_number}
    body: dict[str, Any] = {"purpose": "GP_PACKAGE_CHECK", "agreement": "THORN-GP-CHECK/1", "subject": subject}

    def send(headers: dict[str, str]) -> float:
        begun = time.perf_counter()
        answer = app.test_client().post(PATH, json=body, headers=headers)
        if answer.status_code != 200:
            raise click.ClickException(answer.text)
        return time.perf_counter() - begun

    return send
