"""The terms of the lexicon, and where they match in a sentence."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from . import lexicon, notation
from .folding import fold, spell_out
from .notation import Alternative, Chunk, Class, Gap
from .sentence import Item, Items, Needs, Sentence, Words

Numbers = dict[tuple[str, str], int]
_CLASS_RARITY = 5  # as rare as a word of so many letters
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


class Slot:
    """One chunk of a pattern, its alternatives sorted for quick comparison.

    Terms share the slots of equal chunks. ``by_first``, ``by_last`` and ``by_word``
    have the alternatives of several words, or of words that aren't plain, by their
    first, their last and each of their words; under None those for which that word
    isn't plain. They are made when first asked for: most slots only serve as gates.
    """

    def __init__(self, chunk: Chunk, numbers: Numbers) -> None:
        words, classes, sequences = set(), set(), []
        for alternative in filter(None, chunk):
            items = _numbered(alternative, numbers)
            if len(items) == 1 and isinstance(items[0], bytes) and _plain(items[0]):
                words.add(items[0])
            elif len(items) == 1 and isinstance(items[0], int):
                classes.add(items[0])
            else:
                sequences.append(items)
        self.words = frozenset(words)  # alternatives that are one word
        self.classes = frozenset(classes)  # alternatives that are one class
        self._sequences = sequences
        self.is_optional = () in chunk
        self.needs = None if self.is_optional else self._needs()

    def _needs(self) -> Needs | None:
        """Words and classes one of which must be there; None when nothing must."""
        words, classes = set(self.words), set(self.classes)
        for items in self._sequences:
            rarest = max(items, key=_rarity)
            if isinstance(rarest, int):
                classes.add(rarest)
            elif plain := _plain(rarest):
                words.add(plain)
            else:
                return None
        return frozenset(words), frozenset(classes)

    @cached_property
    def by_first(self) -> dict[bytes | None, list[Items]]:
        """Alternatives by their first word."""
        return self._by_end(0)

    @cached_property
    def by_last(self) -> dict[bytes | None, list[Items]]:
        """Alternatives by their last word."""
        return self._by_end(-1)

    def _by_end(self, at: int) -> dict[bytes | None, list[Items]]:
        found: dict[bytes | None, list[Items]] = {}
        for items in self._sequences:
            found.setdefault(_plain(items[at]), []).append(items)
        return found

    @cached_property
    def by_word(self) -> dict[bytes | None, list[tuple[Items, int]]]:
        """Alternatives by each of their words, with the place of the word."""
        found: dict[bytes | None, list[tuple[Items, int]]] = {}
        for items in self._sequences:
            for at, item in enumerate(items):
                if not isinstance(item, Gap):
                    found.setdefault(_plain(item), []).append((items, at))
        return found

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
        for items, at in self.by_word.get(word, ()):
            others = (item for item in items[:at] + items[at + 1 :] if _plain(item))
            mate = max(others, key=_rarity, default=None)
            if mate is None:
                return frozenset()
            found.add(_plain(mate))
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


class Term:
    """One line of the lexicon; its chunks are parsed when they are needed.

    :param fields: the columns of the index
    :param slot: gives the slot of a language and a chunk
    """

    __slots__ = ("_slot", "_slots", "anchors", "category", "excludes", "is_alone")
    __slots__ += ("is_organisation", "lang", "requires", "rule", "tier")

    def __init__(self, fields: list[str], slot: Callable[[Any], Slot]) -> None:
        self.lang, self.category, self.tier, context, places, pattern = fields
        flags = context.split()
        pairs = (pair.split(":") for pair in places.split())
        self.rule = lexicon.rule_name(self.lang, self.category, pattern)
        # slots it is looked up by, each with the one to gate it
        self.anchors = {int(anchor): int(gate) for anchor, gate in pairs}
        self.requires = [flag[1:] for flag in flags if flag[0] == "+"]
        self.excludes = [flag[1:] for flag in flags if flag[0] == "!"]
        self.is_organisation = "organisation" in flags
        self.is_alone = "alone" in flags
        self._slot = slot
        self._slots: list[Slot | str] = list(notation.split_chunks(pattern))

    def slot(self, number: int) -> Slot:
        """One of its slots."""
        one = self._slots[number]
        if isinstance(one, str):
            one = self._slots[number] = self._slot((self.lang, one))
        return one

    @property
    def slots(self) -> list[Slot]:
        """All its slots, in the order of the pattern."""
        return list(map(self.slot, range(len(self._slots))))

    @property
    def is_strong(self) -> bool:
        """True when it is sure enough, and long enough, to allow for typos."""
        if len(self._slots) > 1 or self.tier not in ("block", "cue"):
            return False
        slot = self.slot(0)
        return not (slot.by_first or slot.classes)

    def mates(self, word: bytes) -> Needs | None:
        """Words one of which an anchor word must have beside it; None when unknown."""
        slots = map(self.slot, self.anchors)
        mates = [slot.mates(word) for slot in slots if slot.may_hold(word)]
        return union((one, frozenset()) if one else None for one in mates)

    def gate(self, word: bytes) -> Needs | None:
        """What must be there besides the chunk of an anchor word; None when unknown."""
        if len(self.anchors) == 1:
            return self._needs_of_gate(*self.anchors.values())
        return union(
            self._needs_of_gate(gate)
            for anchor, gate in self.anchors.items()
            if self.slot(anchor).may_hold(word)
        )

    def _needs_of_gate(self, number: int) -> Needs | None:
        return self.slot(number).needs if number >= 0 else None

    def match(self, sentence: Sentence, at: int) -> Span | None:
        """Span of words that the term matches, its anchor being at a place."""
        if len(self._slots) == 1 and sentence.words[at] in self.slot(0).words:
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
        gates = {gate: None for gate in self.anchors.values() if gate >= 0}
        for number in (*gates, *range(len(self._slots))):
            needs = self.slot(number).needs
            if needs and not words.has(needs):
                return False
        return True

    def covers(self, sentence: Sentence, at: int) -> Span | None:
        """Span of words that the term matches, any of its words being at a place."""
        if self.is_possible(sentence):
            for number in range(len(self._slots)):
                span = self._match(sentence, at, number)
                if span:
                    return span
        return None

    def _match(self, sentence: Sentence, at: int, number: int) -> Span | None:
        found = []
        for first, last in set(_places(self.slot(number), sentence, at)):
            slots = self.slots
            ends = _walk(slots[number + 1 :], Slot.after, sentence, last)
            if ends:
                preceding = slots[number - 1 :: -1] if number else []
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
    for items, place in _both(slot.by_word, sentence.words[at]):
        for first, last in sentence.item_spans(items[place], at):
            for start in sentence.before(items[:place], first):
                for end in sentence.after(items[place + 1 :], last):
                    yield start, end


def parse_slot(lang: str, chunk: str, numbers: Numbers) -> Slot:
    """Slot of one chunk of a pattern."""
    return Slot(notation.parse_chunk(chunk, lang), numbers)


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


def _rarity(item: Item) -> tuple[int, int]:
    """Orders items by how much it tells that they are in a text."""
    if isinstance(item, int):
        return 1, _CLASS_RARITY
    plain = _plain(item)
    if plain is None:
        return 0, 0
    return (1, 1) if plain in lexicon.known_common_words() else (1, len(plain))
