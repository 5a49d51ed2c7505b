"""Turns the knowledge files into the text that ``index.Index`` reads."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from . import index, lexicon, notation
from .folding import fold, spell_out
from .index import COMMON, Columns
from .notation import GAP, Alternative, Chunk, Class, Gap, Item

# Expected hits of a word in a note, roughly: what choosing an anchor minimises.
_COMMON_COST = 1.0
_CRM_COST = 0.3
_ACRONYM_COST = 0.1
_RARE_COST = 0.05  # a word of four letters; each further letter makes it rarer


class _Line(NamedTuple):
    lang: str
    category: str
    tier: str
    context: str
    pattern: str


class Compiler:
    """Collects rows, then compiles them: ``add_…`` for each, ``data`` at the end.

    ``first_term`` is the number of the first term: an overlay goes on where the
    lexicon below it ends.
    """

    def __init__(self, first_term: int = 0) -> None:
        self._common = lexicon.known_common_words()
        self._classes: dict[Class, dict[Alternative, None]] = {}
        self._class_costs: dict[Class, float] = {}
        self._lines: list[_Line] = []
        self._forms: dict[bytes, Columns] = {}
        self._terms: list[bytes] = []
        self._end = first_term
        self._class_terms: dict[Class, dict[int, None]] = {}
        self._class_cancels: dict[Class, dict[int, None]] = {}

    def add_class(self, lang: str, name: str, expression: str) -> None:
        """One expression of a word class."""
        known = self._classes.setdefault(Class(lang, name), {})
        known.update(dict.fromkeys(notation.expressions(expression, lang)))
        known.pop((), None)

    def add_term(
        self, lang: str, category: str, pattern: str, tier: str, context: str = ""
    ) -> None:
        """One line of a category file."""
        self._lines.append(_Line(lang, category, tier, context, pattern))

    def data(self) -> bytes:
        """The compiled lexicon."""
        if self._classes:
            self._add_common_words()
        numbers = {one: number for number, one in enumerate(self._classes)}
        for one, number in numbers.items():
            self._add_starts(one, number)
        # the strongest first: that is the order in which terms are tried
        for line in sorted(
            self._lines, key=lambda line: lexicon.TIERS.index(line.tier)
        ):
            self._add(line)
        for one in {**self._class_terms, **self._class_cancels}:
            for items in self._classes.get(one, ()):
                word, *mates = sorted(items, key=self._cost)
                mate = next((item for item in mates if b"*" not in _word(item)), b"")
                anchor = index.anchor_text(numbers[one], _word(mate))
                self._columns(_word(word)).anchors[anchor] = None
        names = [
            index.ClassName(
                *one,
                tuple(self._class_terms.get(one, ())),
                tuple(self._class_cancels.get(one, ())),
                b" ".join(sorted(self._keys(one))),
            )
            for one in self._classes
        ]
        return index.dump(self._forms, names, self._terms)

    def _add_common_words(self) -> None:
        for word, langs in self._common.items():
            for lang in sorted(langs - {"crm"}):
                self._classes.setdefault(Class(lang, COMMON), {})[(word,)] = None

    def _keys(self, one: Class) -> set[bytes]:
        """A word of each expression of a class, a star when there is no plain one."""
        found = set()
        for items in self._classes[one]:
            plain = [item for item in items if b"*" not in _word(item)]
            found.add(_word(min(plain, key=self._cost)).lower() if plain else b"*")
        return found

    def _columns(self, form: bytes) -> Columns:
        return self._forms.setdefault(form, Columns({}, {}, {}, {}))

    def _add_starts(self, one: Class, number: int) -> None:
        for items in self._classes[one]:
            words = [_word(item) for item in items]
            foreign = self._common.get(words[0], frozenset()) - {one.lang, "crm"}
            own = len(words) == 1 and bool(foreign) and one.name != COMMON
            start = index.start_text(number, own, words[1:])
            self._columns(words[0]).starts[start] = None

    def _add(self, line: _Line) -> None:
        chunks = notation.parse(line.pattern, line.lang)
        anchors, places = self._places(chunks)
        fields = (*line[:4], places, line.pattern)
        self._terms.append("\t".join(fields).encode() + b"\n")
        if line.tier == "none":
            for items in [items for chunk in chunks for items in chunk]:
                for item in filter(self._tells, items):
                    self._cancel(item)
        else:
            for items in anchors:
                self._anchor(min(items, key=self._cost))
        self._end += len(self._terms[-1])

    def _places(self, chunks: list[Chunk]) -> tuple[list[Alternative], str]:
        """Alternatives to look a term up by, and the numbers of their chunks.

        One chunk is enough; but when some of its alternatives are common words and
        another chunk is rarer than those, the two share the work. With each chunk
        goes the next rarest one, which must be in the text as well.
        """
        costs = list(map(self._chunk_cost, chunks))
        first, *others = sorted(range(len(chunks)), key=costs.__getitem__)
        usable = [one for one in others if costs[one] < float("inf")]
        gate = usable[0] if usable else -1
        common = [items for items in chunks[first] if self._is_common(items)]
        if not usable or costs[gate] >= self._chunk_cost(tuple(common)):
            return list(chunks[first]), f"{first}:{gate}"
        rare = [items for items in chunks[first] if items not in common]
        return [*rare, *chunks[gate]], f"{first}:{gate} {gate}:{first}"

    def _is_common(self, items: Alternative) -> bool:
        return min(map(self._cost, items)) >= _CRM_COST

    def _anchor(self, item: Item) -> None:
        if isinstance(item, Class):
            self._class_terms.setdefault(item, {})[self._end] = None
        else:
            self._columns(_word(item)).terms[self._end] = None

    def _cancel(self, item: Item) -> None:
        if isinstance(item, Class):
            self._class_cancels.setdefault(item, {})[self._end] = None
        else:
            self._columns(_word(item)).cancels[self._end] = None

    def _tells(self, item: Item) -> bool:
        return not isinstance(item, Gap) and self._cost(item) != _COMMON_COST

    def _chunk_cost(self, chunk: Chunk) -> float:
        if any(not items or GAP in items[:1] for items in chunk):
            return float("inf")
        return sum(min(map(self._cost, items)) for items in chunk)

    def _cost(self, item: Item) -> float:
        if isinstance(item, Gap):
            return float("inf")
        if isinstance(item, Class):
            if item not in self._class_costs:
                self._class_costs[item] = self._chunk_cost(
                    tuple(self._classes.get(item, ()))
                )
            return self._class_costs[item]
        word = _word(item)
        if not word.islower() and not word.isdigit():  # an acronym, as it is written
            return _ACRONYM_COST
        if word in self._common:
            return _CRM_COST if self._common[word] == {"crm"} else _COMMON_COST
        if len(word) < 3 or word.isdigit():
            return _CRM_COST
        return _RARE_COST * 2.0 ** (4 - min(len(word), 12))


def _word(item: Item) -> bytes:
    if isinstance(item, str):
        return spell_out(fold(item))
    assert isinstance(item, bytes), item
    return item


def compile_rows(rows: Iterable[lexicon.Row]) -> bytes:
    """Compiled text of the given lines; lines with an error are left out."""
    compiler = Compiler()
    for row in rows:
        first, second, context = (*row.fields, "", "")[:3]
        if row.kind == lexicon.CLASSES:
            if not notation.class_problems(second, row.lang):
                compiler.add_class(row.lang, first, second)
        elif second in lexicon.TIERS and not notation.problems(first, row.lang):
            compiler.add_term(row.lang, row.kind, first, second, context)
    return compiler.data()


def compile_folder(folder: Path = lexicon.LEXICON) -> bytes:
    """Compiled text of all knowledge files of a folder."""
    return compile_rows(lexicon.rows(folder))
