"""Lists of harbours as files: the project's own form, and the official UN/LOCODE list (UNECE Recommendation 16).

Both are read strictly: a file with a fault is refused whole, with every fault named by its line.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from register.errors import Fault, Invalid

CODE: Final = re.compile(r"[A-Z]{2}[A-Z2-9]{3}")

_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,9})?")
_FUNCTIONS: Final = re.compile(r"[0-9B-]{1,8}")
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Harbour:
    """One harbour. It is public knowledge, so nothing about it is sealed.

    Attributes:
        code: UN/LOCODE without the blank, such as `NLRTM`.
        name: its name as the source writes it, NFC.
        latitude: degrees, north positive (WGS 84); None where no source is sure.
        longitude: degrees, east positive; None exactly where the latitude is.
    """

    code: str
    name: str
    latitude: float | None = None
    longitude: float | None = None

    @property
    def country(self) -> str:
        """The country's ISO 3166-1 alpha-2 code: the first two letters of the UN/LOCODE."""
        return self.code[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """Where a form of list keeps what is needed; `official` lists carry more columns and name a place repeatedly."""

    official: bool
    code: str
    latitude: str
    longitude: str

    def columns(self) -> tuple[str, ...]:
        own = (self.code, "name", self.latitude, self.longitude)
        return (*own, "iso_3166_2_country", "function_code") if self.official else own


_OWN: Final = _Form(official=False, code="code", latitude="latitude", longitude="longitude")
_OFFICIAL: Final = _Form(official=True, code="un_locode", latitude="latitude_dec", longitude="longitude_dec")


def read(file: Path) -> tuple[bool, tuple[Harbour, ...]]:
    """Return whether `file` is an official list, and its harbours; its first line says which form it has.

    Raises:
        Invalid: every fault of the file, each at `/FILE/LINE/COLUMN`.
    """
    reading = _Reading(file)
    official = _OFFICIAL.code in reading.header
    return official, reading.harbours(_OFFICIAL if official else _OWN)


def read_own(file: Path) -> tuple[Harbour, ...]:
    """Return the harbours of a file in this project's own form (what `write` gives), in its order.

    Raises:
        Invalid: every fault of the file, each at `/FILE/LINE/COLUMN`.
    """
    return _Reading(file).harbours(_OWN)


def read_official(file: Path) -> tuple[Harbour, ...]:
    """Return the harbours of an official UN/LOCODE list as CSV, one for each code, in its order.

    Needed columns, others may stand between them: `un_locode` ("NL RTM"), `name`, `iso_3166_2_country`,
    `function_code` (must contain 1: port), `latitude_dec` and `longitude_dec` (degrees, or both empty). The list
    enters a place once under each of its names; the first is taken.

    Raises:
        Invalid: every fault of the file, each at `/FILE/LINE/COLUMN`.
    """
    return _Reading(file).harbours(_OFFICIAL)


def write(harbours: Iterable[Harbour]) -> str:
    """Return `harbours` in this project's own form: CSV sorted by code, positions to 5 decimals (about a metre)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_OWN.columns())
    for harbour in sorted(harbours, key=lambda harbour: harbour.code):
        degrees = ["" if value is None else f"{value:.5f}" for value in (harbour.latitude, harbour.longitude)]
        writer.writerow([harbour.code, harbour.name, *degrees])
    return text.getvalue()


class _Reading:
    """One pass over one file, gathering every fault."""

    def __init__(self, file: Path) -> None:
        self._place = "/" + file.name.replace("~", "~0").replace("/", "~1")
        self._faults: list[Fault] = []
        rows = self._cells(file)
        self.header = rows[0][1] if rows else []
        self._rows = rows[1:]

    def harbours(self, form: _Form) -> tuple[Harbour, ...]:
        self._check_header(form)
        by_code: dict[str, Harbour] = {}
        for line, cells in self._rows:
            if len(cells) != len(self.header):
                self._fault(line, "", "ports.columns", f"{len(self.header)} columns expected, {len(cells)} found")
                continue
            harbour = self._harbour(line, dict(zip(self.header, cells, strict=True)), form)
            first = by_code.setdefault(harbour.code, harbour)
            same_place = (first.latitude, first.longitude) == (harbour.latitude, harbour.longitude)
            if first is not harbour and not (form.official and same_place):
                self._fault(line, form.code, "ports.repeated", "the code stands on an earlier line already")
        if self._faults:
            raise Invalid(self._faults, "ports.invalid")
        return tuple(by_code.values())

    def _cells(self, file: Path) -> list[tuple[int, list[str]]]:
        """Return the rows, each with the number of its first line."""
        try:
            data = file.read_bytes()
            text = data.decode("utf-8-sig")
        except OSError:
            raise self._refusal(None, "ports.file", "the file cannot be read") from None
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise self._refusal(line, "ports.encoding", "the file must be UTF-8") from None
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows, first = [], 1
        try:
            for cells in reader:
                rows.append((first, cells))
                first = reader.line_num + 1
        except csv.Error:
            # Nothing after this line can be trusted to be where it seems.
            raise self._refusal(first, "ports.csv", "the line is not well-formed CSV (RFC 4180)") from None
        return rows

    def _check_header(self, form: _Form) -> None:
        columns = form.columns()
        if form.official and any(self.header.count(column) != 1 for column in columns):
            raise self._refusal(1, "ports.header", f"the first line must name once each: {', '.join(columns)}")
        if not form.official and tuple(self.header) != columns:
            raise self._refusal(1, "ports.header", f"the first line must read {','.join(columns)}")
        if not self._rows:
            raise self._refusal(1, "ports.empty", "the file holds no harbour")

    def _harbour(self, line: int, row: dict[str, str], form: _Form) -> Harbour:
        code = row[form.code]
        if form.official:
            code = code.replace(" ", "", 1)
            if code[:2] != row["iso_3166_2_country"]:
                self._fault(line, "iso_3166_2_country", "ports.country", "must be the first two letters of the code")
            functions = row["function_code"]
            if not _FUNCTIONS.fullmatch(functions) or "1" not in functions:
                self._fault(line, "function_code", "ports.function", "must be a function code that contains 1 (port)")
        if not CODE.fullmatch(code):
            self._fault(line, form.code, "ports.code", "must be a UN/LOCODE: two letters, then three of A-Z and 2-9")
        name = unicodedata.normalize("NFC", row["name"])
        if not name or name != " ".join(name.split()) or not name.isprintable() or len(name) > _LONGEST_NAME:
            expected = f"must be 1 to {_LONGEST_NAME} printable characters without stray blanks"
            self._fault(line, "name", "ports.name", expected)
        latitude, longitude = self._position(line, row, form)
        return Harbour(code=code, name=name, latitude=latitude, longitude=longitude)

    def _position(self, line: int, row: dict[str, str], form: _Form) -> tuple[float | None, float | None]:
        latitude = self._degrees(line, form.latitude, row[form.latitude], 90)
        longitude = self._degrees(line, form.longitude, row[form.longitude], 180)
        if bool(row[form.latitude]) != bool(row[form.longitude]):
            self._fault(line, form.latitude, "ports.position", "latitude and longitude must be given both or neither")
        if latitude == longitude == 0:
            self._fault(line, form.latitude, "ports.position", "0, 0 is no harbour's position; leave both empty")
        return latitude, longitude

    def _degrees(self, line: int, column: str, text: str, most: int) -> float | None:
        if not text:
            return None
        if not _DEGREES.fullmatch(text) or abs(float(text)) > most:
            expected = f"must be decimal degrees from -{most} to {most}, or empty"
            self._fault(line, column, "ports.position", expected)
            return None
        return float(text)

    def _fault(self, line: int | None, column: str, rule: str, message: str) -> None:
        pointer = "/".join([self._place, *([str(line)] if line else []), *([column] if column else [])])
        self._faults.append(Fault(pointer=pointer, rule=rule, message=message))

    def _refusal(self, line: int | None, rule: str, message: str) -> Invalid:
        self._fault(line, "", rule, message)
        return Invalid(self._faults, "ports.invalid")
