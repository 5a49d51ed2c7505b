"""Matches the terms of the lexicon against the words of one sentence."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import lexicon, notation
from .folding import fold, spell_out
from .index import Entry
from .notation import Chunk, Class, Gap, Item

_WORD = re.compile(rb"[^ ]+")
_MAX_CLASS_WORDS = 8
_STAR = ord("*")

Positions = set[int]


@dataclass(slots=True)
class Term:
    """One line of the lexicon, parsed."""

    lang: str
    category: str
    tier: str
    rule: str
    chunks: list[Chunk]
    anchor: int
    requires: list[str] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)
    organisation: bool = False
    alone: bool = False
    single: bool = False
    needs: list[frozenset[bytes]] = field(default_factory=list)
    needs_class: frozenset[Class] = frozenset()


def parse_term(fields: list[str]) -> Term:
    """Term from the columns of the index."""
    lang, category, tier, context, anchor, pattern = fields
    flags = context.split()
    chunks = notation.parse(pattern, lang)
    others = [chunk for n, chunk in enumerate(chunks) if n != int(anchor)]
    needs = [frozenset(_first_words(chunk)) for chunk in others]
    classes = [set(chunk) for chunk in others if len(chunk) == 1]
    return Term(
        lang=lang,
        category=category,
        tier=tier,
        rule=lexicon.rule_name(lang, category, pattern),
        chunks=chunks,
        anchor=int(anchor),
        requires=[flag[1:] for flag in flags if flag[0] == "+"],
        excludes=[flag[1:] for flag in flags if flag[0] == "!"],
        organisation="organisation" in flags,
        alone="alone" in flags,
        single=not others and all(map(_is_plain_word, chunks[0])),
        needs=[words for words in needs if words],
        needs_class=frozenset(
            items[0]
            for chunk in classes
            for items in chunk
            if len(items) == 1 and isinstance(items[0], Class)
        ),
    )


def _is_plain_word(items: notation.Alternative) -> bool:
    return len(items) == 1 and isinstance(items[0], bytes)


def _first_words(chunk: Chunk) -> Iterable[bytes]:
    """Words one of which must be there for the chunk to match; none if unknown."""
    words = []
    for items in chunk:
        first = items[0] if items else None
        if isinstance(first, str):
            first = spell_out(fold(first))
        if not isinstance(first, bytes) or b"*" in first:
            return []
        words.append(first)
    return words


class Sentence:
    """The words of one sentence and where they stand in the text."""

    __slots__ = ("_classes", "_look", "_set", "_spans", "end", "folded", "start")
    __slots__ += ("text", "words")

    def __init__(
        self,
        text: str,
        folded: bytes,
        start: int,
        end: int,
        look: Callable[[bytes], Entry],
    ) -> None:
        self.text, self.start, self.end = text, start, end
        self.folded = folded[start:end]
        self.words = spell_out(self.folded).split()
        self._look = look
        self._spans: list[tuple[int, int]] | None = None
        self._set: set[bytes] | None = None
        self._classes: set[int] | None = None

    def word_at(self, offset: int) -> int:
        """Number of the word that begins at an offset of the text."""
        return len(self.folded[: offset - self.start].split())

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Offsets in the text of the words from first up to, not including, last."""
        if self._spans is None:
            self._spans = [found.span() for found in _WORD.finditer(self.folded)]
        begin, end = self._spans[first][0], self._spans[last - 1][1]
        return self.start + begin, self.start + end

    def written(self, number: int) -> str:
        """A word as it stands in the text."""
        begin, end = self.span(number, number + 1)
        return self.text[begin:end]

    def may_match(self, term: Term, class_number: Callable[[Class], int]) -> bool:
        """False when a word or class that the term needs is nowhere in the sentence."""
        if self._set is None:
            self._set = set(self.words)
        if any(self._set.isdisjoint(words) for words in term.needs):
            return False
        if not term.needs_class:
            return True
        if self._classes is None:
            self._classes = {
                start.number for word in self._set for start in self._look(word).starts
            }
        return all(class_number(one) in self._classes for one in term.needs_class)

    def class_ends(self, number: int, at: int) -> list[int]:
        """Ends of the expressions of a class that begin at a word."""
        if not 0 <= at < len(self.words):
            return []
        return [
            at + 1 + len(start.tail)
            for start in self._look(self.words[at]).starts
            if start.number == number and self.follows(start.tail, at + 1)
        ]

    def follows(self, tail: tuple[bytes, ...], at: int) -> bool:
        """True when the words from a place on are these."""
        if not tail:
            return True
        words = self.words[at : at + len(tail)]
        return len(words) == len(tail) and all(map(same, tail, words))

    def is_item(self, item: Item, at: int) -> bool:
        """True when the word at a place is this one."""
        if isinstance(item, str):
            return self.written(at) == item
        return isinstance(item, bytes) and same(item, self.words[at])


def same(form: bytes, word: bytes) -> bool:
    """True when a word has this form, stars considered."""
    if form == word:
        return True
    if form[-1] == _STAR:
        return word.startswith(form[:-1])
    return form[0] == _STAR and word.endswith(form[1:])


class Matcher:
    """Finds where terms match in a sentence; knows the numbers of the classes."""

    def __init__(self, numbers: dict[tuple[str, str], int]) -> None:
        self._numbers = numbers

    def class_number(self, one: Class) -> int:
        """Number of a class, -1 when nothing defines it."""
        return self._numbers.get((one.lang, one.name), -1)

    def match(
        self, term: Term, sentence: Sentence, at: int, chunks: Iterable[int]
    ) -> tuple[int, int] | None:
        """Longest span of words, through the word at a place, that the term matches.

        One of the given chunks of the term must hold that word.
        """
        if term.single:
            return at, at + 1
        if not sentence.may_match(term, self.class_number):
            return None
        for number in chunks:
            for items in term.chunks[number]:
                for position, item in enumerate(items):
                    for first, last in self._covering(item, sentence, at):
                        left = [*term.chunks[:number], (items[:position],)]
                        right = [(items[position + 1 :],), *term.chunks[number + 1 :]]
                        span = self._around(sentence, left, first, right, last)
                        if span:
                            return span
        return None

    def _covering(
        self, item: Item, sentence: Sentence, at: int
    ) -> list[tuple[int, int]]:
        """Spans through a word that one item matches."""
        if isinstance(item, Class):
            number = self.class_number(item)
            return [
                (first, last)
                for first in range(max(0, at - _MAX_CLASS_WORDS), at + 1)
                for last in sentence.class_ends(number, first)
                if last > at
            ]
        return [(at, at + 1)] if sentence.is_item(item, at) else []

    def _around(
        self,
        sentence: Sentence,
        left: list[Chunk],
        first: int,
        right: list[Chunk],
        last: int,
    ) -> tuple[int, int] | None:
        ends = {last}
        for chunk in right:
            ends = self._step(sentence, chunk, ends, self._after)
            if not ends:
                return None
        starts = {first}
        for chunk in reversed(left):
            starts = self._step(sentence, chunk, starts, self._before)
            if not starts:
                return None
        return min(starts), max(ends)

    def _step(
        self,
        sentence: Sentence,
        chunk: Chunk,
        positions: Positions,
        move: Callable[[Item, Sentence, int], Iterable[int]],
    ) -> Positions:
        found: Positions = set()
        for items in chunk:
            here = positions
            for item in items if move == self._after else reversed(items):
                here = {new for old in here for new in move(item, sentence, old)}
            found |= here
        return found

    def _after(self, item: Item, sentence: Sentence, at: int) -> Iterable[int]:
        if isinstance(item, Gap):
            return range(at, min(at + item.size, len(sentence.words)) + 1)
        if isinstance(item, Class):
            return sentence.class_ends(self.class_number(item), at)
        fits = at < len(sentence.words) and sentence.is_item(item, at)
        return (at + 1,) if fits else ()

    def _before(self, item: Item, sentence: Sentence, at: int) -> Iterable[int]:
        if isinstance(item, Gap):
            return range(max(at - item.size, 0), at + 1)
        if isinstance(item, Class):
            number = self.class_number(item)
            first = max(0, at - _MAX_CLASS_WORDS)
            starts = range(first, at)
            return [one for one in starts if at in sentence.class_ends(number, one)]
        return (at - 1,) if at > 0 and sentence.is_item(item, at - 1) else ()
