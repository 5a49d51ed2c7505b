#!/usr/bin/env python3
"""Which behaviour that the law asks for is checked by which test, with its result.

    make compliance        # runs these tests and writes docs/compliance.md

The rows are the behaviours a GDPR-compliant CRM must have; each names its articles
and the tests (file, test) that would fail if it broke.
"""

import ast
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compliance.md"


class Row(NamedTuple):
    """One behaviour: its number, words, articles, and tests as ``file:test``."""

    number: int
    behaviour: str
    basis: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    """Return the rows of ``scripts/compliance.tsv`` in their order."""
    lines = (ROOT / "scripts" / "compliance.tsv").read_text().splitlines()[1:]
    found = []
    for line in lines:
        number, behaviour, basis, tests = line.split("\t")
        found.append(Row(int(number), behaviour, basis, tuple(tests.split())))
    return found


def existing() -> set[str]:
    """Return every test of the suite as ``file:test``."""
    return {
        f"{path.stem.removeprefix('test_')}:{node.name}"
        for path in (ROOT / "tests").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def results(junit: Path) -> Iterator[tuple[str, str]]:
    """Yield (``file:test``, result) of a JUnit XML report; a failure comes last."""
    cases = ElementTree.parse(junit).getroot().iter("testcase")
    order = {"passed": 0, "skipped": 1, "failed": 2}
    pairs = []
    for case in cases:
        kinds = {child.tag for child in case}
        result = (
            "failed"
            if kinds & {"failure", "error"}
            else "skipped"
            if "skipped" in kinds
            else "passed"
        )
        file = case.get("classname", "").split(".")[1].removeprefix("test_")
        pairs.append((f"{file}:{case.get('name')}", result))
    yield from sorted(pairs, key=lambda pair: order[pair[1]])


def page(table: list[Row], found: dict[str, str]) -> str:
    """Return the page: one line a row, with the tests and what came of them."""
    lines = [
        "# What the law asks for, and which test checks it",
        "",
        "Made by `make compliance`; bare numbers are articles of the GDPR, [P] marks a",
        "choice of ours. A row whose tests don't all pass is no promise.",
        "",
        "| # | behaviour | basis | tests | result |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in table:
        outcome = {found.get(test, "not run") for test in row.tests} or {"no test"}
        names = "<br>".join(f"`{test.replace(':', ': ')}`" for test in row.tests)
        result = ", ".join(sorted(outcome))
        lines.append(
            f"| {row.number} | {row.behaviour} | {row.basis} | {names} | {result} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page from the report named on the command line."""
    found = dict(results(Path(sys.argv[1])))
    table = rows()
    PAGE.write_text(page(table, found))
    bad = [
        row.number for row in table if {found.get(t) for t in row.tests} != {"passed"}
    ]
    print(
        f"{PAGE.relative_to(ROOT)}: {len(table) - len(bad)} of {len(table)} rows pass"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
