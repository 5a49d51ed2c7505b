"""The compiled lexicon: what one word can mean, found without building big tables.

All forms of all languages as Python objects would cost 20 MB and 100 ms in every
worker. So the compiled lexicon stays text: forms with the same first letters share a
*bucket*, one ``bytes`` object, which is searched only when a word is seen for the
first time (the detector remembers its verdict). A bucket's line is::

    form TAB terms TAB class starts TAB class anchors TAB cancelling terms

``terms`` are offsets in the term table; a class start is a class number, ``~`` when
the expression counts in its own language only, and the words that must follow; a
class anchor is the number of a class and another word of the expression, if any.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .memory import Memory

KEY = 3  # letters that share a bucket
COMMON = "common"  # class of each language's most common words
_STAR = b"*"
_SECTION = b"\f\n"
_TAILS = 2000  # words whose expressions are kept parsed
STARRED = b"*"

# What follows the first word of class expressions: by the second word, the numbers of
# the classes and the words after it. Under b"*" those whose second word has a star.
Tails = dict[bytes, list[tuple[int, tuple[bytes, ...]]]]


class Entry(NamedTuple):
    """All that the lexicon knows of one form."""

    terms: tuple[int, ...] = ()
    # classes an expression of which holds the form, with the other words of which one
    # must be there; None when the form is an expression by itself
    anchors: dict[int, set[bytes] | None] = {}  # noqa: RUF012 - never changed
    cancels: tuple[int, ...] = ()
    classes: frozenset[int] = frozenset()  # whose expressions begin with the form
    whole: tuple[int, ...] = ()  # those of the classes it is an expression of
    tails: bytes = b""  # the expressions of several words, for ``Index.tails``
    roles: frozenset[int] = frozenset()  # those of the classes with a fixed role
    own: frozenset[int] = frozenset()  # classes it is in for its language only
    langs: tuple[str, ...] = ()  # languages in which it is a very common word


NOTHING = Entry()


class ClassName(NamedTuple):
    """A word class, and the terms that are looked up by its expressions."""

    lang: str
    name: str
    terms: tuple[int, ...] = ()
    cancels: tuple[int, ...] = ()
    keys: bytes = b""  # a word of each of its expressions


def is_role(one: ClassName) -> bool:
    """True for the classes with a fixed role."""
    return one.name in ("person", "nodata") or one.name.startswith("guard")


class Index:
    """A compiled lexicon, see the module's docstring; an overlay has a parent."""

    def __init__(self, data: bytes, parent: "Index | None" = None) -> None:
        buckets, classes, self._terms = data.split(_SECTION, 2)
        self._parent = parent
        self._first = parent.end if parent else 0
        self.end = self._first + len(self._terms)
        self._buckets = {
            bucket[: bucket.index(b"\n")]: bucket[bucket.index(b"\n") :] + b"\n"
            for bucket in buckets.split(b"\n\n")
            if bucket
        }
        self.classes = (
            parent.classes
            if parent
            else [_class(line) for line in classes.splitlines()]
        )
        self.roles = {n: one.name for n, one in enumerate(self.classes) if is_role(one)}
        nodata = (n for n, name in self.roles.items() if name == "nodata")
        self.nodata = frozenset(nodata)
        self.numbers = {(one.lang, one.name): n for n, one in enumerate(self.classes)}
        self._keys: dict[int, frozenset[bytes] | None] = {}
        self.tails = Memory(_tails, _TAILS).__getitem__
        self._stars = dict(self._lines(_STAR))
        self._star_sizes = sorted({len(form) - 1 for form in self._stars})

    def _lines(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        for line in self._buckets.get(key, b"").split(b"\n"):
            if line:
                form, rest = line.split(b"\t", 1)
                yield form, rest

    def lookup(self, word: bytes) -> Entry:
        """What a word means: as written, in lower case, by its beginning or end."""
        lower = word.lower()
        lines = list(self._lines_of(lower))
        if word != lower:
            lines += self._lines_of(word)
        return self._entry(lines) if lines else NOTHING

    def _lines_of(self, word: bytes) -> Iterator[bytes]:
        if self._parent:
            yield from self._parent._lines_of(word)
        bucket = self._buckets.get(word[:KEY])
        at = bucket.find(b"\n" + word + b"\t") if bucket else -1
        if bucket and at >= 0:
            begin = at + len(word) + 2
            yield bucket[begin : bucket.index(b"\n", begin)]
        stars, size = self._stars, len(word)
        for length in self._star_sizes:
            if length > size:
                return
            for form in (word[:length] + _STAR, _STAR + word[size - length :]):
                if form in stars:
                    yield stars[form]

    def _entry(self, lines: list[bytes]) -> Entry:
        terms, starts, anchors, cancels = zip(
            *(line.split(b"\t") for line in lines), strict=True
        )
        return Entry(
            _numbers(b" ".join(terms)),
            _anchors(b" ".join(anchors)),
            _numbers(b" ".join(cancels)),
            *self._starts(b",".join(filter(None, starts))),
        )

    def _starts(self, column: bytes) -> tuple[Any, ...]:
        classes, whole, own, langs, tails = set(), set(), set(), [], []
        for start in column.split(b",") if column else ():
            number, _, tail = start.partition(b" ")
            known = int(number.lstrip(b"~"))
            if self.classes[known].name == COMMON:
                langs.append(self.classes[known].lang)
                continue
            classes.add(known)
            if number.startswith(b"~"):
                own.add(known)
            if tail:
                tails.append(start)
            else:
                whole.add(known)
        roles = frozenset(classes.intersection(self.roles))
        found = frozenset(classes), tuple(whole), b",".join(tails)
        return *found, roles, frozenset(own), tuple(langs)

    def term(self, offset: int) -> list[str]:
        """Fields of a term: lang, category, tier, context, chunks, pattern."""
        if self._parent and offset < self._first:
            return self._parent.term(offset)
        begin = offset - self._first
        line = self._terms[begin : self._terms.index(b"\n", begin)]
        return line.decode().split("\t")

    def keys(self, number: int) -> frozenset[bytes] | None:
        """Words one of which is in any expression of a class; None when unknown."""
        if number < 0:
            return frozenset()
        if number not in self._keys:
            keys = frozenset(self.classes[number].keys.split())
            self._keys[number] = None if _STAR in keys else keys
        return self._keys[number]

    def neighbours(self, word: bytes) -> Iterator[bytes]:
        """Forms with the first letters of a word and nearly its length."""
        if self._parent:
            yield from self._parent.neighbours(word)
        size = len(word)
        for form, _ in self._lines(word[:KEY]):
            if -2 < len(form) - size < 2:
                yield form


def _tails(column: bytes) -> Tails:
    found: Tails = {}
    for start in column.split(b","):
        number, second, *rest = start.split(b" ")
        key = STARRED if _STAR in second else second
        words = (second, *rest) if key == STARRED else tuple(rest)
        found.setdefault(key, []).append((int(number), words))
    return found


def _class(line: bytes) -> ClassName:
    lang, name, terms, cancels, keys = line.split(b"\t")
    numbers = _numbers(terms), _numbers(cancels)
    return ClassName(lang.decode(), name.decode(), *numbers, keys)


def _numbers(column: bytes) -> tuple[int, ...]:
    return tuple(sorted(set(map(int, column.split()))))


def _anchors(column: bytes) -> dict[int, set[bytes] | None]:
    found: dict[int, set[bytes] | None] = {}
    for anchor in column.split():
        number, _, mate = anchor.partition(b":")
        mates = found.setdefault(int(number), set())
        if mates is not None and mate:
            mates.add(mate)
        else:
            found[int(number)] = None
    return found


class Columns(NamedTuple):
    """What ``dump`` writes for a form; dicts serve as ordered sets."""

    terms: dict[int, None]
    starts: dict[bytes, None]
    anchors: dict[bytes, None]
    cancels: dict[int, None]


def start_text(number: int, own: bool, tail: Iterable[bytes]) -> bytes:
    """A class expression that begins with a form, as the bucket writes it."""
    return b"~" * own + b" ".join((b"%d" % number, *tail))


def anchor_text(number: int, mate: bytes) -> bytes:
    """A class an expression of which holds a form, as the bucket writes it."""
    return b"%d:%s" % (number, mate) if mate else b"%d" % number


def dump(
    forms: dict[bytes, Columns], classes: list[ClassName], terms: list[bytes]
) -> bytes:
    """The text that ``Index`` reads."""
    buckets: dict[bytes, list[bytes]] = {}
    for form in sorted(forms):
        key = _STAR if _STAR in form else form[:KEY]
        one = forms[form]
        line = (form, _join(one.terms), b",".join(one.starts), b" ".join(one.anchors))
        buckets.setdefault(key, []).append(b"\t".join((*line, _join(one.cancels))))
    lines = [key + b"\n" + b"\n".join(lines) for key, lines in buckets.items()]
    names = [_dump_class(one) for one in classes]
    return b"\n\n".join(lines) + _SECTION + b"".join(names) + _SECTION + b"".join(terms)


def _join(numbers: Iterable[int]) -> bytes:
    return b" ".join(b"%d" % number for number in numbers)


def _dump_class(one: ClassName) -> bytes:
    columns = (one.lang.encode(), one.name.encode(), _join(one.terms))
    return b"\t".join((*columns, _join(one.cancels), one.keys)) + b"\n"
