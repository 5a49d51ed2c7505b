"""Matches the terms of the lexicon against the words of one sentence."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import lexicon, notation
from .folding import fold, spell_out
from .index import LEAF, STARRED, Entry, Tree
from .notation import Alternative, Chunk, Class, Gap

_WORD = re.compile(rb"[^ ]+")
_MAX_CLASS_WORDS = 8
_STAR = ord("*")

Item = bytes | str | int | Gap  # as in notation, a class being its number
Items = tuple[Item, ...]
Numbers = dict[tuple[str, str], int]
Needs = tuple[frozenset[bytes], frozenset[int]]  # one of these words or classes
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

    def after(self, sentence: "Sentence", at: int) -> set[int]:
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

    def before(self, sentence: "Sentence", at: int) -> set[int]:
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

    def match(self, sentence: "Sentence", at: int) -> Span | None:
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

    def is_possible(self, sentence: "Sentence") -> bool:
        """False when something the term needs is nowhere in the sentence."""
        words, classes = sentence.vocabulary, sentence.classes
        for firsts, numbers in self.needs:
            if words.isdisjoint(firsts) and classes.isdisjoint(numbers):
                return False
        return True

    def covers(self, sentence: "Sentence", at: int) -> Span | None:
        """Span of words that the term matches, any of its words being at a place."""
        if self.is_possible(sentence):
            for number in range(len(self.slots)):
                span = self._match(sentence, at, number)
                if span:
                    return span
        return None

    def _match(self, sentence: "Sentence", at: int, number: int) -> Span | None:
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
    move: Callable[[Slot, "Sentence", int], set[int]],
    sentence: "Sentence",
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


def _places(slot: Slot, sentence: "Sentence", at: int) -> Iterable[Span]:
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


class Sentence:
    """The words of one sentence, what they can mean, and where they stand."""

    __slots__ = ("_classes", "_expressions", "_look", "_spans", "_vocabulary")
    __slots__ += ("_cased", "end")
    __slots__ += ("entries", "folded", "start", "text", "words")

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
        spelled = spell_out(self.folded)
        self.words = spelled.lower().split()
        self._cased = spelled.split()
        self.entries = list(map(look, self._cased))  # what the lexicon knows of each
        self._look = look
        self._spans: list[Span] | None = None
        self._forget()

    def _forget(self) -> None:
        self._vocabulary: frozenset[bytes] | None = None
        self._classes: frozenset[int] | None = None
        self._expressions: dict[int, dict[int, list[int]]] = {}

    def word_at(self, offset: int) -> int:
        """Number of the word that begins at an offset of the text."""
        return len(self.folded[: offset - self.start].split())

    def respell(self, at: int, word: bytes) -> None:
        """Reads a word as another one: a slip or a disguise undone."""
        if self.words[at] != word:
            self.words[at] = self._cased[at] = word
            self.entries[at] = self._look(word)
            self._forget()

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
            self._classes = frozenset().union(
                *[entry.classes for entry in self.entries]
            )
        return self._classes

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
