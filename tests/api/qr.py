"""A reader of QR codes of version 5 at level M (ISO/IEC 18004), apart from what draws them: enough for one digest."""

import re
from itertools import accumulate

SIZE = 37  # modules of version 5
BLOCKS, DATA = 2, 43  # level M of version 5: two blocks of 43 data codewords
MASKS = (
    lambda y, x: (y + x) % 2,
    lambda y, x: y % 2,
    lambda y, x: x % 3,
    lambda y, x: (y + x) % 3,
    lambda y, x: (y // 2 + x // 3) % 2,
    lambda y, x: y * x % 2 + y * x % 3,
    lambda y, x: (y * x % 2 + y * x % 3) % 2,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2,
)


def modules(svg: bytes) -> list[list[int]]:
    """Read the dark modules off the one path of the drawing: rows of `h` strokes, moved between by `m`."""
    path = re.search(rb'<path[^>]* d="([^"]+)"', svg)
    assert path
    dark, x, y = set(), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", path[1].decode()):
        values = [float(one) for one in re.findall(r"-?[0-9.]+", numbers)]
        if command == "h":
            dark |= {(int(y), int(x) + step) for step in range(int(values[0]))}
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    top, left = min(row for row, _ in dark), min(column for _, column in dark)
    assert {max(row for row, _ in dark) - top, max(column for _, column in dark) - left} == {SIZE - 1}
    return [[int((row + top, column + left) in dark) for column in range(SIZE)] for row in range(SIZE)]


def text(grid: list[list[int]]) -> str:
    """Decode the grid; its error correction is not used, so a single wrong module is found."""
    pattern = [grid[8][column] for column in (0, 1, 2, 3, 4, 5, 7, 8)] + [grid[row][8] for row in (7, 5, 4, 3, 2, 1, 0)]
    form = int("".join(map(str, pattern)), 2) ^ 0b101010000010010
    assert form >> 13 == 0b00, "level M"
    mask = MASKS[form >> 10 & 0b111]
    bits = [grid[y][x] ^ int(mask(y, x) == 0) for y, x in _walk()]
    words = [int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, len(bits) - 7, 8)]
    data = [words[at * BLOCKS + block] for block in range(BLOCKS) for at in range(DATA)]
    stream = "".join(f"{word:08b}" for word in data)
    assert stream[:4] == "0100", "byte mode"
    length = int(stream[4:12], 2)
    return bytes(int(stream[at : at + 8], 2) for at in range(12, 12 + 8 * length, 8)).decode("ascii")


def _walk() -> list[tuple[int, int]]:
    """Pairs of columns from the right, up and down in turn, past the timing column and the function patterns."""
    pairs = [column - (column <= 6) for column in range(SIZE - 1, 0, -2)]
    turns = list(accumulate([0, *[1] * (len(pairs) - 1)]))
    return [
        (y, x)
        for column, turn in zip(pairs, turns, strict=True)
        for y in (range(SIZE) if turn % 2 else range(SIZE - 1, -1, -1))
        for x in (column, column - 1)
        if not _function(y, x)
    ]


def _function(y: int, x: int) -> bool:
    finder = (y < 9 and x < 9) or (y < 9 and x >= SIZE - 8) or (y >= SIZE - 8 and x < 9)
    alignment = abs(y - 30) <= 2 and abs(x - 30) <= 2
    return finder or alignment or y == 6 or x == 6
