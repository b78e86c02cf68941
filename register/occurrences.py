"""Where in a text the names of a signal's subjects stand. Pure; linear in the text for names of bounded length.

Words are compared one by one in a tree of all names, never by a pattern made from input: no text or name can make the
search slow. Clear text: a module the stores may not name.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han. Each letter counts as a word.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_ASCII_WORD: Final = re.compile("[a-z0-9]+")

# Never a surname by themselves.
# fmt: off
PARTICLES: Final = frozenset((
    "van", "de", "der", "den", "het", "t", "te", "ten", "ter", "s", "in", "op", "aan", "bij", "tot", "uit", "en",
    "von", "vom", "zu", "zum", "zur", "und", "da", "das", "do", "dos", "du", "des", "d", "di", "del", "della", "la",
    "le", "les", "l", "el", "al", "bin", "ibn", "ben", "abu", "y", "e", "and", "of", "the", "o",
))
_LEGAL_FORMS: Final = tuple(tuple(form.split()) for form in (
    "b v", "bv", "n v", "nv", "v o f", "vof", "c v", "cv", "bvba", "ltd", "limited", "inc", "llc", "plc", "corp",
    "co", "gmbh", "ag", "kg", "s a", "sa", "s r l", "srl", "sarl", "oy", "ab",
))
# fmt: on
_GENERATIONS: Final = tuple((word,) for word in ("jr", "sr", "junior", "senior", "ii", "iii", "iv"))
_LONGEST_SURNAME: Final = 6
_FEWEST_LETTERS: Final = 2


@dataclass(frozen=True, kw_only=True, repr=False)
class Named:
    """How one mention is called: stated names and aliases; `person`: whether the last words are a surname."""

    names: tuple[str, ...]
    person: bool

    @cached_property
    def forms(self) -> tuple[tuple[tuple[str, ...], bool], ...]:
        """What is looked for: words as they are compared, and whether these are stated, else they are derived."""
        stated = [(_keys(words), True) for name in self.names for words in _readings(name)]
        derived = [(keys, False) for name in self.names for keys in _derived(name, self.person)]
        distinct = dict.fromkeys([*stated, *derived])
        return tuple([form for form in distinct if sum(map(len, form[0])) >= _FEWEST_LETTERS])


class Span(NamedTuple):
    """Characters `start` to `end` of a text, and as bits the mentions that the words there may mean."""

    start: int
    end: int
    mask: int


class _Word(NamedTuple):
    key: str
    start: int
    end: int


class _Node:
    """Names that begin with the same words: whose stated names end here, whose derived ones, and how they go on."""

    __slots__ = ("derived", "further", "stated")

    def __init__(self) -> None:
        self.stated = 0
        self.derived = 0
        self.further: dict[str, _Node] = {}


class NameTree:
    """All names of a signal's mentions, ready to be looked for.

    Stated names count, and names derived from them: of persons the surname alone, with or without particles, and a
    name written "surname, given name" in its natural order; of all, the name without a trailing legal form or
    generation. Names of fewer than two letters or digits are left out.
    """

    def __init__(self, mentions: Sequence[Named]) -> None:
        self._root = _Node()
        for position, mention in enumerate(mentions):
            for keys, stated in mention.forms:
                node = self._node(keys)
                if stated:
                    node.stated |= 1 << position
                else:
                    node.derived |= 1 << position

    def _node(self, keys: Sequence[str]) -> _Node:
        node = self._root
        for key in keys:
            further = node.further.get(key)
            if further is None:
                further = node.further[key] = _Node()
            node = further
        return node

    def find(self, text: str, *, but: int | None = None) -> list[Span]:
        """Return the places in `text` where names stand, in order and apart from each other.

        Whole words are compared, whatever their case, their accents and the signs between them. Occurrences that
        overlap make one span; it means every mention with a stated name in it, and every one with a derived name that
        does not lie inside a longer occurrence.

        Args:
            text: any Unicode text.
            but: position of a mention whose names are not looked for.
        """
        if text.isascii() and self._root.further.keys().isdisjoint(_ASCII_WORD.findall(text.lower())):
            return []  # most texts name nobody: seen without a look at where each word stands
        keep = -1 if but is None else ~(1 << but)
        found = [span for words in _readings(text) for span in self._spans(words, keep)]
        return _merged(found)

    def _spans(self, words: list[_Word], keep: int) -> Iterator[Span]:
        first = self._root.further
        reach = 0  # the first word behind all occurrences so far
        for begin, word in enumerate(words):
            if word.key not in first:
                continue
            end, stated, derived = self._longest(words, begin, keep)
            if end <= reach:
                derived = 0  # inside an occurrence that begins earlier
            reach = max(reach, end)
            if stated | derived:
                yield Span(word.start, words[end - 1].end, stated | derived)

    def _longest(self, words: list[_Word], begin: int, keep: int) -> tuple[int, int, int]:
        end = stated = derived = 0
        node: _Node | None = self._root
        for index in range(begin, len(words)):
            node = node.further.get(words[index].key) if node else None
            if node is None:
                break
            if (node.stated | node.derived) & keep:
                end = index + 1
                stated |= node.stated & keep
                derived = node.derived & keep
        return end, stated, derived


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.start, max(last.end, span.end), last.mask | span.mask)
        else:
            merged.append(span)
    return merged


def _readings(text: str) -> Iterator[list[_Word]]:
    """Yield the words of `text`, and once more with invisible signs and combining marks passed over, if it has any.

    Both are looked at, since such a sign may hide a name ("Pi(zero width space)et") as well as part two words.
    """
    if text.isascii():
        yield [_Word(m[0], *m.span()) for m in _ASCII_WORD.finditer(text.lower())]
        return
    yield [_Word(key, *m.span()) for m in _WORD.finditer(text) if (key := _key(m[0]))]
    passed_over = {sign for sign in set(text) if _passed_over(sign)}
    if passed_over:
        kept = [index for index, sign in enumerate(text) if sign not in passed_over]
        bare = "".join([text[index] for index in kept])
        kept.append(len(text))  # a word reaches over the signs behind it
        yield [_Word(key, kept[m.start()], kept[m.end()]) for m in _WORD.finditer(bare) if (key := _key(m[0]))]


def _passed_over(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] == "M" or category == "Cf"


def _key(word: str) -> str:
    """Return what two spellings of the same word have in common: no case, no accents, no compatibility forms."""
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    return "".join([sign for sign in folded if not _passed_over(sign)]).replace("\u0131", "i")  # dotless i


def _derived(name: str, person: bool) -> Iterator[tuple[str, ...]]:
    for words in _readings(name):
        whole = _without_ending(words, _GENERATIONS if person else _LEGAL_FORMS)
        if len(whole) < len(words):
            yield _keys(whole)
        if person:
            yield from _surnames(whole)
    if person and name.count(",") == 1:
        surname, given = name.split(",")
        for words in _readings(f"{given} {surname}"):
            yield _keys(words)
            yield from _surnames(words)


def _keys(words: Sequence[_Word]) -> tuple[str, ...]:
    return tuple([word.key for word in words])


def _without_ending(words: list[_Word], endings: tuple[tuple[str, ...], ...]) -> list[_Word]:
    for ending in endings:
        if len(words) > len(ending) and _keys(words[-len(ending) :]) == ending:
            return words[: -len(ending)]
    return words


def _surnames(words: list[_Word]) -> Iterator[tuple[str, ...]]:
    for start in range(max(1, len(words) - _LONGEST_SURNAME), len(words)):
        # Letters of a script without spaces are no words by themselves.
        if words[start - 1].end < words[start].start:
            surname = _keys(words[start:])
            if not PARTICLES.issuperset(surname):
                yield surname
