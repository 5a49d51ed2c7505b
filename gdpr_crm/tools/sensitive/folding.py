"""Folding: one byte for each character, so that offsets stay those of the text.

Accents and punctuation disappear in two C calls: ``encode("latin-1")`` with an error
handler for what Latin-1 lacks, then ``bytes.translate``. Case stays, so that an
acronym is no ordinary word; ``bytes.lower`` is cheap. Letters that stand for two (oe,
ae, ss) and characters that are no letter at all have a private byte; whoever reads
words expands them (``spell_out``).
"""

import codecs
import unicodedata
from collections.abc import Iterator

IGNORED = 0x81  # invisible inside a word: combining accent, zero-width, soft hyphen
WIDE = 0x8D  # one character that reads as several letters: ﬁ, ½, ㎏
FOREIGN = 0x8F  # a letter outside our alphabet: keeps the word in one piece
OE = 0x9C  # also what a cp1252 œ becomes when it was decoded as Latin-1
AE = 0xE6
SS = 0xDF

_HANDLER = "gdpr_crm.sensitive.fold"
_CACHE_LIMIT = 4096

# Look-alikes of Latin letters: Unicode TR39 confusables, the part that can be typed
# on a Cyrillic or Greek keyboard.
_LOOKALIKES = dict(
    zip(
        "авсԁеёғһіїјкмнорԛѕтуѵԝхүАВСԀЕЁҒҺІЇЈКМНОРԚЅТУѴԜХҮαβεκνορτυχγηωιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "abcdeefhiijkmhopqstyvwxyABCDEEFHIIJKMHOPQSTYVWXYabekvoptuxynwiABEZHIKMNOPTYX",
        strict=True,
    )
)
_NO_DECOMPOSITION = dict(
    zip("łŁđĐıħĦŧŦøØðÐþÞ", "lLdDihHtToOdD\u00fe\u00fe", strict=True)
)


def _base_letters(char: str) -> str:
    """Letters and digits of the character, accents dropped."""
    parts = unicodedata.normalize("NFKD", char)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _byte_of(char: str) -> int:
    """Byte for a character; the rules, without the speed."""
    if char in "œŒ":
        return OE
    if char in "æÆǽǼ":
        return AE
    if char in "ßẞ":
        return SS
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return IGNORED
    char = _LOOKALIKES.get(char) or _NO_DECOMPOSITION.get(char) or char
    base = _base_letters(char)
    if len(base) == 1 and base.isascii() and base.isalnum():
        return ord(base)
    if len(base) > 1 and base.isascii() and base.isalnum():
        return WIDE
    return FOREIGN if category[0] == "L" else 0x20


def _table(kept: str = "") -> bytes:
    """Translation of Latin-1 bytes; the characters of ``kept`` stay themselves."""
    table = bytearray(_byte_of(chr(code)) for code in range(256))
    for code in (IGNORED, WIDE, FOREIGN, OE):
        table[code] = code
    for char in kept:
        table[ord(char)] = ord(char)
    return bytes(table)


class _Bytes(dict[str, int]):
    """Remembers the byte of each character outside Latin-1 (bounded)."""

    def __missing__(self, char: str) -> int:
        byte = _byte_of(char)
        if len(self) < _CACHE_LIMIT:
            self[char] = byte
        return byte


_BYTES = _Bytes()


def _encode_rest(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    run = error.object[error.start : error.end]
    return bytes([_BYTES[char] for char in run]), error.end


codecs.register_error(_HANDLER, _encode_rest)
_TABLE = _table()


def fold(text: str) -> bytes:
    """Folded text: exactly one byte for each character.

    >>> fold("L’Été, d'ŒUVRE")
    b'L Ete  d \\x9cUVRE'
    """
    # the curly apostrophe alone is common enough to spare the handler's call
    return text.replace("’", "'").encode("latin-1", _HANDLER).translate(_TABLE)


def spell_out(folded: bytes) -> bytes:
    """Folded text with the two-letter bytes written out; offsets no longer hold."""
    return (
        folded.replace(b"\x9c", b"oe").replace(b"\xe6", b"ae").replace(b"\xdf", b"ss")
    )


def is_disguised(token: bytes) -> bool:
    """True when a token holds characters that ``disguise`` removes or spells out."""
    return b"\x81" in token or b"\x8d" in token


def disguise(text: str) -> Iterator[tuple[int, str]]:
    """Characters that hide a word from a machine but not from a reader.

    Each with what to read there: nothing for an invisible one, several letters for
    a ligature.
    """
    for offset, byte in enumerate(fold(text)):
        if byte == IGNORED:
            yield offset, ""
        elif byte == WIDE:
            letters = _base_letters(text[offset])
            yield offset, letters if letters.isalnum() else " "
