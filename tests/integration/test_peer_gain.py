"""What peers' summaries add to a trained model: the same rows with and without them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from node.assessment.evidence import PeerSummaryRecord
from node.assessment.policy import read_preset_policy
from node.core.database import UnitOfWork
from node.core.people.service import PeopleService
from node.rating.models.commands import model_app
from node.rating.models.ledger_rows import build_ledger_rows
from node.rating.models.peer_gain import NothingToldError, PeerGainService
from node.rating.models.peer_rows import COLUMNS, add_peer_columns, count_told
from schemas.summary import Index
from tests.integration.test_models import POLICY, write_ledger
from tests.support.console_node import build_summary
from tests.support.ledgers import TODAY, House
from tests.support.policies import FixedPolicies

CARD = read_preset_policy()
FIRST = date(2023, 1, 5)


class Peers:
    """A peer who knows who will be late once: what it says parts the good from the bad."""

    def __init__(self, *, may_train: bool = True) -> None:
        self.may_train = may_train

    def list_known(
        self, uow: UnitOfWork, subjects: Sequence[str]
    ) -> Mapping[str, Sequence[PeerSummaryRecord]]:
        assert not uow.connection.closed
        return {one: self._tell(one) for one in subjects if int(one[-3:]) % 5}

    def _tell(self, subject: str) -> list[PeerSummaryRecord]:
        told = []
        for number in range(14):
            day = FIRST + timedelta(days=91 * number)
            summary = build_summary(subject)
            index = summary.index
            assert index is not None
            month = f"{day.year:04d}-{day.month:02d}"
            window = summary.window.model_copy(
                update={"first": f"{day.year - 1:04d}-{day.month:02d}", "last": month}
            )
            window = window.model_copy(update={"as_of": day.isoformat()})
            value = 40 if int(subject[-3:]) in {1, 13} else 80
            told.append(
                PeerSummaryRecord(
                    provider="b.example",
                    msg_hash_b64u=f"{subject}-{number}",
                    summary=summary.model_copy(
                        update={
                            "window": window,
                            "index": Index(value=value, weighting=index.weighting),
                        }
                    )
                    if self.may_train
                    else None,
                    received_on=day,
                    left_out="" if self.may_train else "not-for-rating",
                )
            )
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    house: House
    peer_gain: PeerGainService
    people: PeopleService

    def business_date(self) -> date:
        return TODAY


def build_service(house: House, peers: Peers) -> PeerGainService:
    return PeerGainService(
        database=house.database,
        policies=FixedPolicies(POLICY, hash_of=lambda one: one.sha256_b64u),
        cards=FixedPolicies(CARD, hash_of=lambda one: one.reference.sha256_b64u),
        list_known=peers.list_known,
    )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("gain")
    house = House(folder)
    write_ledger(folder / "ledger.csv")
    house.records.import_file(folder / "ledger.csv", source="test")
    yield Desk(
        house=house,
        peer_gain=build_service(house, Peers()),
        people=PeopleService(database=house.database, clock=house.clock, random_bytes=bytes),
    )
    house.database.dispose()


def test_rows_outcomes_and_own_values_are_those_without_peers(desk: Desk) -> None:
    with desk.house.database.read() as uow:
        own = build_ledger_rows(uow, policy=POLICY.body, today=TODAY)
        both = add_peer_columns(uow, own, list_known=Peers().list_known, body=CARD.body)

    assert (both.outcomes, both.days, both.groups) == (own.outcomes, own.days, own.groups)
    assert tuple(row[: len(own.columns)] for row in both.rows) == own.rows
    assert 0 < count_told(both) < len(both.rows)  # of every fifth customer nobody tells
    for row, day in zip(both.rows, both.days or (), strict=True):
        assert (row[-1] is None) or day >= FIRST
        assert (row[-1] is None) == (set(row[-len(COLUMNS) :]) == {None})


def test_both_models_are_judged_on_the_same_rows_and_few_bad_ones_conclude_nothing(
    desk: Desk,
) -> None:
    said = CliRunner().invoke(model_app, ["peers", "--json"], obj=desk, catch_exceptions=False)
    table = CliRunner().invoke(
        model_app, ["peers", "--lang", "zh"], obj=desk, catch_exceptions=False
    )

    shown = json.loads(said.stdout)
    assert shown["own"]["figures"]["rows"] == shown["with_peers"]["figures"]["rows"]
    assert 0 < shown["train_told"] < shown["train_rows"]
    assert shown["verdict"] == "few"
    assert "违约客户太少" in table.output
    assert shown["factors"], "no factor of peers was kept"
    for factor in shown["factors"]:
        assert factor["source"] == "peer-summaries"
        (missing,) = [one for one in factor["bins"] if one["kind"] == "missing"]
        assert missing["rows"] > 0  # on whom nobody told anything
    assert "peers" in {one.what for one in desk.people.list_accesses()}


def test_summaries_whose_consent_lets_no_model_be_derived_teach_nothing(desk: Desk) -> None:
    service = build_service(desk.house, Peers(may_train=False))

    with pytest.raises(NothingToldError, match="0 rows that teach and 0 that test"):
        service.measure(today=TODAY)
