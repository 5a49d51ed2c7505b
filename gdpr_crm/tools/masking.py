"""Takes sensitive words out of a text: pure functions on plain strings."""

import re
from collections.abc import Iterable

MARK = "[…]"
_TAG = re.compile(r"<[^<>]*>")


def mask(text: str, spans: Iterable[tuple[int, int]], mark: str = MARK) -> str:
    """Return ``text`` with the spans replaced by ``mark``, markup inside them kept.

    :param spans: (start, end) offsets in ``text``, in any order; they may overlap

    >>> mask("on chemo until <b>May</b>", [(3, 8)])
    'on […] until <b>May</b>'
    >>> mask("<b>can</b>cer", [(3, 13)])
    '[…]</b>[…]'
    """
    parts, position = [], 0
    for start, end in merge(spans):
        parts += [text[position:start], _mask_piece(text[start:end], mark)]
        position = end
    return "".join([*parts, text[position:]])


def merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, those that touch or overlap made one.

    >>> merge([(5, 9), (1, 3), (2, 6)])
    [(1, 9)]
    """
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def _mask_piece(piece: str, mark: str) -> str:
    tags = _TAG.findall(piece)
    texts = _TAG.split(piece)
    masked = [mark if text.strip() else text for text in texts]
    return "".join(
        part for pair in zip(masked, [*tags, ""], strict=True) for part in pair
    )


def normal_form(words: str) -> str:
    """Return words without markup, case and spacing, to compare them by.

    >>> normal_form("On  <b>Chemo</b>")
    'on chemo'
    """
    return " ".join(_TAG.sub(" ", words).casefold().split())
