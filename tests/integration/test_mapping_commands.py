"""``chengxin mapping``: a mapping is guessed, corrected, saved by source and used by the import."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import Workbook

from node.records.commands_mapping import MappingFileError, correct_guess
from node.records.importing import parse_mapping
from node.records.importing.errors import MappingInvalidError, OptionInvalidError
from node.records.importing.guessing import guess_mapping
from node.records.importing.presets import Preset, read_preset
from node.records.mappings import MappingNotFoundError
from tests.support.lists import KINGDEE_RECEIPTS, KINGDEE_RECEIVABLES, SAP_LIST, YONYOU_RECEIVABLES
from tests.support.places import call, check

ANY_LIST = (
    "Liste vom 31.03.2026;;;;;\n"
    "Kunden-Nr;Kundenname;Rechnungs-Nr;Rechnungsdatum;Fälligkeitsdatum;Rechnungsbetrag\n"
    "K1;Müller;R1;01.03.2026;31.03.2026;1.000,00\n"
    "K1;Müller;R2;05.03.2026;04.04.2026;10,50\n"
).encode("cp1252")


@pytest.fixture
def home(tmp_path: Path) -> str:
    home = str(tmp_path / "node")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    return home


def write(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    return str(path)


def test_a_mapping_is_suggested_saved_and_used(home: str, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", SAP_LIST)
    out = str(tmp_path / "sap.toml")

    said = check(
        call(
            "mapping",
            "suggest",
            file,
            "--preset",
            "sap-fbl5n",
            "--out",
            out,
            "--constant",
            "country=DE",
        )
    )
    assert "Nettofälligkeit" in said
    assert "Header in row 4" in said
    assert "erp1: version 1" in check(
        call("--home", home, "mapping", "save", "erp1", out, "--by", "li")
    )
    done = call(
        "--home", home, "import", file, "--source", "erp1", "--rejects", str(tmp_path / "r.csv")
    )

    assert done.exit_code == 3
    report = (tmp_path / "r.csv").read_text("utf-8").splitlines()
    assert report[0] == "row,column,reason,suggestion"
    assert report[1].startswith('15,,cleared together with rows that do not add up to it,"save the')


def test_versions_are_kept_and_shown(home: str, tmp_path: Path) -> None:
    first = guess_mapping(YONYOU_RECEIVABLES, preset=Preset.YONYOU).to_toml("first")
    second = first.replace('"first"', '"second"')
    file = str(tmp_path / "m.toml")
    for text in (first, second, second):
        write(tmp_path / "m.toml", text.encode())
        check(call("--home", home, "mapping", "save", "u8", file, "--by", "li"))

    assert check(call("--home", home, "mapping", "show", "u8")) == second
    assert check(call("--home", home, "mapping", "show", "u8", "--version", "1")) == first
    assert "u8" in check(call("--home", home, "mapping", "list"))
    missing = call("--home", home, "mapping", "show", "u9")
    assert isinstance(missing.exception, MappingNotFoundError)
    for source, by in ((" ", "li"), ("u8", " ")):
        refused = call("--home", home, "mapping", "save", source, file, "--by", by)
        assert isinstance(refused.exception, OptionInvalidError)


def test_what_is_missing_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", ANY_LIST)
    out = tmp_path / "m.toml"

    missing = call("mapping", "suggest", file, "--out", str(out))

    assert (missing.exit_code, out.exists()) == (4, False)
    assert "Missing: currency" in missing.output
    for wrong in ("currency", "number=1", "amount="):
        failed = call("mapping", "suggest", file, "--out", str(out), "--constant", wrong)
        assert failed.exit_code == 4
    assert (
        call("mapping", "suggest", file, "--out", str(out), "--column", "amount=x").exit_code == 4
    )
    check(call("mapping", "suggest", file, "--out", str(out), "--constant", "currency=EUR"))
    again = call("mapping", "suggest", file, "--out", str(out), "--constant", "currency=EUR")
    assert isinstance(again.exception, MappingFileError)


def test_a_list_of_receipts_is_suggested_as_payments(tmp_path: Path) -> None:
    file = write(tmp_path / "receipts.csv", KINGDEE_RECEIPTS)
    out = tmp_path / "m.toml"

    sign = ("--constant", "kind=payment", "--credit-sign", "positive")
    check(call("mapping", "suggest", file, "--preset", "kingdee", "--out", str(out), *sign))

    mapping = parse_mapping(out.read_text("utf-8"), what="m")
    assert (mapping.has_credits, mapping.credit_sign) == (True, "positive")


def test_an_unknown_list_is_guessed_by_its_words_and_its_values() -> None:
    guess = guess_mapping(ANY_LIST)

    assert guess.header_row == 2
    assert {name: one.column for name, one in guess.fields.items()} == {
        "customer_value": "Kunden-Nr",
        "customer_name": "Kundenname",
        "document_no": "Rechnungs-Nr",
        "issued_on": "Rechnungsdatum",
        "due_on": "Fälligkeitsdatum",
        "amount": "Rechnungsbetrag",
    }
    assert (guess.forms["date_form"], guess.forms["amount_form"]) == ("german", "comma")
    assert guess.missing == ("currency",)
    assert guess.constants["country"] == "ZZ"


def test_a_column_of_other_values_is_not_taken_for_its_word() -> None:
    raw = b"document no,date,due date,amount,currency\nR1,soon,2026-03-31,much,EUR\n"

    guess = guess_mapping(raw)

    assert {"issued_on", "amount"} <= set(guess.missing)
    assert guess.fields["due_on"].percent > 90


def test_a_column_named_by_its_very_word_is_taken_though_some_cells_are_wrong() -> None:
    days = b"".join(b"R%d,2026-0%d-31,9,EUR\n" % (number, number) for number in (1, 2, 3))

    guess = guess_mapping(b"document no,due date,amount,currency\n" + days)

    assert guess.fields["due_on"].column == "due date"


def test_days_in_iso_form_leave_no_doubt() -> None:
    guess = guess_mapping(b"document no,due date,amount,currency\nR1,2026-03-31,9.50,EUR\n")

    assert (guess.forms["date_form"], guess.doubts) == ("iso", ())


def test_forms_that_cannot_be_told_apart_are_said() -> None:
    raw = b"document no,date,amount\nR1,01/02/2026,100\n"

    guess = guess_mapping(raw)

    assert guess.doubts == (
        "date_form: day-first, or month-first",
        "amount_form: point, or comma",
    )


def test_types_that_no_preset_knows_are_named() -> None:
    raw = SAP_LIST.replace(b";DV;", b";ZZ;")

    assert guess_mapping(raw, preset=Preset.SAP_FBL5N).kinds_unknown == ("ZZ",)


def test_a_person_corrects_field_by_field() -> None:
    answers = {
        "column of customer_name (- for none)": ["none such", "-"],
        "currency of every row": ["EUR"],
        "date_form (": ["roman", "german"],
    }
    asked: list[str] = []

    def ask(text: str, known: str) -> str:
        asked.append(text)
        for start, waiting in answers.items():
            if text.startswith(start) and waiting:
                return waiting.pop(0)
        return known

    guess = correct_guess(guess_mapping(ANY_LIST), ask=ask)

    assert not any(answers.values())
    assert "customer_name" not in guess.fields
    assert parse_mapping(guess.to_toml("m"), what="m").constants["currency"] == "EUR"


def test_a_workbooks_sheet_is_chosen_and_its_numbers_keep_their_marks(
    home: str, tmp_path: Path
) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["nothing here"])
    sheet = book.create_sheet("Offene Posten")
    sheet.append(["Offene Posten zum 31.03.2026"])
    sheet.append(["Kunden-Nr", "Rechnungs-Nr", "Rechnungsdatum", "Fälligkeit", "Betrag", "Währung"])
    sheet.append(["K1", "R1", "01.03.2026", "31.03.2026", 1234.5, "EUR"])
    sheet.append(["K1", "R2", "01.03.2026", "31.03.2026", "1.000,25", "EUR"])
    sheet.append(["Summe", None, None, None, 2234.75])
    sheet.merge_cells("A1:F1")
    content = io.BytesIO()
    book.save(content)
    file = write(tmp_path / "op.xlsx", content.getvalue())
    out = str(tmp_path / "op.toml")
    sheet_option = ("--sheet", "Offene Posten")

    said = check(call("mapping", "suggest", file, "--out", out, *sheet_option))
    options = ("--mapping", out, *sheet_option, "--opening", "--control-total")
    refused = call("--home", home, "import", file, *options, "EUR=1")
    done = check(call("--home", home, "import", file, *options, "EUR=2234.75"))

    assert "Header in row 2" in said
    assert (refused.exit_code, "by the control total" in refused.output) == (4, True)
    assert "left out: total-row" in done
    assert "2,234.75" in done
    other = call("--home", home, "import", file, "--mapping", out, "--sheet", "x")
    assert (other.exit_code, "Offene Posten" in other.output) == (4, True)
    plain = write(tmp_path / "list.csv", KINGDEE_RECEIVABLES)
    assert call("--home", home, "import", plain, *sheet_option).exit_code == 4
    both = call("--home", home, "import", plain, "--mapping", out, "--profile", "chengxin")
    assert both.exit_code == 2


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_can_be_read_and_names_no_word_twice(preset: Preset) -> None:
    words = read_preset(preset)

    for alternatives in words.columns.values():
        assert len(set(alternatives)) == len(alternatives)


def test_a_mapping_of_credits_says_what_each_type_is() -> None:
    text = guess_mapping(SAP_LIST, preset=Preset.SAP_FBL5N).fix("country", "DE").to_toml("sap")

    with pytest.raises(MappingInvalidError, match="each type one of"):
        parse_mapping(text.replace('"RV" = "invoice"', '"RV" = "bill"'), what="m")
