import pytest

from node.records.documents import DocumentOptions, parse_customer, read_payers
from node.records.formats.trade import PartyId
from node.records.importing.errors import OptionInvalidError

LEI = PartyId(scheme="lei", value="213800KUD8LAJWSQ9D15")
TEXT = f"lei:{LEI.value}"


def test_a_payer_is_an_account_or_a_name_as_the_bank_writes_it() -> None:
    payers = read_payers(
        f"\ufeffpayer,customer\nDE02 1203 0000,{TEXT}\n\n"
        f'"Muster, Nord GmbH",{TEXT}\nDE021203 0000,{TEXT}\n'.encode()
    )

    assert payers.find(account="DE0212030000", name="") == LEI
    assert payers.find(account="DE99", name="muster,  nord gmbh") == LEI
    assert payers.find(account="", name="Muster") is None
    assert payers.find(account="", name="") is None


BAD_PAYERS = {
    "no-header": f"DE02,{TEXT}\n".encode(),
    "other-columns": f"payer,customer,more\nDE02,{TEXT},x\n".encode(),
    "one-column": b"payer,customer\nDE02\n",
    "no-payer": f"payer,customer\n ,{TEXT}\n".encode(),
    "no-customer": b"payer,customer\nDE02,213800\n",
    "two-customers": f"payer,customer\nDE02,{TEXT}\nde 02,sim:C1\n".encode(),
    "quote": b'payer,customer\n"DE02,x\n',
    "encoding": "payer,customer\nMüller,sim:C1\n".encode("cp1252"),
}


@pytest.mark.parametrize("raw", BAD_PAYERS.values(), ids=BAD_PAYERS)
def test_payers_that_are_not_of_the_form_are_refused(raw: bytes) -> None:
    with pytest.raises(OptionInvalidError):
        read_payers(raw)


@pytest.mark.parametrize("text", ["", "lei", "lei:", ":x", "LEI:x", "lei:a b"])
def test_a_customer_is_scheme_and_value(text: str) -> None:
    with pytest.raises(OptionInvalidError):
        parse_customer(text)


@pytest.mark.parametrize("days", [-1, 401])
def test_days_of_credit_have_a_range(days: int) -> None:
    with pytest.raises(OptionInvalidError):
        DocumentOptions(terms_days=days)


@pytest.mark.parametrize("source", ["", " ", "x" * 65, "a\nb"])
def test_a_source_is_a_name(source: str) -> None:
    with pytest.raises(OptionInvalidError):
        DocumentOptions(source=source)
