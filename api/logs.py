"""Logging of our processes: one JSON object a line on standard error, ids, codes and counts only.

Messages of other libraries are cut down to their logger and level: what they say may quote what they were handed.
"""

import json
import logging
import sys
from typing import Final

OURS: Final = frozenset({"register", "graph", "vault", "matching", "retention", "evidence", "api"})


class Lines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; of an exception only its type, and its code where it is one of the register's own."""
        ours = record.name.split(".")[0] in OURS
        line: dict[str, object] = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if ours else "(a library's message, not shown)",
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__name__
            line["code"] = getattr(record.exc_info[1], "code", "")
        return json.dumps(line)


def configure(level: int = logging.INFO) -> None:
    """Send all logging of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "apscheduler", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # The driver's warnings of retries quote what the server said.
    logging.getLogger("neo4j").setLevel(logging.ERROR)
