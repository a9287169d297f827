from contextlib import suppress
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from node.core.money import minor_exponent
from node.records.documents import is_document_file
from node.records.formats.camt import read_camt
from node.records.formats.errors import DocumentFileError
from node.records.formats.mt940 import read_mt940
from node.records.formats.recognition import read_document
from node.records.formats.statement import NamedDocument, Payment
from node.records.formats.trade import TradeDocument
from node.records.formats.xml import parse_xml
from node.records.rules_ledger import ItemKind, OpenDebit
from node.records.rules_matching import match_payment
from node.records.tables import ITEM_MINOR_MAX
from tests.support.documents import Detail, Entry, Fapiao, camt, mt940, pack_archive, ubl

CURRENCIES = st.sampled_from(["CNY", "EUR", "JPY", "KWD", "CLP"])
AMOUNTS = st.integers(min_value=1, max_value=ITEM_MINOR_MAX)
SAMPLES = (
    ubl("RE-2026-17"),
    camt(Entry(amount="1.00", details=(Detail(text="RE-2026-17", documents=("A",)),))),
    mt940(":61:260210C5,00NTRFNONREF//B", ":86:166?20SVWZ+RE?32Qiming", opening="1,00"),
    Fapiao().write(),
    pack_archive({"OFD.xml": b"<a/>", "original.xml": Fapiao().write()}),
)


def write(amount_minor: int, currency: str) -> str:
    exponent = minor_exponent(currency)
    digits = str(amount_minor).rjust(exponent + 1, "0")
    return f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits


@given(amount_minor=AMOUNTS, currency=CURRENCIES)
def test_amounts_round_trip_in_every_format(amount_minor: int, currency: str) -> None:
    amount = write(amount_minor, currency)
    _, invoice = read_document(ubl("A", amount, currency=currency), expected=None)
    statement = read_camt(parse_xml(camt(Entry(amount=amount), currency=currency)))
    comma = amount.replace(".", ",") if "." in amount else f"{amount},"
    old = read_mt940(mt940(f":61:260210C{comma}NTRFNONREF", currency=currency, closing=comma))

    assert isinstance(invoice, TradeDocument)
    assert invoice.amount_minor == amount_minor
    assert statement.statements[0].entries[0].amount_minor == amount_minor
    assert old.statements[0].entries[0].amount_minor == amount_minor
    assert old.statements[0].oddities == ()


@given(sample=st.sampled_from(SAMPLES), data=st.data())
def test_a_changed_or_cut_document_is_read_or_refused_by_name(
    sample: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(min_value=0, max_value=len(sample) - 1))
    part = data.draw(st.binary(max_size=3))
    end = data.draw(st.sampled_from([len(sample), place]))

    changed = sample[:place] + part + sample[place + 1 : end]

    # Any other error would go through, and fail.
    with suppress(DocumentFileError):
        read_document(changed, expected=None)
    assert is_document_file(changed) in {True, False}


DEBITS = st.lists(
    st.tuples(st.sampled_from(["A-1001", "A-1002", "1001", "B 77"]), st.integers(1, 5)), max_size=6
)


@given(
    debits=DEBITS,
    amount_minor=st.integers(1, 12),
    named=st.lists(
        st.tuples(st.sampled_from(["A-1001", "1001", "X"]), st.none() | st.integers(0, 6)),
        max_size=3,
    ),
    text=st.lists(st.sampled_from(["A-1001", "A-1002/1001", "B 77", "10010"]), max_size=3),
)
def test_no_match_applies_more_than_is_paid_or_open(
    debits: list[tuple[str, int]],
    amount_minor: int,
    named: list[tuple[str, int | None]],
    text: list[str],
) -> None:

    items = [
        OpenDebit(
            item_id=number,
            kind=ItemKind.INVOICE,
            document_no=document_no,
            happened_on=date(2026, 1, 1),
            due_on=date(2026, 2, 1),
            open_minor=open_minor,
        )
        for number, (document_no, open_minor) in enumerate(debits)
    ]
    payment = Payment(
        line=0,
        amount_minor=amount_minor,
        documents=tuple(NamedDocument(number=one, amount_minor=minor) for one, minor in named),
        text=" ".join(text),
    )
    match = match_payment(payment, items)
    applied = [one.amount_minor for one in match.applications]

    assert sum(applied) <= amount_minor
    assert len({one.debit_id for one in match.applications}) == len(applied)
    assert all(0 < one.amount_minor <= items[one.debit_id].open_minor for one in match.applications)
