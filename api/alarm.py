"""The alarm of the audit trail: what the keeper found wrong, in a file that every process of this register looks at.

Nothing takes it back but a person who deletes `HOME/log/alarm.json` after having looked. An alarm about the log itself
stops the service: what cannot be logged is not done and not shown.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from evidence.durable import write_durably
from register.errors import Unavailable

ALARM: Final = "alarm.json"
_STOPS: Final = "log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The alarm of the register in `home`."""

    home: Path

    def codes(self) -> tuple[str, ...]:
        """Return the codes of what was found wrong; none: all is quiet."""
        try:
            return tuple(json.loads((self.home / "log" / ALARM).read_bytes()))
        except FileNotFoundError:
            return ()
        except ValueError:
            return ("alarm.damaged",)

    @property
    def stopped(self) -> bool:
        """Whether the log itself is not what was signed."""
        return any(code.startswith(_STOPS) for code in self.codes())

    def ring(self, code: str, at: datetime) -> bool:
        """Note `code`, found at `at` (aware), durably; return whether it is new."""
        known = self.codes()
        if code in known:
            return False
        found = dict.fromkeys(known, "") | {code: at.isoformat()}
        write_durably(self.home / "log", [(ALARM, json.dumps(found).encode("ascii"))])
        return True

    def check(self) -> None:
        """Refuse to go on while the log is not what was signed.

        Raises:
            Unavailable: `log.stopped`.
        """
        if self.stopped:
            raise Unavailable("log.stopped", "the log is not what was signed: nothing is done or shown until it is")
