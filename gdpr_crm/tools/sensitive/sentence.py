"""Words of a text as the matcher sees them."""

import re
from collections.abc import Callable

from .folding import spell_out
from .index import LEAF, STARRED, Entry, Tree
from .notation import Gap

_WORD = re.compile(rb"[^ ]+")
_MAX_CLASS_WORDS = 8
_STAR = ord("*")

Item = bytes | str | int | Gap  # as in notation, a class being its number
Items = tuple[Item, ...]
Span = tuple[int, int]  # words from the first up to, not including, the last
Look = Callable[[bytes], Entry]


class Words:
    """The words of a text and, when asked, what they can mean."""

    __slots__ = ("_cased", "_classes", "_entries", "_look", "_vocabulary", "words")

    def __init__(self, folded: bytes, look: Look) -> None:
        spelled = spell_out(folded)
        self.words = spelled.lower().split()
        self._cased = spelled.split()
        self._look = look
        self._forget()

    def _forget(self) -> None:
        self._entries: list[Entry] | None = None
        self._vocabulary: frozenset[bytes] | None = None
        self._classes: frozenset[int] | None = None

    def respell(self, at: int, word: bytes) -> None:
        """Reads a word as another one: a slip or a disguise undone."""
        if self.words[at] != word:
            self.words[at] = self._cased[at] = word
            self._forget()

    def add(self, words: list[bytes]) -> None:
        """Words that are meant but written otherwise."""
        self._vocabulary = frozenset(self.words).union(words)

    @property
    def entries(self) -> list[Entry]:
        """What the lexicon knows of each word."""
        if self._entries is None:
            self._entries = list(map(self._look, self._cased))
        return self._entries

    @property
    def vocabulary(self) -> frozenset[bytes]:
        """Its words, each once."""
        if self._vocabulary is None:
            self._vocabulary = frozenset(self.words)
        return self._vocabulary

    @property
    def classes(self) -> frozenset[int]:
        """Numbers of the classes of which an expression may begin here."""
        if self._classes is None:
            classes = [entry.classes for entry in self.entries]
            self._classes = frozenset().union(*classes)
        return self._classes

    def has(self, need: tuple[frozenset[bytes], frozenset[int]]) -> bool:
        """True when one of some words, or of some classes, is there."""
        words, classes = need
        if not self.vocabulary.isdisjoint(words):
            return True
        return bool(classes) and not self.classes.isdisjoint(classes)


class Sentence(Words):
    """The words of one sentence and where they stand."""

    __slots__ = ("_expressions", "_spans", "end", "folded", "start", "text")

    def __init__(
        self, text: str, folded: bytes, start: int, end: int, look: Look
    ) -> None:
        self.text, self.start, self.end = text, start, end
        self.folded = folded[start:end]
        self._spans: list[Span] | None = None
        super().__init__(self.folded, look)

    def _forget(self) -> None:
        super()._forget()
        self._expressions: dict[int, dict[int, list[int]]] = {}

    def word_at(self, offset: int) -> int:
        """Number of the word that begins at an offset of the text."""
        return len(self.folded[: offset - self.start].split())

    def span(self, first: int, last: int) -> Span:
        """Offsets in the text of the words from first up to, not including, last."""
        if self._spans is None:
            self._spans = [found.span() for found in _WORD.finditer(self.folded)]
        begin, end = self._spans[first][0], self._spans[last - 1][1]
        return self.start + begin, self.start + end

    def written(self, number: int) -> str:
        """A word as it stands in the text."""
        begin, end = self.span(number, number + 1)
        return self.text[begin:end]

    def expressions(self, at: int) -> dict[int, list[int]]:
        """Ends of the class expressions that begin at a word, by class."""
        known = self._expressions.get(at)
        if known is None:
            known = self._expressions[at] = {}
            self._climb(self.entries[at].tree, at + 1, known)
        return known

    def _climb(self, tree: Tree, at: int, found: dict[int, list[int]]) -> None:
        for number in tree.get(LEAF, ()):
            found.setdefault(number, []).append(at)
        if at < len(self.words):
            word = self.words[at]
            for written in {word, self._cased[at]}:
                if written in tree:
                    self._climb(tree[written], at + 1, found)
            for form in tree.get(STARRED, ()):
                if same(form, word):
                    self._climb(tree[STARRED][form], at + 1, found)

    def class_ends(self, number: int, at: int) -> list[int]:
        """Ends of the expressions of a class that begin at a word."""
        if at < len(self.words) and number in self.entries[at].classes:
            return self.expressions(at).get(number, [])
        return []

    def ends_of_any(self, numbers: frozenset[int], at: int) -> list[int]:
        """Ends of the expressions of some classes that begin at a word."""
        wanted = numbers & self.entries[at].classes
        if not wanted:
            return []
        known = self.expressions(at)
        return [end for number in wanted for end in known.get(number, ())]

    def class_starts(self, number: int, at: int) -> list[int]:
        """Starts of the expressions of a class that end before a word."""
        return [
            one
            for one in range(max(0, at - _MAX_CLASS_WORDS), at)
            if number in self.entries[one].classes
            and at in self.expressions(one).get(number, ())
        ]

    def class_spans(self, number: int, at: int) -> list[Span]:
        """Spans of the expressions of a class that cover a word."""
        return [
            (first, last)
            for first in range(max(0, at - _MAX_CLASS_WORDS), at + 1)
            if number in self.entries[first].classes
            for last in self.expressions(first).get(number, ())
            if last > at
        ]

    def is_item(self, item: Item, at: int) -> bool:
        """True when the word at a place is this one."""
        if isinstance(item, bytes):
            return same(item, self.words[at])
        return self.written(at) == item

    def item_spans(self, item: Item, at: int) -> list[Span]:
        """Spans that one item matches and that cover a word."""
        if isinstance(item, int):
            return self.class_spans(item, at)
        if isinstance(item, Gap):
            return []
        return [(at, at + 1)] if self.is_item(item, at) else []

    def after(self, items: Items, at: int) -> set[int]:
        """Where a sequence of items can end when it begins at a place."""
        places, size = {at}, len(self.words)
        for item in items:
            if isinstance(item, int):
                ends = [self.class_ends(item, one) for one in places]
                places = {end for some in ends for end in some}
            elif isinstance(item, Gap):
                low, high = min(places), max(places) + item.size
                places = set(range(low, min(high, size) + 1))
            else:
                fits = [one for one in places if one < size and self.is_item(item, one)]
                places = {one + 1 for one in fits}
            if not places:
                break
        return places

    def before(self, items: Items, at: int) -> set[int]:
        """Where a sequence of items can begin when it ends at a place."""
        places = {at}
        for item in reversed(items):
            if isinstance(item, int):
                starts = [self.class_starts(item, one) for one in places]
                places = {start for some in starts for start in some}
            elif isinstance(item, Gap):
                low, high = min(places) - item.size, max(places)
                places = set(range(max(low, 0), high + 1))
            else:
                fits = [one for one in places if one and self.is_item(item, one - 1)]
                places = {one - 1 for one in fits}
            if not places:
                break
        return places


def same(form: bytes, word: bytes) -> bool:
    """True when a word has this form, stars considered."""
    if form == word:
        return True
    if form[-1] == _STAR:
        return word.startswith(form[:-1])
    return form[0] == _STAR and word.endswith(form[1:])
