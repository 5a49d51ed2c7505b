"""Decides what a match means where it stands: block, review or nothing."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .index import ClassName, is_role
from .matching import Sentence, Term

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
_NO_CAPITALS = ("de", "nl")  # languages whose capitals don't mark names
_NAME_PAIR = re.compile(r"[^\W\d_][\w'’-]* [^\W\d_]")


class Mark(NamedTuple):
    """An expression with a fixed role: person, guard or nodata."""

    role: str
    first: int
    last: int


class Context:
    """Cues and guards of one sentence, looked for when first asked."""

    def __init__(self, sentence: Sentence, classes: list[ClassName]) -> None:
        self.sentence = sentence
        self._classes = classes
        self._marks: list[Mark] | None = None
        self._language: str | None = None

    @property
    def marks(self) -> list[Mark]:
        """Every expression with a fixed role."""
        if self._marks is None:
            self._marks = [
                mark
                for at in range(len(self.sentence.words))
                for mark in self._marks_at(at)
            ]
        return self._marks

    def _marks_at(self, at: int) -> Iterator[Mark]:
        sentence = self.sentence
        roles = sentence.entry(at).roles
        for key in sentence.next_words(at) if roles else ():
            for role in roles.get(key, ()):
                if role.own and role.lang != self.language:
                    continue
                if sentence.follows(role.tail, at + 1):
                    yield Mark(role.name, at, at + 1 + len(role.tail))

    @property
    def language(self) -> str:
        """The language most of the very common words are of."""
        if self._language is None:
            votes: dict[str, int] = {}
            for at in range(len(self.sentence.words)):
                for lang in self.sentence.entry(at).langs:
                    votes[lang] = votes.get(lang, 0) + 1
            self._language = max(votes, key=votes.__getitem__) if votes else ""
        return self._language

    def says_nothing_known(self) -> bool:
        """True when the sentence says that the data is not there."""
        return any(mark.role == "nodata" for mark in self.marks)

    def has_cue(self, first: int, last: int) -> bool:
        """True when a person is meant near the words."""
        return any(
            mark.role == "person"
            and mark.first < last + CUE_WINDOW
            and mark.last > first - CUE_WINDOW
            and (mark.first, mark.last) != (first, last)
            for mark in self.marks
        )

    def has_guard(self, category: str, first: int, last: int) -> bool:
        """True when something near the words shows a business use."""
        return any(
            mark.role in ("guard", "guard_" + category)
            and mark.first < last + GUARD_WINDOW
            and mark.last > first - GUARD_WINDOW
            and not (mark.first >= first and mark.last <= last)
            for mark in self.marks
        )

    def has_class(self, lang: str, name: str) -> bool:
        """True when an expression of a class stands in the sentence."""
        if is_role(name):
            return any(mark.role == name for mark in self.marks)
        sentence = self.sentence
        return any(
            self._classes[number][:2] == (lang, name)
            and sentence.class_ends(number, at)
            for at in range(len(sentence.words))
            for number in sentence.entry(at).starts
        )

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
        if term.lang in _NO_CAPITALS or self.language in _NO_CAPITALS:
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
            for mark in self.marks
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
