"""Hash chain of the consent ledger: pure functions on plain values.

Each event carries the hash of the one before it in its subject's chain, so an
altered, missing or reordered event shows. What is personal in an event (its
evidence) is not hashed itself but through a salted commitment: once the salt and
the evidence are thrown away, the chain still verifies and nothing personal is left.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

GENESIS = "0" * 64


class Fault(NamedTuple):
    """One fault found in a chain: the event's ``id`` and what is wrong with it."""

    event_id: int
    reason: str


def commitment(salt: str, evidence: str) -> str:
    """Return the hex SHA-256 that binds ``evidence`` without revealing it.

    :param salt: the subject's random salt (hex); thrown away when it is erased
    :param evidence: any text

    >>> commitment("00", "form") == commitment("00", "form")
    True
    >>> commitment("00", "form") == commitment("01", "form")
    False
    """
    # the salt's length is written first so that no two pairs share one text
    text = f"{len(salt)}:{salt}:{evidence}"
    return hashlib.sha256(text.encode()).hexdigest()


def event_hash(previous: str, payload: Mapping[str, Any]) -> str:
    """Return the hex SHA-256 of an event that follows the one hashed ``previous``.

    :param previous: hash of the event before it, :data:`GENESIS` for the first
    :param payload: the event's values; strings, integers, booleans and None only

    >>> one, same = {"a": 1, "b": None}, {"b": None, "a": 1}
    >>> event_hash(GENESIS, one) == event_hash(GENESIS, same)
    True
    """
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


def verify(events: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Return the faults of one subject's chain, empty when it is whole.

    :param events: in the order of their ``number``; each with ``id``, ``number``
        (from 1), ``previous_hash``, ``hash``, ``payload`` (as given to
        :func:`event_hash`), ``commitment``, and ``salt`` and ``evidence``, both
        None once destroyed
    """
    faults = []
    previous, number = GENESIS, 0
    for event in events:
        number += 1
        if event["number"] != number:
            faults.append(Fault(event["id"], "missing or reordered"))
            number = event["number"]
        elif event["previous_hash"] != previous:
            faults.append(Fault(event["id"], "does not follow the event before it"))
        if event["hash"] != event_hash(event["previous_hash"], event["payload"]):
            faults.append(Fault(event["id"], "altered"))
        elif _evidence_altered(event):
            faults.append(Fault(event["id"], "evidence altered"))
        previous = event["hash"]
    return faults


def _evidence_altered(event: Mapping[str, Any]) -> bool:
    if event["evidence"] is None or event["salt"] is None:
        return False
    return commitment(event["salt"], event["evidence"]) != event["commitment"]
