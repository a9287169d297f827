"""A customer that holds no key, the paper that it signed, and the consumer that vouches for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol.consent import Consent, commit_document, commit_subject
from protocol.encoding import sha256
from protocol.identifiers import SubjectId
from protocol.keys import SigningKey
from protocol.purpose import WATCHED_METRICS
from protocol.registry import KeyEntry, SubjectEntry
from schemas.exchange import DeliveredConsent
from tests.support.exchanges import Scene, deliver
from tests.support.nodes import FOREVER_S, SUBJECT, TestFederation

SALT = sha256(b"salt of a customer without a key")
LICENCE = sha256(b"%PDF business licence")
PAPER_BYTES = b"%PDF we agree that beta tells alpha how we pay"
PAPER = sha256(PAPER_BYTES)
OWN_KEY = SigningKey(b"\x0a" * 32)
Change = Callable[[Consent], Consent]


def enter_unkeyed(
    federation: TestFederation,
    *,
    subject: SubjectId = SUBJECT,
    keys: tuple[KeyEntry, ...] = (),
) -> None:
    """Have the hub enter a customer by its licence, with the keys that it has got since."""
    entry = SubjectEntry(
        commitment=commit_subject(subject, salt=SALT),
        verified="document",
        keys=keys,
        document=commit_document(LICENCE, salt=SALT),
    )
    registry = federation.registry
    others = tuple(one for one in registry.subjects if one.commitment != entry.commitment)
    federation.publish(replace(registry, subjects=(*others, entry)))


def own_key(*, nbf: int) -> KeyEntry:
    """Return the entry of the key that the customer gets later."""
    return KeyEntry(key=OWN_KEY.public, use="consent", nbf=nbf, exp=FOREVER_S)


def vouch(
    scene: Scene,
    change: Change = lambda consent: consent,
    *,
    key: SigningKey | None = None,
    subject: SubjectId = SUBJECT,
    salt: bytes = SALT,
) -> DeliveredConsent:
    """Have the consumer sign what the customer's paper says."""
    consent = replace(
        scene.grant(),
        subject=commit_subject(subject, salt=salt),
        metrics=WATCHED_METRICS,
        evidence=PAPER,
    )
    signer = scene.consumer.keys.message if key is None else key
    return deliver(change(consent), key=signer, subject=subject, salt=salt)
