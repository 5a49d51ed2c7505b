"""Texts read in another way than they are stored: markup, disguised letters.

Each function gives the text as a reader takes it in and a ``Source`` to lead back
from its offsets to those of the stored text.
"""

import re
from collections.abc import Iterable, Iterator

from . import folding, markup
from .markup import Source

_Edit = tuple[int, int, str]

_LETTER = r"[^\W\d_]"
# d.i.a.b.e.t.e, C.G.T., or at least five letters when a space parts them
_SPELLED = re.compile(
    rf"(?<![^\W_]){_LETTER}(?:([.\-_*·/]){_LETTER}(?:\1{_LETTER})*"
    rf"|(?: {_LETTER}){{4,}})(?![^\W_])"
)


def without_markup(text: str) -> tuple[str, Source]:
    """HTML as a reader sees it."""
    return markup.plain(text), Source(markup.edits(text))


def undisguised(text: str) -> tuple[str, Source]:
    """Text without invisible characters, ligatures spelled out."""
    return _edited(
        text, ((at, at + 1, reading) for at, reading in folding.disguise(text))
    )


def joined(text: str) -> tuple[str, Source] | None:
    """Text in which words written letter by letter are joined; None without any."""
    if _SPELLED.search(text) is None:
        return None
    return _edited(text, _separators(text))


def _separators(text: str) -> Iterator[_Edit]:
    for found in _SPELLED.finditer(text):
        for at in range(found.start() + 1, found.end(), 2):
            yield at, at + 1, ""


def _edited(text: str, edits: Iterable[_Edit]) -> tuple[str, Source]:
    edits = list(edits)
    parts, position = [], 0
    for begin, end, reading in edits:
        parts += (text[position:begin], reading)
        position = end
    made = "".join(parts) + text[position:]
    return made, Source((begin, end, len(reading)) for begin, end, reading in edits)
