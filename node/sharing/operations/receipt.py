"""``receipt``: the asker's signed word that our answers have arrived."""

from __future__ import annotations

from collections.abc import Sequence

from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.sealing import build_answer
from node.sharing.store.due import DueStore
from node.sharing.store.pending import PendingStore
from protocol.encoding import decode_b64u
from protocol.limits import HASH_BYTES
from protocol.receipt import RECEIPT_CONTENT_TYPE, parse_receipt
from schemas.exchange import RECEIPT_HELD_CONTENT_TYPE, PollBody, ReceiptHeldBody


def decide(case: Case, answers: tuple[bytes, ...]) -> Verdict:
    """Keep which of our answers to this peer are acknowledged."""
    peer = case.opened.envelope.iss
    store = DueStore(case.batch.connection)
    known = store.list_known_answers(answers, peer=peer)
    store.add_receipts(known, peer=peer, msg=case.opened.msg_hash)
    _settle_polls(PendingStore(case.batch.connection), known)
    body = ReceiptHeldBody(v=1, kind="receipt-held", answers=len(known))
    return Verdict(
        content=build_answer(body.to_bytes(), content_type=RECEIPT_HELD_CONTENT_TYPE),
        code="receipt",
    )


def _settle_polls(store: PendingStore, answers: Sequence[bytes]) -> None:
    """Forget the questions whose later answers have arrived: nobody may poll for them any more."""
    for body in store.list_settled_polls(answers):
        question = PollBody.from_bytes(body).request
        store.forget(decode_b64u(question, bytes_exact=HASH_BYTES))


RECEIPT = Operation(
    op="receipt",
    content_type=RECEIPT_CONTENT_TYPE,
    read=parse_receipt,
    list_consents=lambda _answers: (),
    decide=decide,
)
