"""Wire what is known of customers besides the ledger: statements, outside reports, applications."""

from __future__ import annotations

from dataclasses import dataclass

from node.assessment.application.checklist import Checklist, read_preset_checklist
from node.assessment.application.service import ApplicationService
from node.assessment.evidence_life import EvidenceLife
from node.assessment.outside.service import OutsideService
from node.assessment.statements.service import StatementService
from node.assessment.statements.taxonomies import read_taxonomies
from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import Database
from node.records.rules_retention import RetentionPolicy
from node.records.tombstones import NameHasher


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The services, and the checklist of an application's documents."""

    statements: StatementService
    outside: OutsideService
    applications: ApplicationService
    life: EvidenceLife
    checklist: Checklist


def build_evidence(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    policy: RetentionPolicy,
    hasher: NameHasher | None,
) -> Evidence:
    """Wire the services.

    Raises:
        ConceptsInvalidError: The file of concepts cannot be read, or is not of the form.
    """
    today = settings.business_date
    checklist = read_preset_checklist()
    return Evidence(
        statements=StatementService(
            database=database,
            clock=clock,
            business_date=today,
            keep_months=settings.statement_keep_months,
            taxonomies=read_taxonomies(settings.statement_concepts, home=settings.home),
        ),
        outside=OutsideService(database=database, clock=clock, hasher=hasher, business_date=today),
        applications=ApplicationService(
            database=database, clock=clock, checklist=checklist, business_date=today
        ),
        life=EvidenceLife(
            database=database, clock=clock, policy=policy, hasher=hasher, business_date=today
        ),
        checklist=checklist,
    )
