"""Text that redacts itself: every name stated in a signal becomes a gap that only the named subject's label fills.

The text with its gaps is sealed under the signal's key, the labels under the subjects' keys. When a subject goes, its
labels go, and the text reads "[removed person]" there without anybody editing it. Pure functions; clear text: a module
the stores may not name. No type here shows its content in `repr()`.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from json.encoder import encode_basestring as _quoted
from typing import Final, TypeGuard

from register.errors import Tampered
from register.occurrences import Named, NameTree

__all__ = [
    "GONE", "FreeText", "Gap", "Labels", "Named", "RedactedText", "Redaction",
    "decode_labels", "decode_text", "encode_labels", "encode_text", "read", "redact",
]  # fmt: skip

GONE: Final = {"en": "[removed person]", "nl": "[verwijderde persoon]"}
"""What a reader sees in place of a name whose subject is gone, by language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A place where a name stood.

    Attributes:
        number: which label fills it; the same words of the same subjects have the same number throughout a signal.
        mentions: positions in the signal of all subjects the words may mean, ascending; without one of them the gap
            stays empty.
    """

    number: int
    mentions: tuple[int, ...]


RedactedText = tuple[str | Gap, ...]
"""A text in parts, in order: stretches of clear text, never empty and never two in a row, and gaps."""

Labels = Mapping[int, str | bytes]
"""One mention's labels by gap number: the words, or, where several mentions share the gap, this mention's XOR share of
their UTF-8 bytes: all shares are needed, and fewer say nothing but the length."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FreeText:
    """A text to redact; `owner` is the mention it is about (position, notes): its own names stay, under its own key."""

    text: str
    owner: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Redaction:
    """The texts in the order handed in, and per mention, by its position, the labels that fill their gaps.

    `starts` says of each text where its parts began, in characters of the text handed in.
    """

    texts: tuple[RedactedText, ...]
    labels: tuple[Labels, ...]
    starts: tuple[tuple[int, ...], ...]


def redact(texts: Sequence[FreeText], mentions: Sequence[Named], *, bytes_of: Callable[[int], bytes]) -> Redaction:
    """Put a gap in place of every stated name in `texts`, the texts of one signal.

    `register.occurrences` says what counts as a name. Words that several subjects may be meant by become a gap that
    depends on all of them and stays empty as soon as one is gone.

    Args:
        texts: the texts; any Unicode.
        mentions: the names of each subject, by its position in the signal.
        bytes_of: gives n unpredictable bytes, such as `secrets.token_bytes`.
    """
    names = NameTree(mentions)
    gaps: dict[tuple[str, int], Gap] = {}
    labels: list[dict[int, str | bytes]] = [{} for _ in mentions]
    redacted, begun = [], []
    for free in texts:
        parts: list[str | Gap] = []
        starts: list[int] = []
        done = 0
        for start, end, mask in names.find(free.text, but=free.owner):
            words = free.text[start:end]
            gap = gaps.get((words, mask))
            if gap is None:
                gap = gaps[words, mask] = Gap(number=len(gaps), mentions=_members(mask))
                for member, share in zip(gap.mentions, _shares(words, len(gap.mentions), bytes_of), strict=True):
                    labels[member][gap.number] = share
            if start > done:
                parts.append(free.text[done:start])
                starts.append(done)
            parts.append(gap)
            starts.append(start)
            done = end
        if done < len(free.text):
            parts.append(free.text[done:])
            starts.append(done)
        redacted.append(tuple(parts))
        begun.append(tuple(starts))
    return Redaction(texts=tuple(redacted), labels=tuple(labels), starts=tuple(begun))


def read(text: RedactedText, labels: Mapping[int, Labels], *, gone: str = GONE["en"]) -> str:
    """Return the text with its gaps filled from the labels at hand.

    Args:
        text: the text as stored.
        labels: labels by mention position; an absent mention is one that is gone or may not be seen.
        gone: what stands in place of a gap of which a mention is absent.

    Raises:
        Tampered: a label does not fit its gap.
    """
    return "".join(part if isinstance(part, str) else _fill(part, labels, gone) for part in text)


def _fill(gap: Gap, labels: Mapping[int, Labels], gone: str) -> str:
    if any(mention not in labels for mention in gap.mentions):
        return gone
    shares = [labels[mention].get(gap.number) for mention in gap.mentions]
    if len(shares) == 1:
        if not isinstance(shares[0], str):
            raise Tampered
        return shares[0]
    words = 0
    lengths = set()
    for share in shares:
        if not isinstance(share, bytes):
            raise Tampered
        words ^= int.from_bytes(share, "big")
        lengths.add(len(share))
    if len(lengths) != 1:
        raise Tampered
    try:
        return words.to_bytes(lengths.pop(), "big").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Tampered from None


def _shares(words: str, count: int, bytes_of: Callable[[int], bytes]) -> Iterator[str | bytes]:
    if count == 1:
        yield words
        return
    rest = words.encode("utf-8", "surrogatepass")
    size = len(rest)
    last = int.from_bytes(rest, "big")
    for _ in range(count - 1):
        share = bytes_of(size)
        if len(share) != size:
            raise ValueError("the source of randomness gave another number of bytes than asked for")
        last ^= int.from_bytes(share, "big")
        yield share
    yield last.to_bytes(size, "big")


def _members(mask: int) -> tuple[int, ...]:
    members = []
    while mask:
        lowest = mask & -mask
        members.append(lowest.bit_length() - 1)
        mask ^= lowest
    return tuple(members)


def encode_text(text: RedactedText) -> bytes:
    """Return `text` as canonical JSON: an array of strings and, for each gap, `[number, [mention, ...]]`."""
    return _array_of([_quoted(part) if isinstance(part, str) else _gap_array(part) for part in text])


def decode_text(data: bytes) -> RedactedText:
    """Return the text that `encode_text` wrote.

    Raises:
        Tampered: these bytes are not what it writes for any text.
    """
    parts = _array(data)
    text = tuple(part if isinstance(part, str) else _gap(part) for part in parts)
    if "" in text or any(isinstance(a, str) and isinstance(b, str) for a, b in pairwise(text)):
        raise Tampered
    if encode_text(text) != data:
        raise Tampered
    return text


def encode_labels(labels: Labels) -> bytes:
    """Return one mention's labels as canonical JSON: an array, by number, of `[number, words]` or `[number, [share]]`.

    A share is base64 (RFC 4648, section 4).
    """
    return _array_of([f"[{number},{_words(words)}]" for number, words in sorted(labels.items())])


def decode_labels(data: bytes) -> Labels:
    """Return the labels that `encode_labels` wrote.

    Raises:
        Tampered: these bytes are not what it writes for any labels.
    """
    labels: dict[int, str | bytes] = {}
    for row in _array(data):
        match row:
            case [int(number), str(words)] if words:
                labels[number] = words
            case [int(number), [str(encoded)]] if encoded:
                labels[number] = _share(encoded)
            case _:
                raise Tampered
    if any(isinstance(number, bool) or number < 0 for number in labels) or encode_labels(labels) != data:
        raise Tampered
    return labels


def _gap(part: object) -> Gap:
    match part:
        case [int(number), [*found]] if _is_position(number):
            mentions = tuple(mention for mention in found if _is_position(mention))
            if found and len(mentions) == len(found) and all(a < b for a, b in pairwise(mentions)):
                return Gap(number=number, mentions=mentions)
    raise Tampered


def _is_position(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 0


def _share(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Tampered from None


def _gap_array(gap: Gap) -> str:
    return f"[{gap.number},[{','.join(map(str, gap.mentions))}]]"


def _words(words: str | bytes) -> str:
    return _quoted(words) if isinstance(words, str) else f'["{base64.b64encode(words).decode("ascii")}"]'


def _array_of(parts: list[str]) -> bytes:
    return f"[{','.join(parts)}]".encode("utf-8", "surrogatepass")


def _array(data: bytes) -> list[object]:
    try:
        value = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise Tampered from None
    if not isinstance(value, list):
        raise Tampered
    return value
