"""Decides what a match means where it stands: block, review or nothing."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .index import Index
from .matching import Term
from .sentence import Sentence

CUE_WINDOW = 8  # words
GUARD_WINDOW = 4
_WEAKER = {"block": "cue", "cue": "weak", "review": "weak"}
_CIVILITIES = frozenset(
    b"m mr mme mlle mrs ms miss herr herrn frau sr sra srta senor senora don dona sig"
    b" signor signora signorina dhr mevr mw meneer mevrouw heer monsieur madame"
    b" mademoiselle dr me maitre prof".split()
)
_LEGAL_FORMS = frozenset(
    b"sarl sas sasu sa eurl sci scop snc gmbh ag kg ohg ug mbh ltd llc llp inc plc corp"
    b" bv nv vof sl slu sll spa srl sprl srls sagl co".split()
)
_NO_CAPITALS = {"de", "nl"}  # languages whose capitals don't mark names
_NAME_PAIR = re.compile(r"[^\W\d_][\w'’-]* [^\W\d_]")


_LONGEST = 4  # words of a cue or guard that may begin before the window


class Mark(NamedTuple):
    """An expression with a fixed role: person, guard or nodata."""

    role: str
    first: int
    last: int


class Context:
    """Cues and guards of one sentence, looked for when first asked."""

    def __init__(self, sentence: Sentence, index: Index) -> None:
        self.sentence = sentence
        self.sure: list[tuple[str, int, int]] = []  # category and words of what blocks
        self._index = index
        self._marks: dict[int, list[Mark]] = {}
        self._languages: set[str] | None = None

    def marks(self, first: int = 0, last: int | None = None) -> Iterator[Mark]:
        """Expressions with a fixed role that begin between two words."""
        end = len(self.sentence.words)
        for at in range(max(0, first), end if last is None else min(last, end)):
            marks = self._marks.get(at)
            if marks is None:
                roles = self.sentence.entries[at].roles
                marks = self._marks[at] = self._find(at, roles) if roles else []
            yield from marks

    def _find(self, at: int, roles: frozenset[int]) -> list[Mark]:
        own = self.sentence.entries[at].own
        return [
            Mark(self._index.roles[number], at, end)
            for number in roles
            for end in self.sentence.class_ends(number, at)
            if end > at + 1
            or number not in own
            or self._index.classes[number].lang in self.languages
        ]

    @property
    def languages(self) -> set[str]:
        """The languages that most of the very common words are of."""
        if self._languages is None:
            votes: dict[str, int] = {}
            for entry in self.sentence.entries:
                for lang in entry.langs:
                    votes[lang] = votes.get(lang, 0) + 1
            most = max(votes.values(), default=0)
            self._languages = {lang for lang, vote in votes.items() if vote == most}
        return self._languages

    def says_nothing_known(self) -> bool:
        """True when the sentence says that the data is not there."""
        sentence, nodata = self.sentence, self._index.nodata
        return sentence.has((frozenset(), nodata)) and any(
            sentence.ends_of_any(nodata, at) for at in range(len(sentence.words))
        )

    def has_cue(self, first: int, last: int) -> bool:
        """True when a person is meant near the words."""
        low, high = first - CUE_WINDOW, last + CUE_WINDOW
        return any(
            mark.role == "person"
            and mark.last > low
            and (mark.first, mark.last) != (first, last)
            for mark in self.marks(low - _LONGEST, high)
        )

    def has_guard(self, category: str, first: int, last: int) -> bool:
        """True when something near the words shows a business use."""
        low, high = first - GUARD_WINDOW, last + GUARD_WINDOW
        return any(
            mark.role in ("guard", "guard_" + category)
            and mark.last > low
            and not (mark.first >= first and mark.last <= last)
            for mark in self.marks(low - _LONGEST, high)
        )

    def has_class(self, lang: str, name: str) -> bool:
        """True when an expression of a class stands in the sentence."""
        number = self._index.numbers.get((lang, name))
        if number is None or number in self._index.roles:
            return any(mark.role == name for mark in self.marks())
        sentence = self.sentence
        places = range(len(sentence.words))
        return any(sentence.class_ends(number, at) for at in places)

    def is_name(self, term: Term, first: int, last: int) -> bool:
        """True when a one-word match is probably part of somebody's name."""
        sentence = self.sentence
        if last - first > 1 or term.tier == "none":
            return False
        written = sentence.written(first)
        if not written[0].isupper() or len(written) > 1 and written.isupper():
            return False
        before = sentence.words[first - 1] if first else b""
        after = sentence.words[last] if last < len(sentence.words) else b""
        if before in _CIVILITIES or after in _LEGAL_FORMS:
            return True
        if term.lang in _NO_CAPITALS or self.languages & _NO_CAPITALS:
            return False
        return term.tier != "block" and self._beside_a_name(first)

    def _beside_a_name(self, at: int) -> bool:
        """True beside another capitalised word, with nothing but a space between."""
        sentence = self.sentence
        if at + 1 < len(sentence.words):
            begin, end = sentence.span(at, at + 2)
            pair = sentence.text[begin:end]
            if _NAME_PAIR.match(pair) and sentence.written(at + 1)[0].isupper():
                return sentence.words[at + 1] not in _CIVILITIES
        if at == 0 or not sentence.written(at - 1)[0].isupper():
            return False
        return any(
            mark.role == "person" and mark.last == at and mark.first == at - 1
            for mark in self.marks(at - 1, at)
        )


def level(
    term: Term, context: Context, first: int, last: int, typo: bool = False
) -> str | None:
    """What a match of a term means: ``block``, ``review`` or None."""
    for name in term.excludes:
        if context.has_class(term.lang, name):
            return None
    for name in term.requires:
        if not context.has_class(term.lang, name):
            return None
    tier = _WEAKER[term.tier] if typo and term.tier in _WEAKER else term.tier
    if context.is_name(term, first, last):
        tier = "weak"
    if tier in ("block", "review"):
        return tier
    if context.has_guard(term.category, first, last):
        return None
    if term.requires or context.has_cue(first, last):
        return "block" if tier == "cue" else "review"
    return "review" if tier == "cue" else None
