"""Matches the terms of the lexicon against the words of one sentence."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import lexicon, notation
from .folding import fold, spell_out
from .index import ALONE, STARRED, Entry, Words
from .notation import Alternative, Chunk, Class, Gap

_WORD = re.compile(rb"[^ ]+")
_MAX_CLASS_WORDS = 8
_STAR = ord("*")

Item = bytes | str | int | Gap  # as in notation, a class being its number
Items = tuple[Item, ...]
Numbers = dict[tuple[str, str], int]
Span = tuple[int, int]  # words from the first up to, not including, the last


@dataclass(slots=True)
class Slot:
    """One chunk of a pattern, its alternatives sorted for quick comparison."""

    words: frozenset[bytes]  # alternatives that are one word
    classes: frozenset[int]  # alternatives that are one class
    others: list[Items]
    firsts: frozenset[bytes]  # words one of which begins any alternative…
    is_certain: bool  # …unless this is False: some begin otherwise or are empty

    def is_possible(self, sentence: "Sentence") -> bool:
        """False when no alternative can be in the sentence."""
        return not (
            self.is_certain
            and sentence.vocabulary.isdisjoint(self.firsts)
            and sentence.classes.isdisjoint(self.classes)
        )

    def after(self, sentence: "Sentence", at: int) -> set[int]:
        """Where the slot can end when it begins at a place."""
        found = set()
        if at < len(sentence.words) and sentence.words[at] in self.words:
            found.add(at + 1)
        for number in self.classes:
            found.update(sentence.class_ends(number, at))
        for items in self.others:
            found |= sentence.after(items, at)
        return found

    def before(self, sentence: "Sentence", at: int) -> set[int]:
        """Where the slot can begin when it ends at a place."""
        found = set()
        if at > 0 and sentence.words[at - 1] in self.words:
            found.add(at - 1)
        for number in self.classes:
            found.update(sentence.class_starts(number, at))
        for items in self.others:
            found |= sentence.before(items, at)
        return found

    def alternatives(self) -> Iterable[Items]:
        """All alternatives again, one after the other."""
        yield from ((word,) for word in self.words)
        yield from ((number,) for number in self.classes)
        yield from self.others


@dataclass(slots=True)
class Term:
    """One line of the lexicon, parsed."""

    lang: str
    category: str
    tier: str
    rule: str
    slots: list[Slot]
    anchor: int
    requires: list[str]
    excludes: list[str]
    is_organisation: bool
    is_alone: bool

    @property
    def is_word(self) -> bool:
        """True when every form is a single word."""
        return len(self.slots) == 1 and not (
            self.slots[0].others or self.slots[0].classes
        )

    def match(self, sentence: "Sentence", at: int) -> Span | None:
        """Span of words that the term matches, its anchor being at a place."""
        if len(self.slots) == 1 and sentence.words[at] in self.slots[0].words:
            return at, at + 1
        if not all(slot.is_possible(sentence) for slot in self.slots):
            return None
        return self._match(sentence, at, self.anchor)

    def covers(self, sentence: "Sentence", at: int) -> Span | None:
        """Span of words that the term matches, any of its words being at a place."""
        if all(slot.is_possible(sentence) for slot in self.slots):
            for number in range(len(self.slots)):
                span = self._match(sentence, at, number)
                if span:
                    return span
        return None

    def _match(self, sentence: "Sentence", at: int, number: int) -> Span | None:
        slot = self.slots[number]
        for first, last in _places(slot, sentence, at):
            ends = {last}
            for following in self.slots[number + 1 :]:
                ends = {new for old in ends for new in following.after(sentence, old)}
            starts = {first} if ends else set()
            for preceding in self.slots[number - 1 :: -1] if number else ():
                starts = {
                    new for old in starts for new in preceding.before(sentence, old)
                }
            if starts:
                return min(starts), max(ends)
        return None


def _places(slot: Slot, sentence: "Sentence", at: int) -> Iterable[Span]:
    """Where alternatives of a slot match so that they cover a word."""
    if sentence.words[at] in slot.words:
        yield at, at + 1
    for number in slot.classes:
        yield from sentence.class_spans(number, at)
    for items in slot.others:
        for position, item in enumerate(items):
            for first, last in sentence.item_spans(item, at):
                for start in sentence.before(items[:position], first):
                    for end in sentence.after(items[position + 1 :], last):
                        yield start, end


def parse_term(fields: list[str], numbers: Numbers) -> Term:
    """Term from the columns of the index."""
    lang, category, tier, context, anchor, pattern = fields
    flags = context.split()
    return Term(
        lang=lang,
        category=category,
        tier=tier,
        rule=lexicon.rule_name(lang, category, pattern),
        slots=[_slot(chunk, numbers) for chunk in notation.parse(pattern, lang)],
        anchor=int(anchor),
        requires=[flag[1:] for flag in flags if flag[0] == "+"],
        excludes=[flag[1:] for flag in flags if flag[0] == "!"],
        is_organisation="organisation" in flags,
        is_alone="alone" in flags,
    )


def _slot(chunk: Chunk, numbers: Numbers) -> Slot:
    alternatives = [_numbered(items, numbers) for items in chunk]
    words, classes, others = set(), set(), []
    for items in alternatives:
        single = items[0] if len(items) == 1 else None
        if isinstance(single, bytes) and b"*" not in single:
            words.add(single)
        elif isinstance(single, int):
            classes.add(single)
        else:
            others.append(items)
    firsts = [_first_word(items) for items in others]
    return Slot(
        frozenset(words),
        frozenset(classes),
        others,
        frozenset(words.union(filter(None, firsts))),
        None not in firsts,
    )


def _numbered(items: Alternative, numbers: Numbers) -> Items:
    return tuple(
        numbers.get((item.lang, item.name), -1) if isinstance(item, Class) else item
        for item in items
    )


def _first_word(items: Items) -> bytes | None:
    first = items[0] if items else None
    if isinstance(first, str):
        return spell_out(fold(first))
    return first if isinstance(first, bytes) and b"*" not in first else None


class Sentence:
    """The words of one sentence, what they can mean, and where they stand."""

    __slots__ = ("_classes", "_look", "_spans", "_vocabulary", "end", "folded")
    __slots__ += ("start", "text", "words")

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
        self._spans: list[Span] | None = None
        self._vocabulary: frozenset[bytes] | None = None
        self._classes: frozenset[int] | None = None

    def word_at(self, offset: int) -> int:
        """Number of the word that begins at an offset of the text."""
        return len(self.folded[: offset - self.start].split())

    def respell(self, at: int, word: bytes) -> None:
        """Reads a word as another one: a slip or a disguise undone."""
        if self.words[at] != word:
            self.words[at] = word
            self._vocabulary = self._classes = None

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

    def entry(self, at: int) -> Entry:
        """What the lexicon knows of a word."""
        return self._look(self.words[at])

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
            starts = [self._look(word).starts for word in self.vocabulary]
            self._classes = frozenset().union(*filter(None, starts))
        return self._classes

    def class_ends(self, number: int, at: int) -> list[int]:
        """Ends of the expressions of a class that begin at a word."""
        if at >= len(self.words):
            return []
        tails = self._look(self.words[at]).starts.get(number)
        if tails is None:
            return []
        return [
            at + 1 + len(tail)
            for key in self.next_words(at)
            for tail in tails.get(key, ())
            if self.follows(tail, at + 1)
        ]

    def next_words(self, at: int) -> Words:
        """Keys of what may follow a word, see ``Entry``."""
        if at + 1 < len(self.words):
            return ALONE, self.words[at + 1], STARRED
        return (ALONE,)

    def class_starts(self, number: int, at: int) -> list[int]:
        """Starts of the expressions of a class that end before a word."""
        first = max(0, at - _MAX_CLASS_WORDS)
        return [one for one in range(first, at) if at in self.class_ends(number, one)]

    def class_spans(self, number: int, at: int) -> list[Span]:
        """Spans of the expressions of a class that cover a word."""
        return [
            (first, last)
            for first in range(max(0, at - _MAX_CLASS_WORDS), at + 1)
            for last in self.class_ends(number, first)
            if last > at
        ]

    def follows(self, tail: Words, at: int) -> bool:
        """True when the words from a place on are these."""
        if not tail:
            return True
        words = self.words[at : at + len(tail)]
        return len(words) == len(tail) and all(map(same, tail, words))

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
