"""Logs as JSON, a line for each thing that happens; no text of a post, no pixels, no keys."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from deixis.base.printable import one_line
from deixis.llms.servers.redaction import redacted

NAME = "deixis.serving"
_log = logging.getLogger(NAME)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": redacted(one_line(record.getMessage(), 300)),
            **getattr(record, "about", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            said |= fault(record.exc_info[1])
        return json.dumps(said, ensure_ascii=True)


def fault(error: BaseException) -> dict[str, Any]:
    """Return what is logged of a bug: its kind and where it was; its words may quote a post."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }


def set_up() -> None:
    """Let logs of the service and of its server go to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    levels = {NAME: "INFO", "uvicorn": "WARNING", "mcp": "ERROR", "python_multipart": "ERROR"}
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def tell(event: str, error: BaseException | None = None, **about: Any) -> None:
    """Log that something happened."""
    level = logging.INFO if error is None else logging.ERROR
    _log.log(level, event, exc_info=error, extra={"about": about})
