"""What subjects do on a node of tests: its services, and terms for the subject it knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from node.bootstrap.local import LocalNode
from node.sharing.auditing import AuditService
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService
from node.sharing.subjects.room import Subjects, build_subjects
from node.sharing.subjects.rules_terms import ConsentTerms
from protocol.purpose import METRICS
from tests.support.exchanges import Scene, build_scene
from tests.support.nodes import SUBJECT, CountingBytes, TestNode

OPERATOR_TOKEN = "the-operators-token-of-these-tests"

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


@dataclass(frozen=True, kw_only=True)
class SubjectSite:
    """The consumer of a scene, as far as its console and its subjects' pages need it."""

    scene: Scene
    subjects: Subjects
    auditing: AuditService
    api_token: str = OPERATOR_TOKEN

    @property
    def local(self) -> LocalNode:
        return self.scene.consumer.local

    @property
    def consents(self) -> ConsentService:
        return self.scene.consumer.consents

    @property
    def registry(self) -> RegistryHolder:
        return self.scene.consumer.registry


def build_subject_site(folder: Path, *, member_count: int = 3) -> SubjectSite:
    """Return the site of a consumer whose customer is the subject; its provider knows it too."""
    scene = build_scene(folder, member_count=member_count)
    node = scene.consumer
    node.local.records.add_customer(
        scheme=SUBJECT.scheme, value=SUBJECT.value, name="Hongda 宏达", country="CN"
    )
    auditing = AuditService(
        database=node.local.database,
        writer=node.writer,
        registry=node.registry,
        people=node.local.people,
        clock=scene.federation.clock,
        member_id=node.member_id,
    )
    return SubjectSite(scene=scene, subjects=build_test_subjects(node), auditing=auditing)
