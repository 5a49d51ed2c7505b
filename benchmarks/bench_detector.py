#!/usr/bin/env python3
"""Speed of the sensitive-data detector, beside the usual ways to do its job.

    python3 benchmarks/bench_detector.py [--quick]

Everything is timed in one process, one thread, best of several rounds: trust the
ratios, not the digits. The usual ways get the same words to look for; they decide
nothing about context, so that they do less than the detector does.
"""

import argparse
import html
import importlib.util
import json
import re
import sys
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "gdpr_crm" / "tools"))

from sensitive import compiler, detector, index, lexicon, notation  # noqa: E402

CORPUS = sorted((ROOT / "tests" / "corpus").glob("*.jsonl"))
FIELDS = ("comment", "description", "message")
Find = Callable[[str], object]


def best(run: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of several rounds."""
    times = []
    for _ in range(rounds):
        begin = perf_counter()
        run()
        times.append(perf_counter() - begin)
    return min(times)


def per_text(find: Find, texts: list[str], rounds: int) -> float:
    """Microseconds a text, once everything has been seen before."""

    def run() -> None:
        for text in texts:
            find(text)

    run()
    return best(run, rounds) / len(texts) * 1e6


def notes() -> list[dict[str, object]]:
    """The labelled notes that are checked in."""
    rows = [
        json.loads(line)
        for path in CORPUS
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [row for row in rows if row["field"] in FIELDS]


def padded(texts: Iterable[str]) -> list[str]:
    """Ordinary notes joined until each has about 150 characters."""
    made, current = [], ""
    for text in texts:
        current = f"{current} {text}".strip()
        if len(current) >= 130:
            made.append(current[:170])
            current = ""
    return made


def single_words() -> list[str]:
    """Words and fixed phrases of the lexicon, for the engines that take lists."""
    words = set()
    for row in lexicon.rows():
        pattern = row.fields[0]
        if row.kind == lexicon.CLASSES or set("<.=*") & set(pattern):
            continue
        if notation.problems(pattern, row.lang):
            continue
        chunks = notation.parse(pattern, row.lang)
        if all(len(chunk) < 4 for chunk in chunks) and len(chunks) < 5:
            words.update(text.lower() for text in notation.expand(pattern))
    return sorted(words)


def textbook_fold(text: str) -> str:
    """The usual folding: NFKD, marks dropped, anything else a space."""
    if "<" in text:
        text = html.unescape(re.sub(r"<[^>]+>", " ", text))
    decomposed = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"[^0-9a-z]+", " ", plain)


def textbook_regex(words: list[str]) -> Find:
    """Folding and one regular expression of all words, as a tree of prefixes."""
    tree: dict[str, dict] = {}
    for word in words:
        node = tree
        for char in textbook_fold(word).strip():
            node = node.setdefault(char, {})
        node[""] = {}
    pattern = re.compile(rf"\b(?:{_regex(tree)})\b")
    return lambda text: pattern.findall(textbook_fold(text))


def _regex(tree: dict[str, dict]) -> str:
    options = [char + _regex(below) for char, below in tree.items() if char]
    if not options:
        return ""
    inside = options[0] if len(options) == 1 else "(?:" + "|".join(options) + ")"
    return f"(?:{inside})?" if "" in tree else inside


def textbook_automaton(words: list[str]) -> Find | None:
    """Folding and pyahocorasick; None when that isn't installed."""
    if importlib.util.find_spec("ahocorasick") is None:
        return None
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for word in words:
        folded = f" {textbook_fold(word).strip()} "
        automaton.add_word(folded, folded)
    automaton.make_automaton()
    return lambda text: list(automaton.iter(f" {textbook_fold(text)} "))


def presidio(words: list[str]) -> Find | None:
    """presidio-analyzer with a deny-list; None when that isn't installed."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        return None
    from presidio_analyzer import PatternRecognizer

    recognizer = PatternRecognizer("ART9", deny_list=words[:5000])
    return lambda text: recognizer.analyze(text, ["ART9"])


def show(name: str, value: float, unit: str, target: str = "") -> None:
    """One line of the result."""
    print(f"  {name:44}{value:10.2f} {unit:8}{target}")


def build(data: bytes, rounds: int) -> detector.Detector:
    """Builds the detector; prints how long that takes and how much it holds."""
    show("build", best(lambda: index.Index(data), rounds) * 1e3, "ms", "≤ 50")
    tracemalloc.start()
    one = detector.Detector(base=index.Index(data))
    show("memory, fresh", tracemalloc.get_traced_memory()[0] / 1e6, "MB")
    for row in notes():
        one.find(str(row["text"]))
    held = tracemalloc.get_traced_memory()[0] / 1e6
    show("memory, after all notes of the corpus", held, "MB", "≤ 15")
    tracemalloc.stop()
    return one


def speeds(one: detector.Detector, rounds: int) -> list[str]:
    """Prints the detector's own speeds; returns the ordinary notes."""
    rows = notes()
    ordinary = padded(str(r["text"]) for r in rows if r["kind"] == "ordinary")
    clean = [text for text in ordinary if not one.find(text)]
    plain = [t for t in clean if one._clean.issuperset(detector.fold(t).split())]
    positive = [str(row["text"]) for row in rows if row["labels"]]
    found = [t for t in positive if one.find(t) and 60 < len(t) < 200]
    size = sum(map(len, clean)) / len(clean)
    print(f"  ({len(clean)} notes without a finding, mean {size:.0f} characters)")
    show("clean note", per_text(one.find, clean, rounds), "µs", "≤ 5")
    if plain:
        show(
            "  of words all known as harmless", per_text(one.find, plain, rounds), "µs"
        )
    if found:
        show("note with findings", per_text(one.find, found, rounds), "µs", "≤ 40")
    bulk = "\n".join(clean * (1 + 1_000_000 // sum(map(len, clean))))
    show("bulk", len(bulk) / best(lambda: one.find(bulk), rounds) / 1e6, "MB/s", "≥ 40")
    return clean


def worst(one: detector.Detector) -> None:
    """Prints the time for a megabyte of what is hardest."""
    for name, unit in {
        "identical characters": "a",
        "one sensitive word": "cancer ",
        "unclosed tags": "<p ",
        "zero-width marks": "di\u200ba ",
        "letter by letter": "d.i.a ",
        "Cyrillic": "слово ",
    }.items():
        text = unit * (1_000_000 // len(unit))
        show(f"1 MB of {name}", best(lambda: one.find(text), 1) * 1e3, "ms")  # noqa: B023


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    args = parser.parse_args()
    rounds = 2 if args.quick else 7
    data = compiler.compile_folder()
    lines = sum(1 for _ in lexicon.rows())
    print(f"sensitive-data detector, {lines} lines, {len(data) / 1e6:.1f} MB compiled")
    one = build(data, rounds)
    clean = speeds(one, rounds)
    worst(one)
    own = per_text(one.find, clean, rounds)
    words = single_words()
    print(f"\nthe usual ways, {len(words)} words and phrases, the same notes")
    for name, find, least in (
        ("NFKD + regular expression", textbook_regex(words), "≥ 4"),
        ("NFKD + pyahocorasick", textbook_automaton(words), "≥ 4"),
        ("presidio-analyzer, deny-list", presidio(words), "≥ 100"),
    ):
        if find is None:
            print(f"  {name:44}not installed")
        else:
            taken = per_text(find, clean, 1 if "presidio" in name else rounds)
            show(name, taken, "µs", f"{taken / own:.1f} times slower, target {least}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
