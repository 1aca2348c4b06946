"""LiteLLM's own log lines, escaped: it logs names and errors as clients and providers sent them."""

from __future__ import annotations

import logging

from vibe.escaped import escaped


class EscapingFormatter(logging.Formatter):
    """A formatter around another one."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        """Take the formatter whose lines are escaped; None is logging's default."""
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of *record*."""
        return escaped(self._inner.format(record))


def escape_logs() -> None:
    """Make every existing handler write escaped lines."""
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if not isinstance(handler.formatter, EscapingFormatter):
            handler.setFormatter(EscapingFormatter(handler.formatter))
