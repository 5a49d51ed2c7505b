"""How the code tells who acts: values in the context that no RPC client can send."""

from typing import NamedTuple


class PersonAct(NamedTuple):
    """The person whose address it is acts, by one of the ledger's channels."""

    channel: str
    evidence: dict


# the lists and the blacklist follow the ledger: nothing to record again
FROM_LEDGER = object()
# a technical reason (bounces): the person said nothing
NOT_THE_PERSON = object()


def acting(env):
    """Return the person's act in this environment, or None."""
    act = env.context.get("gdpr_act")
    return act if isinstance(act, PersonAct) else None


def is_silent(env):
    """Tell whether what happens here is nobody's decision, or recorded already."""
    act = env.context.get("gdpr_act")
    return act is FROM_LEDGER or act is NOT_THE_PERSON
