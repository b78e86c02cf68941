"""Folding: a name as people write it becomes the parts that two spellings of it share.

Case, diacritics, script, punctuation and the writing of legal forms go; the order of the words stays, and each part
keeps its role, so that `scoring` can weigh a surname more than the *van der* before it. Pure functions.

Steps: compatibility decomposition (Unicode UAX 15, NFKD) without the marks of Latin, Cyrillic, Greek, Hebrew and
Arabic letters; transliteration to ASCII by the anyascii tables; words; roles.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from sys import intern
from typing import Final

from anyascii import anyascii

from matching.wordlists import CLEAR_FORMS, LEGAL_FORMS, LONGEST_FORM, PARTICLES, SHORTENED_PARTICLES, TITLES


class Role(StrEnum):
    """What a part of a name is; one character, so that a name's roles are a short string."""

    WORD = "w"
    INITIAL = "i"
    PARTICLE = "p"
    TITLE = "t"
    FORM = "f"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedName:
    """A folded name. Its repr shows no text.

    Attributes:
        parts: lower-case ASCII parts in the order written; legal forms, in their short form, always last.
        roles: one `Role` character for each part.
        transliterated: the name was written in another script than Latin.
    """

    parts: tuple[str, ...] = field(repr=False)
    roles: str
    transliterated: bool = False

    @property
    def text(self) -> str:
        """The parts with spaces between."""
        return " ".join(self.parts)

    @property
    def letters(self) -> int:
        """How many letters and digits the parts have together, legal forms left out."""
        return sum(len(part) for part, role in zip(self.parts, self.roles, strict=True) if role != Role.FORM)

    def having(self, role: Role) -> tuple[str, ...]:
        """Return the parts with that role, in order."""
        return tuple(part for part, its in zip(self.parts, self.roles, strict=True) if its == role)


MOST_WORDS: Final = 16

# Marks on Latin, Greek and Cyrillic letters, Hebrew points, Arabic vowel signs and the stretching stroke. Other scripts
# (Devanagari, kana) write vowels and consonants as marks, so theirs stay.
_MARKS: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]")
_ARABIC_ARTICLE: Final = re.compile("(?<!\\w)\u0627\u0644(?=\\w{3})")
# What the tables, letter by letter, cannot know: alef, ta marbuta and final he stand for a; waw, vav and yod are
# consonants at the start of a word and mostly vowels inside it; bet and pe are hard at the start.
_SPOKEN: Final = tuple(
    (re.compile(written), spoken)
    for written, spoken in (
        ("[\u0627\u0629\u0649\u05d0]|(?<=\\w)\u05d4(?!\\w)", "a"),
        ("\u05d5\u05d5", "v"),
        ("(?<=\\w)[\u0648\u05d5]", "u"),
        ("(?<=\\w)[\u064a\u06cc\u05d9]", "i"),
        ("(?<!\\w)\u05d1", "b"),
        ("(?<!\\w)\u05e4", "p"),
    )
)
# Ideographs and Hangul: one syllable each.
_SYLLABLES: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+")
_HANGUL: Final = "\uac00"
_HANGUL_END: Final = "\ud7a3"
_LONGEST_PERSON: Final = 4
_LATIN_BEYOND: Final = ((0x1D00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xAB30, 0xAB6F), (0xFB00, 0xFB06))
_LATIN_END: Final = 0x0370
_CURLY: Final = str.maketrans("\u2018\u2019\u02bc\u02bb\u00b4", "'''''")

_SMALL_ARTICLE: Final = re.compile(r"(?<!\w)'([tns])(?=[\s-])")
_SMALL_ARTICLES: Final = {"t": " het ", "n": " den ", "s": " des "}
_APOSTROPHES: Final = re.compile("['`]+")
_ABBREVIATION: Final = re.compile(r"(?<![a-z0-9])[a-z](?:[./] ?[a-z](?![a-z0-9]))+")
_WORD: Final = re.compile("[a-z0-9]+")


def fold(name: str) -> FoldedName:
    """Fold a name of a person or an organisation, in any script, in any order.

    Two names that differ only in case, diacritics, width or spacing fold alike. Nothing is refused: a text without
    letters or digits folds to no parts, and words beyond the sixteenth are left out, which bounds the work of a search.
    """
    text, transliterated = _ascii(name)
    parts, roles = _roles(_words(text)[:MOST_WORDS])
    return FoldedName(parts=tuple(parts), roles=intern(roles), transliterated=transliterated)


def _ascii(name: str) -> tuple[str, bool]:
    """Return the name in lower-case ASCII, and whether another script than Latin was in it."""
    if name.isascii():
        return name.lower(), False
    name = _ARABIC_ARTICLE.sub(" al ", name.translate(_CURLY))
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", name))
    if bare.isascii():
        return bare.lower(), False
    bare = unicodedata.normalize("NFC", bare)
    foreign = any(map(_foreign, bare))
    if foreign:
        for letter, spoken in _SPOKEN:
            bare = letter.sub(spoken, bare)
        bare = _spaced(bare)
    return anyascii(bare).lower(), foreign


def _spaced(text: str) -> str:
    """Set spaces where names in Chinese or Korean script have none.

    A run standing alone is a surname of one syllable and a given name; one longer than that is an organisation, whose
    syllables are words of their own until scoring joins neighbours. Otherwise, and in Hangul, a run is a word.
    """
    runs = _SYLLABLES.findall(text)
    if len(runs) == 1 and 1 < len(runs[0]) <= _LONGEST_PERSON:
        return text.replace(runs[0], f" {runs[0][0]} {runs[0][1:]} ")
    return _SYLLABLES.sub(lambda run: f" {' '.join(run[0]) if _organisation(run[0]) else run[0]} ", text)


def _organisation(run: str) -> bool:
    return len(run) > _LONGEST_PERSON and not _HANGUL <= run[0] <= _HANGUL_END


def _foreign(character: str) -> bool:
    """Say whether this is a letter of another script than Latin."""
    code = ord(character)
    return code >= _LATIN_END and character.isalpha() and not any(low <= code <= high for low, high in _LATIN_BEYOND)


def _words(text: str) -> list[str]:
    """Cut ASCII text into words: apostrophes join, all else separates; `b.v.` is a word, `j.p.` is two."""
    if "'" in text or "`" in text:
        text = _SMALL_ARTICLE.sub(lambda found: _SMALL_ARTICLES[found[1]], text)
        text = _APOSTROPHES.sub("", text)
    if "." in text or "/" in text:
        text = _ABBREVIATION.sub(_spell_out, text)
    return [word for written in _WORD.findall(text) for word in SHORTENED_PARTICLES.get(written, (written,))]


def _spell_out(found: re.Match[str]) -> str:
    """Return an abbreviation as one word where it is a legal form or a contraction, else as its letters."""
    letters = _WORD.findall(found[0])
    joined = "".join(letters)
    if joined in SHORTENED_PARTICLES:
        return f" {joined} "
    # A name that begins with N.V. is a person's more often than a firm's; both are found, as initials weigh little.
    begins = _WORD.search(found.string, 0, found.start()) is None
    ends = _WORD.search(found.string, found.end()) is None
    if (joined,) in LEGAL_FORMS and not begins and (ends or (joined,) in CLEAR_FORMS):
        return f" {joined} "
    return " ".join(("", *letters, ""))


def _roles(words: list[str]) -> tuple[list[str], str]:
    """Give each word its role; legal forms move to the end."""
    words, forms = _take_forms(words)
    roles = "".join(map(_role, words))
    if Role.WORD not in roles:
        # "De La", "H & M": what usually carries little is all there is.
        if set(roles) <= {Role.INITIAL}:
            words = ["".join(words)] if words else []
            roles = Role.WORD * len(words)
        else:
            roles = "".join(role if role == Role.INITIAL else Role.WORD for role in roles)
    return words + forms, roles + Role.FORM * len(forms)


def _role(word: str) -> str:
    if word in PARTICLES:
        return Role.PARTICLE
    if word in TITLES:
        return Role.TITLE
    return Role.INITIAL if len(word) == 1 and word.isalpha() else Role.WORD


def _take_forms(words: list[str]) -> tuple[list[str], list[str]]:
    """Part the legal forms from the other words, of which at least one stays."""
    rest, trailing = list(words), list[str]()
    while size := _form_at_end(rest):
        trailing.append(LEGAL_FORMS.get(tuple(rest[-size:])) or LEGAL_FORMS["".join(rest[-size:]),])
        del rest[-size:]
    clear, start = list[str](), 0
    while start < len(rest):
        size = _clear_form(rest, start)
        if size:
            clear.append(LEGAL_FORMS[tuple(rest[start : start + size])])
            del rest[start : start + size]
        else:
            start += 1
    return rest, clear + trailing[::-1]


def _form_at_end(words: list[str]) -> int:
    """Return how many words at the end are a legal form, letters written apart (`b v`) included; 0 for none."""
    for size in range(min(LONGEST_FORM, len(words) - 1), 0, -1):
        last = tuple(words[-size:])
        if last in LEGAL_FORMS or (size > 1 and max(map(len, last)) == 1 and ("".join(last),) in LEGAL_FORMS):
            return size
    return 0


def _clear_form(words: list[str], start: int) -> int:
    """Return how many words from `start` are a legal form that is one wherever it stands; 0 for none."""
    for size in range(min(LONGEST_FORM, len(words) - start, len(words) - 1), 0, -1):
        if tuple(words[start : start + size]) in CLEAR_FORMS:
            return size
    return 0
