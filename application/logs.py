"""What is logged, and how it is kept free of secrets."""

import logging

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up_logs(level: str) -> None:
    """Log to stderr from this level on: debug, info, warning or error."""
    logging.basicConfig(level=level.upper(), format=_FORMAT)
    for name in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).addFilter(_without_secrets)


def _without_secrets(record: logging.LogRecord) -> bool:
    """Whoever puts a token into an address shall not find it in the log; nor does anybody find
    handshakes and frames there, which uvicorn would log as they are at debug."""
    if isinstance(record.args, tuple):
        record.args = tuple(map(_without_query, record.args))
    return record.levelno >= logging.INFO


def _without_query(argument: object) -> object:
    is_address = isinstance(argument, str) and argument.startswith("/")
    return str(argument).partition("?")[0] if is_address else argument
