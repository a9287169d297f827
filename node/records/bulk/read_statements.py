"""What the engine is asked: which rows are plain, which lines of invoices need a judgement.

A row is plain where no rule in Python could read it in another way: a narrow form of each column,
and never a reason why not. Whatever is not plain goes to the profile's own rules, row by row.
"""

from __future__ import annotations

from node.core.money import CURRENCY_FORM
from node.records.importing.cells import (
    COUNTRY_FORM,
    FALSE_WORDS,
    LINE_NUMBER_MAX,
    SCHEME_FORM,
    TRUE_WORDS,
    VALUE_FORM,
)
from node.records.importing.profiles import TEMPLATE_COLUMNS
from node.records.tables import DOCUMENT_CHARS_MAX, ITEM_MINOR_MAX, NAME_CHARS_MAX
from node.records.windows import FIRST_YEAR, LAST_YEAR

# Characters that are printable in every version of Unicode since 14, without any space.
PRINTABLE_RANGES = (
    (0x21, 0x7E),
    (0xA1, 0xAC),
    (0xAE, 0x24F),
    (0x391, 0x3A1),
    (0x3A3, 0x3FF),
    (0x400, 0x481),
    (0x3001, 0x3011),
    (0x3041, 0x3096),
    (0x30A1, 0x30FA),
    (0x4E00, 0x9FFC),
    (0xAC00, 0xD7A3),
    (0xFF01, 0xFF5E),
)
DRAFT_COLUMNS = (
    "row bigint",
    "scheme varchar",
    "value varchar",
    "name varchar",
    "country varchar",
    "document_no varchar",
    "line integer",
    "issued_on date",
    "due_on date",
    "currency varchar",
    "amount_minor bigint",
    "disputed boolean",
    "paid_on date",
    "paid_minor bigint",
    "remarks varchar",
)
INVOICE_COLUMNS = (*DRAFT_COLUMNS[:12], DRAFT_COLUMNS[14])
PAYMENT_COLUMNS = (
    "row bigint",
    "document_no varchar",
    "line integer",
    "paid_on date",
    "paid_minor bigint",
)
DRAFT_NAMES = ", ".join(column.partition(" ")[0] for column in DRAFT_COLUMNS)
INVOICE_NAMES = ", ".join(column.partition(" ")[0] for column in INVOICE_COLUMNS)
PAYMENT_NAMES = ", ".join(column.partition(" ")[0] for column in PAYMENT_COLUMNS)

_PRINTABLE = "".join(f"\\x{{{first:X}}}-\\x{{{last:X}}}" for first, last in PRINTABLE_RANGES)
_AMOUNT = r"[0-9]{1,13}(\.[0-9]{1,3})?"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def _list(words: frozenset[str]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in sorted(words)) + ")"


def _matches(column: str, pattern: str) -> str:
    return f"regexp_full_match({column}, '{pattern}')"


def _minor(column: str) -> str:
    decimals = f"split_part({column}, '.', 2)"
    return (
        f"case when {_matches(column, _AMOUNT)} and length({decimals}) <= exponent "
        f"then cast(split_part({column}, '.', 1) || rpad({decimals}, exponent, '0') as bigint) end"
    )


def _day(column: str) -> str:
    return f"case when {_matches(column, _DATE)} then try_cast({column} as date) end"


def _printable(column: str, chars_max: int) -> str:
    pattern = f"[{_PRINTABLE}]([ {_PRINTABLE}]*[{_PRINTABLE}])?"
    return f"length({column}) <= {chars_max} and {_matches(column, pattern)}"


def _in_years(column: str) -> str:
    return f"year({column}) between {FIRST_YEAR} and {LAST_YEAR}"


LIST_CURRENCIES = f"""
select distinct currency from raw where {_matches("currency", CURRENCY_FORM.pattern)}
"""  # noqa: S608  our own names
# Of ``raw`` (row, and the template's cells as text) and ``exponent`` (currency, exponent).
READ_PLAIN = f"""
insert into draft
with cells as (
  select row, {", ".join(f"coalesce({name}, '') as {name}" for name in TEMPLATE_COLUMNS)} from raw
), typed as (
  select cells.*,
    case when line = '' then 1 when {_matches("line", "[0-9]{1,7}")} then cast(line as integer) end
      as line_no,
    {_day("issued_on")} as issued_day, {_day("due_on")} as due_day, {_day("paid_on")} as paid_day,
    {_minor("amount")} as amount_minor, {_minor("paid_amount")} as paid_amount_minor
  from cells join exponent using (currency)
)
select row, customer_scheme as scheme, customer_value as value, customer_name as name, country,
  document_no, line_no as line, issued_day as issued_on, due_day as due_on, currency, amount_minor,
  disputed in {_list(TRUE_WORDS)} as disputed, paid_day as paid_on,
  case when paid_day is null then 0 when paid_amount = '' then amount_minor
    else paid_amount_minor end as paid_minor, '' as remarks
from typed
where {_matches("customer_scheme", SCHEME_FORM.pattern)}
  and {_matches("customer_value", VALUE_FORM.pattern)}
  and {_printable("customer_name", NAME_CHARS_MAX)}
  and {_printable("document_no", DOCUMENT_CHARS_MAX)}
  and {_matches("country", COUNTRY_FORM.pattern)} and {_matches("currency", CURRENCY_FORM.pattern)}
  and line_no <= {LINE_NUMBER_MAX} and {_in_years("issued_day")} and {_in_years("due_day")}
  and amount_minor between 1 and {ITEM_MINOR_MAX}
  and disputed in {_list(TRUE_WORDS | FALSE_WORDS)}
  and case when paid_on = '' then paid_amount = ''
    else {_in_years("paid_day")}
      and (paid_amount = '' or paid_amount_minor between 1 and amount_minor) end
"""  # noqa: S608  our own names and forms
NOT_PLAIN = """
select * from raw where not exists (select 1 from draft where draft.row = raw.row) order by row
"""

# Rows of one invoice line stand together; the first one is the invoice.
PLACE = """
create table placed as select *,
  row_number() over (partition by document_no, line order by row) as place,
  count(*) over (partition by document_no, line) as rows_of_line
from draft
"""
_ALIKE = " and ".join(
    f"min({name}) = max({name})"
    for name in ("scheme", "value", "issued_on", "due_on", "currency", "amount_minor", "disputed")
)
# Rows of one line that all agree and are different payments within its amount need no judgement.
FIND_JUDGED = f"""
create table judged as select document_no, line from placed where rows_of_line > 1
group by document_no, line
having not coalesce(count(paid_on) = count(*) and count(distinct (paid_on, paid_minor)) = count(*)
  and sum(paid_minor) <= min(amount_minor) and {_ALIKE}, false)
"""  # noqa: S608  our own names
_UNJUDGED = """from placed where not exists (select 1 from judged
  where judged.document_no = placed.document_no and judged.line = placed.line)"""
TAKE_INVOICES = f"create table invoice as select {INVOICE_NAMES} {_UNJUDGED} and place = 1"
TAKE_PAYMENTS = (
    f"create table payment as select {PAYMENT_NAMES} {_UNJUDGED} and paid_on is not null"
)
LIST_JUDGED = f"""
select {DRAFT_NAMES} from placed join judged using (document_no, line)
order by document_no, line, row
"""  # noqa: S608  our own names
COUNT_ODD_DATES = f"""
select count(*) filter (where issued_on > due_on), count(*) filter (where paid_on < issued_on)
{_UNJUDGED} and place = 1
"""
COUNT_REMARKS = f"""
select remarks, count(*) {_UNJUDGED} and place = 1 and remarks <> '' group by remarks
"""
FIND_SPAN = """
select min(due_on), max(due_on), greatest(max(issued_on), (select max(paid_on) from payment))
from invoice
"""
