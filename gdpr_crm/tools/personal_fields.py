"""Tells from a column's name whether it looks personal: pure functions.

Finding a person never depends on it (texts are searched for what identifies them,
whatever the column's name); it says what to blank in a row that is about the person,
and which columns of a database nobody has thought about yet.
"""

import re

_WORDS = {
    "email": {"email", "emails", "mail", "courriel", "login"},
    "phone": {"phone", "phones", "mobile", "tel", "telephone", "fax", "whatsapp"},
    "address": {"street", "street2", "zip", "postcode", "city", "address", "adresse"},
    "birth": {"birth", "birthday", "birthdate", "dob"},
    "device": {"ip", "useragent", "geoip", "latitude", "longitude"},
    "identity": {
        "vat",
        "ssn",
        "passport",
        "iban",
        "nationality",
    },
    "picture": {"photo", "avatar", "portrait", "signature", "selfie"},
}
# a name's first half that makes it a person's
_PERSONS = {
    "attendee",
    "author",
    "candidate",
    "contact",
    "customer",
    "family",
    "first",
    "full",
    "given",
    "guest",
    "holder",
    "last",
    "maiden",
    "middle",
    "nick",
    "partner",
    "person",
    "recipient",
    "sender",
    "sur",
    "visitor",
}
# says how something is shown or sent, not who somebody is
_TECHNICAL = {
    "count",
    "display",
    "field",
    "format",
    "label",
    "layout",
    "mode",
    "printer",
    "product",
    "proxy",
    "state",
    "status",
    "template",
    "token",
    "type",
    "view",
    "xmlid",
}
_JOINED = {"firstname", "lastname", "surname", "fullname", "nickname", "prenom"}
_PHRASES = {
    "ip_address": "device",
    "user_agent": "device",
    "acc_number": "identity",
    "sanitized_acc_number": "identity",
    "acc_holder_name": "name",
    "signed_by": "name",
    "company_name": "name",
    "email_from": "email",
    "reply_to": "email",
}
TEXT_TYPES = {"char", "text", "html"}
_KIND_TYPES = {
    "birth": {"date", "datetime", "char"},
    "device": {"char", "text", "float"},
    "picture": {"binary", "image"},
}


def words(name: str) -> list[str]:
    """Return the words of a column's name, without the prefix of a custom field.

    >>> words("x_studio_contact_email_1")
    ['contact', 'email']
    """
    name = re.sub(r"^x_(?:studio_)?", "", name.lower())
    return [word for word in name.split("_") if word and not word.isdigit()]


def personal_kind(name: str, field_type: str, contactable: bool = False) -> str:
    """Return what kind of personal data a column seems to hold, "" when none.

    :param contactable: the model has an address or number too: its ``name`` then is
        a person's

    >>> personal_kind("x_contact_email", "char"), personal_kind("emails", "integer")
    ('email', '')
    >>> personal_kind("name", "char"), personal_kind("name", "char", contactable=True)
    ('', 'name')
    """
    parts = words(name)
    kind = _PHRASES.get("_".join(parts)) or _kind_of_words(parts, contactable)
    if _TECHNICAL & set(parts):
        return ""
    return kind if kind and field_type in _KIND_TYPES.get(kind, TEXT_TYPES) else ""


def _kind_of_words(parts: list[str], contactable: bool) -> str:
    found = set(parts)
    if parts == ["name"]:
        return "name" if contactable else ""
    if found & _JOINED or "name" in found and found & _PERSONS:
        return "name"
    for kind, known in _WORDS.items():
        if found & known:
            return kind
    return ""


def is_contactable(fields: dict[str, str]) -> bool:
    """Tell whether a model has a column for an e-mail address or a number.

    >>> is_contactable({"name": "char", "x_mobile": "char"})
    True
    """
    return any(
        personal_kind(name, field_type) in ("email", "phone")
        for name, field_type in fields.items()
    )
