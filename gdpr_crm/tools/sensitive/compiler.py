"""Turns the knowledge files into the text that ``index.Index`` reads."""

from collections.abc import Iterable
from pathlib import Path

from . import index, lexicon, notation
from .folding import fold, spell_out
from .notation import GAP, Chunk, Class, Gap, Item

COMMON = "common"  # class of each language's most common words


class Compiler:
    """Collects rows, then compiles them: ``add_…`` for each, ``data`` at the end.

    ``first_term`` is the number of the first term: an overlay goes on where the
    lexicon below it ends.
    """

    def __init__(self, first_term: int = 0) -> None:
        self._common = lexicon.common_words()
        self._classes: dict[tuple[str, str], list[tuple[Item, ...]]] = {}
        self._entries: dict[bytes, list[dict[object, None]]] = {}
        self._terms: list[bytes] = []
        self._size = first_term
        self._by_class: dict[tuple[str, str], list[dict[int, None]]] = {}
        self._pending: list[tuple[str, str, str, str, str]] = []
        self._class_scores: dict[Class, float] = {}

    def add_class(self, lang: str, name: str, expression: str) -> None:
        """One expression of a word class."""
        known = self._classes.setdefault((lang, name), [])
        for text in notation.expand(expression):
            known.extend(notation.parse_chunk("{" + text + "}", lang))

    def add_term(
        self, lang: str, category: str, pattern: str, tier: str, context: str = ""
    ) -> None:
        """One line of a category file."""
        self._pending.append((lang, category, tier, context, pattern))

    def data(self) -> bytes:
        """The compiled lexicon."""
        if self._classes:
            self._add_common_words()
        numbers = {key: number for number, key in enumerate(self._classes)}
        for key, expressions in self._classes.items():
            for expression in dict.fromkeys(expressions):
                self._add_start(key, numbers[key], expression)
        for term in self._pending:
            self._add(*term)
        entries = {
            form: index.Entry(*map(tuple, columns))
            for form, columns in self._entries.items()
        }
        classes = [
            index.ClassName(*key, *map(tuple, self._by_class.get(key, [{}, {}])))
            for key in self._classes
        ]
        self._add_class_anchors(numbers, entries)
        return index.dump(entries, classes, self._terms)

    def _add_common_words(self) -> None:
        for word, langs in self._common.items():
            for lang in langs - {"crm"}:
                self._classes.setdefault((lang, COMMON), []).append((word,))

    def _columns(self, form: bytes) -> list[dict[object, None]]:
        return self._entries.setdefault(form, [{}, {}, {}, {}])

    def _add_start(
        self, key: tuple[str, str], number: int, items: tuple[Item, ...]
    ) -> None:
        words = [_word(item) for item in items]
        if not words:
            return
        foreign = self._common.get(words[0], frozenset()) - {key[0], "crm"}
        own = len(words) == 1 and bool(foreign) and key[1] != COMMON
        start = index.Start(number, own, tuple(words[1:]))
        self._columns(words[0])[1][start] = None

    def _add(
        self, lang: str, category: str, tier: str, context: str, pattern: str
    ) -> None:
        chunks = notation.parse(pattern, lang)
        scores = [self._chunk_score(chunk) for chunk in chunks]
        anchor = scores.index(max(scores))
        line = "\t".join((lang, category, tier, context, str(anchor), pattern))
        offset, column = self._size, 3 if tier == "none" else 0
        self._terms.append(line.encode() + b"\n")
        self._size += len(self._terms[-1])
        for chunk in chunks if tier == "none" else [chunks[anchor]]:
            for items in chunk:
                for item in self._keys(items, every=tier == "none"):
                    if isinstance(item, Class):
                        both = self._by_class.setdefault(tuple(item), [{}, {}])
                        both[column == 3][offset] = None
                    else:
                        self._columns(_word(item))[column][offset] = None

    def _keys(self, items: tuple[Item, ...], every: bool) -> list[Item]:
        """Items a term is looked up by: the rarest, or all but common words."""
        if not items:
            return []
        if not every:
            return [max(items, key=self._score)]
        return [
            item
            for item in items
            if isinstance(item, Class) or (item != GAP and self._score(item) > 0)
        ]

    def _add_class_anchors(
        self, numbers: dict[tuple[str, str], int], entries: dict[bytes, index.Entry]
    ) -> None:
        """Each expression of a class that terms are anchored on, by its rarest word."""
        for key in self._by_class:
            for items in self._classes.get(key, ()):
                if not items:
                    continue
                word = _word(max(items, key=self._score))
                entry = entries.get(word, index.NOTHING)
                anchors = dict.fromkeys((*entry.anchors, numbers[key]))
                entries[word] = entry._replace(anchors=tuple(anchors))

    def _chunk_score(self, chunk: Chunk) -> float:
        return min(max(map(self._score, items), default=-1.0) for items in chunk)

    def _score(self, item: Item) -> float:
        """How rare a word is, roughly: common words 0, else by length."""
        if isinstance(item, Gap):
            return -1.0
        if isinstance(item, Class):
            if item not in self._class_scores:
                self._class_scores[item] = self._class_score(item)
            return self._class_scores[item]
        word = _word(item)
        if word in self._common:
            return 0.5 if self._common[word] == {"crm"} else 0.0
        return float(min(len(word.strip(b"*")), 8))

    def _class_score(self, item: Class) -> float:
        expressions = self._classes.get(tuple(item), ())
        scores = (max(map(self._score, items), default=0) for items in expressions)
        return min(scores, default=0.0) / 2


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
        is_class = row.kind == lexicon.CLASSES
        if notation.problems(second if is_class else first, row.lang):
            continue
        if is_class:
            compiler.add_class(row.lang, first, second)
        elif second in lexicon.TIERS:
            compiler.add_term(row.lang, row.kind, first, second, context)
    return compiler.data()


def compile_folder(folder: Path = lexicon.LEXICON) -> bytes:
    """Compiled text of all knowledge files of a folder."""
    return compile_rows(lexicon.rows(folder))
