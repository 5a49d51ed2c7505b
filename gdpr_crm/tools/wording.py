"""What the words of a form give away: what is asked for, and how consent is asked.

Reads labels and notices in the six languages that the detector knows; in any other
language it finds nothing and says nothing.
"""

import re
import unicodedata
from functools import lru_cache
from html import unescape

_MARKUP = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    """Return a text without markup and accents, in lower case.

    >>> plain("<p>Êtes-vous&nbsp;<b>malade</b>?</p>")
    'etes-vous malade ?'
    """
    text = unescape(_MARKUP.sub(" ", text or ""))
    text = unicodedata.normalize("NFKD", text.lower())
    text = "".join(char for char in text if not unicodedata.combining(char))
    return _SPACES.sub(" ", text.replace("’", "'")).strip()


def _any_of(*terms: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(terms)})")


# what a label asks for; the value typed in behind it would be sensitive
_ASKED = {
    "health": _any_of(
        r"(?:your|state of|any) health\b",
        r"health (?:problem|condition|statu|issue)",
        r"allerg",
        r"disabilit",
        r"disabled\b",
        r"blood (?:group|type)",
        r"pregnan",
        r"illness",
        r"disease",
        r"medication",
        r"medical (?:history|condition|record|problem|treat|need|file)",
        r"diagnos",
        r"vaccinat",
        r"(?:etat de |votre |problemes? de )sante\b",
        r"handicap",
        r"groupe sanguin",
        r"enceinte\b(?! acoust)",
        r"grossesse",
        r"maladie",
        r"medicament",
        r"traitement medic",
        r"gesundheit(?!swesen|sbranche)",
        r"krankheit",
        r"behinder",
        r"blutgruppe",
        r"schwanger",
        r"medikament",
        r"salud\b",
        r"enfermedad",
        r"discapacidad",
        r"embaraz",
        r"grupo sanguineo",
        r"salute\b",
        r"malatti",
        r"disabilita",
        r"gravidanza",
        r"incinta\b",
        r"gruppo sanguigno",
        r"gezondheid(?!szorg)",
        r"ziekte",
        r"zwanger",
        r"bloedgroep",
        r"medicijn",
    ),
    "belief": _any_of(
        r"religio",
        r"confession\b",
        r"denomination\b",
        r"belief",
        r"faith\b",
        r"church\b",
        r"croyance",
        r"foi\b",
        r"konfession",
        r"glaube(?!n sie)",
        r"kirche",
        r"creencia",
        r"credo\b",
        r"geloof\b",
        r"godsdienst",
    ),
    "political": _any_of(
        r"political (?:part|opinion|view|orient|affil)",
        r"party member",
        r"(?:parti|opinions?|orientation) politique",
        r"politisch",
        r"parteimitglied",
        r"(?:partido|opinion|orientacion) politic",
        r"partito politico",
        r"opinion[ie] politic",
        r"politieke",
        r"vot(?:ed|ing) for\b",
    ),
    "union": _any_of(
        r"trade union",
        r"labou?r union",
        r"union member",
        r"syndicat",
        r"syndique",
        r"gewerkschaft",
        r"sindicat",
        r"sindacat",
        r"vakbond",
    ),
    "ethnic": _any_of(
        r"ethnic",
        r"race\b(?=\s*(?:$|[:?/]|and|or))",
        r"racial",
        r"skin colou?r",
        r"ethni",
        r"origine racial",
        r"couleur de peau",
        r"hautfarbe",
        r"rasse\b",
        r"etnic",
        r"etnia",
        r"raza\b",
        r"razza\b",
        r"etnisch",
        r"huidskleur",
        r"afkomst\b",
    ),
    "sexual": _any_of(
        r"sexual(?:ity| orient| prefer| li)",
        r"sex life",
        r"orientation sexuelle",
        r"vie sexuelle",
        r"sexuelle (?:orient|neig)",
        r"sexualitat",
        r"orientacion sexual",
        r"orientamento sessuale",
        r"seksuele",
    ),
    "genetic": _any_of(r"genetic", r"genetique", r"genetisch", r"dna\b", r"adn\b"),
    "biometric": _any_of(
        r"fingerprint",
        r"biometri",
        r"iris scan",
        r"empreintes? digitale",
        r"fingerabdruck",
        r"huella dactilar",
        r"impronte digital",
        r"vingerafdruk",
    ),
    # not Art. 9, but as closed to a contact form: Art. 10 and 87
    "criminal": _any_of(
        r"criminal",
        r"convict",
        r"police record",
        r"casier judiciaire",
        r"condamnation",
        r"vorstrafe",
        r"fuhrungszeugnis",
        r"antecedentes penales",
        r"casellario",
        r"strafblad",
    ),
    "national_id": _any_of(
        r"social security",
        r"national (?:id|insurance)",
        r"passport",
        r"ssn\b",
        r"securite sociale",
        r"carte d'identite",
        r"passeport",
        r"numero fiscal",
        r"sozialversicherung",
        r"personalausweis",
        r"reisepass",
        r"seguridad social",
        r"dni\b",
        r"codice fiscale",
        r"carta d'identita",
        r"burgerservice",
        r"bsn\b",
    ),
}

_TITLE = _any_of(
    r"gender\b",
    r"sex\b",
    r"salutation\b",
    r"civilite",
    r"sexe\b",
    r"genre\b",
    r"geschlecht",
    r"anrede",
    r"sexo\b",
    r"genero\b",
    r"tratamiento\b",
    r"sesso\b",
    r"genere\b",
    r"geslacht",
    r"aanhef",
    r"m(?:r|me|s)\.? ?/",
)

_TERMS = (
    r"(?:terms|conditions|cg[uv]\b|conditions generales|agb\b|geschaftsbedingungen"
    r"|nutzungsbedingungen|condiciones|condizioni|voorwaarden)"
)
_ACCEPT = (
    r"(?:accept|agree|approve|j'ai lu|akzeptier|stimme|einverstanden|acepto|accetto"
    r"|aanvaard|ga akkoord)"
)
_BUNDLED = re.compile(
    rf"(?<!\w)(?:{_ACCEPT}\w*[^.;]{{0,80}}?\b{_TERMS}|{_TERMS}[^.;]{{0,80}}?\b{_ACCEPT})"
)

_OPT_OUT = _any_of(
    r"untick",
    r"uncheck",
    r"(?:do not|don't) (?:want|wish)",
    r"opt[- ]out if",
    r"(?:if|unless) you (?:do not|don't)",
    r"decoch",
    r"ne (?:souhait|veux|desir)",
    r"sauf (?:avis|opposition)",
    r"mochte (?:nicht|kein)",
    r"will (?:nicht|kein)",
    r"abwahlen",
    r"no (?:deseo|quiero)",
    r"desmarc",
    r"non (?:desidero|voglio)",
    r"desele[zc]",
    r"wil (?:niet|geen)",
    r"uitvink",
    r"niet wens",
)

_WITHDRAWAL = _any_of(
    r"withdraw",
    r"unsubscribe",
    r"opt[- ]out",
    r"revoke",
    r"change my mind",
    r"stop (?:it|them|these|receiving)",
    r"retir",
    r"desinscri",
    r"desabonn",
    r"desinscr",
    r"widerruf",
    r"abmeld",
    r"abbestell",
    r"darse? de baja",
    r"darme de baja",
    r"revoc",
    r"ritir",
    r"disiscri",
    r"annullare l'iscrizione",
    r"intrek",
    r"uitschrij",
    r"afmeld",
)
_READ_LANGUAGES = {"en", "fr", "de", "es", "it", "nl"}

_CONSENT = _any_of(
    r"newsletter",
    r"i (?:agree|consent|accept|would like to receive|want to receive)",
    r"send me",
    r"subscribe",
    r"j'accept",
    r"je consens",
    r"je souhaite recevoir",
    r"recevoir",
    r"abonn",
    r"ich (?:stimme|willige|mochte .{0,20}erhalten)",
    r"acepto",
    r"deseo recibir",
    r"accetto",
    r"acconsento",
    r"desidero ricevere",
    r"ik ga akkoord",
    r"ik wil .{0,20}ontvangen",
)


@lru_cache(maxsize=2048)
def asked_for(label: str) -> tuple[str, ...]:
    """Return the categories of sensitive data that a label asks for.

    >>> asked_for("Do you have allergies?"), asked_for("Votre état de santé")
    (('health',), ('health',))
    >>> asked_for("Your message"), asked_for("Numéro de sécurité sociale")
    ((), ('national_id',))
    """
    text = plain(label)
    return tuple(name for name, pattern in _ASKED.items() if pattern.search(text))


def asks_title(label: str) -> bool:
    """Tell whether a label asks for a form of address or a sex.

    >>> asks_title("Mr/Ms"), asks_title("Civilité"), asks_title("Job title")
    (True, True, False)
    """
    return bool(_TITLE.search(plain(label)))


def is_bundled(text: str) -> bool:
    """Tell whether a wording ties consent to terms (GDPR Art. 7(2)).

    >>> is_bundled("I accept the terms and want the newsletter.")
    True
    >>> is_bundled("I want the newsletter. See our terms.")
    False
    """
    return bool(_BUNDLED.search(plain(text)))


def is_opt_out(text: str) -> bool:
    """Tell whether silence would mean yes (GDPR Art. 4(11), recital 32).

    >>> is_opt_out("Untick this box if you do not want our offers.")
    True
    >>> is_opt_out("I want your offers.")
    False
    """
    return bool(_OPT_OUT.search(plain(text)))


def names_withdrawal(text: str, lang: str) -> bool:
    """Tell whether a notice says how to withdraw (GDPR Art. 7(3)).

    >>> names_withdrawal("I can withdraw at any time.", "en_US")
    True
    >>> names_withdrawal("I want the newsletter.", "en_US")
    False
    >>> names_withdrawal("Chcę otrzymywać newsletter.", "pl_PL")  # can't be read
    True
    """
    if lang.partition("_")[0] not in _READ_LANGUAGES:
        return True
    return bool(_WITHDRAWAL.search(plain(text)))


def sounds_like_consent(label: str) -> bool:
    """Tell whether a tick box asks for consent under another name.

    >>> sounds_like_consent("I agree to receive your newsletter")
    True
    >>> sounds_like_consent("I am a customer already")
    False
    """
    return bool(_CONSENT.search(plain(label)))
