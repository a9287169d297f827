"""Orders that race for the last of a limit, from several processes over one store."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date

import node.bootstrap.local  # noqa: F401  every room's tables
from node.core.clock import ManualClock
from node.core.database import Database
from node.core.field_keys import FieldCipher
from node.core.fields import set_cipher
from node.core.keystore import draw_bytes
from node.decision.policy import read_preset_decision_policy
from node.risk.checks.parameters import read_rules
from node.risk.checks.request import CheckRequest
from node.risk.checks.rules_check import CheckPoint
from node.risk.policies.policy import read_preset_risk_policy
from node.risk.wiring import build_risk
from tests.support.field_secrets import FixedSecrets


def race(url: str, name: str, customer_ids: Sequence[int], amount_minor: int) -> None:
    """Order of each customer in turn and write which of the orders went through."""
    database = Database(url=url)
    set_cipher(database, FieldCipher(secrets=FixedSecrets(), random_bytes=draw_bytes))
    policy = read_preset_decision_policy()
    rules = read_rules(read_preset_risk_policy())
    risk = build_risk(
        database=database,
        clock=ManualClock(1_782_800_000_000),
        find_policy=lambda: policy,
        find_rules=lambda _uow: rules,
        business_date=date(2026, 3, 31),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for key in customer_ids:
        answer = risk.checks.check(
            CheckRequest(
                point=CheckPoint.ORDER,
                customer_id=key,
                number=f"{name}-{key}",
                currency="CNY",
                amount_minor=amount_minor,
            ),
            key=name,
            by="erp",
        )
        sys.stdout.write(f"{key} {int(answer['may_proceed'])}\n")
    database.dispose()


if __name__ == "__main__":
    race(sys.argv[1], sys.argv[2], [int(one) for one in sys.argv[3].split(",")], int(sys.argv[4]))
