"""Use case of the preview: score and grade the portfolio twice, and keep the summary alone.

Read in batches, each in a transaction of its own: memory is flat and writers are not held up. A new
policy is tried on the evidence as it is now; a new scale grades the scores that are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from node.assessment.policy import Policy, parse_policy
from node.assessment.policy_kind import ASSESSMENT_POLICY
from node.assessment.results import Assessment
from node.assessment.rules_scorecard import Scorecard
from node.assessment.scoring import CustomerEvidence, choose_used
from node.assessment.service import COLLECTIVE_KIND, AssessmentService
from node.assessment.store import AssessmentStore
from node.core.database import Database
from node.core.errors import RejectedError
from node.core.policies.records import PolicyPreview, PolicyRecord
from node.core.policies.rules_states import Actor
from node.core.policies.service import PolicyService
from node.rating.grading import find_incidents
from node.rating.preview.rules_preview import Move, Standing, Tally, explain_points
from node.rating.rules_grade import grade
from node.rating.rules_grading import GradingEvidence, Scored, grade_one, read_scored
from node.rating.scale import Scale, ScaleBody, parse_scale
from node.rating.scale_kind import RATING_SCALE
from node.rating.store import RatingStore
from node.records.incidents import NO_INCIDENTS, Incidents
from node.records.store import RecordsStore
from node.records.windows import is_of_records
from protocol.strict_json import JsonObject

PREVIEW_BATCH_CUSTOMERS = 200

Progress = Callable[[int, int], None]


class PreviewKindError(RejectedError):
    """Policies of this kind change no grade: there is nothing to preview."""

    code = "policy-no-preview"


class PreviewDayError(RejectedError):
    """No portfolio is looked at as of this day: it is to come, or of before all records."""

    code = "policy-preview-day"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """By what customers are scored and graded."""

    card: Scorecard
    scale: Scale

    @property
    def policy(self) -> Policy:
        """The policy that scores."""
        return self.card.policy

    def grade(self, score_deci: int | None, *, is_default: bool) -> Standing:
        """Return where a score or a default leads; of a scale without criteria."""
        given = grade(score_deci=score_deci, scale=self.scale.body, default_event=is_default)
        return Standing(score_deci=score_deci, grade=given.symbol, is_default=is_default)

    def grade_evidence(self, evidence: GradingEvidence, scored: Scored, *, as_of: date) -> Standing:
        """Return where a score leads on evidence."""
        given = grade_one(evidence, scored, scale=self.scale.body, as_of=as_of)
        return Standing(
            score_deci=scored.score_deci,
            grade=given.grade.symbol,
            is_default=bool(given.default_events),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """The rules that are active, and those with one of them replaced."""

    kind: str
    before: _Rules
    after: _Rules

    @property
    def needs_evidence(self) -> bool:
        """Whether what is kept does not say it."""
        has_criteria = any(rules.scale.body.criteria for rules in (self.before, self.after))
        return self.kind == ASSESSMENT_POLICY or self.has_other_defaults or has_criteria

    @property
    def has_other_defaults(self) -> bool:
        """Whether the two scales call other facts a default."""
        return _events(self.before.scale.body) != _events(self.after.scale.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is known of a customer as of the day of the preview."""

    evidence: CustomerEvidence
    incidents: Incidents


class PreviewService:
    """Tries a version on the portfolio; one batch, one reading transaction."""

    def __init__(
        self,
        *,
        database: Database,
        assessment: AssessmentService,
        policies: PolicyService,
        today: Callable[[], date],
    ) -> None:
        """``assessment`` reads the evidence; ``policies`` keeps what was found."""
        self._today = today
        self._database = database
        self._assessment = assessment
        self._policies = policies

    def preview(
        self,
        version_id: int,
        *,
        as_of: date,
        actor: Actor,
        on_progress: Progress | None = None,
    ) -> PolicyPreview:
        """Try a version on every customer with an assessment, and keep the summary.

        ``on_progress`` hears how many customers are done, of how many.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PreviewDayError: The day is to come, or no record can be of it.
            PreviewKindError: Policies of its kind change no grade.
            PolicyChangedError: It, or what is active, changed meanwhile.
        """
        self.check_day(as_of)
        record = self._policies.get(version_id)
        base = self._policies.get_active(record.name.kind)
        trial = self._build_trial(record)
        tally = Tally(_list_grades(trial.before.scale), _list_grades(trial.after.scale))
        done = after = 0
        with self._database.read() as uow:
            total = RecordsStore(uow.connection).count_customers()
        while page := self._read_page(after, as_of=as_of, trial=trial, tally=tally):
            done += len(page)
            after = page[-1]
            if on_progress is not None:
                on_progress(done, max(done, total))
        return self._policies.keep_preview(
            version_id,
            seen_sha256_b64u=record.text.sha256_b64u,
            base_sha256_b64u=base.text.sha256_b64u,
            as_of=as_of,
            actor=actor,
            summary={**_name(trial), **tally.sum_up()},
        )

    def check_day(self, as_of: date) -> None:
        """Check that a portfolio can be looked at as of a day.

        Raises:
            PreviewDayError: It is to come, or no record can be of it.
        """
        if not is_of_records(as_of) or as_of > self._today():
            raise PreviewDayError("the business date, or a day before it")

    def _build_trial(self, record: PolicyRecord) -> _Trial:
        raw = self._policies.get_content(record.text.text_id)
        card = Scorecard(parse_policy(self._read_active(ASSESSMENT_POLICY)))
        scale = parse_scale(self._read_active(RATING_SCALE))
        before = _Rules(card=card, scale=scale)
        if record.name.kind == ASSESSMENT_POLICY:
            after = _Rules(card=Scorecard(parse_policy(raw)), scale=scale)
        elif record.name.kind == RATING_SCALE:
            after = _Rules(card=card, scale=parse_scale(raw))
        else:
            raise PreviewKindError(f"a {record.name.kind} changes no grade by itself")
        return _Trial(kind=record.name.kind, before=before, after=after)

    def _read_active(self, kind: str) -> bytes:
        return self._policies.get_content(self._policies.get_active(kind).text.text_id)

    def _read_page(self, after: int, *, as_of: date, trial: _Trial, tally: Tally) -> list[int]:
        # The keys of the page, so that the preview goes on behind it.
        with self._database.read() as uow:
            page = RecordsStore(uow.connection).list_customers(
                limit=PREVIEW_BATCH_CUSTOMERS, after=after
            )
            keys = [customer.customer_id for customer in page]
            scores = AssessmentStore(uow.connection).list_newest_scores(keys, as_of=as_of)
            kept = RatingStore(uow.connection).list_newest_grades(keys)
            tried = [
                customer
                for customer in page
                if customer.customer_id in scores and customer.kind != COLLECTIVE_KIND
            ]
            evidence = (
                self._assessment.read_evidence_of(uow, tried, as_of=as_of)
                if trial.needs_evidence
                else {}
            )
            incidents = find_incidents(
                uow,
                [*evidence],
                scales=[trial.before.scale.body, trial.after.scale.body],
                as_of=as_of,
            )
            for customer in tried:
                key = customer.customer_id
                kept_grade, has_default = kept.get(key, (None, False))
                seen = (
                    _Seen(evidence=evidence[key], incidents=incidents.get(key, NO_INCIDENTS))
                    if key in evidence
                    else None
                )
                if seen is not None and trial.kind == ASSESSMENT_POLICY:
                    move = _score(key, seen, trial, kept_grade=kept_grade, as_of=as_of)
                else:
                    move = _regrade(
                        key,
                        seen,
                        trial,
                        scores[key],
                        kept=(kept_grade, has_default),
                        as_of=as_of,
                    )
                tally.add(move)
        return keys


def _score(
    customer_id: int, seen: _Seen, trial: _Trial, *, kept_grade: str | None, as_of: date
) -> Move:
    before, standing_before = _assess_and_grade(seen, trial.before, as_of=as_of)
    after, standing_after = _assess_and_grade(seen, trial.after, as_of=as_of)
    return Move(
        customer_id=customer_id,
        before=standing_before,
        after=standing_after,
        kept_grade=kept_grade,
        has_peers=seen.evidence.has_peers,
        reasons=explain_points(before, after),
    )


def _regrade(
    customer_id: int,
    seen: _Seen | None,
    trial: _Trial,
    scored: tuple[int | None, bool],
    *,
    kept: tuple[str | None, bool],
    as_of: date,
) -> Move:
    kept_grade, has_default = kept
    score_deci, has_peers = scored
    if seen is None:
        # Both call the same facts a default: whether there is one stands in the rating.
        before, after = (
            rules.grade(score_deci, is_default=has_default) for rules in (trial.before, trial.after)
        )
    else:
        # The score is the one that is kept; what criteria read is as it is now.
        assessment, grading = _assess(seen, trial.before.card, as_of=as_of)
        now = replace(read_scored(assessment), score_deci=score_deci)
        before, after = (
            rules.grade_evidence(grading, now, as_of=as_of) for rules in (trial.before, trial.after)
        )
    return Move(
        customer_id=customer_id,
        before=before,
        after=after,
        kept_grade=kept_grade,
        has_peers=has_peers or (seen is not None and seen.evidence.has_peers),
    )


def _assess_and_grade(seen: _Seen, rules: _Rules, *, as_of: date) -> tuple[Assessment, Standing]:
    assessment, grading = _assess(seen, rules.card, as_of=as_of)
    return assessment, rules.grade_evidence(grading, read_scored(assessment), as_of=as_of)


def _assess(seen: _Seen, card: Scorecard, *, as_of: date) -> tuple[Assessment, GradingEvidence]:
    """Return what a policy makes of the evidence, and what a grade reads beside its score."""
    evidence = seen.evidence
    peers = evidence.read_peers(card.policy)
    assessment = evidence.assess(card, peers=peers, as_of=as_of)
    return assessment, GradingEvidence(
        own=evidence.own,
        peers=choose_used(peers, assessment),
        outside=evidence.outside,
        incidents=seen.incidents,
    )


def _list_grades(scale: Scale) -> list[str]:
    body = scale.body
    return [*(step.grade for step in body.grades), body.default.grade, body.missing.grade]


def _events(body: ScaleBody) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(body.default.own_events), frozenset(body.default.peer_events)


def _name(trial: _Trial) -> JsonObject:
    is_policy = trial.kind == ASSESSMENT_POLICY
    sides = [rules.policy if is_policy else rules.scale for rules in (trial.before, trial.after)]
    other = trial.before.scale if is_policy else trial.before.policy
    return {
        "kind": trial.kind,
        "before": {"label": sides[0].reference.label, "sha256": sides[0].reference.sha256_b64u},
        "after": {"label": sides[1].reference.label, "sha256": sides[1].reference.sha256_b64u},
        "beside": {"label": other.reference.label, "sha256": other.reference.sha256_b64u},
        "scores": "worked out anew" if is_policy else "as kept",
    }
