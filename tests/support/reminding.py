"""A house whose customers are reminded, on days that a test lets pass."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from node.core.database import UnitOfWork
from node.risk.dunning.charging import ChargeSelection, ChargeService
from node.risk.dunning.policy import DunningPolicy, parse_dunning_policy
from node.risk.dunning.policy_kind import build_dunning_kind
from node.risk.dunning.rules_letter import LetterState
from node.risk.dunning.service import STRETCH_CUSTOMERS, DunningService, LetterSelection
from node.risk.dunning.store import Charge, DunningRun, Letter, LetterStore
from tests.support.ledgers import TODAY, House
from tests.support.risks import Watchtower

SHIPPED: dict[str, Any] = json.loads(build_dunning_kind().presets[-1])
EVERY = frozenset(LetterState)


class Reminding:
    """A house whose customers are reminded, on days that a test lets pass."""

    def __init__(self, folder: Path) -> None:
        self.tower = Watchtower(folder)
        self.house: House = self.tower.house
        self.policy = parse_dunning_policy(json.dumps(SHIPPED).encode())
        self.stretch_customers = STRETCH_CUSTOMERS
        self.service = self.open(TODAY)

    def read_active(self, uow: UnitOfWork) -> DunningPolicy:
        assert uow.connection is not None
        return self.policy

    def get_active(self) -> DunningPolicy:
        return self.policy

    def find(self, sha256_b64u: str) -> DunningPolicy | None:
        return self.policy if sha256_b64u == self.policy.sha256_b64u else None

    def open(self, day: date) -> DunningService:
        return DunningService(
            database=self.house.database,
            clock=self.house.clock,
            policies=self,
            business_date=day,
            stretch_customers=self.stretch_customers,
        )

    def charge(self, *, fee_minor: int = 0, ppm: int = 0, **changed: object) -> None:
        """Have every level of the policy ask for a fee in CNY, and for interest."""
        segment = SHIPPED["segments"][0]
        fees = [{"currency": "CNY", "amount_minor": fee_minor}] if fee_minor else []
        levels = [{**one, "fees": fees, "interest_ppm": ppm} for one in segment["levels"]]
        body = {**SHIPPED, "segments": [{**segment, "levels": levels}], **changed}
        self.policy = parse_dunning_policy(json.dumps(body).encode())

    def open_charges(self, day: date) -> ChargeService:
        return ChargeService(
            database=self.house.database, clock=self.house.clock, business_date=day
        )

    def list_charges(self, day: date = TODAY, **asked: Any) -> list[Charge]:  # noqa: ANN401
        return self.open_charges(day).list_charges(ChargeSelection(**asked))

    def run(self, day: date = TODAY) -> DunningRun:
        self.service = self.open(day)
        return self.service.run(by="li")

    def list(self, states: frozenset[LetterState] = EVERY) -> list[Letter]:
        return self.service.list_letters(LetterSelection(states=states))

    def send(self, day: date = TODAY) -> Letter:
        """Run, and release the one letter that waits."""
        self.run(day)
        (letter,) = self.list(frozenset({LetterState.PROPOSED}))
        return self.service.release(letter.letter_id, by="wang")

    def read_levels(self, day: date) -> dict[int, int] | None:
        with self.house.database.read() as uow:
            return LetterStore(uow.connection).list_levels([self.house.customer_id], as_of=day)


def later(days: int) -> date:
    return TODAY + timedelta(days=days)
