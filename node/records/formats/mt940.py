"""MT940 customer statements of SWIFT, with the structured information of German banks.

A file is one message or several, with or without SWIFT's blocks around them. A message that ends
before its closing balance is cut off, and then nothing of the file is trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from node.records.formats.errors import DocumentFormError, DocumentTooLargeError, FieldError
from node.records.formats.fields import check_year, read_amount, read_currency, squeeze
from node.records.formats.statement import (
    Entry,
    EntryKind,
    EntryReject,
    Payment,
    Statement,
    StatementFile,
    find_balance_oddity,
)

FILE_BYTES_MAX = 16 * 2**20
LINE_CHARS_MAX = 2000
ENTRIES_MAX = 50_000
INFORMATION_CHARS_MAX = 8000
REFERENCE_CHARS_MAX = 80
NAME_CHARS_MAX = 140
ACCOUNT_CHARS_MAX = 34
_START_BYTES = 2000  # within which the first tag stands
_START = re.compile(
    rb"(?:^|[\r\n}])\s*:20:[^\r\n]{0,80}\r?\n(?:[^:][^\r\n]*\r?\n)?:(?:21|25P?|28C?):"
)
_TAG = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.DOTALL)
_BLOCKS = re.compile(r"^\{1:.*?\{4:\s*", re.DOTALL)
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]{1,15},?[0-9]{0,5})")
_ENTRY = re.compile(
    r"(?P<valued>[0-9]{6})(?P<booked>[0-9]{4})?(?P<mark>RC|RD|EC|ED|C|D)[A-Z]?"
    r"(?P<amount>[0-9]{1,15},?[0-9]{0,5})[A-Z][A-Z0-9]{3}"
    r"(?P<own>[^\n]{0,100}?)(?://(?P<bank>[^\n]{0,100}))?(?:\n.*)?",
    re.DOTALL,
)
_KINDS = {
    "C": EntryKind.CREDIT,
    "D": EntryKind.DEBIT,
    "RC": EntryKind.CREDIT_REVERSED,
    "RD": EntryKind.DEBIT_REVERSED,
    "EC": EntryKind.CREDIT,  # expected: not booked
    "ED": EntryKind.DEBIT,
}
_SUBFIELDS = re.compile(r"\?([0-9]{2})")
_STRUCTURED = re.compile(r"[0-9]{3}\?")
_PURPOSE_CODES = (*range(20, 30), *range(60, 64))
_PURPOSE_CHARS = 27  # of one subfield; a full one goes on in the next without a space
_LINE_CHARS = 65  # of one line of unstructured information
_KEYWORDS = re.compile(r"\b(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
_PLACEHOLDERS = frozenset({"", "NONREF", "NOTPROVIDED"})
_CENTURY = 80  # two digits of a year from here on are of the last century


@dataclass(slots=True, kw_only=True)
class _Message:
    """One message while it is read."""

    account: str = ""
    number: str = ""
    currency: str = ""
    opening_minor: int | None = None
    closing_minor: int | None = None
    entries: list[Entry] = field(default_factory=list)
    is_whole: bool = True


def is_mt940(raw: bytes) -> bool:
    """Tell whether bytes begin as an MT940 message does."""
    return _START.search(raw[:_START_BYTES]) is not None


def read_mt940(raw: bytes) -> StatementFile:
    """Read all messages of a file.

    Raises:
        DocumentTooLargeError: It is above a limit.
        DocumentFormError: A message is cut off, or lacks its account or a balance.
    """
    statements = []
    rejects: list[EntryReject] = []
    row = 0
    for fields in _iterate_messages(_decode(raw)):
        message = _Message()
        pending: tuple[int, str] | None = None
        for tag, text in (*fields, ("", "")):
            if pending is not None:
                information = text if tag == "86" else ""
                _add_entry(message, rejects, row=pending[0], text=pending[1], more=information)
                pending = None
            if tag == "61":
                row += 1
                if row > ENTRIES_MAX:
                    raise DocumentTooLargeError(f"more than {ENTRIES_MAX} entries")
                pending = (row, text)
            else:
                _take(message, tag, text)
        statements.append(_build_statement(message))
    return StatementFile(statements=tuple(statements), rejects=tuple(rejects))


def _decode(raw: bytes) -> str:
    if len(raw) > FILE_BYTES_MAX:
        raise DocumentTooLargeError(f"more than {FILE_BYTES_MAX // 2**20} MiB")
    if b"\x00" in raw:
        raise DocumentFormError("binary data, not a message of text")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DocumentFormError("neither UTF-8 nor Windows-1252")


def _iterate_messages(text: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the fields of each message, in their order, lines of a field joined by line feeds."""
    fields: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LINE_CHARS_MAX:
            raise DocumentTooLargeError(f"line {number} is longer than {LINE_CHARS_MAX} characters")
        plain = _BLOCKS.sub("", line).rstrip()
        if not plain or plain == "-" or plain.startswith(("{", "-}")):
            continue
        tag = _TAG.fullmatch(plain)
        if tag is None and fields:
            name, text_before = fields[-1]
            fields[-1] = (name, f"{text_before}\n{plain}"[:INFORMATION_CHARS_MAX])
        elif tag is not None:
            if tag[1] == "20" and fields:
                yield fields
                fields = []
            fields.append((tag[1], tag[2]))
    if not fields:
        raise DocumentFormError("no field of a message")
    yield fields


def _take(message: _Message, tag: str, text: str) -> None:
    """Take a field that is about the statement; others say nothing that is needed."""
    match tag:
        case "25" | "25P":
            message.account = "".join(text.split("\n", maxsplit=1)[0].split())[:ACCOUNT_CHARS_MAX]
        case "28" | "28C":
            message.number = squeeze(text)[:REFERENCE_CHARS_MAX]
        case "60F" | "60M":
            message.opening_minor, message.currency = _read_balance(text, field=tag)
        case "62F" | "62M":
            message.closing_minor, currency = _read_balance(text, field=tag)
            if currency != message.currency:
                raise DocumentFormError("the balances of a statement are in two currencies")
        case _:
            pass


def _read_balance(text: str, *, field: str) -> tuple[int, str]:
    if (match := _BALANCE.fullmatch(text.strip())) is None:
        raise DocumentFormError(f"field {field} is no balance")
    mark, _, code, digits = match.groups()
    try:
        currency = read_currency(code, field=field)
        minor = _read_amount(digits, currency=currency, field=field)
    except FieldError as err:
        raise DocumentFormError(f"field {field}: {err.reason}") from err
    return (minor if mark == "C" else -minor), currency


def _read_amount(digits: str, *, currency: str, field: str) -> int:
    return read_amount(digits.replace(",", "."), currency=currency, field=field)


def _add_entry(
    message: _Message, rejects: list[EntryReject], *, row: int, text: str, more: str
) -> None:
    if not message.currency:
        raise DocumentFormError("an entry stands before the opening balance")
    try:
        message.entries.append(_read_entry(text, more, row=row, currency=message.currency))
    except FieldError as err:
        message.is_whole = False
        rejects.append(EntryReject.from_error(err, row=row))


def _build_statement(message: _Message) -> Statement:
    if not message.account:
        raise DocumentFormError("a statement without its account (field 25)")
    if message.opening_minor is None:
        raise DocumentFormError("a statement without its opening balance (field 60)")
    if message.closing_minor is None:
        raise DocumentFormError("a statement without its closing balance: the file is cut off")
    entries = tuple(message.entries)
    oddities = find_balance_oddity(
        opening_minor=message.opening_minor, closing_minor=message.closing_minor, entries=entries
    )
    return Statement(
        account=message.account,
        number=message.number,
        entries=entries,
        oddities=oddities if message.is_whole else (),
    )


def _read_entry(text: str, more: str, *, row: int, currency: str) -> Entry:
    match = _ENTRY.fullmatch(text.strip())
    if match is None:
        raise FieldError(field="61", reason="not an entry of the form of field 61")
    valued_on = _read_day(match["valued"])
    amount_minor = _read_amount(match["amount"], currency=currency, field="61")
    reference = squeeze(match["bank"] or "")
    own_reference = squeeze(match["own"] or "")
    return Entry(
        row=row,
        kind=_KINDS[match["mark"]],
        is_booked=not match["mark"].startswith("E"),
        booked_on=_read_booked(match["booked"], near=valued_on),
        valued_on=valued_on,
        currency=currency,
        amount_minor=amount_minor,
        reference="" if reference.upper() in _PLACEHOLDERS else reference[:REFERENCE_CHARS_MAX],
        has_unique_reference=False,  # banks put what they like there
        payments=(_read_information(more, amount_minor=amount_minor, own=own_reference),),
    )


def _read_day(digits: str) -> date:
    year = int(digits[:2])
    try:
        day = date(year + (1900 if year >= _CENTURY else 2000), int(digits[2:4]), int(digits[4:6]))
    except ValueError as err:
        raise FieldError(field="61", reason="not a date of the calendar") from err
    return check_year(day, field="61")


def _read_booked(digits: str | None, *, near: date) -> date | None:
    """Return the entry date, which has no year: the one nearest to the value date."""
    if digits is None:
        return None
    found = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            found.append(date(year, int(digits[:2]), int(digits[2:])))
        except ValueError:
            continue
    if not found:
        raise FieldError(field="61", reason="not a date of the calendar")
    return min(found, key=lambda day: abs((day - near).days))


def _read_information(more: str, *, amount_minor: int, own: str) -> Payment:
    end_to_end = "" if own.upper() in _PLACEHOLDERS else own
    if not _STRUCTURED.match(more):
        return Payment(
            line=0,
            amount_minor=amount_minor,
            end_to_end=end_to_end,
            text=squeeze(_join(more.split("\n"), chars_full=_LINE_CHARS)),
        )
    subfields = _split_subfields(more.replace("\n", ""))
    purpose = _join(
        [subfields[code] for code in _PURPOSE_CODES if code in subfields],
        chars_full=_PURPOSE_CHARS,
    )
    keywords = _split_keywords(purpose)
    name = squeeze(subfields.get(32, "") + subfields.get(33, ""))
    account = "".join(subfields.get(31, "").split()) or keywords.get("IBAN", "")
    named_end_to_end = squeeze(keywords.get("EREF", ""))
    if named_end_to_end and named_end_to_end.upper() not in _PLACEHOLDERS:
        end_to_end = named_end_to_end[:REFERENCE_CHARS_MAX]
    return Payment(
        line=0,
        amount_minor=amount_minor,
        payer_name=name[:NAME_CHARS_MAX],
        payer_account=account[:ACCOUNT_CHARS_MAX],
        end_to_end=end_to_end,
        text=squeeze(keywords.get("SVWZ", purpose if len(keywords) == 0 else "")),
    )


def _split_subfields(text: str) -> dict[int, str]:
    parts = _SUBFIELDS.split(text)
    subfields: dict[int, str] = {}
    for code, value in zip(parts[1::2], parts[2::2], strict=True):
        subfields.setdefault(int(code), value)
    return subfields


def _split_keywords(purpose: str) -> dict[str, str]:
    parts = _KEYWORDS.split(purpose)
    keywords: dict[str, str] = {}
    for name, value in zip(parts[1::2], parts[2::2], strict=True):
        keywords.setdefault(name, value)
    return keywords


def _join(lines: list[str], *, chars_full: int) -> str:
    """Join lines that were broken at a fixed width: without a space where one is full."""
    joined = ""
    for line in lines:
        joined += line if len(line) >= chars_full else f"{line} "
    return joined.strip()
