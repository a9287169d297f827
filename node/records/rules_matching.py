"""What a payment from the bank pays for: documents that the payer names, or one exact amount.

Pure. Nothing is guessed: no name is compared with a customer's, no combination of items is searched
for, and a number counts only where it stands whole. What is not certain stays unapplied, with the
reason. docs/decisions/0035 has the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stdnum import iso11649

from node.records.formats.statement import NamedDocument, Payment
from node.records.rules_ledger import (
    AllocationMethod,
    Application,
    OpenDebit,
    apply_exact,
)

NUMBER_CHARS_MIN = 4  # of a number that counts in free text
IDENTIFYING_CHARS_MIN = 6  # of one that alone says who the customer is
TOKENS_MAX = 200  # of one text
NUMBERS_SHOWN_MAX = 5

_RF = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}")
_JOINING = frozenset("-._/#")  # between the parts of one number
_LISTING = frozenset("/+&,;")  # between the numbers of a list
_LATIN_END = "\u0250"
_TOKEN = re.compile(r"[0-9A-Za-z\u00c0-\u024f][0-9A-Za-z\u00c0-\u024f._/#-]*")


class MatchMethod(StrEnum):
    """By what it was decided what a payment pays for."""

    NAMED = "named"  # in structured remittance information, or by a creditor reference
    TEXT = "named-in-text"
    EXACT = "exact-amount"
    UNAPPLIED = "unapplied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What of a payment goes where, and why."""

    method: MatchMethod
    reason: str
    applications: tuple[Application, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What is open of one document: its lines, what fell due first at the front."""

    number: str
    lines: tuple[OpenDebit, ...]

    @property
    def open_minor(self) -> int:
        return sum(line.open_minor for line in self.lines)


def is_wrong_reference(reference: str) -> bool:
    """Tell whether a text has the form of an ISO 11649 reference and a wrong check digit."""
    compact = _compact(reference)
    return _RF.fullmatch(compact) is not None and not iso11649.is_valid(compact)


def list_named_numbers(payment: Payment) -> list[str]:
    """Return the numbers that the payer names in structured form, as they may be written here."""
    numbers = [document.number for document in payment.documents]
    for reference in payment.creditor_references:
        numbers += _read_reference(reference)
    return list(dict.fromkeys(numbers))


def list_tokens(payment: Payment) -> list[str]:
    """Return the words of a payment's text that may be a number which says who the customer is."""
    tokens: dict[str, None] = {}
    for text in (payment.text, payment.end_to_end):
        for token in _TOKEN.findall(text):
            for part in (token, *token.split("/")):
                plain = part.rstrip("._/#-")
                if len(plain) >= IDENTIFYING_CHARS_MIN and _has_digit(plain):
                    tokens[plain] = None
    return list(tokens)[:TOKENS_MAX]


def find_customers(
    payment: Payment, debits_by_customer: Mapping[int, Sequence[OpenDebit]]
) -> dict[int, MatchMethod]:
    """Return whose open documents a payment names: in structured form, or else in its text."""
    named = {_fold(number) for number in list_named_numbers(payment)}
    found = {
        customer_id: MatchMethod.NAMED
        for customer_id, debits in debits_by_customer.items()
        if any(_fold(debit.document_no) in named for debit in debits)
    }
    if found:
        return found
    return {
        customer_id: MatchMethod.TEXT
        for customer_id, debits in debits_by_customer.items()
        if _find_in_text(payment, debits, chars_min=IDENTIFYING_CHARS_MIN)
    }


def match_payment(payment: Payment, debits: Sequence[OpenDebit]) -> Match:
    """Return what a payment of a known customer pays for, the most certain way first."""
    by_name = match_named(payment, debits)
    if by_name is not None:
        return by_name
    in_text = _find_in_text(payment, debits, chars_min=NUMBER_CHARS_MIN)
    if in_text:
        return _match_text(payment.amount_minor, in_text)
    exact = apply_exact(payment.amount_minor, debits)
    if exact:
        (number,) = {one.document_no for one in debits if one.item_id == exact[0].debit_id}
        return Match(
            method=MatchMethod.EXACT,
            reason=f"only {number} has just this amount open",
            applications=tuple(exact),
        )
    equal = sum(debit.open_minor == payment.amount_minor for debit in debits)
    reason = f"{equal} items have just this amount open" if equal else "no open document is named"
    return _unapplied(f"{reason}: apply it by hand")


def match_named(payment: Payment, debits: Sequence[OpenDebit]) -> Match | None:
    """Return what the payer names in structured form, or None where it names nothing open."""
    documents = _group(debits)
    amounts: dict[str, int | None] = {}
    missing: list[str] = []
    for named, spellings in _iterate_named(payment):
        numbers = {number for one in spellings if (number := _fold(one)) in documents}
        if len(numbers) == 1:
            amounts.setdefault(numbers.pop(), named.amount_minor)
        else:
            missing.append(named.number)
    if not amounts:
        return None
    if payment.credits_named:
        return _unapplied("the payer deducts a credit note: apply it by hand")
    chosen = {number: documents[number] for number in amounts}
    if any(len({(one.kind, one.happened_on) for one in doc.lines}) > 1 for doc in chosen.values()):
        return _unapplied("two documents have the number that is named: apply it by hand")
    if None not in amounts.values():
        wanted = [(chosen[number], minor or 0) for number, minor in amounts.items()]
        return _apply_amounts(payment.amount_minor, wanted)
    return _apply_in_full(payment.amount_minor, list(chosen.values()), missing=missing)


def _apply_amounts(amount_minor: int, wanted: list[tuple[_Document, int]]) -> Match:
    if any(not 0 < minor <= document.open_minor for document, minor in wanted):
        return _unapplied("another amount than is open is paid of a document: apply it by hand")
    if sum(minor for _, minor in wanted) > amount_minor:
        return _unapplied("the amounts that are named are more than the payment: apply it by hand")
    applications = [one for document, minor in wanted for one in _spread(document, minor)]
    return _matched(MatchMethod.NAMED, [document for document, _ in wanted], applications)


def _apply_in_full(amount_minor: int, documents: list[_Document], *, missing: list[str]) -> Match:
    open_minor = sum(document.open_minor for document in documents)
    if missing and open_minor != amount_minor:
        return _unapplied("not all documents that are named are open: apply it by hand")
    if open_minor > amount_minor and len(documents) > 1:
        return _unapplied("less is paid than is open of the documents named: apply it by hand")
    applications: list[Application] = []
    left_minor = amount_minor
    for document in documents:
        part_minor = min(left_minor, document.open_minor)
        applications += _spread(document, part_minor)
        left_minor -= part_minor
    return _matched(MatchMethod.NAMED, documents, applications)


def _match_text(amount_minor: int, documents: list[_Document]) -> Match:
    if any(len({(one.kind, one.happened_on) for one in doc.lines}) > 1 for doc in documents):
        return _unapplied("two documents have a number that is named: apply it by hand")
    if sum(document.open_minor for document in documents) != amount_minor:
        return _unapplied("another amount is open of what the text names: apply it by hand")
    applications = [one for document in documents for one in _spread(document, document.open_minor)]
    return _matched(MatchMethod.TEXT, documents, applications)


def _matched(
    method: MatchMethod, documents: list[_Document], applications: list[Application]
) -> Match:
    shown = [document.number for document in documents[:NUMBERS_SHOWN_MAX]]
    more = len(documents) - len(shown)
    reason = "names " + ", ".join(shown) + (f" and {more} more" if more else "")
    return Match(method=method, reason=reason, applications=tuple(applications))


def _unapplied(reason: str) -> Match:
    return Match(method=MatchMethod.UNAPPLIED, reason=reason)


def _spread(document: _Document, amount_minor: int) -> Iterator[Application]:
    """Apply an amount to the lines of a document, what fell due first at the front."""
    left_minor = amount_minor
    for line in document.lines:
        part_minor = min(left_minor, line.open_minor)
        if part_minor > 0:
            left_minor -= part_minor
            yield Application(
                debit_id=line.item_id,
                amount_minor=part_minor,
                method=AllocationMethod.REMITTANCE,
            )


def _iterate_named(payment: Payment) -> Iterator[tuple[NamedDocument, list[str]]]:
    """Yield what the payer names, and how it may be written here."""
    for document in payment.documents:
        yield document, [document.number]
    for reference in payment.creditor_references:
        if spellings := _read_reference(reference):
            yield NamedDocument(number=reference), spellings


def _read_reference(reference: str) -> list[str]:
    """Return the numbers that a creditor reference may stand for; none of a wrong one."""
    compact = _compact(reference)
    if not _RF.fullmatch(compact):
        return [reference] if compact else []
    if not iso11649.is_valid(compact):
        return []
    body = compact[4:]
    return list(dict.fromkeys((compact, body, body.lstrip("0") or body)))


def _find_in_text(
    payment: Payment, debits: Iterable[OpenDebit], *, chars_min: int
) -> list[_Document]:
    texts = [_fold(payment.text), _fold(payment.end_to_end)]
    found: dict[str, _Document] = {}
    candidates = {
        number: document
        for number, document in _group(debits).items()
        if len(number) >= chars_min and _has_digit(number) and any(number in one for one in texts)
    }
    if not candidates:
        return []
    for text in texts:
        found |= {one: candidates[one] for one in _find_whole(text, candidates)}
    return list(found.values())


def _find_whole(text: str, numbers: Iterable[str]) -> Iterator[str]:
    """Yield the numbers that stand whole in a text, none of them a part of a longer one.

    A list as 4711/4712 counts where each part of it is one of the numbers.
    """
    spans: list[tuple[int, int]] = []
    for number in sorted(numbers, key=len, reverse=True):
        start = text.find(number)
        while start >= 0:
            end = start + len(number)
            if all(end <= one_start or start >= one_end for one_start, one_end in spans):
                spans.append((start, end))
            start = text.find(number, start + 1)
    chain: list[tuple[int, int]] = []
    for span in sorted(spans):
        if chain and not (span[0] == chain[-1][1] + 1 and text[chain[-1][1]] in _LISTING):
            yield from _whole_parts(text, chain)
            chain = []
        chain.append(span)
    yield from _whole_parts(text, chain)


def _whole_parts(text: str, chain: list[tuple[int, int]]) -> list[str]:
    if not chain or _is_joined(text[: chain[0][0]][::-1]) or _is_joined(text[chain[-1][1] :]):
        return []
    return [text[start:end] for start, end in chain]


def _is_joined(beside: str) -> bool:
    """Tell whether what stands beside a number, the nearest first, makes it a longer one."""
    return _is_letter(beside[:1]) or (beside[:1] in _JOINING and _is_letter(beside[1:2]))


def _is_letter(character: str) -> bool:
    """Tell a digit or Latin letter; Chinese stands beside a number without a space."""
    return character.isalnum() and character < _LATIN_END


def _group(debits: Iterable[OpenDebit]) -> dict[str, _Document]:
    lines: dict[str, list[OpenDebit]] = {}
    for debit in sorted(debits, key=lambda one: (one.due_on, one.item_id)):
        lines.setdefault(_fold(debit.document_no), []).append(debit)
    return {
        number: _Document(number=found[0].document_no, lines=tuple(found))
        for number, found in lines.items()
    }


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _compact(text: str) -> str:
    return "".join(text.split()).upper()


def _has_digit(text: str) -> bool:
    return any("0" <= character <= "9" for character in text)
