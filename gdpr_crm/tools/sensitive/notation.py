"""The pattern notation of the knowledge files (FORMAT.md), parsed and checked.

A pattern is read as a list of *chunks*, the pieces between its spaces. Each chunk
stands for some alternatives, each alternative for a sequence of *items*:

- ``bytes``: a folded word, with ``*`` at one end when any letters may follow there;
- ``str``: a word that counts only when written exactly so (``=`` in the notation);
- ``Class``: any expression of a word class;
- ``GAP``: up to three other words.
"""

import re
from itertools import chain, product
from math import prod
from typing import NamedTuple

from .folding import fold, spell_out

MAX_EXPANSION = 500  # alternatives of one group
MAX_EXPRESSIONS = 5000  # combinations of one line of a class, which are all listed
MIN_BEFORE_STAR = 4
MIN_AFTER_STAR = 5
MAX_GAP = 3


class Class(NamedTuple):
    """Reference to a word class: any of its expressions matches."""

    lang: str
    name: str


class Gap(NamedTuple):
    """Up to ``size`` words that don't matter."""

    size: int


GAP = Gap(MAX_GAP)

Item = bytes | str | Class | Gap
Alternative = tuple[Item, ...]
Chunk = tuple[Alternative, ...]


class PatternError(ValueError):
    """A pattern that doesn't follow the notation."""


_INNERMOST = re.compile(r"\(([^(){}|]*)\)|\{([^(){}]*)\}")
_CLASS = re.compile(r"<([a-z0-9_]+)>")
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)


def expand(text: str) -> list[str]:
    """Every string the optional letters and alternatives stand for, in order.

    >>> expand("d{e|'un} client(s)")
    ['de client', 'de clients', "d'un client", "d'un clients"]
    """
    found = [text]
    while any("(" in one or "{" in one for one in found):
        found = [result for one in found for result in _expand_once(one)]
        if len(found) > 20 * MAX_EXPANSION:
            raise PatternError("a group expands to too many alternatives")
    return list(dict.fromkeys(found))


def _expand_once(text: str) -> list[str]:
    group = _INNERMOST.search(text)
    if group is None:
        if "(" in text or "{" in text:
            raise PatternError("brackets don't match")
        return [text]
    optional, choice = group.groups()
    options = ["", optional] if choice is None else choice.split("|")
    before, after = text[: group.start()], text[group.end() :]
    return [before + option + after for option in options]


def split_chunks(pattern: str) -> list[str]:
    """Pieces of a pattern between the spaces that stand outside brackets."""
    if "(" not in pattern and "{" not in pattern:
        return pattern.split()
    pieces, depth = [""], 0
    for char in pattern:
        depth += (char in "({") - (char in ")}")
        if char.isspace() and not depth:
            pieces.append("")
        else:
            pieces[-1] += char
    if depth:
        raise PatternError("brackets don't match")
    return [piece for piece in pieces if piece]


def parse_chunk(chunk: str, lang: str) -> Chunk:
    """Alternatives of one chunk, folded; German umlauts in both spellings."""
    if chunk == "..":
        return ((GAP,),)
    spellings = [chunk]
    if lang == "de" and chunk.translate(_UMLAUTS) != chunk:
        spellings.append(chunk.translate(_UMLAUTS))
    texts = [text for spelling in spellings for text in expand(spelling)]
    return tuple(dict.fromkeys(_items(text, lang) for text in texts))


def parse(pattern: str, lang: str) -> list[Chunk]:
    """Chunks of a pattern, see the module's docstring."""
    return [parse_chunk(chunk, lang) for chunk in split_chunks(pattern)]


def expressions(pattern: str, lang: str) -> list[Alternative]:
    """Every sequence of items that a line of a word class stands for."""
    combinations = product(*parse(pattern, lang))
    return list(dict.fromkeys(tuple(chain(*chunks)) for chunks in combinations))


def class_problems(pattern: str, lang: str = "") -> list[str]:
    """What is wrong with a line of a word class."""
    found = problems(pattern, lang)
    if found:
        return found
    if "<" in pattern or ".." in pattern:
        found.append("an expression holds no <class> and no '..'")
    size = prod(len(chunk) for chunk in parse(pattern, lang))
    if size > MAX_EXPRESSIONS:
        found.append(f"{size} combinations, a class allows {MAX_EXPRESSIONS} a line")
    return found


def _items(text: str, lang: str) -> Alternative:
    items: list[Item] = []
    for piece in text.replace("<", " <").replace(">", "> ").split():
        name = _CLASS.fullmatch(piece)
        if name:
            items.append(Class(lang, name[1]))
        elif piece == "..":
            items.append(GAP)
        elif piece.startswith("="):
            items.append(piece[1:])
        else:
            items.extend(fold_words(piece))
    return tuple(items)


def fold_words(piece: str) -> list[bytes]:
    """Folded words of a piece of text, a star at either end kept."""
    words = spell_out(fold(piece)).lower().split()
    if words and piece.startswith("*"):
        words[0] = b"*" + words[0]
    if words and piece.endswith("*"):
        words[-1] += b"*"
    return words


def problems(pattern: str, lang: str = "") -> list[str]:
    """What is wrong with a pattern, in words for its author; empty when nothing is."""
    try:
        chunks = parse(pattern, lang)
    except PatternError as error:
        return [str(error)]
    found = []
    size = max(map(len, chunks), default=0)
    if size >= MAX_EXPANSION:
        found.append(f"a group of {size} alternatives, allowed are {MAX_EXPANSION - 1}")
    if _stray(pattern):
        found.append(f"stray {_stray(pattern)!r}")
    if all(() in chunk for chunk in chunks):
        found.append("can match nothing at all")
    if GAP in [item for chunk in chunks[:1] + chunks[-1:] for item in _flat(chunk)]:
        found.append("'..' must stand between words")
    found += [text for chunk in chunks for item in _flat(chunk) for text in _bad(item)]
    return list(dict.fromkeys(found))


def _stray(pattern: str) -> str:
    """First character of the notation that stands where it means nothing."""
    rest = _CLASS.sub("", pattern)
    if depth_error := re.search(r"\([^()]*\|[^()]*\)", rest):
        return depth_error[0]
    rest = re.sub(r"(?:^|(?<=[\s({|]))=|(?:^|(?<=[\s({|]))\*|\*(?=$|[\s)}|])", "", rest)
    outside = re.search(r"[<>*=]", rest)
    if outside:
        return outside[0]
    return "|" if "|" in _without_groups(rest) else ""


def _without_groups(text: str) -> str:
    while group := _INNERMOST.search(text):
        text = text[: group.start()] + text[group.end() :]
    return text


def _flat(chunk: Chunk) -> list[Item]:
    return [item for alternative in chunk for item in alternative]


def _bad(item: Item) -> list[str]:
    if isinstance(item, str):
        if not item.isalnum():
            return [f"'={item}' must be one word of letters and digits"]
        return []
    if not isinstance(item, bytes):
        return []
    word = item.strip(b"*").decode("latin-1")
    if item.startswith(b"*") and item.endswith(b"*"):
        return [f"'*{word}*': only one star a word"]
    if item.endswith(b"*") and len(word) < MIN_BEFORE_STAR:
        return [f"'{word}*': at least {MIN_BEFORE_STAR} letters before the star"]
    if item.startswith(b"*") and len(word) < MIN_AFTER_STAR:
        return [f"'*{word}': at least {MIN_AFTER_STAR} letters after the star"]
    return []
