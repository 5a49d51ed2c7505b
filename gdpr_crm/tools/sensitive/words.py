"""What the detector makes of a single word, judged once when it is first seen."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from . import folding
from .index import NOTHING, Entry, Index
from .matching import Term
from .memory import Memory
from .sentence import Needs

TYPO_MIN = 8  # letters
MAX_WORD = 40  # letters; longer ones are no words
# letters that hardly ever stand alone, so that a word spelled out letter by letter
# is noticed without looking at every text
_LONELY = frozenset(b"bfgkpqrvwz")
_DIGIT_LETTERS = bytes.maketrans(b"013457@$", b"oieastas")


class Verdict(NamedTuple):
    """Why a word is worth a look."""

    form: bytes  # as the lexicon writes it
    terms: tuple[int, ...] = ()
    typo: bool = False
    gates: tuple[frozenset[bytes], ...] = ()  # a word of each must be there as well


DISGUISED = Verdict(b"\x81")
SPELLED = Verdict(b". .")


class Judge:
    """Judges words by an index; ``term`` gives the term of a number."""

    def __init__(self, index: Index, term: Callable[[int], Term]) -> None:
        self._index = index
        self._term = term
        self._known: dict[frozenset[bytes], frozenset[bytes]] = Memory(_itself)

    def verdict(self, token: bytes) -> Verdict | None:
        """None for a word that can't begin or hold any term."""
        if folding.is_disguised(token):
            return DISGUISED
        if len(token) == 1 and token.lower()[0] in _LONELY:
            return SPELLED
        if len(token) > MAX_WORD:
            return None
        written = folding.spell_out(token)
        word, entry = written.lower(), self._index.lookup(written)
        terms = self._terms(entry)
        if terms:
            return self._worth(word, terms, entry)
        if entry != NOTHING or len(word) < 5:
            return None
        return self._misspelt(word)

    def _terms(self, entry: Entry) -> tuple[int, ...]:
        by_class = (self._index.classes[number].terms for number in entry.anchors)
        return tuple(sorted({*entry.terms, *chain.from_iterable(by_class)}))

    def _worth(self, word: bytes, numbers: tuple[int, ...], entry: Entry) -> Verdict:
        mates, gates, either = [], [], []
        for number in numbers:
            term = self._term(number)
            mate = self._words(self._mates(word, entry, number, term))
            gate = self._words(term.gate(word))
            mates.append(mate)
            gates.append(gate)
            either.append(gate if mate is None else mate)
        found = [one for one in map(_union, (mates, gates)) if one is not None]
        found = found or [one for one in [_union(either)] if one is not None]
        return Verdict(word, numbers, gates=tuple(map(self._known.__getitem__, found)))

    def _words(self, needs: Needs | None) -> frozenset[bytes] | None:
        """The words of some needs, those of their classes included; None if unknown."""
        if needs is None:
            return None
        keys = [self._index.keys(number) for number in needs[1]]
        if None in keys:
            return None
        return needs[0].union(*filter(None, keys))

    def _mates(
        self, word: bytes, entry: Entry, number: int, term: Term
    ) -> Needs | None:
        if number in entry.terms:
            return term.mates(word)
        mates = self._mates_in_classes(entry, number)
        return (mates, frozenset()) if mates else None

    def _mates_in_classes(self, entry: Entry, number: int) -> frozenset[bytes] | None:
        found: set[bytes] = set()
        for one, mates in entry.anchors.items():
            if number in self._index.classes[one].terms:
                if mates is None:
                    return None
                found |= mates
        return frozenset(found)

    def _misspelt(self, word: bytes) -> Verdict | None:
        for reading in _respelled(word):
            entry = self._index.lookup(reading)
            terms = self._terms(entry)
            if terms:
                return self._worth(reading, terms, entry)
        if len(word) < TYPO_MIN or not word.isalpha():
            return None
        for form in self._near(word):
            lookup = self._index.lookup(form).terms
            terms = tuple(number for number in lookup if self._term(number).is_strong)
            if terms:
                return Verdict(form, terms, typo=True)
        return None

    def _near(self, word: bytes) -> Iterator[bytes]:
        for form in self._index.neighbours(word):
            if len(form) >= TYPO_MIN and is_near(form, word):
                yield form
        yield from _early_slips(word)


def _itself(one: frozenset[bytes]) -> frozenset[bytes]:
    return one


def _union(sets: list[frozenset[bytes] | None]) -> frozenset[bytes] | None:
    """All words of some sets; None when one of the sets is unknown."""
    if None in sets:
        return None
    return frozenset().union(*filter(None, sets))


def _respelled(word: bytes) -> Iterable[bytes]:
    """Readings of a word with digits for letters or with letters dragged out."""
    if not word.isalpha():
        letters = word.translate(_DIGIT_LETTERS)
        mixed = letters.isalpha() and sum(map(_is_letter, word)) * 2 >= len(word)
        return [letters] if mixed else []
    short = bytearray(word[:2])
    for letter in word[2:]:
        if not letter == short[-1] == short[-2]:
            short.append(letter)
    if len(short) == len(word):
        return []
    single = bytes(a for a, b in zip(short, short[1:] + b" ", strict=True) if a != b)
    return [bytes(short), single]


def _is_letter(byte: int) -> bool:
    return byte >= 0x61


def _early_slips(word: bytes) -> Iterator[bytes]:
    """A slip in the first letters undone: swapped, doubled or left single."""
    for at in range(4):
        before, here, after = word[:at], word[at : at + 1], word[at + 1 :]
        yield before + after  # one letter too many
        yield before + here + here + after  # a double letter left single
        yield before + after[:1] + here + after[1:]  # swapped


def is_near(one: bytes, other: bytes) -> bool:
    """True at a Damerau-Levenshtein distance of one (two words that differ)."""
    at = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        at += 1
    a, b = one[at:], other[at:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    return a[1:] == b or a == b[1:]
