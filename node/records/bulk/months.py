"""The roll-up of imported invoices as one plain SQL text, equal to ``rules_behaviour`` in Python.

It is of the subset on which DuckDB, SQLite, PostgreSQL and Spark agree: integers (minor units, day
numbers), no division, no dates. What needs a division is looked up: ``delay_rule`` holds, for each
delay, what the rules in Python say.

It reads ``rolled_item`` (customer_id, currency, month, item_id, issued_day, due_day, amount_minor,
disputed_minor: 0 where nothing is in dispute) and ``rolled_part`` (item_id, paid_day, seen_day,
amount_minor). A dispute is open from the day of issue on and every part is a payment: the history
of a customer of which an import is all there is. Any other is rolled up in Python.
"""

from __future__ import annotations

from collections.abc import Iterator

from node.records.rules_behaviour import INDEX_POINTS, classify_delay, index_deci
from schemas.summary import DELAY_CLASSES, DelayClass

DELAY_DAYS_MIN = INDEX_POINTS[0][0]
DELAY_DAYS_MAX = INDEX_POINTS[-1][0]
UNPAID = DELAY_CLASSES.index(DelayClass.UNPAID)

_COUNTS = ",\n    ".join(
    f"count(*) filter (where is_rated = 1 and delay_class = {number})"
    for number in range(len(DELAY_CLASSES))
)
_LATE = "case when {0} > 0 then {0} else 0 end"
_CLAMPED = (
    f"case when {{0}} < {DELAY_DAYS_MIN} then {DELAY_DAYS_MIN} "
    f"when {{0}} > {DELAY_DAYS_MAX} then {DELAY_DAYS_MAX} else {{0}} end"
)

# Columns in the order of ``behaviour_month``; as_of is a day number and settled is 0 or 1.
MONTHS_SQL = f"""
with paid_whole as (
  select item_id, sum(amount_minor) as paid_minor, max(seen_day) as seen_day
  from rolled_part group by item_id
), group_state as (
  select customer_id, currency, month,
    count(*) filter (where i.amount_minor > coalesce(p.paid_minor, 0) or i.disputed_minor > 0)
      as open_count,
    max(case when coalesce(p.seen_day, i.issued_day) > i.issued_day
      then p.seen_day else i.issued_day end) as newest_day
  from rolled_item i left join paid_whole p on p.item_id = i.item_id
  group by customer_id, currency, month
), seen_group as (
  select customer_id, currency, month,
    case when open_count = 0 then 1 else 0 end as settled,
    case when open_count = 0 then newest_day else $release_day end as as_of
  from group_state where open_count = 0 or month <= $newest_month
), known_item as (
  select i.*, g.settled, g.as_of
  from rolled_item i join seen_group g
    on g.customer_id = i.customer_id and g.currency = i.currency and g.month = i.month
  where i.issued_day <= g.as_of
), seen_part as (
  select p.item_id, p.amount_minor, p.paid_day - i.due_day as delay_days
  from rolled_part p join known_item i on i.item_id = p.item_id
  where p.seen_day <= i.as_of
), paid_item as (
  select p.item_id, sum(p.amount_minor) as paid_minor, max(p.delay_days) as delay_days,
    sum(p.amount_minor * r.index_deci) as index_by_amount,
    sum(p.amount_minor * ({_LATE.format("p.delay_days")})) as late_by_amount
  from seen_part p join delay_rule r on r.delay_days = {_CLAMPED.format("p.delay_days")}
  group by p.item_id
), weighed as (
  select i.customer_id, i.currency, i.month, i.item_id, i.settled, i.as_of, i.due_day,
    i.amount_minor, i.disputed_minor, coalesce(p.paid_minor, 0) as paid_minor,
    i.amount_minor - coalesce(p.paid_minor, 0) as open_minor,
    case when i.amount_minor > coalesce(p.paid_minor, 0) then i.as_of - i.due_day
      else p.delay_days end as delay_days,
    coalesce(p.index_by_amount, 0) as index_by_amount,
    coalesce(p.late_by_amount, 0) as late_by_amount
  from known_item i left join paid_item p on p.item_id = i.item_id
), rated as (
  select w.*,
    case when w.disputed_minor = 0 and not (w.open_minor > 0 and w.due_day >= w.as_of)
      then 1 else 0 end as is_rated,
    case when w.open_minor > 0 then {UNPAID} else r.delay_class end as delay_class,
    r.index_deci, {_LATE.format("w.delay_days")} as late_days
  from weighed w join delay_rule r on r.delay_days = {_CLAMPED.format("w.delay_days")}
), ranked as (
  select rated.*, row_number() over (
    partition by customer_id, currency, month, is_rated order by amount_minor desc) as place
  from rated
)
select customer_id, currency, month, max(as_of) as as_of, max(settled) as settled,
    count(*) filter (where is_rated = 1),
    coalesce(sum(amount_minor) filter (where is_rated = 1), 0),
    coalesce(sum(paid_minor) filter (where is_rated = 1), 0),
    coalesce(max(amount_minor) filter (where is_rated = 1), 0),
    coalesce(max(amount_minor) filter (where is_rated = 1 and place = 2), 0),
    {_COUNTS},
    coalesce(sum(index_deci) filter (where is_rated = 1), 0),
    coalesce(sum(index_by_amount + open_minor * index_deci) filter (where is_rated = 1), 0),
    coalesce(sum(late_days) filter (where is_rated = 1), 0),
    coalesce(sum(late_by_amount + open_minor * late_days) filter (where is_rated = 1), 0),
    count(*) filter (where disputed_minor > 0),
    coalesce(sum(disputed_minor), 0)
from ranked
group by customer_id, currency, month
having count(*) filter (where is_rated = 1 or disputed_minor > 0) > 0
"""  # noqa: S608  numbers of our own rules alone


def list_delay_rules() -> Iterator[tuple[int, int, int]]:
    """Yield (delay in days, index in tenths of a point, number of the delay class).

    Beyond both ends the rule is that of the end.
    """
    for delay_days in range(DELAY_DAYS_MIN, DELAY_DAYS_MAX + 1):
        delay_class = classify_delay(delay_days, is_open=False)
        yield delay_days, index_deci(delay_days), DELAY_CLASSES.index(delay_class)
