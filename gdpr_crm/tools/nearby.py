"""Finds what the law protects beside Art. 9: national identifiers, criminal records.

GDPR Art. 87 leaves national identification numbers to national law, Art. 10 allows
data on convictions under official authority only. Both are for an officer's eye:
numbers count when their check digit is right, words when they stand together.
"""

import re
from typing import NamedTuple

IDENTIFIER, CRIMINAL = "identifier", "criminal"


class Finding(NamedTuple):
    """A place in a text; offsets are those of the text given."""

    category: str
    level: str
    start: int
    end: int
    rule: str


_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2
        + (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def _nir(text: str) -> bool:
    """French social security number, with its two check digits."""
    body, key = text[:-2], int(text[-2:])
    number = int(body.replace("2A", "19").replace("2B", "18"))
    return key == 97 - number % 97


def _codice_fiscale(text: str) -> bool:
    total = sum(
        _ODD[char]
        if place % 2 == 0
        else (int(char) if char.isdigit() else ord(char) - 65)
        for place, char in enumerate(text[:15])
    )
    return chr(65 + total % 26) == text[15]


def _dni(text: str) -> bool:
    digits = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI[int(digits) % 23] == text[-1]


def _bsn(text: str) -> bool:
    digits = [int(char) for char in text[-9:]]
    total = sum(
        d * w for d, w in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)
    )
    return total % 11 == 0 and any(digits)


def _belgian(text: str) -> bool:
    body, key = text[:-2], int(text[-2:])
    return key in (97 - int(body) % 97, 97 - int("2" + body) % 97)


# country → pattern (the number is the last group) and check on it without separators
_NUMBERS = {
    "fr": (
        r"\b([12478][ ]?\d{2}[ ]?(?:0[1-9]|1[0-2]|[2-9]\d)[ ]?(?:\d{2}|2[AB])[ ]?\d{3}"
        r"[ ]?\d{3}[ ]?\d{2})\b",
        _nir,
    ),
    "it": (r"\b([A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])\b", _codice_fiscale),
    "es": (r"\b((?:\d{8}|[XYZ]\d{7})[- ]?[A-HJ-NP-TV-Z])\b", _dni),
    "nl": (r"\b(?:BSN|burgerservicenummer)\W{0,3}(\d{9})\b", _bsn),
    "be": (r"\b(\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2})\b", _belgian),
    "de": (
        r"\b(?:Steuer-?ID(?:-?Nr)?|IdNr|Steueridentifikationsnummer)\W{0,3}"
        r"(\d{2} ?\d{3} ?\d{3} ?\d{3})\b",
        None,
    ),
    "gb": (r"\b([A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D])\b", None),
}
_COMPILED = {
    country: (
        re.compile(pattern, re.IGNORECASE if country in ("nl", "de") else 0),
        check,
    )
    for country, (pattern, check) in _NUMBERS.items()
}

_CRIMES = re.compile(
    r"\b(?:"
    r"casier judiciaire|condamnée? (?:pour|à (?:de la )?prison)|sort de prison|"
    r"en prison|incarcérée?s?|mise? en examen|en garde à vue|bracelet électronique|"
    r"criminal record|convicted (?:of|for)|ex[- ]con(?:vict)?|(?:in|to|from) (?:jail|"
    r"prison)|on (?:parole|probation for)|served time|"
    r"vorbestraft\w*|vorstrafen?|im gefängnis|haftstrafe\w*|in untersuchungshaft|"
    r"antecedentes penales|en (?:la )?cárcel|condenad[oa] por|libertad condicional|"
    r"precedenti penali|in carcere|pregiudicat[oa]|condannat[oa] per|"
    r"agli arresti domiciliari|"
    r"strafblad|in de gevangenis|veroordeeld (?:voor|wegens)|in voorarrest"
    r")\b",
    re.IGNORECASE,
)
# cheap looks, so that an ordinary note costs next to nothing: a part of each of the
# expressions above, and something like the digits of a number
_STEMS = (
    "judiciaire", "condamn", "prison", "incarc", "mise en exa", "mis en exa",
    "garde à vue", "bracelet", "criminal rec", "convict", "ex-con", "ex con", "jail",
    "on parole", "on probation", "served time", "vorbestraft", "vorstraf", "gefängnis",
    "haft", "antecedentes", "cárcel", "condenad", "condicional", "precedenti",
    "carcere", "pregiudicat", "condannat", "domiciliari", "strafblad", "gevangenis",
    "veroordeeld", "voorarrest",
)  # fmt: skip
_DIGITS = re.compile(r"\d\d[ .-]?\d\d+[ .-]?\d\d|\d\d[A-Z]\d\d[A-Z]\d|\d{7}")


def find(text: str) -> list[Finding]:
    """Return what a privacy officer should look at, in order of its place.

    >>> [f.rule for f in find("NIR 2 55 08 14 168 025 38, sort de prison")]
    ['nearby.identifier.fr', 'nearby.criminal']
    >>> find("Order 2 55 08 14 168 025 39, 12345678Z")
    [Finding(category='identifier', level='review', start=29, end=38, \
rule='nearby.identifier.es')]
    """
    found = []
    lowered = text.lower()
    if any(stem in lowered for stem in _STEMS):
        found = [
            Finding(CRIMINAL, "review", match.start(), match.end(), "nearby.criminal")
            for match in _CRIMES.finditer(text)
        ]
    if _DIGITS.search(text):
        for country, (pattern, check) in _COMPILED.items():
            for match in pattern.finditer(text):
                number = re.sub(r"[\s.-]", "", match[1])
                if not check or check(number):
                    rule = f"nearby.identifier.{country}"
                    start, end = match.span(1)
                    found.append(Finding(IDENTIFIER, "review", start, end, rule))
    return sorted(found, key=lambda finding: finding.start)
