"""Text of HTML as a reader sees it, and the way back to the offsets in the source.

Not a parser: what the detector needs is words, sentence ends and offsets, in linear
time on any input.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

_INLINE = "a|abbr|b|bdi|big|code|em|font|i|ins|mark|q|s|small|span|strike|strong|sub"
_INLINE += "|sup|tt|u|wbr"
_BLOCK = "address|article|aside|blockquote|body|br|button|caption|center|cite|col"
_BLOCK += "|colgroup|dd|del|details|div|dl|dt|embed|fieldset|figcaption|figure|footer"
_BLOCK += "|form|h[1-6]|head|header|hr|html|iframe|img|input|kbd|label|legend|li|link"
_BLOCK += "|main|meta|nav|noscript|o:p|object|ol|option|p|picture|pre|samp|script"
_BLOCK += "|section|select|source|style|summary|svg|table|tbody|td|template|textarea"
_BLOCK += "|tfoot|th|thead|time|title|tr|ul|var|video|xml|t"
_ATTRIBUTES = r"(?:[\s/][^<>]*)?>"
_MARKUP = re.compile(
    rf"(</?(?:{_INLINE}){_ATTRIBUTES})"
    rf"|</?(?:{_BLOCK}){_ATTRIBUTES}"
    r"|&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"<!--|<(script|style)(?=[\s>])", re.IGNORECASE)
_HIDDEN_ENDS = {
    "": re.compile(r"-->"),
    "script": re.compile(r"</script", re.IGNORECASE),
    "style": re.compile(r"</style", re.IGNORECASE),
}


def has_markup(text: str) -> bool:
    """True when ``plain`` might change the text."""
    return "<" in text or "&" in text


def _replacement(found: re.Match[str]) -> str:
    if found[1]:
        return ""
    source = found[0]
    return html.unescape(source) if source[0] == "&" else "\n\n"


def plain(text: str) -> str:
    """Visible text: tags gone, block tags as sentence ends, entities as characters."""
    return _MARKUP.sub(_replacement, _without_hidden(text))


def _without_hidden(text: str) -> str:
    """Scripts, styles and comments blanked, so that offsets stay."""
    opening = _HIDDEN.search(text)
    if opening is None:
        return text
    parts, position = [], 0
    while opening:
        end = _HIDDEN_ENDS[(opening[1] or "").lower()].search(text, opening.end())
        if end is None:  # never closed: shown, not searched for again
            break
        parts += (text[position : opening.start()], " " * (end.end() - opening.start()))
        position = end.end()
        opening = _HIDDEN.search(text, position)
    return "".join(parts) + text[position:]


class Source:
    """Offsets of a source text for those of the text made from it.

    ``edits`` are the places that differ: start and end in the source, and the
    number of characters that stand there in the made text.
    """

    def __init__(self, edits: Iterable[tuple[int, int, int]]) -> None:
        self._made, self._source = [0], [0]
        self._ends: dict[int, int] = {}
        shift = 0
        for begin, end, size in edits:
            for position in range(begin - shift, begin - shift + size):
                self._add(position, begin)
                self._ends[position] = end
            shift += end - begin - size
            self._add(end - shift, end)

    def _add(self, made: int, source: int) -> None:
        if self._made[-1] == made:
            self._source[-1] = source
        else:
            self._made.append(made)
            self._source.append(source)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span of the source that holds the given span of the made text."""
        last = end - 1
        return self._offset(start), self._ends.get(last) or self._offset(last) + 1

    def _offset(self, made: int) -> int:
        at = bisect_right(self._made, made) - 1
        return self._source[at] + made - self._made[at]


def edits(text: str) -> Iterator[tuple[int, int, int]]:
    """What ``plain`` changes in a text, for ``Source``."""
    for found in _MARKUP.finditer(_without_hidden(text)):
        yield *found.span(), len(_replacement(found))
