"""What goes with the terms of the records, of all rooms that keep something of customers."""

from __future__ import annotations

from node.assessment.evidence_life import EvidenceLife
from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import Database
from node.governance.cases.store import KEPT as CASES_KEPT
from node.records.due import JoinedExpiry
from node.records.lifecycle import LifecycleService
from node.records.room_life import RoomLife
from node.records.rules_retention import RetentionPolicy
from node.records.tombstones import NameHasher
from node.risk.keeping.store import KEPT, list_named


def build_lifecycle(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    policy: RetentionPolicy,
    hasher: NameHasher | None,
    evidence: EvidenceLife,
) -> LifecycleService:
    """Wire what is due and deleted: records, evidence, and what the rooms above keep."""
    rooms = RoomLife(database=database, policy=policy, kinds=(*KEPT, CASES_KEPT))
    return LifecycleService(
        database=database,
        clock=clock,
        policy=policy,
        hasher=hasher,
        business_date=settings.business_date,
        evidence=JoinedExpiry(parts=(evidence, rooms)),
        list_named=lambda uow, items, papers: list_named(uow.connection, items, papers),
    )
