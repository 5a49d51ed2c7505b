"""Cheap judgements on e-mail addresses, and IP addresses made less personal."""

import ipaddress

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


def shorten_ip(address: str) -> str:
    """Return the network of an IP address: /24 of IPv4, /48 of IPv6; "" if none.

    >>> shorten_ip("203.0.113.77"), shorten_ip("2001:db8:1:2::3")
    ('203.0.113.0/24', '2001:db8:1::/48')
    >>> shorten_ip("unknown")
    ''
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, prefix), strict=False))
