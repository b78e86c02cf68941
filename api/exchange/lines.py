"""Reading NDJSON line by line, whatever its size: a line that is too long is told from its first bytes."""

from collections.abc import Iterator
from typing import BinaryIO

from api.exchange.strict_json import MEBIBYTE


def numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield number (from 1) and text of every line that is not blank; of one too long, a byte more than the limit."""
    number = 0
    while line := file.readline(MEBIBYTE + 1):
        number += 1
        text = line.rstrip(b"\r\n")
        while not line.endswith(b"\n") and (rest := file.readline(MEBIBYTE)):
            line = rest
        if text.strip():
            yield number, text
