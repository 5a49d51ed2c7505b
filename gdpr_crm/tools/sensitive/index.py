"""The compiled lexicon: what one word can mean, found without building big tables.

All forms of all languages as Python objects would cost 20 MB and 100 ms in every
worker. So the compiled lexicon stays text: forms with the same first letters share a
*bucket*, one ``bytes`` object, which is searched only when a word is seen for the
first time (the detector remembers its verdict). A bucket's line is::

    form TAB terms TAB class starts TAB class anchors TAB cancelling terms

``terms`` are offsets in the term table; a class start is a class number, ``~`` when
the expression counts in its own language only, and the words that must follow.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

KEY = 3  # letters that share a bucket
TYPO_MIN = 8  # letters
STARS = b"*"

_SECTION = b"\f\n"


class Start(NamedTuple):
    """A class expression that begins with the word looked up."""

    number: int  # of the class
    own: bool  # counts only in a sentence of its own language
    tail: tuple[bytes, ...]


class Entry(NamedTuple):
    """All that the lexicon knows of one form."""

    terms: tuple[int, ...] = ()
    starts: tuple[Start, ...] = ()
    anchors: tuple[int, ...] = ()
    cancels: tuple[int, ...] = ()


NOTHING = Entry()


class ClassName(NamedTuple):
    """A word class, and the terms that are looked up by its expressions."""

    lang: str
    name: str
    terms: tuple[int, ...] = ()
    cancels: tuple[int, ...] = ()


def _numbers(column: bytes) -> tuple[int, ...]:
    return tuple(map(int, column.split(b" "))) if column else ()


def _start(text: bytes) -> Start:
    number, *tail = text.split(b" ")
    return Start(int(number.lstrip(b"~")), number.startswith(b"~"), tuple(tail))


def _entry(line: bytes) -> Entry:
    terms, starts, anchors, cancels = line.split(b"\t")
    return Entry(
        _numbers(terms),
        tuple(map(_start, starts.split(b","))) if starts else (),
        _numbers(anchors),
        _numbers(cancels),
    )


def _merged(entries: Iterable[Entry]) -> Entry:
    columns = zip(*entries, strict=True)
    return Entry(*(tuple(dict.fromkeys(sum(column, ()))) for column in columns))


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
        self.numbers = {(one.lang, one.name): n for n, one in enumerate(self.classes)}
        starred = self._lines(b"*")
        self._stars = {form: line for form, line in starred if STARS in form}
        self._star_sizes = _sizes(self._stars)

    def _lines(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        for line in self._buckets.get(key, b"").split(b"\n"):
            if line:
                form, rest = line.split(b"\t", 1)
                yield form, rest

    def lookup(self, word: bytes) -> Entry:
        """What a word means: as written, by its beginning and by its end."""
        found = [self._parent.lookup(word)] if self._parent else []
        bucket = self._buckets.get(word[:KEY])
        if bucket:
            at = bucket.find(b"\n" + word + b"\t")
            if at >= 0:
                begin = at + len(word) + 2
                found.append(_entry(bucket[begin : bucket.index(b"\n", begin)]))
        found.extend(map(_entry, self._starred(word)))
        if len(found) == 1:
            return found[0]
        return _merged(found) if found else NOTHING

    def _starred(self, word: bytes) -> Iterator[bytes]:
        stars, size = self._stars, len(word)
        for length in self._star_sizes:
            if length > size:
                return
            for form in (word[:length] + STARS, STARS + word[size - length :]):
                if form in stars:
                    yield stars[form]

    def term(self, offset: int) -> list[str]:
        """Fields of a term: lang, category, tier, context, anchor chunk, pattern."""
        if self._parent and offset < self._first:
            return self._parent.term(offset)
        begin = offset - self._first
        line = self._terms[begin : self._terms.index(b"\n", begin)]
        return line.decode().split("\t")

    def neighbours(self, word: bytes) -> Iterator[bytes]:
        """Forms with the first letters of a word and nearly its length."""
        if self._parent:
            yield from self._parent.neighbours(word)
        size = len(word)
        for form, _ in self._lines(word[:KEY]):
            if -2 < len(form) - size < 2:
                yield form


def _class(line: bytes) -> ClassName:
    lang, name, terms, cancels = line.split(b"\t")
    return ClassName(lang.decode(), name.decode(), _numbers(terms), _numbers(cancels))


def _sizes(stars: Iterable[bytes]) -> list[int]:
    return sorted({len(form) - 1 for form in stars})


def dump(
    entries: dict[bytes, Entry], classes: list[ClassName], terms: list[bytes]
) -> bytes:
    """The text that ``Index`` reads."""
    buckets: dict[bytes, list[bytes]] = {}
    for form in sorted(entries):
        key = b"*" if STARS in form else form[:KEY]
        buckets.setdefault(key, []).append(_dump_entry(form, entries[form]))
    lines = [key + b"\n" + b"\n".join(lines) for key, lines in buckets.items()]
    names = [_dump_class(one) for one in classes]
    return b"\n\n".join(lines) + _SECTION + b"".join(names) + _SECTION + b"".join(terms)


def _join(numbers: Iterable[int]) -> bytes:
    return b" ".join(b"%d" % number for number in numbers)


def _dump_entry(form: bytes, entry: Entry) -> bytes:
    starts = b",".join(
        b"~" * start.own + b" ".join((b"%d" % start.number, *start.tail))
        for start in entry.starts
    )
    columns = (form, _join(entry.terms), starts, _join(entry.anchors))
    return b"\t".join((*columns, _join(entry.cancels)))


def _dump_class(one: ClassName) -> bytes:
    columns = (one.lang.encode(), one.name.encode(), _join(one.terms))
    return b"\t".join((*columns, _join(one.cancels))) + b"\n"
