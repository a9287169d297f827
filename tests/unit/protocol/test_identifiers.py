import traceback

import pytest

from protocol.errors import IdentifierError
from protocol.identifiers import (
    SCHEMES,
    Check,
    IdentifierChecksumError,
    IdentifierFormError,
    MemberIdError,
    NaturalPersonIdError,
    Person,
    SubjectId,
    UnknownSchemeError,
    normalise_subject_id,
    parse_member_id,
    parse_subject_id,
)

VALID = (
    # The standard's example, then real codes; N, A and Y are registrars too.
    "cn.uscc:91350100M000100Y43",
    "cn.uscc:91110000600037341L",
    "cn.uscc:9144030071526726XG",
    "cn.uscc:911100001000002860",
    "cn.uscc:91110000710926094P",
    "cn.uscc:91310000631696382C",
    "cn.uscc:91310115MA1K3BTP2B",
    "cn.uscc:N21100001234567885",
    "cn.uscc:A1110000123456788L",
    "lei:213800KUD8LAJWSQ9D15",
    "lei:5493001KJTIIGC8Y1R12",
    "lei:549300IB5Q45JGNPND58",
    "eu.vat:ATU57194903",
    "eu.vat:BE0697449992",
    "eu.vat:CZ25123891",
    "eu.vat:DE136695976",
    "eu.vat:EL094259216",
    "eu.vat:ESJ99216582",
    "eu.vat:FR61954506077",
    "eu.vat:NL004495445B01",
    "eu.vat:PT501964843",
    "eu.vat:RO18547290",
    "eu.vat:SE123456789701",
    "eu.vat:SK2022749619",
    "eu.vat:XI980780684",
    "gb.vat:980780684",
    "gb.vat:GD001",
    "gb.vat:HA500",
    "de.vat:136695976",
    "fr.siren:552008443",
    "us.ein:911144442",
    "jp.cn:5835678256246",
    "in.gstin:27AAPFU0939F1ZV",
    "br.cnpj:16727230000197",
    "br.cnpj:12ABC34501DE35",  # letters since July 2026
    "kr.brn:1168200276",
    "kr.brn:1248100998",
    "tw.ubn:00501503",
    "tw.ubn:04595257",
    "tw.ubn:62140097",  # a multiple of 5 only: issued since April 2023
    "tw.ubn:00000074",  # a seventh digit 7, counted as 0
    "sg.uen:197401143C",
    "sg.uen:S16FC0121D",
    "au.abn:83914571673",
    "no.orgnr:988077917",
    "ru.inn:7707083893",
    "hk.br:12345678",
    "duns:123456789",
    "sim:0200756072",
    "sim:CUST0001",
)


@pytest.mark.parametrize("text", VALID)
def test_a_valid_number_is_read_and_written_back(text: str) -> None:
    subject = parse_subject_id(text)

    scheme, _, value = text.partition(":")
    assert subject == SubjectId(scheme=scheme, value=value)
    assert str(subject) == text


def test_every_scheme_has_a_valid_example_here() -> None:
    assert {text.partition(":")[0] for text in VALID} == set(SCHEMES)


@pytest.mark.parametrize("text", [text for text in VALID if not text.startswith("sim:")])
def test_the_canonical_form_is_its_own_normal_form(text: str) -> None:
    scheme, _, value = text.partition(":")

    assert str(normalise_subject_id(scheme=scheme, value=value)) == text


CHECKSUMS = (
    "cn.uscc:91350100M000100Y44",  # the check character
    "cn.uscc:91350100M000100Y56",  # the organisation code's own check digit
    "lei:213800KUD8LXJWSQ9D15",
    "eu.vat:ATU57194904",
    "gb.vat:980780685",
    "gb.vat:802311781",
    "de.vat:136695978",
    "fr.siren:404833047",
    "jp.cn:2835678256246",
    "in.gstin:27AAPFU0939F1ZO",
    "br.cnpj:16727230000198",
    "kr.brn:1168200277",  # python-stdnum does not look
    "tw.ubn:00501502",
    "tw.ubn:00501504",  # one less than a multiple of 5, but no seventh digit 7
    "sg.uen:197401143D",
    "sg.uen:S16FC0121E",
    "au.abn:83914571674",
    "no.orgnr:988077918",
    "ru.inn:7707083894",
)


@pytest.mark.parametrize("text", CHECKSUMS)
def test_a_wrong_check_digit_is_refused(text: str) -> None:
    with pytest.raises(IdentifierChecksumError):
        parse_subject_id(text)


FORMS = (
    "",
    "sim",
    "sim:",
    "sim:a",
    "sim:A:B",
    "sim:A B",
    "sim:A\n",
    "sim:" + "A" * 33,
    "sim:" + "A" * 200,
    "sim:０２００",  # noqa: RUF001  full-width digits
    "cn.uscc:91350100M000100Y4Z",  # Z is not in the alphabet
    "cn.uscc:91350100M000100Y4",
    "cn.uscc:91350100m000100y43",
    "cn.uscc: 91350100M000100Y43",
    "cn.uscc:91350100M000100Y43\n",
    "cn.uscc:9135 0100 M000 100Y 43",
    "cn.uscc:I1350100M000100Y43",  # I is never used
    "cn.uscc:B1350100M000100Y43",  # no registrar
    "cn.uscc:90350100M000100Y43",  # no kind
    "cn.uscc:9A350100M000100Y43",
    "cn.uscc:91A50100M000100Y43",  # a letter in the region
    "lei:21380062",  # passes modulo 97
    "lei:213800kud8lajwsq9d15",
    "lei:213800KUD8LAJWSQ9D1A",
    "eu.vat:BE697449992",  # without its leading zero
    "eu.vat:GR094259216",  # Greece is EL
    "eu.vat:EU372022452",  # a one-stop-shop number
    "eu.vat:IM3720000224",
    "eu.vat:CH123456788",
    "eu.vat:US911144442",
    "eu.vat:136695976",
    "eu.vat:NL00449544",
    "gb.vat:GB980780684",
    "gb.vat:980780684001",  # a branch
    "gb.vat:GD500",
    "de.vat:DE136695976",
    "de.vat:036695976",
    "fr.siren:55200844300013",
    "fr.siren:000000000",  # passes the Luhn check
    "no.orgnr:000000000",
    "ru.inn:0000000000",
    "tw.ubn:00000000",
    "us.ein:91-1144442",
    "us.ein:071144442",  # no such prefix
    "jp.cn:0835678256246",
    "in.gstin:39AAPFU0939F1ZV",  # no such state
    "in.gstin:27AAPFU0000F1ZV",
    "in.gstin:27AAPFU0939F0ZV",
    "in.gstin:27AAPXU0939F1ZV",  # no such kind of holder
    "br.cnpj:00000000000000",
    "br.cnpj:1672723000019A",
    "kr.brn:1008200271",  # no such tax office; the check digit fits
    "kr.brn:1168200000",
    "kr.brn:116-82-00276",
    "sg.uen:T01ZZ6132D",  # no such kind of entity
    "sg.uen:197401143c",
    "hk.br:1234567",
    "hk.br:00000000",
    "duns:12-345-6789",
    "duns:1234567890",
)


@pytest.mark.parametrize("text", FORMS, ids=ascii)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(IdentifierFormError):
        parse_subject_id(text)


@pytest.mark.parametrize(
    "scheme",
    ["", "sim ", "cn.ric", "cn", "CN.USCC", "cn.uscc ", "iban", "in_.gstin", "gb.utr", "__class__"],
)
def test_a_name_that_is_no_scheme_is_refused(scheme: str) -> None:
    with pytest.raises(UnknownSchemeError):
        parse_subject_id(f"{scheme}:91350100M000100Y43")
    with pytest.raises(UnknownSchemeError):
        normalise_subject_id(scheme=scheme, value="91350100M000100Y43")


PERSONS = (
    "cn.uscc:110101190001010858",  # a resident number that passes as a code; synthetic
    "cn.uscc:92350100M000100Y41",  # a sole trader, whatever its check character
    "cn.uscc:92",
    "sim:110101190001010858",
    "eu.vat:BG7523169263",
    "eu.vat:CZ7103192745",
    "eu.vat:CZ640903926",
    "eu.vat:ES54362315K",
    "eu.vat:ESX5253868R",
    "eu.vat:ESM1234567L",
    "eu.vat:LT100001919017",
    "eu.vat:LV16117519997",
    "eu.vat:LV32867300679",
    "eu.vat:NL002455799B11",  # a sole trader since 2020
    "eu.vat:PT123456789",
    "eu.vat:PT450000001",
    "eu.vat:RO1630615123457",
    "eu.vat:SE800101123401",
    "eu.vat:SE801231123401",
    "eu.vat:SK7110210010",
    "eu.vat:SK7161210010",
    "in.gstin:27AAPPU0939F1ZK",
    "kr.brn:1160200276",
    "kr.brn:1169900276",
    "kr.brn:1168000276",
    "kr.brn:1168900276",
    "ru.inn:500100732259",
    "sg.uen:00192200M",
)


@pytest.mark.parametrize("text", PERSONS)
def test_a_natural_person_or_sole_trader_is_no_subject(text: str) -> None:
    scheme, _, value = text.partition(":")

    with pytest.raises(NaturalPersonIdError):
        parse_subject_id(text)
    with pytest.raises(NaturalPersonIdError):
        normalise_subject_id(scheme=scheme, value=f" {value.lower()} ")


@pytest.mark.parametrize("text", [*PERSONS, *CHECKSUMS, *(text for text in FORMS if len(text) > 6)])
def test_no_error_holds_the_number_that_it_refuses(text: str) -> None:
    value = text.partition(":")[2] or text

    with pytest.raises(IdentifierError) as caught:
        parse_subject_id(text)

    assert value not in "".join(traceback.format_exception(caught.value))
    assert value not in repr(caught.value)
    assert value not in caught.value.detail


@pytest.mark.parametrize(
    ("number", "is_person"),
    [
        ("11010119900307803X", True),
        ("110101199003074514", True),
        ("110101199003078030", False),  # a wrong check character
        ("110101209902301234", False),  # the 30th of February
        ("110101170001010858", False),  # a birth in 1700
    ],
)
def test_a_resident_number_is_told_by_its_date_and_check_character(
    number: str,
    is_person: bool,  # noqa: FBT001  a column of the table
) -> None:
    expected = NaturalPersonIdError if is_person else IdentifierError

    with pytest.raises(expected) as caught:
        parse_subject_id(f"cn.uscc:{number}")

    assert isinstance(caught.value, NaturalPersonIdError) == is_person


def test_a_resident_number_with_an_impossible_date_is_not_taken_for_a_persons() -> None:
    # The month is 13; one of the check characters fits.
    for check in "0123456789X":
        text = f"sim:11010119901307123{check}"

        assert str(parse_subject_id(text)) == text


def test_an_lei_has_one_pair_of_check_digits() -> None:
    # 98 and 01 are equal modulo 97, and so are 97 and 00, 02 and 99.
    base = next(
        f"5493000000000000{i:02}"
        for i in range(100)
        if parse_or_none(f"lei:5493000000000000{i:02}98")
    )

    assert parse_or_none(f"lei:{base}98") is not None
    with pytest.raises(IdentifierChecksumError):
        parse_subject_id(f"lei:{base}01")


def parse_or_none(text: str) -> SubjectId | None:
    try:
        return parse_subject_id(text)
    except IdentifierError:
        return None


@pytest.mark.parametrize(
    ("scheme", "typed", "canonical"),
    [
        ("cn.uscc", " 9135 0100-m000100y43 ", "91350100M000100Y43"),
        ("cn.uscc", "９１３５０１００Ｍ０００１００Ｙ４３", None),  # noqa: RUF001  letters are not mapped
        ("lei", "2138 00KU D8LA JWSQ 9D15", "213800KUD8LAJWSQ9D15"),
        ("eu.vat", "fr 61 954 506 077", "FR61954506077"),
        ("eu.vat", "BE 697.449.992", "BE0697449992"),
        ("eu.vat", "GR 094259216", "EL094259216"),
        ("eu.vat", "EL 94259216", "EL094259216"),
        ("gb.vat", "GB 980 7806 84", "980780684"),
        ("de.vat", "DE 136,695 976", "136695976"),
        ("fr.siren", "552 008 443", "552008443"),
        ("us.ein", "91-1144442", "911144442"),
        ("jp.cn", "5-8356-7825-6246", "5835678256246"),
        ("jp.cn", "５８３５６７８２５６２４６", "5835678256246"),  # noqa: RUF001  full-width digits
        ("br.cnpj", "16.727.230/0001–97", "16727230000197"),  # noqa: RUF001  an en dash
        ("kr.brn", "116-82-00276", "1168200276"),
        ("au.abn", "83 914 571 673", "83914571673"),
        ("hk.br", "1234 5678", "12345678"),
        ("duns", "12-345-6789", "123456789"),
        ("sim", " cust0001 ", "CUST0001"),
        ("sim", "CUST-0001", None),  # two simulated customers must not fall together
    ],
    ids=ascii,
)
def test_a_number_as_people_write_it_is_normalised_or_refused(
    scheme: str, typed: str, canonical: str | None
) -> None:
    if canonical is None:
        with pytest.raises(IdentifierFormError):
            normalise_subject_id(scheme=scheme, value=typed)
    else:
        assert normalise_subject_id(scheme=scheme, value=typed).value == canonical


@pytest.mark.parametrize("value", ["US 911144442", "", " " * 129, "1" * 129])
def test_a_text_that_cannot_be_normalised_is_refused(value: str) -> None:
    with pytest.raises(IdentifierFormError):
        normalise_subject_id(scheme="eu.vat", value=value)


def test_the_table_says_what_is_checked() -> None:
    only_form = {name for name, scheme in SCHEMES.items() if scheme.checked is Check.FORMAT}

    assert only_form == {"hk.br", "duns", "sim"}
    assert all(name == scheme.name for name, scheme in SCHEMES.items())
    assert {scheme.country for scheme in SCHEMES.values()} >= {"CN", "GB", "DE", "FR", "US", "JP"}


@pytest.mark.parametrize(
    "name", [name for name, row in SCHEMES.items() if row.person is Person.REFUSED]
)
def test_where_the_table_says_persons_are_refused_an_example_is_refused(name: str) -> None:
    assert any(text.startswith(f"{name}:") for text in PERSONS)


@pytest.mark.parametrize(
    "text",
    [
        "alpha.example",
        "a.b",
        "acme-steel.cn-north.example",
        "xn--fiqs8s.example",
        "1.2.3.4a",
        "a" * 63 + ".example",
        ".".join(["a" * 49] * 5) + ".abc",
    ],
)
def test_a_dns_like_name_is_a_member_id(text: str) -> None:
    assert parse_member_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("localhost", id="no dot"),
        pytest.param("Alpha.example", id="a capital"),
        pytest.param("alpha.example.", id="a dot at the end"),
        pytest.param(".example", id="a dot at the start"),
        pytest.param("alpha..example", id="an empty label"),
        pytest.param("-alpha.example", id="a hyphen at the start"),
        pytest.param("alpha-.example", id="a hyphen at the end"),
        pytest.param("al_pha.example", id="an underscore"),
        pytest.param("诚信.example", id="not ASCII"),
        pytest.param("alpha.example\n", id="a line break"),
        pytest.param("alpha.example:443", id="a port"),
        pytest.param("10.0.0.1", id="an address"),
        pytest.param("a" * 64 + ".example", id="a label of 64 characters"),
        pytest.param(".".join(["a" * 50] * 5), id="254 characters"),
    ],
)
def test_another_text_is_no_member_id(text: str) -> None:
    with pytest.raises(MemberIdError):
        parse_member_id(text)
