"""What a console needs of a node of a scene, made when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from node.bootstrap.local import LocalNode
from node.sharing.auditing import AuditService
from node.sharing.consents import ConsentVerdicts
from node.sharing.inquiring import InquiryService
from node.sharing.inquiry_desk import InquiryDesk
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService
from node.sharing.subjects.room import Subjects
from node.sharing.upkeep import Upkeep
from tests.support.exchanges import Scene
from tests.support.nodes import TestNode
from tests.support.subjects import build_test_subjects
from tests.support.upkeep import build_upkeep

OPERATOR_TOKEN = "the-operators-token-of-these-tests"


@dataclass(kw_only=True)
class SceneConsole:
    """A member's node as a console needs it."""

    scene: Scene
    member: TestNode
    api_token: str = OPERATOR_TOKEN

    @property
    def local(self) -> LocalNode:
        return self.member.local

    @property
    def consents(self) -> ConsentService:
        return self.member.consents

    @property
    def registry(self) -> RegistryHolder:
        return self.member.registry

    @cached_property
    def inquiries(self) -> InquiryService:
        return build_inquiries(self.member)

    @cached_property
    def inquiry_desk(self) -> InquiryDesk:
        return InquiryDesk(self.inquiries)

    @cached_property
    def upkeep(self) -> Upkeep:
        return build_upkeep(self.member)

    @cached_property
    def auditing(self) -> AuditService:
        return build_auditing(self.member)

    @cached_property
    def subjects(self) -> Subjects:
        return build_test_subjects(self.member)


def build_inquiries(node: TestNode) -> InquiryService:
    """Return the inquiries of a node."""
    return InquiryService(
        database=node.local.database,
        clock=node.local.clock,
        sealer=node.sealer,
        fan_out=node.fan_out,
        registry=node.registry,
        verdicts=ConsentVerdicts(),
    )


def build_auditing(node: TestNode) -> AuditService:
    """Return what an auditor may see of a node."""
    return AuditService(
        database=node.local.database,
        writer=node.writer,
        registry=node.registry,
        people=node.local.people,
        clock=node.local.clock,
        member_id=node.member_id,
    )
