"""The console of a node whose customer is the subject, with the pages of subjects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from node.bootstrap.local import LocalNode
from node.sharing.auditing import AuditService
from node.sharing.inquiring import InquiryService
from node.sharing.inquiry_desk import InquiryDesk
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService
from node.sharing.subjects.room import Subjects
from node.sharing.upkeep import Upkeep
from tests.support.exchanges import Scene, build_scene
from tests.support.inquiries import build_inquiries
from tests.support.nodes import SUBJECT
from tests.support.subjects import build_test_subjects
from tests.support.upkeep import build_upkeep

OPERATOR_TOKEN = "the-operators-token-of-these-tests"


@dataclass(frozen=True, kw_only=True)
class SubjectSite:
    """The consumer of a scene, as far as its console and its subjects' pages need it."""

    scene: Scene
    subjects: Subjects
    auditing: AuditService
    api_token: str = OPERATOR_TOKEN

    @cached_property
    def inquiries(self) -> InquiryService:
        return build_inquiries(self.scene.consumer)

    @cached_property
    def inquiry_desk(self) -> InquiryDesk:
        return InquiryDesk(self.inquiries)

    @cached_property
    def upkeep(self) -> Upkeep:
        return build_upkeep(self.scene.consumer)

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
