"""Cheap judgements on e-mail addresses."""

# throw-away mail services in common use: a hint to look twice, never a refusal,
# because anybody may use any address
DISPOSABLE_DOMAINS = frozenset(
    (
        "10minutemail.com",
        "10minutemail.net",
        "dispostable.com",
        "emailondeck.com",
        "fakeinbox.com",
        "getairmail.com",
        "getnada.com",
        "grr.la",
        "guerrillamail.com",
        "guerrillamail.info",
        "guerrillamail.net",
        "guerrillamailblock.com",
        "jetable.org",
        "mail-temporaire.fr",
        "mailcatch.com",
        "maildrop.cc",
        "mailinator.com",
        "mailnesia.com",
        "mintemail.com",
        "moakt.com",
        "mohmal.com",
        "sharklasers.com",
        "spamgourmet.com",
        "temp-mail.org",
        "tempail.com",
        "tempmail.net",
        "tempr.email",
        "throwawaymail.com",
        "trash-mail.com",
        "trashmail.com",
        "trashmail.de",
        "wegwerfmail.de",
        "yopmail.com",
        "yopmail.fr",
        "yopmail.net",
    )
)


def is_disposable(email: str) -> bool:
    """Tell whether a normalised address belongs to a throw-away mail service.

    >>> is_disposable("someone@yopmail.com"), is_disposable("someone@example.com")
    (True, False)
    >>> is_disposable("someone@mail.yopmail.com"), is_disposable("")
    (True, False)
    """
    labels = email.rpartition("@")[2].lower().split(".")
    return any(
        ".".join(labels[start:]) in DISPOSABLE_DOMAINS for start in range(len(labels))
    )
