"""Wire mails: what counts as waiting for which role, and the server that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from node.bootstrap.local import LocalNode
from node.core.config import SettingsError
from node.core.mail.rules import RecipientsError, parse_address
from node.core.mail.service import MailService, open_mail_server
from node.core.people.service import Role
from node.core.policies.rules_states import PolicyState
from node.core.threads import finish_in_thread
from node.decision.rules_state import DecisionState
from node.governance.cases.rules_case import OPEN, CaseKind, CaseState
from node.governance.cases.store import CaseFilter
from node.rating.overrides.rules_override import OverrideState

COUNTED_MAX = 200  # of one kind: more are as many for a person
CORRECTABLE = (CaseState.UPHELD, CaseState.SUPPRESSED)


def build_mail(local: LocalNode) -> MailService:
    """Return the service of mails of a node.

    Raises:
        SettingsError: A server is set without a sender, or the recipients cannot be read.
        KeyFileError: A user is set, and its password is not there.
    """
    settings = local.settings
    if settings.mail_host:
        try:
            parse_address(settings.mail_from)
        except RecipientsError as err:
            raise SettingsError("setting mail_from: not a mail address") from err
    try:
        return MailService(
            database=local.database,
            clock=local.clock,
            settings=settings,
            today=local.business_date,
            count_waiting=partial(count_waiting, local),
            server=open_mail_server(settings),
        )
    except RecipientsError as err:
        raise SettingsError(f"setting mail_recipients: {err.detail}") from err


def count_waiting(local: LocalNode) -> Mapping[Role, int]:
    """Return how many things wait for each role: numbers, and nothing of what they are."""
    today, cases = local.business_date(), local.governance.cases
    decisions = len(
        local.decision_reports.list_decisions(states={DecisionState.SUBMITTED}, limit=COUNTED_MAX)
    )
    overrides = sum(one.state is OverrideState.WAITING for one in local.overrides.list_open())
    policies = sum(
        one.state is PolicyState.PROPOSED for one in local.policies.list_versions(limit=COUNTED_MAX)
    )
    late = len(cases.list_cases(CaseFilter(states=OPEN, late_on=today), limit=COUNTED_MAX))
    upheld = cases.list_cases(
        CaseFilter(states=CORRECTABLE, kinds=(CaseKind.OBJECTION,)), limit=COUNTED_MAX
    )
    corrections = sum(one.corrected_on is None for one in upheld)
    approvals = decisions + overrides
    return {
        Role.OPERATOR: approvals + policies + late + corrections,
        Role.CREDIT_MANAGER: approvals + policies + late,
        Role.CFO: approvals,
        Role.COLLECTOR: late,
        Role.STEWARD: corrections,
    }


async def send_mails(mail: MailService) -> int:
    """Queue what is to be told today, send what is due; return how many mails went."""
    if not mail.is_on:
        return 0
    await finish_in_thread(mail.queue_daily)
    return await finish_in_thread(mail.send_due)
