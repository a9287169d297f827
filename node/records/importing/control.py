"""Control totals: what the other system says is open, to be compared before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from node.core.money import CURRENCY_FORM, AmountError, format_amount, minor_exponent, parse_amount
from node.records.importing.errors import OptionInvalidError
from node.records.importing.report import Balance, sum_totals

ControlTotals = Mapping[str, int]
"""What must be open by currency, in minor units."""


def parse_control_totals(texts: Iterable[str]) -> ControlTotals:
    """Read ``EUR=1234.56`` for each currency; a minus says that the customers are owed.

    Raises:
        OptionInvalidError: A text is not of that form, or a currency stands twice.
    """
    totals: dict[str, int] = {}
    for text in texts:
        currency, _, amount = text.strip().partition("=")
        digits = amount.strip().removeprefix("-")
        try:
            if not CURRENCY_FORM.fullmatch(currency) or currency in totals:
                raise OptionInvalidError("a control total is written EUR=1234.56, once a currency")
            minor = parse_amount(digits, currency=currency)
            if len(digits.partition(".")[2]) > minor_exponent(currency):
                raise OptionInvalidError(f"{currency} has fewer decimals")
        except AmountError as err:
            raise OptionInvalidError("a control total is written EUR=1234.56") from err
        totals[currency] = -minor if amount.strip().startswith("-") else minor
    return totals


def find_difference(balances: Iterable[Balance], totals: ControlTotals) -> str:
    """Return how the file differs from its control totals, empty where it does not.

    Without any total nothing is compared; with one, each currency of the file needs one.
    """
    if not totals:
        return ""
    found = sum_totals(balances)
    said = []
    for currency in sorted(found.keys() | totals.keys()):
        there, wanted = found.get(currency, 0), totals.get(currency)
        if wanted is None:
            said.append(f"no control total for {currency}")
        elif there != wanted:
            said.append(
                f"{format_amount(there, currency=currency)} {currency} in the file, "
                f"{format_amount(wanted, currency=currency)} by the control total"
            )
    return "; ".join(said)
