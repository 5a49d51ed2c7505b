"""How the code tells who acts: values in the context that no RPC client can send."""

from typing import NamedTuple

from odoo.http import request


class PersonAct(NamedTuple):
    """The person whose address it is acts, by one of the ledger's channels."""

    channel: str
    evidence: dict


# the lists and the blacklist follow the ledger: nothing to record again
FROM_LEDGER = object()
# a technical reason (bounces): the person said nothing
NOT_THE_PERSON = object()


def acting(env):
    """Return the person's act in this environment, or None.

    What a visitor's request does is a form that anybody may have filled in, unless
    the controller knows better.
    """
    act = env.context.get("gdpr_act")
    if isinstance(act, PersonAct):
        return act
    if not is_silent(env) and request and request.env.user.share:
        http = request.httprequest
        return PersonAct("form", {"page": http.referrer or http.path})
    return None


def is_proven(env):
    """Tell whether it is certain who acts: a form takes anybody's address."""
    act = acting(env)
    return bool(act) and act.channel != "form"


def is_silent(env):
    """Tell whether what happens here is nobody's decision, or recorded already."""
    act = env.context.get("gdpr_act")
    return act is FROM_LEDGER or act is NOT_THE_PERSON
