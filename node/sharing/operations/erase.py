"""``erase``: a consumer's signed word that the bodies of our answers are gone there."""

from __future__ import annotations

from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.sealing import build_ack
from node.sharing.store.attestations import AttestationStore
from protocol.encoding import decode_b64u
from protocol.limits import HASH_BYTES
from schemas.notices import ERASE_CONTENT_TYPE, EraseBody


def decide(case: Case, body: EraseBody) -> Verdict:
    """Keep which of our answers and pushes this peer has erased; others are passed over."""
    AttestationStore(case.batch.connection).add_attested(
        [decode_b64u(answer, bytes_exact=HASH_BYTES) for answer in body.answers],
        peer=case.opened.envelope.iss,
        msg=case.opened.msg_hash,
        basis=body.basis,
        at_ms=case.batch.now_ms,
    )
    return Verdict(content=build_ack(case.opened.msg_hash), code="erase")


ERASE = Operation(
    op="erase",
    content_type=ERASE_CONTENT_TYPE,
    read=EraseBody.from_bytes,
    list_consents=lambda _body: (),
    decide=decide,
)
