"""What subjects do on a node of tests: its services, and terms for the subject it knows."""

from __future__ import annotations

from node.sharing.subjects.room import Subjects, build_subjects
from node.sharing.subjects.rules_terms import ConsentTerms
from protocol.purpose import METRICS
from tests.support.nodes import SUBJECT, CountingBytes, TestNode

TERMS = ConsentTerms(
    subject=SUBJECT,
    consumer="alpha.example",
    providers=("beta.example",),
    purpose="P1",
    metrics=METRICS,
    last_months=12,
    days=90,
    max_uses=10,
)


def build_test_subjects(node: TestNode, *, seed: int = 9) -> Subjects:
    """Wire the services on the ports of a node of tests."""
    return build_subjects(
        database=node.local.database,
        clock=node.local.clock,
        registry=node.registry,
        consents=node.consents,
        asking=node.asking,
        check_exchanging=lambda: None,
        random_bytes=CountingBytes(seed),
        member_id=node.member_id,
    )
