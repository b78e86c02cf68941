"""A keeper whose jobs only say that they ran: started as a process of its own by the tests of the clockwork."""

import os
import time

from retention.schedule import Jobs, keep


def _say(word: str) -> None:
    os.write(1, f"{word}\n".encode())  # one write a line: several threads speak


def _work() -> None:
    _say("work begun")
    time.sleep(1.5)  # longer than the second after which it is due again
    _say("work done")


if __name__ == "__main__":
    keep(Jobs(nightly=lambda: _say("nightly"), work=_work, seal=lambda: _say("seal")), started=lambda: _say("started"))
    _say("stopped")
