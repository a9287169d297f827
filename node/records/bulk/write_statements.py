"""What the engine is asked while a large file is written: who buys, which keys, in which order.

Keys are given here, in the order of the document numbers, so that the store's largest index only
grows at its end.
"""

from __future__ import annotations

from node.records.bulk.months import MONTHS_SQL
from node.records.rules_ledger import AllocationMethod, DisputeCause, ItemKind

LINE_COLUMNS = ("document_no varchar", "line integer")
CUSTOMER_COLUMNS = ("id bigint", "scheme varchar", "value varchar", "country varchar")
DAY_COLUMNS = (
    "country varchar",
    "due_on date",
    "due_business_on date",
    "due_month integer",
    "is_known boolean",
)
LATE_PAYMENT_COLUMNS = (
    "debit_id bigint",
    "customer_id bigint",
    "currency varchar",
    "issued_on date",
    "reference varchar",
    "paid_on date",
    "paid_minor bigint",
)
RULE_COLUMNS = ("delay_days integer", "index_deci integer", "delay_class integer")

SPAN_OF_DOCUMENTS = "select min(document_no), max(document_no) from invoice"
_HERE = """exists (select 1 from known_line
  where known_line.document_no = invoice.document_no and known_line.line = invoice.line)"""
LIST_HERE = f"""
select invoice.*, payment.row, payment.paid_on, payment.paid_minor
from invoice left join payment using (document_no, line) where {_HERE}
order by document_no, line, payment.row
"""  # noqa: S608  our own names
TAKE = f"""
create table taken as select * from invoice where not {_HERE} or exists (select 1 from fresh_line
  where fresh_line.document_no = invoice.document_no and fresh_line.line = invoice.line)
"""  # noqa: S608  our own names
LIST_LINES = "select distinct document_no, line from invoice"
LIST_LINES_OF = """
select document_no, line from invoice where scheme = $scheme and value = $value
"""
LIST_ALL_NAMED = "select distinct scheme, value from invoice"
LIST_NAMED = "select distinct scheme, value from taken"
# A new customer is named by the first row that it stands in.
FIND_BUYERS = """
create table buyer as
with first_row as (
  select scheme, value, min(row) as row from taken group by scheme, value
), named as (
  select f.scheme, f.value, f.row, t.name, coalesce(k.country, t.country) as country,
    k.id as known_id
  from first_row f join taken t on t.row = f.row
    left join known_customer k on k.scheme = f.scheme and k.value = f.value
)
select coalesce(known_id, $base + row_number() over (partition by known_id is null order by row))
  as id, scheme, value, name, country, known_id is null as is_new
from named
"""
LIST_DUE_DAYS = """
select distinct buyer.country, due_on from taken join buyer using (scheme, value)
"""
COUNT_COUNTRIES = """
select count(*) filter (where b.country <> t.country), count(*) filter (where not d.is_known)
from taken t join buyer b using (scheme, value)
  join business_day d on d.country = b.country and d.due_on = t.due_on
"""
NUMBER_INVOICES = """
create table new_invoice as
select $base + row_number() over (order by document_no, line) as id, b.id as customer_id, b.is_new,
  document_no, line, issued_on, t.due_on, due_business_on, due_month, currency, amount_minor,
  disputed
from taken t join buyer b using (scheme, value)
  join business_day d on d.country = b.country and d.due_on = t.due_on
"""
NUMBER_PAYMENTS = """
create table new_payment as
select $base + row_number() over (order by reference) as id, *
from (
  select i.id as debit_id, i.customer_id, currency, issued_on,
    document_no || '/' || line || '/' || cast(paid_on as varchar) || '/' || paid_minor as reference,
    paid_on, paid_minor
  from payment join new_invoice i using (document_no, line)
  union all select * from late_payment
)
"""
COUNT_NEW = """
select (select count(*) from taken),
  (select count(*) from payment join taken using (document_no, line))
    + (select count(*) from late_payment)
"""

LIST_CUSTOMERS = """
select id, scheme, value, name, country, 'company', $at_ms from buyer where is_new order by id
"""
LIST_INVOICES = f"""
select id, customer_id, '{ItemKind.INVOICE}', $source, document_no, line, 1,
  cast(issued_on as varchar), cast(due_on as varchar), cast(due_business_on as varchar), due_month,
  currency, amount_minor, $import_id, null, $at_ms
from new_invoice order by id
"""  # noqa: S608  our own names
LIST_PAYMENTS = f"""
select id, customer_id, '{ItemKind.PAYMENT}', $source, reference, 1, 1, cast(paid_on as varchar),
  null, null, null, currency, -paid_minor, $import_id, null, $at_ms
from new_payment order by id
"""  # noqa: S608  our own names
LIST_ALLOCATIONS = f"""
select null, debit_id, id, paid_minor, cast(greatest(paid_on, issued_on) as varchar),
  '{AllocationMethod.IMPORTED}', $import_id, null, $at_ms
from new_payment order by id
"""  # noqa: S608  our own names
LIST_DISPUTES = f"""
select null, id, amount_minor, cast(issued_on as varchar), '{DisputeCause.UNSTATED}', $import_id,
  null, $at_ms
from new_invoice where disputed order by id
"""  # noqa: S608  our own names

# Customers who have nothing but this import are rolled up by the engine, the others in Python.
FILL_ROLLED_ITEMS = """
create table rolled_item as
select customer_id, currency, due_month as month, id as item_id,
  issued_on - date '1970-01-01' as issued_day, due_business_on - date '1970-01-01' as due_day,
  amount_minor, case when disputed then amount_minor else 0 end as disputed_minor
from new_invoice where is_new
"""
FILL_ROLLED_PARTS = """
create table rolled_part as
select debit_id as item_id, paid_on - date '1970-01-01' as paid_day,
  greatest(paid_on, issued_on) - date '1970-01-01' as seen_day, paid_minor as amount_minor
from new_payment
"""
LIST_MONTHS = f"""
select * replace (cast(date '1970-01-01' + cast(as_of as integer) as varchar) as as_of)
from ({MONTHS_SQL}) order by customer_id, currency, month
"""  # noqa: S608  our own names
LIST_OLDER_BUYERS = """
select distinct customer_id from new_invoice where not is_new
union select distinct customer_id from late_payment order by customer_id
"""
