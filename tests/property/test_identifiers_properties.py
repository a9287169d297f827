from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from protocol.errors import IdentifierError
from protocol.identifiers import (
    SCHEMES,
    NaturalPersonIdError,
    SubjectId,
    normalise_subject_id,
    parse_member_id,
    parse_subject_id,
)

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
VALID = (
    "cn.uscc:91350100M000100Y43",
    "cn.uscc:9144030071526726XG",
    "lei:213800KUD8LAJWSQ9D15",
    "fr.siren:552008443",
    "jp.cn:5835678256246",
    "kr.brn:1248100998",
    "au.abn:83914571673",
    "no.orgnr:988077917",
    "de.vat:136695976",
    "in.gstin:27AAPFU0939F1ZV",
)


@settings(max_examples=500)
@given(
    st.sampled_from(sorted(SCHEMES)),
    st.text(max_size=25) | st.text(ALPHABET, max_size=22) | st.text("0123456789", max_size=20),
)
def test_any_value_of_any_scheme_is_read_or_refused_with_our_error(scheme: str, value: str) -> None:
    try:
        subject = parse_subject_id(f"{scheme}:{value}")
    except IdentifierError:
        return
    assert subject == SubjectId(scheme=scheme, value=value)


@settings(max_examples=500)
@given(
    st.sampled_from(["AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR"])
    | st.sampled_from(["HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO"])
    | st.sampled_from(["SE", "SI", "SK", "XI"]),
    st.text(ALPHABET, max_size=13) | st.text("0123456789", max_size=13),
)
def test_any_number_of_a_member_state_is_read_or_refused_with_our_error(
    state: str, number: str
) -> None:
    try:
        subject = parse_subject_id(f"eu.vat:{state}{number}")
    except IdentifierError:
        return
    assert normalise_subject_id(scheme="eu.vat", value=subject.value) == subject


@given(st.text(max_size=140))
def test_any_text_is_read_or_refused_with_our_error(text: str) -> None:
    try:
        subject = parse_subject_id(text)
    except IdentifierError:
        return
    assert str(subject) == text


@settings(max_examples=300)
@given(st.sampled_from(sorted(SCHEMES)), st.text(max_size=40))
def test_what_is_normalised_is_canonical(scheme: str, value: str) -> None:
    try:
        subject = normalise_subject_id(scheme=scheme, value=value)
    except IdentifierError:
        return
    assert parse_subject_id(str(subject)) == subject


@pytest.mark.parametrize("text", VALID)
def test_one_character_changed_is_noticed(text: str) -> None:
    scheme, _, value = text.partition(":")
    for index, character in enumerate(value):
        for other in "0123456789" if character.isdigit() else ALPHABET[10:]:
            if other == character:
                continue
            with pytest.raises(IdentifierError):
                parse_subject_id(f"{scheme}:{value[:index]}{other}{value[index + 1 :]}")


@settings(max_examples=300)
@given(
    st.from_regex(r"[1-6][0-5][0-9]{4}", fullmatch=True, alphabet=st.characters(codec="ascii")),
    st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)),
    st.integers(0, 999),
)
def test_a_resident_number_is_never_read(place: str, birth: date, serial: int) -> None:
    number = f"{place}{birth:%Y%m%d}{serial:03}0"
    number = number[:-1] + ric.calc_check_digit(number)

    for scheme in ("cn.uscc", "sim"):
        with pytest.raises(NaturalPersonIdError) as caught:
            parse_subject_id(f"{scheme}:{number}")
        assert number not in str(caught.value)


@given(st.text("abz09-.", max_size=30))
def test_a_member_id_is_what_it_was_or_refused(text: str) -> None:
    try:
        member = parse_member_id(text)
    except IdentifierError:
        return
    assert member == text
    assert "." in member
    assert ".." not in member
