"""Structured logs: one JSON object a line, without personal data.

For: what operators need at three in the morning - codes, counts, times, request ids. Must never be given a
name, date of birth, address, NHS number, search text or partner content; as a second line of defence a
processor drops every key that is not on the list of known ones.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

#: The only keys that a log line may carry. A new key is a decision, made here.
_KEYS = """
    event level timestamp request_id method route status elapsed_ms agency partner state reason code count kind
    accepted rejected loaded unchanged file line column receipt index size workers threads mode version error
    port pid people families records links step seconds
"""
KNOWN_KEYS = frozenset(_KEYS.split())


def _only_known_keys(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    dropped = [key for key in line if key not in KNOWN_KEYS and key != "exc_info"]
    for key in dropped:
        del line[key]
    trace = line.pop("exc_info", None)
    if trace:
        error = sys.exc_info()[1] if trace is True else trace
        # The text of a foreign exception may quote data; its type and place never do.
        line["error"] = type(error).__name__
        tb = getattr(error, "__traceback__", None)
        while tb is not None and tb.tb_next is not None:
            tb = tb.tb_next
        if tb is not None:
            line["file"], line["line"] = tb.tb_frame.f_code.co_filename.rsplit("/", 1)[-1], tb.tb_lineno
    return line


class _Libraries(logging.Handler):
    """What a library has to say becomes a line of ours: which library, how bad, what kind of error - never its text.

    Flask, gunicorn and the drivers put addresses, parameters and stack traces into theirs.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        error = record.exc_info[1] if record.exc_info else None
        log.log(
            record.levelno,
            "library",
            reason=record.name,
            file=record.filename,
            line=record.lineno,
            **({"exc_info": error} if error else {}),
        )


def set_up_logs(level: str, *, stream: TextIO | None = None) -> None:
    """Sends log lines to standard error as JSON, ours and those of libraries from WARNING on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_known_keys,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)


log = structlog.get_logger()
