"""Finds special categories of personal data (GDPR Art. 9) in a text.

    >>> find("Mme Gaudin est en chimiothérapie jusqu'à fin mars.")
    [Finding(category='health', level='block', start=15, end=29, rule='fr.health.…')]

How it works: the text is folded to one byte a character (``folding``) and cut into
words. Words seen before and known to be harmless are remembered, so that an ordinary
note is done with one set comparison. Any other word is looked up once (``words``,
``index``); where terms of the lexicon may match, the sentence around is read
(``matching``), and cues and guards decide what the match means (``context``).
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from . import lexicon, notation, rewriting
from .compiler import Compiler, compile_folder
from .context import Context, level
from .folding import IGNORED, fold, spell_out
from .index import Entry, Index
from .markup import Source, has_markup, plain
from .matching import Slot, Term, parse_slot
from .memory import Memory
from .sentence import Sentence, Words
from .words import DISGUISED, SPELLED, Judge, Verdict

SILENT_FIELDS = frozenset(("street", "email", "website", "phone", "vat", "zip", "city"))
NAME = "name"  # silent but for a remark after it: "Jean Martin (…)", "Jo Doe, …"
_REMARK = re.compile(r"[(\[/:;]|\s[-–—]\s|,\s(?=[a-zß-ÿ])")
STRICT_FIELDS = frozenset(("function", "tag"))
COMPANY_NAME = "company_name"

PIECE = 4096  # characters searched at once
PART = 512  # characters looked at more closely when there is something in a piece
REACH = 400  # characters on either side of a word that can be its sentence
REMEMBERED = 40_000  # words
_LONG_NUMBER = 4  # digits; longer ones are not worth remembering

_ABBREVIATIONS = "".join(
    rf"(?<!\b{word}\.)"
    for word in ("Dr", "Mr", "Ms", "Sr", "St", "Hr", "Fr", "Mme", "Sig", "Dott", "Avv")
)
# a line end within a sentence: the line is long and the next goes on in lower case
_SENTENCE_END = re.compile(
    r"[.!?…\n•|](?:"
    rf"(?<=[.!?…])(?<!\b\w.){_ABBREVIATIONS}(?=\s)"
    r"|(?<=\n)(?:(?![a-zß-ÿ])|(?<![^\n]{60}\n))"
    r"|(?<=[•|]))"
)


class Finding(NamedTuple):
    """Words that reveal a special category; offsets are those of the text given."""

    category: str
    level: str
    start: int
    end: int
    rule: str


Hit = tuple[Verdict, list[Term]]  # a word, and the terms that may match at it


class Match(NamedTuple):
    """A term found in a sentence, before its context is judged."""

    term: Term
    first: int
    last: int
    typo: bool


class Detector:
    """Finds sensitive data; ``extra`` and ``allow`` are a company's own terms.

    :param extra: (pattern, category, tier) of terms to add
    :param allow: patterns of what is never a finding
    :param base: compiled lexicon, by default the one that ships with the addon
    """

    def __init__(
        self,
        extra: Iterable[tuple[str, str, str]] = (),
        allow: Iterable[str] = (),
        base: Index | None = None,
    ) -> None:
        base = base or shipped()
        self._index = _overlay(base, extra, allow) or base
        self._entry = Memory(self._index.lookup).__getitem__
        self._slot = Memory(self._parsed_slot).__getitem__
        self._term = Memory(self._parsed).__getitem__
        self._judge = Judge(self._index, self._term)
        self._verdicts = Memory(self._judge.verdict)
        self._clean: set[bytes] = set()

    def find(
        self, text: str, field: str | None = None, names: Iterable[str] = ()
    ) -> list[Finding]:
        """Findings in a text, in order of their place.

        :param field: kind of field (``comment``, ``function``, ``tag``…)
        :param names: the record's own names, which are not taken for terms
        """
        if not text or field in SILENT_FIELDS:
            return []
        if field == NAME:
            return self._find_remark(text, names)
        if has_markup(text):
            found = self._find(plain(text), field, names)
            return _moved(found, Source(rewriting.markup.edits(text))) if found else []
        if len(text) > PIECE:
            return self._find(text, field, names)
        return self._search(text, field, names)

    def _find_remark(self, text: str, names: Iterable[str]) -> list[Finding]:
        """Findings in what was written behind somebody's name."""
        remark = _REMARK.search(text)
        if not remark:
            return []
        at = remark.end()
        found = self.find(text[at:], "tag", (*names, text))
        return [one._replace(start=one.start + at, end=one.end + at) for one in found]

    def _find(
        self, text: str, field: str | None, names: Iterable[str]
    ) -> list[Finding]:
        found = []
        for offset, piece in pieces(text, PIECE):
            if self._clean.issuperset(fold(piece).split()):
                continue
            for inner, part in pieces(piece, PART):
                at = offset + inner
                for one in self._search(part, field, names):
                    found.append(one._replace(start=one.start + at, end=one.end + at))
        return found

    def _search(
        self,
        text: str,
        field: str | None,
        names: Iterable[str],
        spelled: bool = False,
    ) -> list[Finding]:
        folded = fold(text)
        tokens = folded.split()
        if self._clean.issuperset(tokens):
            return []
        suspects = self._suspects(folded, tokens)
        if not suspects:
            return []
        return self._inspect(text, folded, suspects, field, names, spelled)

    def _suspects(self, folded: bytes, tokens: list[bytes]) -> dict[bytes, Verdict]:
        """Words at which terms may match, and whose company is there as well."""
        verdicts = {}
        for token in set(tokens).difference(self._clean):
            verdict = self._verdict(token)
            if verdict:
                verdicts[token] = verdict
        if not verdicts:
            return {}
        present = set(spell_out(folded).lower().split())
        present.update(one.form for one in verdicts.values())
        found = {}
        for token, one in verdicts.items():
            for gate in one.gates:
                if present.isdisjoint(gate):
                    break
            else:
                found[token] = one
        return found

    def _inspect(
        self,
        text: str,
        folded: bytes,
        suspects: dict[bytes, Verdict],
        field: str | None,
        names: Iterable[str],
        spelled: bool,
    ) -> list[Finding]:
        marks = set(map(id, suspects.values()))
        if id(DISGUISED) in marks:
            made, source = rewriting.undisguised(text)
            found = self._search(made, field, names)
            return [_to_the_last_accent(one, folded) for one in _moved(found, source)]
        if id(SPELLED) in marks and not spelled:
            joined = rewriting.joined(text)
            if joined:
                made, source = joined
                found = self._search(made, field, names, spelled=True)
                return _moved(found, source)
        possible = self._possible(folded, suspects)
        if not possible:
            return []
        tokens = folded.split()
        hits = [(token, possible[token]) for token in tokens if token in possible]
        own = _words(names) if names else None
        return merged(self._findings(text, folded, hits, field, own))

    def _possible(
        self, folded: bytes, suspects: dict[bytes, Verdict]
    ) -> dict[bytes, Hit]:
        """Terms that can match, judged by the words they need, wherever they stand."""
        spelled = spell_out(folded)
        forms = [one.form for one in suspects.values()]
        vocabulary = frozenset(spelled.lower().split()).union(forms)
        words = Words(spelled, self._index, vocabulary)
        found = {}
        for token, one in suspects.items():
            terms = [t for t in map(self._term, one.terms) if t.is_possible(words)]
            if terms:
                found[token] = one, terms
        return found

    def _verdict(self, token: bytes) -> Verdict | None:
        verdict = self._verdicts[token]
        if verdict is None and (len(token) <= _LONG_NUMBER or not token.isdigit()):
            self._verdicts.pop(token, None)
            if len(self._clean) >= REMEMBERED:
                self._clean.clear()
            self._clean.add(token)
        return verdict

    def _findings(
        self,
        text: str,
        folded: bytes,
        hits: list[tuple[bytes, Hit]],
        field: str | None,
        own: frozenset[bytes] | None,
    ) -> Iterator[Finding]:
        context = None
        for (verdict, terms), offset in _places(folded, hits):
            if context is None or offset >= context.sentence.end:
                sentence = self._sentence(text, folded, offset)
                context = Context(sentence, self._index)
            at = context.sentence.word_at(offset)
            context.sentence.respell(at, verdict.form)
            yield from self._at_word(context, terms, at, field, own, verdict.typo)

    def _at_word(
        self,
        context: Context,
        terms: list[Term],
        at: int,
        field: str | None,
        own: frozenset[bytes] | None,
        typo: bool,
    ) -> Iterator[Finding]:
        """Findings whose anchor is one word; after a sure one no weaker is sought."""
        sentence = context.sentence
        sure = {one for one, first, last in context.sure if first <= at < last}
        for term in terms:
            span = None if term.category in sure else term.match(sentence, at)
            if span is None or self._is_cancelled(context, *span):
                continue
            if own and own.issuperset(sentence.words[slice(*span)]):
                continue
            found = self._judged(context, Match(term, *span, typo), field)
            if found:
                if found == "block":
                    sure.add(term.category)
                    context.sure.append((term.category, *span))
                start, end = sentence.span(*span)
                yield Finding(term.category, found, start, end, term.rule)

    def _sentence(self, text: str, folded: bytes, offset: int) -> Sentence:
        low, high = max(0, offset - REACH), min(len(text), offset + REACH)
        start = low and text.find(" ", low, offset) + 1 or low
        for found in _SENTENCE_END.finditer(text, low, offset):
            start = found.end()
        stop = _SENTENCE_END.search(text, offset, high)
        end = stop.start() if stop else high
        if not stop and high < len(text):
            end = max(folded.rfind(b" ", offset, high), folded.find(b" ", offset))
            end = end if end > offset else len(text)
        return Sentence(text, folded, (start, end), self._index, self._entry)

    def _is_cancelled(self, context: Context, first: int, last: int) -> bool:
        """True inside a longer harmless expression, which holds every word of it."""
        sentence = context.sentence
        cancels = (
            (at, self._cancels(sentence.entries[at]))
            for at in range(first, last)
            if not sentence.entries[at].langs
        )
        at, numbers = min(cancels, key=lambda one: len(one[1]), default=(first, ()))
        for number in numbers:
            term = self._term(number)
            span = term.covers(sentence, at)
            covered = span and span[0] <= first and span[1] >= last
            if covered and _applies(term, context):
                return True
        return False

    def _cancels(self, entry: Entry) -> tuple[int, ...]:
        by_class = (self._index.classes[number].cancels for number in entry.anchors)
        return (*entry.cancels, *chain.from_iterable(by_class))

    def _judged(self, context: Context, match: Match, field: str | None) -> str | None:
        term, first, last, typo = match
        if field == COMPANY_NAME and not term.is_organisation:
            return None
        if context.says_nothing_known():
            return None
        if term.is_alone and _is_whole(context.sentence, first, last):
            return "block"
        if field not in STRICT_FIELDS:
            return level(term, context, first, last, typo)
        if typo or term.tier not in ("block", "cue"):
            return None
        found = level(term, context, first, last)
        return found if term.tier == "block" else found and "review"

    def _parsed(self, number: int) -> Term:
        return Term(self._index.term(number), self._slot)

    def _parsed_slot(self, key: tuple[str, str]) -> Slot:
        return parse_slot(*key, self._index.numbers)


def _words(names: Iterable[str]) -> frozenset[bytes]:
    """The folded words of names, without the remarks behind them."""
    own = " ".join(_REMARK.split(name, maxsplit=1)[0] for name in names)
    return frozenset(spell_out(fold(own)).lower().split())


def _applies(term: Term, context: Context) -> bool:
    return all(context.has_class(term.lang, name) for name in term.requires) and not (
        any(context.has_class(term.lang, name) for name in term.excludes)
    )


def _is_whole(sentence: Sentence, first: int, last: int) -> bool:
    begin, end = sentence.span(first, last)
    text = sentence.text
    return not fold(text[:begin]).strip() and not fold(text[end:]).strip()


def _places(folded: bytes, hits: list[tuple[bytes, Hit]]) -> Iterator[tuple[Hit, int]]:
    """Offsets of the tokens, which come in the order of the text."""
    padded, offset = b" " + folded + b" ", 0
    for token, hit in hits:
        offset = padded.index(b" " + token + b" ", offset)
        yield hit, offset
        offset += len(token)


def _moved(found: list[Finding], source: Source) -> list[Finding]:
    moved = []
    for one in found:
        start, end = source.span(one.start, one.end)
        moved.append(one._replace(start=start, end=end))
    return moved


def _to_the_last_accent(one: Finding, folded: bytes) -> Finding:
    end = one.end
    while end < len(folded) and folded[end] == IGNORED:
        end += 1
    return one._replace(end=end)


def merged(found: Iterable[Finding]) -> list[Finding]:
    """Findings of one category that overlap as one, with the strongest level."""
    kept: list[Finding] = []
    for one in sorted(found, key=lambda one: (one.category, one.start, -one.end)):
        last = kept[-1] if kept else None
        if last is None or last.category != one.category or last.end <= one.start:
            kept.append(one)
            continue
        strong = one if (one.level, last.level) == ("block", "review") else last
        kept[-1] = strong._replace(start=last.start, end=max(last.end, one.end))
    return sorted(kept, key=lambda one: (one.start, one.end, one.category))


def pieces(text: str, most: int) -> Iterator[tuple[int, str]]:
    """A text cut at sentence ends, else at spaces, with the offset of each piece."""
    start, size = 0, len(text)
    while size - start > most:
        end = start + most
        for mark in ("\n", ". ", " "):
            cut = text.rfind(mark, start + most // 4, end)
            if cut > 0:
                end = cut + 1
                break
        yield start, text[start:end]
        start = end
    yield start, text[start:]


def _overlay(
    base: Index, extra: Iterable[tuple[str, str, str]], allow: Iterable[str]
) -> Index | None:
    compiler = Compiler(first_term=base.end)
    terms = [*extra, *((pattern, "allowed", "none") for pattern in allow)]
    for pattern, category, tier in terms:
        if notation.problems(pattern):
            raise notation.PatternError(pattern)
        compiler.add_term("own", category, pattern, tier)
    return Index(compiler.data(), base) if terms else None


@lru_cache(maxsize=1)
def shipped() -> Index:
    """The lexicon of the addon; compiled now when the compiled file is outdated."""
    return Index(lexicon.compiled() or compile_folder())


@lru_cache(maxsize=1)
def default() -> Detector:
    """The detector without a company's own terms."""
    return Detector()


def find(
    text: str, field: str | None = None, names: Iterable[str] = ()
) -> list[Finding]:
    """Findings in a text, see ``Detector.find``."""
    return default().find(text, field, names)
