"""Words of a text as the matcher sees them."""

import re
from collections.abc import Callable

from .folding import spell_out
from .index import STARRED, Entry, Index
from .notation import Gap

_WORD = re.compile(rb"[^ ]+")
_MAX_CLASS_WORDS = 8
_STAR = ord("*")

Item = bytes | str | int | Gap  # as in notation, a class being its number
Items = tuple[Item, ...]
Span = tuple[int, int]  # words from the first up to, not including, the last
Needs = tuple[frozenset[bytes], frozenset[int]]  # one of these words or classes
Look = Callable[[bytes], Entry]


class Words:
    """The words of a text."""

    __slots__ = ("_index", "_vocabulary", "words")

    def __init__(
        self, spelled: bytes, index: Index, vocabulary: frozenset[bytes] | None = None
    ) -> None:
        self.words = spelled.lower().split()
        self._index = index
        self._vocabulary = vocabulary

    @property
    def vocabulary(self) -> frozenset[bytes]:
        """Its words, each once."""
        if self._vocabulary is None:
            self._vocabulary = frozenset(self.words)
        return self._vocabulary

    def has(self, need: Needs) -> bool:
        """False when none of some words, and of some classes, can be there."""
        words, classes = need
        vocabulary = self.vocabulary
        if not vocabulary.isdisjoint(words):
            return True
        for number in classes:
            keys = self._index.keys(number)
            if keys is None or not vocabulary.isdisjoint(keys):
                return True
        return False


class Sentence(Words):
    """The words of one sentence, what they can mean and where they stand."""

    __slots__ = ("_cased", "_expressions", "_look", "_spans", "end", "entries")
    __slots__ += ("_tails", "folded", "start", "text")

    def __init__(
        self, text: str, folded: bytes, span: Span, index: Index, look: Look
    ) -> None:
        self.text, (self.start, self.end) = text, span
        self.folded = folded[self.start : self.end]
        spelled = spell_out(self.folded)
        super().__init__(spelled, index)
        self._cased = spelled.split()
        self._look = look
        self._tails = index.tails
        self.entries = list(map(look, self._cased))  # what the lexicon knows of each
        self._spans: list[Span] | None = None
        self._expressions: dict[int, dict[int, list[int]]] = {}

    def respell(self, at: int, word: bytes) -> None:
        """Reads a word as another one: a slip or a disguise undone."""
        if self.words[at] != word:
            self.words[at] = self._cased[at] = word
            self.entries[at] = self._look(word)
            self._vocabulary = None
            self._expressions = {}

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
            entry = self.entries[at]
            known = {number: [at + 1] for number in entry.whole}
            if entry.tails and at + 1 < len(self.words):
                self._add_longer(entry.tails, at + 1, known)
            self._expressions[at] = known
        return known

    def _add_longer(self, column: bytes, at: int, known: dict[int, list[int]]) -> None:
        tails = self._tails(column)
        for word in {self.words[at], self._cased[at]}:
            for number, rest in tails.get(word, ()):
                if not rest or self._follow(rest, at + 1):
                    known.setdefault(number, []).append(at + 1 + len(rest))
        for number, rest in tails.get(STARRED, ()):
            if self._follow(rest, at):
                known.setdefault(number, []).append(at + len(rest))

    def _follow(self, forms: tuple[bytes, ...], at: int) -> bool:
        """True when the words at a place have these forms."""
        words, cased = self.words, self._cased
        return at + len(forms) <= len(words) and all(
            same(form, words[place]) or form == cased[place]
            for place, form in enumerate(forms, at)
        )

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
