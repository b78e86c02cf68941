"""A paper, and how it becomes a PDF: tagged, PDF/UA-1, with the fonts that lie in the typesetter itself.

No font, clock, locale or file of the machine is asked for, so that the same paper has the same bytes wherever it is
made; its date is the one that it names.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Final, Literal, TypeAlias

import segno
import typst

from api.print.wording import Cell, Language

RESOLUTION: Final = 110
"""Dots per inch of pictures of pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A paragraph."""

    text: str
    block: str = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading inside a section."""

    text: str
    block: str = "heading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Labels, each with its value."""

    rows: tuple[tuple[str, Cell], ...]
    block: str = "facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a header row; `numeric` columns are set to the right."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[bool, ...]
    block: str = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A list of short lines."""

    lines: tuple[str, ...]
    block: str = "lines"


Block: TypeAlias = Words | Heading | Facts | Table | Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered section."""

    number: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A whole paper.

    Attributes:
        above: who speaks, above the title; banner: a warning that stands on every page, or "".
        code, alt: what the QR code holds, and its alternative text; code_label, code_text: the same to read.
        closing: last paragraphs; page, of: the words around page numbers.
        issued_at: the paper's date, ISO 8601 with its zone.
    """

    language: Language
    title: str
    above: tuple[str, str]
    banner: str
    intro: str
    summary: Facts
    code: str
    alt: str
    code_label: str
    code_text: str
    sections: tuple[Section, ...]
    closing: tuple[str, ...]
    page: str
    of: str
    issued_at: str


def qr_code(text: str) -> bytes:
    """Return the QR code of `text` as SVG, error correction M, with its quiet zone."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False, boost_error=False).save(
        drawn, kind="svg", border=4, xmldecl=False, svgclass=None, lineclass=None, omitsize=True
    )
    return drawn.getvalue()


def pdf(paper: Paper) -> bytes:
    """Return the paper as an accessible PDF (PDF/UA-1)."""
    return _set(paper, "pdf", RESOLUTION)[0]


def pages(paper: Paper, *, resolution: int = RESOLUTION) -> tuple[bytes, ...]:
    """Return the paper's pages as PNG pictures of so many dots per inch."""
    return tuple(_set(paper, "png", resolution))


def _set(paper: Paper, form: Literal["pdf", "png"], resolution: int) -> list[bytes]:
    told: Mapping[str, Any] = asdict(paper) | {"qr": qr_code(paper.code).decode("ascii")}
    template = (files("api.print") / "paper.typ").read_bytes()
    compiler = typst.Compiler(
        template, ignore_system_fonts=True, sys_inputs={"paper": json.dumps(told, ensure_ascii=False)}
    )
    at = int(datetime.fromisoformat(paper.issued_at).timestamp())
    standard: Literal["ua-1"] | None = "ua-1" if form == "pdf" else None
    made = compiler.compile(format=form, ppi=resolution, pdf_standards=standard, timestamp=at)
    return [made] if isinstance(made, bytes) else list(made or ())
