"""What goes out in an export beside the records: nothing refers to what follows it.

Policies and decisions with their texts, orders, limits, what risk has found, and cases. What peers
have told does not: a file that is taken away cannot be erased when a consent ends, so a proposal
goes out as it would stand after an erasure.
"""

from __future__ import annotations

from node.assessment.application.tables import APPLICATION_TABLES
from node.assessment.outside.tables import OUTSIDE_TABLES
from node.assessment.statements.tables import STATEMENT_TABLES
from node.core.policies.tables import (
    policy_active,
    policy_event,
    policy_plan,
    policy_preview,
    policy_text,
    policy_version,
)
from node.decision.keeping import erase_all_references
from node.decision.tables import (
    credit_decision,
    decision_application,
    decision_approval,
    decision_deputy,
    decision_event,
    decision_hand,
    decision_policy,
    decision_source,
    decision_version,
)
from node.governance.cases.tables import CASE_TABLES
from node.records.store.export import ExportSource, RewrittenTable
from node.risk.keeping.store import EXPORTED

MORE_TABLES: tuple[ExportSource, ...] = (
    *STATEMENT_TABLES,
    *OUTSIDE_TABLES,
    *APPLICATION_TABLES,
    policy_version,
    RewrittenTable(table=policy_text, texts={"content": bytes.decode}),
    policy_event,
    policy_active,
    policy_plan,
    policy_preview,
    decision_policy,
    RewrittenTable(table=credit_decision, texts={"proposal_json": erase_all_references}),
    decision_version,
    decision_event,
    decision_hand,
    decision_deputy,
    decision_approval,
    decision_source,
    decision_application,
    *EXPORTED,
    *CASE_TABLES,
)
