"""What is logged, how it looks, and how it is kept free of secrets.

Everything logs by the standard library's `logging`; this is where it comes out: a line of JSON for
each record or, on a terminal, a coloured line for people.
"""

import logging
import os
import sys
from collections import Counter

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from application.request_ids import request_id, trace_id

logged: Counter[str] = Counter({"warning": 0, "error": 0, "critical": 0})
"""How many records there have been of each level."""

_SERVERS_LOGGERS = ("uvicorn", "uvicorn.access", "uvicorn.error")


def set_up_logs(level: str) -> None:
    """Log to stderr from this level on: debug, info, warning or error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(is_for_people=sys.stderr.isatty()))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in _SERVERS_LOGGERS:
        logger = logging.getLogger(name)
        logger.addFilter(_without_secrets)
        if logger.handlers:
            # `uvicorn app:app` has a format of its own for them.
            logger.handlers.clear()
            logger.propagate = True


def _formatter(*, is_for_people: bool) -> logging.Formatter:
    rendering: list[Processor]
    if is_for_people:
        # No other tracebacks: the usual ones for terminals show the values of variables.
        console = structlog.dev.ConsoleRenderer(
            colors="NO_COLOR" not in os.environ,
            exception_formatter=structlog.dev.plain_traceback,
        )
        rendering = [console]
    else:
        rendering = [
            structlog.processors.format_exc_info,
            _message_first,
            structlog.processors.JSONRenderer(),
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.processors.TimeStamper(fmt="iso", utc=not is_for_people),
            structlog.stdlib.add_log_level,
            _count,
            structlog.stdlib.add_logger_name,
            _add_ids,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    )


def _count(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    logged[event["level"]] += 1
    return event


def _add_ids(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    ids = {"request_id": request_id.get(), "trace_id": trace_id.get()}
    return {**event, **{name: id_ for name, id_ in ids.items() if id_ is not None}}


def _message_first(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """In the order in which people read."""
    head = {name: event.pop(name) for name in ("timestamp", "level", "logger")}
    return {**head, "message": event.pop("event"), **event}


def _without_secrets(record: logging.LogRecord) -> bool:
    """Whoever puts a token into an address shall not find it in the log; nor does anybody find
    handshakes and frames there, which uvicorn would log as they are at debug."""
    if isinstance(record.args, tuple):
        record.args = tuple(map(_without_query, record.args))
    return record.levelno >= logging.INFO


def _without_query(argument: object) -> object:
    is_address = isinstance(argument, str) and argument.startswith("/")
    return str(argument).partition("?")[0] if is_address else argument
