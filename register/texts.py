"""What a text may hold, whatever it says: characters and normalisation form. Yields faults, never the text."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from register.errors import Fault
from register.rules import fault

# U+0000 ends strings in other programs' hands; half a surrogate pair is no character.
BROKEN: Final = re.compile("[\x00\ud800-\udfff]")
# Control characters, line breaks, and the signs that embed, override or isolate a direction of writing (UAX #9):
# a name may not look like another name, nor forge a second line.
_CONTROL: Final = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_VISIBLE: Final = re.compile("[^\\s\u00ad\u200b-\u200f\u2060\ufeff]")


def prose_faults(pointer: str, text: str, *, needed: bool = False) -> Iterator[Fault]:
    """Yield what is wrong with a free text; `needed`: it must hold a visible character."""
    if needed and not _VISIBLE.search(text):
        yield fault(pointer, "text.blank")
    if BROKEN.search(text):
        yield fault(pointer, "text.characters")
    if not unicodedata.is_normalized("NFC", text):
        yield fault(pointer, "text.form")


def line_faults(pointer: str, text: str, *, needed: bool = False) -> Iterator[Fault]:
    """Yield what is wrong with a text of one line, such as a name; `needed`: it must hold a visible character."""
    yield from prose_faults(pointer, text, needed=needed)
    if not text.isprintable() and _CONTROL.search(text):
        yield fault(pointer, "text.control")
