"""What the room of losses is given of the other rooms: scales, the risk policy, facts, grades."""

from __future__ import annotations

from datetime import date

from node.bootstrap.policies import PolicySources
from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import Database, UnitOfWork
from node.rating.overrides.reading import OverrideReader
from node.risk.facts.reading import FactReader
from node.risk.losses.room import Losses, LossSources, build_losses


def build_loss_room(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    sources: PolicySources,
    facts: FactReader,
    overrides: OverrideReader,
) -> Losses:
    """Wire provisions, reminders, the register, shares and stress."""

    def list_overridden(uow: UnitOfWork, day: date) -> dict[int, str]:
        in_force = overrides.list_all_in_force(uow, day=day)
        return {key: one.grade_own_after for key, one in in_force.items()}

    return build_losses(
        database=database,
        clock=clock,
        sources=LossSources(
            scales=sources.scales, risk=sources.risk, facts=facts, list_overridden=list_overridden
        ),
        business_date=settings.business_date,
        sender=settings.name or settings.member_id,
    )
