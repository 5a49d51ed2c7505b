"""The terms of the lexicon, and where they match in a sentence."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import lexicon, notation
from .folding import fold, spell_out
from .notation import Alternative, Chunk, Class, Gap
from .sentence import Item, Items, Needs, Sentence, Words

Numbers = dict[tuple[str, str], int]
Span = tuple[int, int]  # words from the first up to, not including, the last


def union(gates: Iterable[Needs | None]) -> Needs | None:
    """What one of several gates needs; None when one of them is open."""
    words: set[bytes] = set()
    classes: set[int] = set()
    for gate in gates:
        if gate is None:
            return None
        words |= gate[0]
        classes |= gate[1]
    return frozenset(words), frozenset(classes)


@dataclass(slots=True)
class Slot:
    """One chunk of a pattern, its alternatives sorted for quick comparison.

    The dicts have the alternatives of several words, or of words that aren't plain,
    by their first, their last and each of their words; under None those for which
    that word isn't plain.
    """

    words: frozenset[bytes]  # alternatives that are one word
    classes: frozenset[int]  # alternatives that are one class
    by_first: dict[bytes | None, list[Items]]
    by_last: dict[bytes | None, list[Items]]
    by_word: dict[bytes | None, list[tuple[Items, Item, Items]]]
    is_optional: bool

    def needs(self) -> Needs | None:
        """Words and classes one of which must be there; None when nothing must."""
        if self.is_optional or None in self.by_first:
            return None
        return self.words.union(filter(None, self.by_first)), self.classes

    def may_hold(self, word: bytes) -> bool:
        """False when no alternative can have this word."""
        return bool(
            word in self.words
            or self.classes
            or word in self.by_word
            or None in self.by_word
        )

    def mates(self, word: bytes) -> frozenset[bytes]:
        """Words of which one stands beside a word of it; empty when unknown."""
        if word in self.words or self.classes or None in self.by_word:
            return frozenset()
        found = set()
        for left, _, right in self.by_word.get(word, ()):
            plain = list(filter(None, map(_plain, (*left, *right))))
            if not plain:
                return frozenset()
            found.add(max(plain, key=len))
        return frozenset(found)

    def after(self, sentence: Sentence, at: int) -> set[int]:
        """Where the slot can end when it begins at a place."""
        found = {at} if self.is_optional else set()
        if at < len(sentence.words):
            word = sentence.words[at]
            if word in self.words:
                found.add(at + 1)
            if self.classes:
                found.update(sentence.ends_of_any(self.classes, at))
            if self.by_first:
                for items in _both(self.by_first, word):
                    found |= sentence.after(items, at)
        return found

    def before(self, sentence: Sentence, at: int) -> set[int]:
        """Where the slot can begin when it ends at a place."""
        found = {at} if self.is_optional else set()
        if at > 0:
            word = sentence.words[at - 1]
            if word in self.words:
                found.add(at - 1)
            for number in self.classes:
                found.update(sentence.class_starts(number, at))
            if self.by_last:
                for items in _both(self.by_last, word):
                    found |= sentence.before(items, at)
        return found


def _both(lists: dict[bytes | None, list[Any]], word: bytes) -> Iterable[Any]:
    """What is filed under a word, and what may fit any word."""
    return (*lists.get(word, ()), *lists.get(None, ()))


@dataclass(slots=True)
class Term:
    """One line of the lexicon, parsed."""

    lang: str
    category: str
    tier: str
    rule: str
    slots: list[Slot]
    anchors: dict[int, int]  # slots it is looked up by, each with the one to gate it
    needs: list[Needs]
    requires: list[str]
    excludes: list[str]
    is_organisation: bool
    is_alone: bool

    @property
    def is_strong(self) -> bool:
        """True when it is sure enough, and long enough, to allow for typos."""
        slot = self.slots[0]
        is_word = len(self.slots) == 1 and not (slot.by_first or slot.classes)
        return is_word and self.tier in ("block", "cue")

    def mates(self, word: bytes) -> Needs | None:
        """Words one of which an anchor word must have beside it; None when unknown."""
        slots = [self.slots[anchor] for anchor in self.anchors]
        mates = [slot.mates(word) for slot in slots if slot.may_hold(word)]
        return union((one, frozenset()) if one else None for one in mates)

    def gate(self, word: bytes) -> Needs | None:
        """What must be there besides the chunk of an anchor word; None when unknown."""
        return union(
            self.slots[gate].needs() if gate >= 0 else None
            for anchor, gate in self.anchors.items()
            if self.slots[anchor].may_hold(word)
        )

    def match(self, sentence: Sentence, at: int) -> Span | None:
        """Span of words that the term matches, its anchor being at a place."""
        if len(self.slots) == 1 and sentence.words[at] in self.slots[0].words:
            return at, at + 1
        if not self.is_possible(sentence):
            return None
        for anchor in self.anchors:
            span = self._match(sentence, at, anchor)
            if span:
                return span
        return None

    def is_possible(self, words: Words) -> bool:
        """False when something the term needs is nowhere among the words."""
        vocabulary = words.vocabulary
        for need in self.needs:
            if vocabulary.isdisjoint(need[0]) and not words.has(need):
                return False
        return True

    def covers(self, sentence: Sentence, at: int) -> Span | None:
        """Span of words that the term matches, any of its words being at a place."""
        if self.is_possible(sentence):
            for number in range(len(self.slots)):
                span = self._match(sentence, at, number)
                if span:
                    return span
        return None

    def _match(self, sentence: Sentence, at: int, number: int) -> Span | None:
        found = []
        for first, last in set(_places(self.slots[number], sentence, at)):
            ends = _walk(self.slots[number + 1 :], Slot.after, sentence, last)
            if ends:
                preceding = self.slots[number - 1 :: -1] if number else []
                starts = _walk(preceding, Slot.before, sentence, first)
                if starts:
                    found.append((min(starts), max(ends)))
        if len(found) < 2:
            return found[0] if found else None
        return max(found, key=lambda span: (span[1] - span[0], span))


def _walk(
    slots: list[Slot],
    move: Callable[[Slot, Sentence, int], set[int]],
    sentence: Sentence,
    at: int,
) -> set[int]:
    """Where a row of slots can end, or begin, that starts from a place."""
    places = {at}
    for slot in slots:
        if len(places) == 1:
            places = move(slot, sentence, *places)
        else:
            places = {new for old in places for new in move(slot, sentence, old)}
        if not places:
            break
    return places


def _places(slot: Slot, sentence: Sentence, at: int) -> Iterable[Span]:
    """Where alternatives of a slot match so that they cover a word."""
    if sentence.words[at] in slot.words:
        yield at, at + 1
    for number in slot.classes:
        yield from sentence.class_spans(number, at)
    if not slot.by_word:
        return
    for left, item, right in _both(slot.by_word, sentence.words[at]):
        for first, last in sentence.item_spans(item, at):
            for start in sentence.before(left, first):
                for end in sentence.after(right, last):
                    yield start, end


def parse_term(fields: list[str], numbers: Numbers) -> Term:
    """Term from the columns of the index."""
    lang, category, tier, context, places, pattern = fields
    pairs = (pair.split(":") for pair in places.split())
    flags = context.split()
    slots = [_slot(chunk, numbers) for chunk in notation.parse(pattern, lang)]
    return Term(
        lang=lang,
        category=category,
        tier=tier,
        rule=lexicon.rule_name(lang, category, pattern),
        slots=slots,
        anchors={int(anchor): int(gate) for anchor, gate in pairs},
        needs=[needs for slot in slots if (needs := slot.needs())],
        requires=[flag[1:] for flag in flags if flag[0] == "+"],
        excludes=[flag[1:] for flag in flags if flag[0] == "!"],
        is_organisation="organisation" in flags,
        is_alone="alone" in flags,
    )


def _slot(chunk: Chunk, numbers: Numbers) -> Slot:
    slot = Slot(frozenset(), frozenset(), {}, {}, {}, () in chunk)
    words, classes = set(), set()
    for alternative in filter(None, chunk):
        items = _numbered(alternative, numbers)
        if len(items) == 1 and isinstance(items[0], bytes) and _plain(items[0]):
            words.add(items[0])
        elif len(items) == 1 and isinstance(items[0], int):
            classes.add(items[0])
        else:
            _file(slot, items)
    slot.words, slot.classes = frozenset(words), frozenset(classes)
    return slot


def _file(slot: Slot, items: Items) -> None:
    slot.by_first.setdefault(_plain(items[0]), []).append(items)
    slot.by_last.setdefault(_plain(items[-1]), []).append(items)
    for at, item in enumerate(items):
        if not isinstance(item, Gap):
            parts = items[:at], item, items[at + 1 :]
            slot.by_word.setdefault(_plain(item), []).append(parts)


def _numbered(items: Alternative, numbers: Numbers) -> Items:
    return tuple(
        numbers.get((item.lang, item.name), -1) if isinstance(item, Class) else item
        for item in items
    )


def _plain(item: Item) -> bytes | None:
    """The word an item must be, when it is a single one."""
    if isinstance(item, str):
        return spell_out(fold(item)).lower()
    return item if isinstance(item, bytes) and b"*" not in item else None
