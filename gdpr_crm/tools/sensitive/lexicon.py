"""Reads the knowledge files (FORMAT.md)."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
LEXICON = HERE / "lexicon"
COMMON_WORDS = HERE / "common_words.tsv"
COMPILED = HERE / "lexicon.idx"

CATEGORIES = (
    "health",
    "ethnic",
    "political",
    "belief",
    "union",
    "biometric",
    "genetic",
    "sexual",
)
TIERS = ("block", "cue", "review", "weak", "none")
CLASSES = "classes"
HEADERS = {
    CLASSES: ("class", "expression"),
    **dict.fromkeys(CATEGORIES, ("pattern", "tier", "context", "source")),
}


class Row(NamedTuple):
    """One line of a knowledge file with content."""

    path: Path
    number: int
    lang: str
    kind: str  # a category, or "classes"
    fields: list[str]


def rows(folder: Path = LEXICON) -> Iterator[Row]:
    """Every line with content of every knowledge file, headers left out."""
    for path in sorted(folder.glob("*/*.tsv")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines[1:], start=2):
            if line.strip() and not line.startswith("#"):
                fields = [field.strip() for field in line.split("\t")]
                yield Row(path, number, path.parent.name, path.stem, fields)


def fingerprint(folder: Path = LEXICON) -> bytes:
    """Changes with every change of the knowledge or of what compiles it."""
    digest = sha256()
    modules = (HERE / f"{name}.py" for name in ("compiler", "folding", "notation"))
    for path in (*sorted(folder.glob("*/*.tsv")), COMMON_WORDS, *modules):
        digest.update(f"{path.parent.name}/{path.name}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest().encode()


def compiled() -> bytes | None:
    """The compiled lexicon that ships, None when it isn't that of these sources."""
    try:
        first, data = COMPILED.read_bytes().split(b"\n", 1)
    except (FileNotFoundError, ValueError):
        return None
    return data if first == fingerprint() else None


def write_compiled(data: bytes) -> None:
    """Keep a compiled lexicon beside its sources."""
    COMPILED.write_bytes(fingerprint() + b"\n" + data)


def rule_name(lang: str, category: str, pattern: str) -> str:
    """Name of a line that doesn't repeat its words."""
    key = sha256(pattern.encode()).hexdigest()[:8]
    return f"{lang}.{category}.{key}"


def common_words(path: Path = COMMON_WORDS) -> dict[bytes, frozenset[str]]:
    """The languages (and ``crm``) in which each folded word is a very common one."""
    found: dict[bytes, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            lang, words = line.split("\t")
            for word in words.encode().split():
                found.setdefault(word, set()).add(lang)
    return {word: frozenset(langs) for word, langs in found.items()}


@lru_cache(maxsize=1)
def known_common_words() -> dict[bytes, frozenset[str]]:
    """The common words that ship, read once."""
    return common_words()
