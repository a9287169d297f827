"""``receipt``: the asker's signed word that our answers have arrived."""

from __future__ import annotations

from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.sealing import build_answer
from node.sharing.store.due import DueStore
from protocol.receipt import RECEIPT_CONTENT_TYPE, parse_receipt
from schemas.exchange import RECEIPT_HELD_CONTENT_TYPE, ReceiptHeldBody


def decide(case: Case, answers: tuple[bytes, ...]) -> Verdict:
    """Keep which of our answers to this peer are acknowledged."""
    peer = case.opened.envelope.iss
    store = DueStore(case.batch.connection)
    known = store.list_known_answers(answers, peer=peer)
    store.add_receipts(known, peer=peer, msg=case.opened.msg_hash)
    body = ReceiptHeldBody(v=1, kind="receipt-held", answers=len(known))
    return Verdict(
        content=build_answer(body.to_bytes(), content_type=RECEIPT_HELD_CONTENT_TYPE),
        code="receipt",
    )


RECEIPT = Operation(
    op="receipt",
    content_type=RECEIPT_CONTENT_TYPE,
    read=parse_receipt,
    list_consents=lambda _answers: (),
    decide=decide,
)
