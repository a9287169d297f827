"""Which customers are natural persons or sole traders, by anything that is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from node.records.rules_retention import PERSON_KIND, SOLE_TRADER_START, USCC_SCHEMES
from node.records.store.visibility import stands
from node.records.tables import customer, customer_identifier, customer_merge

if TYPE_CHECKING:
    from sqlalchemy import Connection


def list_person_ids(connection: Connection) -> frozenset[int]:
    """Return the keys of all of them; whoever one of them was merged into is one too."""
    own, further = (
        and_(table.c.scheme.in_(USCC_SCHEMES), table.c.value.startswith(SOLE_TRADER_START))
        for table in (customer, customer_identifier)
    )
    found = set(
        connection.execute(
            select(customer.c.id).where(or_(customer.c.kind == PERSON_KIND, own))
        ).scalars()
    )
    found.update(
        connection.execute(select(customer_identifier.c.customer_id).where(further)).scalars()
    )
    merged = connection.execute(
        select(customer_merge.c.customer_id, customer_merge.c.into_id).where(
            stands(None, customer_merge)
        )
    ).all()
    count = -1
    while count != len(found):  # A merge into one that was merged itself.
        count = len(found)
        found.update(into_id for customer_id, into_id in merged if customer_id in found)
    return frozenset(found)
