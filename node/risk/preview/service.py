"""Use case of the preview: judge the portfolio by two policies, and keep the summary alone.

Read in stretches, each in a transaction of its own: memory is flat and writers are not held up.
Nothing of a customer is written, whatever is found.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from node.core.database import Database
from node.core.policies.records import PolicyPreview
from node.core.policies.rules_states import Actor
from node.core.policies.service import PolicyService
from node.records.store import RecordsStore
from node.risk.alerts.rules_alert import list_causes
from node.risk.daily.judging import CustomerJudge, Judgement
from node.risk.policies.policy import RiskPolicy, parse_risk_policy
from node.risk.preview.rules_preview import RiskTally, Told
from protocol.strict_json import JsonObject

PREVIEW_CUSTOMERS = 200  # read in one transaction


class RiskPreviewService:
    """Tries a risk policy on the portfolio; one stretch, one reading transaction."""

    def __init__(
        self, *, database: Database, judge: CustomerJudge, policies: PolicyService
    ) -> None:
        """``judge`` reads nothing that peers have said; ``policies`` keeps what was found."""
        self._database = database
        self._judge = judge
        self._policies = policies

    def preview(
        self,
        version_id: int,
        *,
        as_of: date,
        actor: Actor,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> PolicyPreview:
        """Judge every customer by a version and by the active one, and keep the summary.

        ``on_progress`` hears how many customers are done, of how many.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PolicyChangedError: It, or what is active, changed meanwhile.
        """
        record = self._policies.get(version_id)
        base = self._policies.get_active(record.name.kind)
        before, after = (
            parse_risk_policy(self._policies.get_content(one.text.text_id))
            for one in (base, record)
        )
        tally, done, last = RiskTally(), 0, 0
        with self._database.read() as uow:
            total = RecordsStore(uow.connection).count_customers()
        while keys := self._read_page(last, as_of=as_of, policies=(before, after), tally=tally):
            done, last = done + len(keys), keys[-1]
            if on_progress is not None:
                on_progress(done, max(done, total))
        return self._policies.keep_preview(
            version_id,
            seen_sha256_b64u=record.text.sha256_b64u,
            base_sha256_b64u=base.text.sha256_b64u,
            as_of=as_of,
            actor=actor,
            summary={
                "kind": record.name.kind,
                "before": _name(before),
                "after": _name(after),
                "scores": "none",
                **tally.sum_up(),
            },
        )

    def _read_page(
        self,
        after: int,
        *,
        as_of: date,
        policies: tuple[RiskPolicy, RiskPolicy],
        tally: RiskTally,
    ) -> list[int]:
        # The keys of the page, so that the preview goes on behind it.
        with self._database.read() as uow:
            page = RecordsStore(uow.connection).list_customers(limit=PREVIEW_CUSTOMERS, after=after)
            judged = self._judge.judge_each(uow, page, policies=policies, as_of=as_of)
        for one, other in zip(*judged, strict=True):
            tally.add(one.customer_id, _tell(one), _tell(other))
        return [one.customer_id for one in page]


def _tell(one: Judgement) -> Told:
    causes = list_causes(one.judged, one.signals)
    return Told(
        status=one.status_own,
        rules={found.cause: found.rule for found in causes if not found.is_of_peers},
    )


def _name(policy: RiskPolicy) -> JsonObject:
    return {"label": policy.label, "sha256": policy.sha256_b64u}
