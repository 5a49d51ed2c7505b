#!/usr/bin/env python3
"""Scores the sensitive-data detector on labelled texts, without Odoo or a database.

    python3 scripts/score.py corpus.jsonl [more.jsonl] [--split dev] [--json out.json]

Rows are JSON objects: id, lang, field, text, labels, kind (see docs/detector.md). A
category of a text counts as found when the detector returns a finding of it at the
level asked for; a negative text is a false alarm when anything is found in it.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "gdpr_crm" / "tools"))

from sensitive import compiler, detector, index  # noqa: E402

Row = dict[str, Any]
Found = dict[str, str]  # category: strongest level
NEGATIVES = ("ordinary", "hard_negative")
LEVELS = {"block": ("block",), "block+review": ("block", "review")}


def is_test(row_id: str) -> bool:
    """The fixed split: half of the rows, by a hash of their id, is never tuned on."""
    return int(sha256(row_id.encode()).hexdigest()[:8], 16) % 2 == 1


def read(paths: Iterable[Path], split: str) -> list[Row]:
    """Rows of the files that belong to the split (dev, test or all)."""
    rows = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                rows.append(json.loads(line))
    wanted = {"dev": (False,), "test": (True,), "all": (False, True)}[split]
    return [row for row in rows if is_test(row["id"]) in wanted]


def strongest(findings: Iterable[detector.Finding]) -> Found:
    """The level of each category found."""
    found: Found = {}
    for finding in findings:
        if found.get(finding.category) != "block":
            found[finding.category] = finding.level
    return found


def ratio(hits: int, total: int) -> float | None:
    """Share, None of nothing."""
    return round(hits / total, 4) if total else None


def recall(rows: list[Row], found: list[Found], key: Callable[[Row, str], str]) -> Row:
    """Recall of labels, grouped by a key of row and label."""
    counts: dict[str, list[int]] = {}
    for row, hit in zip(rows, found, strict=True):
        for label in row["labels"]:
            count = counts.setdefault(key(row, label), [0, 0, 0])
            count[0] += 1
            count[1] += hit.get(label) == "block"
            count[2] += label in hit
    return {
        name: {
            "labels": total,
            "block": ratio(block, total),
            "block+review": ratio(both, total),
        }
        for name, (total, block, both) in sorted(counts.items())
    }


def documents(rows: list[Row], found: list[Found]) -> Row:
    """Positive texts in which anything was found, whatever the category."""
    hits = [hit for row, hit in zip(rows, found, strict=True) if row["labels"]]
    return {
        "texts": len(hits),
        **{
            name: ratio(sum(_alarm(hit, levels) for hit in hits), len(hits))
            for name, levels in LEVELS.items()
        },
    }


def false_alarms(rows: list[Row], found: list[Found], group: str) -> Row:
    """Negative texts in which something was found, by kind or language."""
    result: Row = {}
    negatives = [p for p in zip(rows, found, strict=True) if not p[0]["labels"]]
    for name in sorted({row[group] for row, _ in negatives}):
        hits = [hit for row, hit in negatives if row[group] == name]
        result[name] = {"texts": len(hits)}
        for level, levels in LEVELS.items():
            alarms = sum(_alarm(hit, levels) for hit in hits)
            result[name][level] = ratio(alarms, len(hits))
    return result


def precision(rows: list[Row], found: list[Found]) -> Row:
    """Share of the categories found that are labelled."""
    result = {}
    for name, levels in LEVELS.items():
        right = total = 0
        for row, hit in zip(rows, found, strict=True):
            alarms = [label for label, level in hit.items() if level in levels]
            total += len(alarms)
            right += sum(label in row["labels"] for label in alarms)
        result[name] = ratio(right, total)
    return result


def _alarm(hit: Found, levels: tuple[str, ...]) -> bool:
    return any(level in levels for level in hit.values())


def timing(find: Callable[..., object], rows: list[Row]) -> dict[str, float]:
    """Microseconds a text, once everything has been seen before."""
    best = float("inf")
    for _ in range(3):
        begin = perf_counter()
        for row in rows:
            find(row["text"], row["field"])
        best = min(best, perf_counter() - begin)
    return {"us_per_text": round(best / max(1, len(rows)) * 1e6, 2)}


def score(rows: list[Row], find: Callable[..., list[detector.Finding]]) -> Row:
    """All figures of the detector on the rows."""
    found = [strongest(find(row["text"], row["field"])) for row in rows]
    return {
        "texts": len(rows),
        "documents": documents(rows, found),
        "recall": {
            "all": recall(rows, found, lambda row, label: "all"),
            "category": recall(rows, found, lambda row, label: label),
            "language": recall(rows, found, lambda row, label: row["lang"]),
            "kind": recall(rows, found, lambda row, label: row["kind"]),
            "language and category": recall(
                rows, found, lambda row, label: f"{row['lang']} {label}"
            ),
        },
        "precision": precision(rows, found),
        "false alarms": {
            "kind": false_alarms(rows, found, "kind"),
            "language": false_alarms(rows, found, "lang"),
        },
        "speed": timing(find, rows),
    }


def _percent(value: float | None) -> str:
    return "      -" if value is None else f"{100 * value:6.1f}%"


def show(result: Row) -> None:
    """Prints the figures as a table."""
    head = f"{'':28}{'number':>8}  {'block':>7}  {'+review':>7}"
    print(f"{result['texts']} texts, {result['speed']['us_per_text']} µs a text")
    both = result["precision"]
    print(f"\nprecision{both['block'] or 0:37.1%}  {both['block+review'] or 0:7.1%}")
    sections = [
        ("positive texts", {"any category": result["documents"]}),
        *((f"recall by {name}", part) for name, part in result["recall"].items()),
        *((f"false alarms by {n}", part) for n, part in result["false alarms"].items()),
    ]
    for title, part in sections:
        print(f"\n{title}\n{head}")
        for name, line in part.items():
            number = line.get("labels", line.get("texts"))
            levels = "  ".join(_percent(line[level]) for level in LEVELS)
            print(f"  {name:26}{number:8}  {levels}")


def show_errors(
    rows: list[Row], find: Callable[..., list[detector.Finding]], rules: bool
) -> None:
    """Prints every miss and every false alarm."""
    for row in rows:
        findings = find(row["text"], row["field"])
        found = strongest(findings)
        missed = [label for label in row["labels"] if label not in found]
        weak = [label for label in row["labels"] if found.get(label) == "review"]
        wrong = [f"{c}:{level}" for c, level in found.items() if c not in row["labels"]]
        for title, what in (("MISS", missed), ("REVIEW", weak), ("FALSE", wrong)):
            if what:
                text = row["text"].replace("\n", " ")
                where = f"{row['id']} {row['lang']} {row['field']} {row['kind']}"
                print(f"{title:6} {','.join(what)} [{where}] {text}")
                if title != "MISS" and rules:
                    for one in findings:
                        words = row["text"][one.start : one.end]
                        print(f"         {one.level:6} {one.rule} {words!r}")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--split", choices=("dev", "test", "all"), default="all")
    parser.add_argument("--show-errors", action="store_true", help="list every error")
    parser.add_argument("--rules", action="store_true", help="…with the words found")
    parser.add_argument("--yes-i-will-not-tune", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--lang", help="only the texts of one language")
    parser.add_argument("--lexicon", type=Path, help="folder of knowledge files")
    args = parser.parse_args()
    if args.show_errors and args.split != "dev" and not args.yes_i_will_not_tune:
        parser.error("errors are for the dev split; what is tuned on tests nothing")
    folder = args.lexicon or compiler.lexicon.LEXICON
    base = index.Index(compiler.compile_folder(folder))
    find = detector.Detector(base=base).find
    rows = read(args.files, args.split)
    rows = [row for row in rows if args.lang in (None, row["lang"])]
    if args.show_errors:
        show_errors(rows, find, args.rules)
    result = score(rows, find)
    show(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
