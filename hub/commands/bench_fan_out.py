"""`python -m hub bench fan-out`: what asking many partners costs beside the slowest of them.

For: the promise that one more partner makes no page slower. The partners are HTTP servers in this process, each of
which takes its time before it answers; the page waits for all of them.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click

from connectors import Ask, Connector, Gatherer, Partner, Promise, RestConnector, load_partner, partner_template
from connectors.simulator import SimulatedPartner
from policies.vocabulary import AnswerState, DataCategory

PARTNERS, TAKES_S, RUNS = 20, 0.2, 20
_PATH = "/episodes/search"


def bench_fan_out() -> None:
    """Prints the median and the worst ratio of a whole gathering to its slowest answer."""
    ratios, wholes = [], []
    with ExitStack() as open_until_done:
        connectors: dict[str, Connector] = {}
        for n in range(PARTNERS):
            simulated = open_until_done.enter_context(
                SimulatedPartner(_partner(f"p{n}"), {_PATH: [{"ref": "e1", "client_ref": "c1"}]})
            )
            simulated.takes_s = TAKES_S
            connectors[simulated.partner.code] = RestConnector(simulated.partner)
        gatherer = Gatherer(connectors)
        open_until_done.callback(gatherer.close)
        wanted = {DataCategory.SERVICE_INVOLVEMENT: frozenset({"involved", "service"})}
        asks = [
            Ask(code, "person-1", ("c1",), None, wanted, "S47_ENQUIRY", Promise("bench", code, 'eid="bench"'))
            for code in connectors
        ]
        for _ in range(RUNS + 1):
            begun = time.perf_counter()
            answers = gatherer.gather(asks)
            whole_s = time.perf_counter() - begun
            if any(answer.state is not AnswerState.FOUND for answer in answers.values()):
                raise click.ClickException("A partner did not answer; the measurement is void.")
            wholes.append(whole_s)
            ratios.append(whole_s / max(answer.elapsed_s for answer in answers.values()))
    click.echo(
        f"{'fan-out':34} p50 {statistics.median(wholes[1:]) * 1000:8.2f} ms  "
        f"{statistics.median(ratios[1:]):.2f} times the slowest answer, at worst {max(ratios[1:]):.2f}; "
        f"{statistics.median(wholes[1:]) / TAKES_S:.2f} times what a partner takes  n={RUNS}  "
        f"{PARTNERS} partners of {TAKES_S * 1000:.0f} ms each over HTTP  [<= 1.3]"
    )


def _partner(code: str) -> Partner:
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
        path = Path(folder) / f"{code}.toml"
        path.write_text(partner_template("rest", code), encoding="utf-8")
        return load_partner(path)
