"""Takes a person's identifiers out of a text: pure functions on plain strings."""

import re
from collections.abc import Iterable
from typing import Any

MIN_DIGITS = 8  # a shorter number could be anything
MIN_NAME = 5  # a shorter name too often is part of an ordinary text
# nothing that makes it part of a longer word; an escaped line end (vCard, JSON) may
# stand before
_START = r"(?:(?<!\w)|(?<=\\[nrt]))"
_EMAIL_START = r"(?:(?<![\w.+-])|(?<=\\[nrt]))"
_SEPARATORS = r"[\s.\-/()\u00a0\u202f]{0,3}"


def compile_identifiers(
    emails: Iterable[str] = (), phones: Iterable[str] = (), names: Iterable[str] = ()
) -> re.Pattern[str] | None:
    """Return one pattern for all that identifies a person, None when nothing does.

    :param emails: addresses; found in any letter case, alone or in ``Name <mail>``
    :param phones: numbers in any way of writing; found in any other, and with the
        country code or without
    :param names: full names of at least two words; found as whole words, in any
        letter case

    >>> pattern = compile_identifiers(["jo@x.example"], ["+33612345678"], ["Jo Doe"])
    >>> redact("Jo DOE <JO@x.example>, 06 12 34 56 78; Jo Doering", pattern)
    '[…] <[…]>, […]; Jo Doering'
    """
    parts = [rf"{_EMAIL_START}{re.escape(email)}(?![\w-])" for email in emails if email]
    parts += [_phone_pattern(phone) for phone in phones if _digits(phone)]
    parts += [
        _START + r"\s+".join(map(re.escape, name.split())) + r"(?!\w)"
        for name in names
        if len(name) >= MIN_NAME and len(name.split()) > 1
    ]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _digits(phone: str) -> str:
    digits = re.sub(r"\D", "", phone or "")
    return digits if len(digits) >= MIN_DIGITS else ""


def _phone_pattern(phone: str) -> str:
    """Return a pattern for the number's last digits, however they are grouped."""
    national = _digits(phone)[-9:]
    number = _SEPARATORS.join(national)
    return rf"(?<!\d)(?:(?:\+|00)?\d{{1,3}}{_SEPARATORS}|0)?(?:\(0\))?{number}(?!\d)"


def redact(text: str, pattern: re.Pattern[str] | None, mark: str = "[…]") -> str:
    """Return ``text`` with every identifier replaced by ``mark``."""
    return pattern.sub(mark, text) if pattern and text else text


def redact_json(value: Any, pattern: re.Pattern[str] | None, mark: str = "[…]") -> Any:
    """Return a JSON value with every string in it redacted, keys left as they are.

    >>> pattern = compile_identifiers(["a@x.example"])
    >>> redact_json({"en_US": ["a@x.example"], "n": 1}, pattern)
    {'en_US': ['[…]'], 'n': 1}
    """
    if isinstance(value, str):
        return redact(value, pattern, mark)
    if isinstance(value, list):
        return [redact_json(item, pattern, mark) for item in value]
    if isinstance(value, dict):
        return {key: redact_json(item, pattern, mark) for key, item in value.items()}
    return value
