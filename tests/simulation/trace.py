"""What a process asked of the operating system, as strace saw it from outside: files written, synced, answers sent.

For: the proofs about power loss and about the order of writing and answering. It shares nothing with what it watches.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = "openat,close,pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,dup,dup2,dup3,accept4"

_LINE = re.compile(r"^(\d+) +(.*)$")
_CALL = re.compile(r"^(\w+)\((.*)$")
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_RESULT = re.compile(r"\) += (-?\d+)")


class StraceMissing(RuntimeError):
    """There is no strace: nothing was proved."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One call: `begun` and `ended` are its places in the trace; `data` is what was written, `at` where."""

    begun: int
    ended: int
    call: str
    descriptor: int
    path: str
    data: bytes
    at: int


def strace(output: Path) -> list[str]:
    """The words to put before a command, so that its calls are written to a file. Raises StraceMissing."""
    found = shutil.which("strace")
    if found is None:
        raise StraceMissing("strace is missing: apt-get install strace. NOTHING WAS PROVED.")
    return [
        found,
        "-f",
        "--seccomp-bpf",
        "-xx",
        "-s",
        "1048576",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(output),
    ]


def read(trace: Path) -> Iterator[Happened]:
    """The calls in the order in which they ended; descriptors are resolved to the paths that were opened."""
    paths: dict[int, str] = {1: "<standard output>"}
    open_calls: dict[tuple[str, str], tuple[int, str]] = {}
    with trace.open(encoding="ascii", errors="replace") as lines:
        for place, line in enumerate(lines):
            found = _LINE.match(line)
            if found is None:
                continue
            thread, rest = found[1], found[2]
            begun = place
            if resumed := _RESUMED.match(rest):
                if (thread, resumed[1]) not in open_calls:
                    continue
                begun, first = open_calls.pop((thread, resumed[1]))
                rest = first + resumed[2]
            elif rest.endswith("<unfinished ...>"):
                if call := _CALL.match(rest):
                    open_calls[(thread, call[1])] = (place, rest.removesuffix("<unfinished ...>").rstrip())
                continue
            if happened := _happened(begun, place, rest, paths):
                yield happened


def _happened(begun: int, ended: int, rest: str, paths: dict[int, str]) -> Happened | None:
    call, result = _CALL.match(rest), None
    for result in _RESULT.finditer(rest):  # noqa: B007 (the last one counts)
        pass
    if call is None or result is None or int(result[1]) < 0:
        return None
    name, arguments, value = call[1], call[2], int(result[1])
    if name == "openat":
        text = _TEXT.search(arguments)
        if text is None:
            return None
        paths[value] = _bytes(text[1]).decode("utf-8", "replace")
        created = "O_CREAT" in arguments
        return Happened(begun, ended, "create" if created else "open", value, paths[value], b"", 0)
    descriptor = int(re.match(r"-?\d+", arguments)[0])  # type: ignore[index]
    path = paths.get(descriptor, "")
    if name == "close":
        paths.pop(descriptor, None)
        return None
    if name.startswith("dup"):
        paths[value] = path
        return None
    if name == "accept4":
        paths[value] = "<connection>"
        return None
    data = b"".join(_bytes(text[1]) for text in _TEXT.finditer(arguments))
    at = -1
    if name == "pwrite64":
        at = int(arguments[: result.start()].rsplit(",", 1)[1].split(")")[0])
        data = data[:value]
    if name == "ftruncate":
        at = int(re.search(r", (\d+)", arguments)[1])  # type: ignore[index]
    return Happened(begun, ended, name, descriptor, path, data, at)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
