"""``consent.put``: consents handed to the provider that they name."""

from __future__ import annotations

from node.sharing.batching import ExchangeBatch
from node.sharing.consents import (
    check_accepted,
    check_new_papers,
    check_parties,
    hold_consent,
    take_consent,
)
from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.sealing import build_answer
from protocol.consent import hash_consent
from protocol.encoding import encode_b64u
from schemas.exchange import (
    CONSENT_HELD_CONTENT_TYPE,
    CONSENT_PUT_CONTENT_TYPE,
    ConsentHeldBody,
    ConsentPutBody,
    HeldConsent,
)


def decide(case: Case, body: ConsentPutBody) -> Verdict:
    """Take consents in, all of them or none.

    Raises:
        PeerProblemError: One of them does not hold, or is not between these parties.
    """
    ports, opened = case.ports, case.opened
    taken = [
        take_consent(delivered, verdicts=ports.verdicts, registry=opened.registry)
        for delivered in body.consents
    ]
    for _, consent in taken:
        check_parties(consent, consumer=opened.envelope.iss, provider=ports.member_id)
        check_accepted(consent, accepts_unkeyed=ports.accepts_unkeyed)
    now_s = case.batch.now_ms // 1000
    check_new_papers(case.store, taken, registry=opened.registry, now_s=now_s)
    shared = ExchangeBatch.of(case.batch)
    for delivered, consent in taken:
        for touched in (delivered.hash, consent.replaces):
            if touched is not None:
                shared.forget_consent(touched)
    kept = [
        hold_consent(case.store, delivered, consent, at_ms=case.batch.now_ms)
        for delivered, consent in taken
    ]
    reply = ConsentHeldBody(
        v=1,
        kind="consent-held",
        consents=[
            HeldConsent(consent=encode_b64u(one.hash), state=one.state.value, seq=one.seq)
            for one in kept
        ],
    )
    hashes = tuple(one.hash for one in kept)
    return Verdict(
        content=build_answer(
            reply.to_bytes(), content_type=CONSENT_HELD_CONTENT_TYPE, consents=hashes
        ),
        code="held",
    )


CONSENT_PUT = Operation(
    op="consent.put",
    content_type=CONSENT_PUT_CONTENT_TYPE,
    read=ConsentPutBody.from_bytes,
    list_consents=lambda body: tuple(hash_consent(one.token) for one in body.consents),
    decide=decide,
)
