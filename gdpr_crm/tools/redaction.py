"""Finds a person's identifiers in a text and takes them out: pure functions.

The patterns are written in what Python and PostgreSQL both understand, so that the
database finds exactly what is taken out afterwards.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

try:
    import phonenumbers
except ImportError:  # Odoo brings it; without it the last nine digits decide
    phonenumbers = None

MIN_DIGITS = 8  # a shorter number could be anything
MIN_NAME = 5  # a shorter name too often is part of an ordinary text
# nothing that makes it part of a longer word; an escaped line end (vCard, JSON) or
# an escaped character of a link may stand before
_ESCAPED = r"(?<=\\[nrt])|(?<=%[0-9a-fA-F][0-9a-fA-F])"
_START = rf"(?:(?<!\w)|{_ESCAPED})"
_EMAIL_START = rf"(?:(?<![\w.+-])|{_ESCAPED})"
# a further short label makes it another domain: example.co, example.co.uk
_EMAIL_END = r"(?![\w-])(?!\.[a-zA-Z]{2,3}(?!\w))"
_AT = "(?:@|%40|&#64;)"
_SPACE = r"[\s\u00a0\u202f]"
_SEPARATOR = r"(?:[\s.\-/()\u00a0\u202f]|&nbsp;){0,3}"
NUMBER_SEPARATORS = " .-/()\t\n\u00a0\u202f"


class Identifiers(NamedTuple):
    """What a person is recognised by: addresses and numbers surely, names maybe."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.emails or self.phones or self.names)

    def compile(self) -> re.Pattern[str] | None:
        """Return the pattern of everything that identifies the person."""
        return compile_identifiers(self.emails, self.phones, self.names)

    def compile_sure(self) -> re.Pattern[str] | None:
        """Return the pattern of what can mean nobody else."""
        return compile_identifiers(self.emails, self.phones)

    def compile_names(self) -> re.Pattern[str] | None:
        """Return the pattern of what a namesake has too."""
        return compile_identifiers(names=self.names)


def compile_identifiers(
    emails: Iterable[str] = (), phones: Iterable[str] = (), names: Iterable[str] = ()
) -> re.Pattern[str] | None:
    """Return one pattern for all that identifies a person, None when nothing does.

    :param emails: addresses; found in any letter case, alone or in ``Name <mail>``
    :param phones: numbers in any way of writing; found in any other, and with the
        country code or without
    :param names: full names of at least two words; found as whole words, in any
        letter case, also with the family name first

    >>> pattern = compile_identifiers(["jo@x.example"], ["+33612345678"], ["Jo Doe"])
    >>> redact("Jo DOE <JO@x.example>, 06 12 34 56 78; Jo Doering", pattern)
    '[…] <[…]>, […]; Jo Doering'
    """
    parts = [
        *map(email_pattern, emails),
        *map(phone_pattern, phones),
        *map(name_pattern, names),
    ]
    parts = [part for part in parts if part]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def email_pattern(email: str) -> str:
    """Return the pattern of an address, "" when it is none.

    >>> bool(re.search(email_pattern("jo@x.com"), "mailto:jo%40x.com"))
    True
    >>> bool(re.search(email_pattern("jo@x.com"), "jo@x.com.au, marjo@x.com"))
    False
    """
    local, at, domain = (email or "").strip().rpartition("@")
    if not (local and at and domain):
        return ""
    return f"{_EMAIL_START}{re.escape(local)}{_AT}{re.escape(domain)}{_EMAIL_END}"


def phone_pattern(phone: str) -> str:
    """Return the pattern of a number, however it is grouped, "" when it is too short.

    >>> pattern = phone_pattern("+32 2 123 45 67")
    >>> [bool(re.search(pattern, text)) for text in ("02/123.45.67", "0032 21234567")]
    [True, True]
    """
    national, country = split_number(phone)
    if not national:
        return ""
    number = _SEPARATOR.join(national)
    code = _SEPARATOR.join(country) if country else r"\d{1,3}"
    trunk = rf"(?:\(0\)|0){_SEPARATOR}"
    prefix = rf"(?:(?:\+|00)?{code}{_SEPARATOR}(?:{trunk})?|{trunk})?"
    return rf"(?<!\d){prefix}{number}(?!\d)"


def split_number(phone: str) -> tuple[str, str]:
    """Return (national digits, country code) of a number; ("", "") when too short.

    The country code of a number in national writing is unknown: "".

    >>> split_number("+33 (0)6 12 34 56 78"), split_number("06 12 34 56 78")
    (('612345678', '33'), ('612345678', ''))
    >>> split_number("12 34")
    ('', '')
    """
    text = re.sub(r"[^\d+]", "", phone or "")
    digits = text.replace("+", "")
    national, country = digits.lstrip("0"), ""
    if text.startswith(("+", "00")):
        country, national = _split_country(national)
    return (national, country) if len(national) >= MIN_DIGITS else ("", "")


def _split_country(digits: str) -> tuple[str, str]:
    """Return (country code, national digits) of an international number's digits."""
    if phonenumbers:
        with suppress(phonenumbers.NumberParseException):
            parsed = phonenumbers.parse(f"+{digits}")
            return str(parsed.country_code), str(parsed.national_number)
    return "", digits[-9:]


def name_pattern(name: str) -> str:
    """Return the pattern of a full name, "" when it is a single or a short word.

    >>> bool(re.search(name_pattern("Jo Doe"), "to Doe, Jo"))
    True
    """
    words = [re.escape(word) for word in (name or "").split()]
    if len(words) < 2 or len(name) < MIN_NAME:  # noqa: PLR2004 (first and last name)
        return ""
    space = f"{_SPACE}+"
    turned = f"{words[-1]},?{space}{space.join(words[:-1])}"
    return rf"{_START}(?:{space.join(words)}|{turned})(?!\w)"


def whole_pattern(pattern: str) -> str:
    """Return the pattern of a value that is an identifier and nothing else.

    >>> pattern = whole_pattern(email_pattern("jo@x.example"))
    >>> [bool(re.search(pattern, v)) for v in ('"J" <jo@x.example>', "to jo@x.example")]
    [True, False]
    """
    return rf"^[\s(\"']*(?:[^<>@]*<\s*)?(?:{pattern})\s*>?[\s)\"'.,;]*$"


def is_blank(text: str, mark: str = "[…]") -> bool:
    """Tell whether a redacted text says nothing any more.

    >>> is_blank('"[…]" <[…]>'), is_blank("Call […]")
    (True, False)
    """
    return not re.search(r"\w", text.replace(mark, ""))


def redact(text: str, pattern: re.Pattern[str] | None, mark: str = "[…]") -> str:
    """Return ``text`` with every identifier replaced by ``mark``."""
    return pattern.sub(mark, text) if pattern and text else text


def redact_json(value: Any, pattern: re.Pattern[str] | None, mark: str = "[…]") -> Any:
    """Return a JSON value with every string in it redacted.

    Keys are redacted too: a person's address may be one.

    >>> pattern = compile_identifiers(["a@x.example"])
    >>> redact_json({"en_US": ["a@x.example"], "n": 1}, pattern)
    {'en_US': ['[…]'], 'n': 1}
    """
    if isinstance(value, str):
        return redact(value, pattern, mark)
    if isinstance(value, list):
        return [redact_json(item, pattern, mark) for item in value]
    if isinstance(value, dict):
        return {
            redact(key, pattern, mark): redact_json(item, pattern, mark)
            for key, item in value.items()
        }
    return value
