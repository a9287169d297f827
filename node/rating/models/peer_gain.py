"""What peers' summaries add to a trained model, on own customers: two models on the same rows.

One learns from own records, the other from the same rows with what peers had told by then. Neither
is kept: nothing that peers have said lies in the registry, and no rating is scored by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.assessment.policy import Policy
from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import Feature
from node.core.database import Database
from node.core.errors import RejectedError
from node.core.policies.source import PolicySource
from node.rating.models.extra import check_models_extra
from node.rating.models.ledger_rows import build_ledger_rows, find_opening, get_gap_days
from node.rating.models.peer_rows import PEERS, ListKnownPeers, add_peer_columns, count_told
from node.rating.models.report import Judged, judge
from node.rating.models.table import TrainingTable, split_by_time
from node.rating.models.training import train_model
from node.rating.models.training_policy import TrainingPolicy
from node.rating.validation.comparison import Difference, compare_auc


class NothingToldError(RejectedError):
    """By no day that teaches, or by none that tests, had a peer told what may train a model."""

    code = "model-nothing-told"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerGain:
    """Both models on the same later rows; ``factors`` are those of peers that were kept.

    ``told_*`` count the rows of which a peer had told anything.
    """

    train_rows: int
    train_told: int
    test_told: int
    own: Judged
    with_peers: Judged
    difference: Difference
    factors: tuple[Feature, ...]
    bads_min: int
    """Below so many customers who turned bad nothing is concluded."""


class PeerGainService:
    """Reads and computes; it writes nothing."""

    def __init__(
        self,
        *,
        database: Database,
        policies: PolicySource[TrainingPolicy],
        cards: PolicySource[Policy],
        list_known: ListKnownPeers,
    ) -> None:
        """The active one of ``cards`` says how bands are read and how peers are combined."""
        self._database = database
        self._policies = policies
        self._cards = cards
        self._list_known = list_known

    def measure(self, *, today: date, opening: date | None = None) -> PeerGain:
        """Train with and without peers on the earlier rows, and judge both on the later ones.

        Raises:
            ModelsExtraMissingError: The libraries are not installed.
            TrainingTableError: There are too few rows to split, or none is bad.
            NothingToldError: No row that teaches, or none that tests, has a summary.
            BinningTimeoutError: The solver ran out of time.
        """
        check_models_extra()
        with self._database.read() as uow:
            policy, card = self._policies.read_active(uow), self._cards.read_active(uow)
            opened = find_opening(uow, stated=opening)
            own = build_ledger_rows(uow, policy=policy.body, today=today, opening=opened)
            both = add_peer_columns(uow, own, list_known=self._list_known, body=card.body)
        parts = [_split(table, policy=policy, today=today) for table in (own, both)]
        (train, _), (train_both, test_both) = parts
        told = count_told(train_both), count_told(test_both)
        if not all(told):
            raise NothingToldError(
                f"{told[0]} rows that teach and {told[1]} that test have a kept summary whose "
                "consent lets a model be derived"
            )
        names = LocalText(zh="同行", en="peers")
        models = [
            train_model(table, policy=policy, model_id="peers", names=names) for table, _ in parts
        ]
        judged = [
            judge(model, test, rules=policy.body.validation, is_later=True)
            for model, (_, test) in zip(models, parts, strict=True)
        ]
        return PeerGain(
            train_rows=len(train.rows),
            train_told=told[0],
            test_told=told[1],
            own=judged[0],
            with_peers=judged[1],
            difference=compare_auc(
                judged[0].probabilities,
                judged[1].probabilities,
                test_both.outcomes,
                groups=test_both.groups,
            ),
            factors=tuple(one for one in models[1].body.features if one.source == PEERS),
            bads_min=policy.body.validation.bads_min,
        )


def _split(
    table: TrainingTable, *, policy: TrainingPolicy, today: date
) -> tuple[TrainingTable, TrainingTable]:
    share = policy.body.outcome.test_share_permille
    gap_days = get_gap_days(policy.body, until=today)
    return split_by_time(table, test_share_permille=share, gap_days=gap_days)
