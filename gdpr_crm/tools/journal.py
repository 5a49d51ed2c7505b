"""The list of erased persons outside the database: lines of JSON, pure functions.

A backup restored from before an erasure doesn't know of it. The list does, and holds
keyed hashes only: without the database's key it says nothing about anybody.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FORMAT = "gdpr_crm.suppression/1"
FIELDS = ("email_digest", "phone_digest", "erased_on", "objected")


class JournalError(ValueError):
    """The list can't be read, or belongs to another database."""


def fingerprint(key: str) -> str:
    """Return what tells two keys apart, and nothing about either.

    >>> fingerprint("a") == fingerprint("a"), fingerprint("a") == fingerprint("b")
    (True, False)
    """
    return hmac.new(key.encode(), FORMAT.encode(), hashlib.sha256).hexdigest()[:32]


def dump(entry: dict[str, Any], key: str) -> str:
    """Return one line; each stands for itself, so lists may be joined."""
    line = {"format": FORMAT, "key": fingerprint(key)}
    line |= {name: entry.get(name) or False for name in FIELDS}
    return json.dumps(line, sort_keys=True) + "\n"


def load(text: str, key: str) -> list[dict[str, Any]]:
    """Return the entries of a list, each person's last one only.

    :raise JournalError: at a line that is no entry, or one made with another key

    >>> line = dump({"email_digest": "d", "erased_on": "2026-01-31 10:00:00"}, "k")
    >>> load(line * 2, "k")[0]["email_digest"], len(load(line * 2, "k"))
    ('d', 1)
    """
    entries = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise JournalError(f"line {number}") from error
        if not isinstance(entry, dict) or entry.get("format") != FORMAT:
            raise JournalError(f"line {number}")
        if entry.get("key") != fingerprint(key):
            raise JournalError("key")
        entry = {name: entry.get(name) or False for name in FIELDS}
        entries[entry["email_digest"], entry["phone_digest"]] = entry
    return list(entries.values())


def append(path: str, lines: Iterable[str]) -> None:
    """Add lines to the file, readable by its owner only when it is new."""
    file = Path(path)
    file.touch(mode=0o600)
    with file.open("a", encoding="utf-8") as journal:
        journal.writelines(lines)
