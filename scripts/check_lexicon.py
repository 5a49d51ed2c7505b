#!/usr/bin/env python3
"""Checks the knowledge files of the sensitive-data detector (see FORMAT.md).

    python3 scripts/check_lexicon.py [FOLDER or FILE.tsv ...]

Prints ``file:line: problem`` and ends with 1 when there is an error. Warnings
(lines that are probably not what their author means) don't change the exit code.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "gdpr_crm" / "tools"))

from sensitive import lexicon, notation  # noqa: E402

ROLES = ("person", "guard", "nodata") + tuple(
    f"guard_{category}" for category in lexicon.CATEGORIES
)
SHORT = 3  # letters; shorter one-word patterns need `=` or company
LOOKED_AT = 20_000  # combinations of a line
SPLIT = 4  # lines that differ in one group only
Problem = tuple[Path, int, str, str]  # file, line, "error" or "warning", text


class Checker:
    """Problems of one folder of knowledge files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.common = lexicon.common_words()
        self.rows = list(lexicon.rows(folder))
        self.classes: dict[str, set[str]] = {}
        self.seen: dict[tuple[str, str, str], int] = {}
        self.size: Counter[Path] = Counter()
        for row in self.rows:
            if row.kind == lexicon.CLASSES:
                self.classes.setdefault(row.lang, set()).add(row.fields[0])

    def problems(self) -> Iterator[Problem]:
        """Every problem, file by file."""
        for path in sorted(self.folder.glob("*/*")):
            for text in self._file(path):
                yield path, 1, "error", text
        for row in self.rows:
            check = self._class if row.kind == lexicon.CLASSES else self._term
            for level, text in check(row):
                yield row.path, row.number, level, text

    def _file(self, path: Path) -> Iterator[str]:
        if path.suffix != ".tsv" or path.stem not in lexicon.HEADERS:
            yield "not a knowledge file: " + ", ".join(lexicon.HEADERS)
            return
        try:
            first = path.read_text(encoding="utf-8").split("\n", 1)[0]
        except UnicodeDecodeError as error:
            yield f"not UTF-8: {error}"
            return
        header = tuple(first.rstrip("\r").split("\t"))
        if header != lexicon.HEADERS[path.stem]:
            yield "header must be: " + "<TAB>".join(lexicon.HEADERS[path.stem])

    def _class(self, row: lexicon.Row) -> Iterator[tuple[str, str]]:
        if len(row.fields) != 2 or not all(row.fields):
            yield "error", "needs 2 columns: class, expression"
            return
        name, expression = row.fields
        if not name.replace("_", "").isalnum() or not name.islower():
            yield "error", f"class name {name!r}: lower-case letters, digits, _"
        if name.startswith("guard") and name not in ROLES:
            yield "error", f"unknown guard {name!r}"
        problems = notation.class_problems(expression, row.lang)
        yield from self._pattern(row, name, expression, problems)

    def _term(self, row: lexicon.Row) -> Iterator[tuple[str, str]]:
        fields = row.fields + [""] * (4 - len(row.fields))
        pattern, tier, context, _source = fields[:4]
        if len(row.fields) > 4:
            yield "error", f"{len(row.fields)} columns, allowed are 4"
        if not pattern:
            yield "error", "no pattern"
            return
        if tier not in lexicon.TIERS:
            yield "error", f"tier {tier!r}, allowed: {', '.join(lexicon.TIERS)}"
        yield from self._context(row, context)
        problems = notation.problems(pattern, row.lang)
        yield from self._pattern(row, row.kind, pattern, problems)
        if not problems:
            yield from self._references(row, pattern)
            if tier not in ("none", ""):
                yield from self._collisions(row, pattern, tier)

    def _context(self, row: lexicon.Row, context: str) -> Iterator[tuple[str, str]]:
        for word in context.split():
            if word in ("organisation", "alone"):
                continue
            if word[0] not in "+!" or len(word) < 2:
                yield "error", f"context {word!r}: +class !class organisation alone"
            elif word[1:] not in self.classes.get(row.lang, ()):
                yield "error", f"unknown class in context: {word}"

    def _pattern(
        self, row: lexicon.Row, name: str, pattern: str, problems: list[str]
    ) -> Iterator[tuple[str, str]]:
        for text in problems:
            yield "error", text
        self.size[row.path] += 1
        first = self.seen.setdefault((row.lang, name, pattern.casefold()), row.number)
        if first != row.number:
            yield "error", f"duplicate of line {first}"

    def _references(self, row: lexicon.Row, pattern: str) -> Iterator[tuple[str, str]]:
        for chunk in notation.parse(pattern, row.lang):
            for alternative in chunk:
                for item in alternative:
                    if isinstance(item, notation.Class) and (
                        item.name not in self.classes.get(row.lang, ())
                    ):
                        yield "error", f"unknown class <{item.name}>"

    def _may_collide(self, alternative: notation.Alternative) -> bool:
        """True for words that say too little by themselves."""
        return all(
            isinstance(word, bytes) and (word in self.common or len(word) < SHORT)
            for word in alternative
        )

    def _collisions(
        self, row: lexicon.Row, pattern: str, tier: str
    ) -> Iterator[tuple[str, str]]:
        chunks = [
            [one for one in chunk if self._may_collide(one)]
            for chunk in notation.parse(pattern, row.lang)
        ]
        for combination in islice(product(*chunks), LOOKED_AT):
            words = [word for alternative in combination for word in alternative]
            if not words:
                continue
            shown = b" ".join(words).decode("latin-1")
            if all(word in self.common for word in words):
                langs = set().union(*(self.common[word] for word in words))
                where = ", ".join(sorted(langs))
                yield "error", f"'{shown}': only very common words ({where})"
                return
            if len(words) == 1 and len(words[0]) < SHORT:
                yield (
                    "error",
                    f"'{shown}': too short, write it with '=' or a second word",
                )
                return


def duplicates_between_files(checker: Checker) -> Iterator[Problem]:
    """The same single word twice in one language and category."""
    tiers: dict[tuple[str, str, str], tuple[int, str, Path]] = {}
    for row in checker.rows:
        if row.kind == lexicon.CLASSES or len(row.fields) < 2:
            continue
        if notation.problems(row.fields[0], row.lang) or " " in row.fields[0]:
            continue
        context = row.fields[2] if len(row.fields) > 2 else ""
        for form in notation.expand(row.fields[0]):
            key = (row.lang, row.kind, " ".join(form.casefold().split()))
            number, first, _ = tiers.setdefault(
                key, (row.number, f"{row.fields[1]} {context}", row.path)
            )
            if number != row.number:
                kind = "same" if first == f"{row.fields[1]} {context}" else "other tier"
                text = f"'{form}' is on line {number} already ({kind})"
                yield row.path, row.number, "warning", text
                break


def splits(checker: Checker) -> Iterator[Problem]:
    """Lines that differ in one group only and would be one line with a longer group."""
    families: dict[tuple[object, ...], list[lexicon.Row]] = {}
    for row in checker.rows:
        if row.kind == lexicon.CLASSES or notation.problems(row.fields[0], row.lang):
            continue
        chunks = notation.split_chunks(row.fields[0])
        if len(chunks) < 3 or not any("{" in chunk for chunk in chunks):
            continue
        for number in range(len(chunks)):
            rest = (*chunks[:number], None, *chunks[number + 1 :])
            key = (row.path, *row.fields[1:3], rest)
            families.setdefault(key, []).append(row)
    for rows in families.values():
        if len(rows) >= SPLIT:
            numbers = ", ".join(str(row.number) for row in rows[:4])
            text = f"{len(rows)} lines ({numbers}…) differ in one group: join them"
            yield rows[0].path, rows[0].number, "warning", text


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[lexicon.LEXICON])
    parser.add_argument("--no-warnings", action="store_true")
    args = parser.parse_args()
    failed = False
    for path in args.paths:
        folder, only = path, None
        if path.is_file():
            folder, only = path.resolve().parent.parent, path.resolve()
        elif any(path.glob("*.tsv")):
            folder, only = path.resolve().parent, path.resolve()
        checker = Checker(folder)
        found = [*checker.problems(), *duplicates_between_files(checker)]
        found += splits(checker)
        for file, number, level, text in sorted(found, key=lambda p: (p[0], p[1])):
            inside = only is None or only in (file.resolve(), file.resolve().parent)
            if not inside or (level == "warning" and args.no_warnings):
                continue
            print(f"{file}:{number}: {level}: {text}")
            failed = failed or level == "error"
        for file, size in sorted(checker.size.items()):
            if only is None or only in (file.resolve(), file.resolve().parent):
                print(f"{file}: {size} lines", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
