"""Small XBRL instances of a made-up company, IFRS and US-GAAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

IFRS = "https://xbrl.ifrs.org/taxonomy/2024-03-27/ifrs-full"
US_GAAP = "http://fasb.org/us-gaap/2024"
NAMES = (
    'xmlns="http://www.xbrl.org/2003/instance" xmlns:xbrldi="http://xbrl.org/2006/xbrldi"'
    ' xmlns:iso4217="http://www.xbrl.org/2003/iso4217"'
)
PER_SHARE = (
    '<unit id="perShare"><divide><unitNumerator><measure>iso4217:EUR</measure></unitNumerator>'
    "<unitDenominator><measure>shares</measure></unitDenominator></divide></unit>"
)
CONTEXTS = {
    "now": ("<instant>2025-12-31</instant>", ""),
    "then": ("<instant>2024-12-31</instant>", ""),
    "year": ("<startDate>2025-01-01</startDate><endDate>2025-12-31</endDate>", ""),
    "before": ("<startDate>2024-01-01</startDate><endDate>2024-12-31</endDate>", ""),
    "quarter": ("<startDate>2025-10-01</startDate><endDate>2025-12-31</endDate>", ""),
    "segment": (
        "<startDate>2025-01-01</startDate><endDate>2025-12-31</endDate>",
        "<segment><xbrldi:explicitMember dimension='x:A'>x:B</xbrldi:explicitMember></segment>",
    ),
}
IFRS_STOCKS = {
    "Assets": 1000, "CurrentAssets": 600, "NoncurrentAssets": 400, "Inventories": 200,
    "CashAndCashEquivalents": 100, "CurrentTradeReceivables": 300, "Liabilities": 500,
    "CurrentLiabilities": 400, "NoncurrentLiabilities": 100, "Equity": 500, "RetainedEarnings": 300,
}  # fmt: skip
IFRS_FLOWS = {
    "Revenue": 1500, "CostOfSales": 1000, "GrossProfit": 500, "FinanceCosts": 20,
    "ProfitLossBeforeTax": 100, "IncomeTaxExpenseContinuingOperations": 25, "ProfitLoss": 75,
    "CashFlowsFromUsedInOperatingActivities": 90,
}  # fmt: skip
US_STOCKS = {
    "Assets": 1000, "AssetsCurrent": 600, "LiabilitiesCurrent": 400, "StockholdersEquity": 500,
    "InventoryNet": 200, "RetainedEarningsAccumulatedDeficit": 300, "Goodwill": 50,
    "IntangibleAssetsNetExcludingGoodwill": 30,
}  # fmt: skip
US_FLOWS = {
    "RevenueFromContractWithCustomerExcludingAssessedTax": 1500, "CostOfRevenue": 1000,
    "OperatingIncomeLoss": 120, "NetIncomeLoss": 75,
}  # fmt: skip


def build_facts(figures: Mapping[str, int], context: str) -> list[str]:
    """Return facts in thousands of euros."""
    return [
        f'<t:{name} contextRef="{context}" unitRef="EUR" decimals="-3">{amount * 1000}</t:{name}>'
        for name, amount in figures.items()
    ]


def build_instance(
    facts: Sequence[str] | None = None, *, namespace: str = IFRS, entities: Mapping[str, str] = {}
) -> bytes:
    """Return an instance with two years of IFRS figures, or with other facts."""
    if facts is None:
        facts = [
            *build_facts(IFRS_STOCKS, "now"),
            *build_facts(IFRS_STOCKS, "then"),
            *build_facts(IFRS_FLOWS, "year"),
            *build_facts(IFRS_FLOWS, "before"),
        ]
    contexts = [
        f'<context id="{name}"><entity><identifier scheme="http://standards.iso.org/iso/17442">'
        f"{entities.get(name, 'LEI1')}</identifier>{segment}</entity><period>{period}</period>"
        "</context>"
        for name, (period, segment) in CONTEXTS.items()
    ]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xbrl {NAMES} xmlns:t="{namespace}">',
        *contexts,
        '<unit id="EUR"><measure>iso4217:EUR</measure></unit>',
        '<unit id="USD"><measure>iso4217:USD</measure></unit>',
        PER_SHARE,
        *facts,
        "</xbrl>",
    ]
    return "\n".join(lines).encode()
