"""Runs the site under gunicorn as the hub is run, and asks it over kept connections.

For: the proofs that measure or watch answers. Loopback only, ended by its own process id.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def served(
    database: str, *, wrong: str = "", before: Sequence[str] = (), threads: int = 16, workers: int = 1
) -> Iterator[int]:
    """The site on a free port. Takes: `before`, words that go before the command. Returns: the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *before, sys.executable, "-W", "ignore", "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread",
        "--workers", str(workers), "--threads", str(threads), "--bind", f"127.0.0.1:{port}", "--log-level", "error",
        "--keep-alive", "30", "tests.simulation.site:serve()",
    ]  # fmt: skip
    environment = {**os.environ, "DATABASE": database, "WRONG": wrong}
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as server:
        try:
            _await(port, server)
            yield port
        finally:
            # The whole group: what watches the server ends with it, and not before.
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(server.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(20)


def ask(port: int, path: str, *, connections: int, each: int) -> tuple[list[float], list[tuple[int, bytes]]]:
    """Asks over so many kept connections at once, so many times each. Returns: seconds, and (status, body)."""
    taken: list[float] = []
    answers: list[tuple[int, bytes]] = []
    lock = threading.Lock()

    def one() -> None:
        mine, got = [], []
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(each):
            begun = time.perf_counter()
            connection.request("GET", path)
            response = connection.getresponse()
            got.append((response.status, response.read()))
            mine.append(time.perf_counter() - begun)
        connection.close()
        with lock:
            taken.extend(mine)
            answers.extend(got)

    crowd = [threading.Thread(target=one) for _ in range(connections)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return taken, answers


def _await(port: int, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/nothing-is-here")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("The site did not start.")
