"""The addons of this checkout, and a fingerprint of their sources."""

import ast
import hashlib
from pathlib import Path

from .paths import ROOT

MAIN = "gdpr_crm"
IGNORED_FOLDERS = {"__pycache__", "tests", "build", "dist"}
IGNORED_SUFFIXES = {".pyc", ".pot", ".md", ".swp"}


def folders() -> list[Path]:
    """gdpr_crm and its bridges."""
    return sorted(path.parent for path in ROOT.glob(f"{MAIN}*/__manifest__.py"))


def manifest(folder: Path) -> dict:
    return ast.literal_eval((folder / "__manifest__.py").read_text())


def _files(folder: Path):
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if IGNORED_FOLDERS & set(relative.parts) or path.suffix in IGNORED_SUFFIXES:
            continue
        if path.is_file():
            yield path


def fingerprint() -> str:
    """Changes with every change of a file that gets installed."""
    digest = hashlib.sha256()
    for folder in folders():
        for path in _files(folder):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
