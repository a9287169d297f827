"""Which XBRL elements stand for which items of the chart, for IFRS and US-GAAP (concepts-1).

An item has alternatives, tried in order: each is elements that are added up and must all be there.
Elements that are China's own are in no table here: none was at hand to be checked against. What an
operator holds goes into a file of its own (``node.assessment.statements.taxonomies``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from node.assessment.statements.rules_statement import Gaap

CONCEPTS_VERSION = "concepts-1"

Alternatives: TypeAlias = tuple[tuple[str, ...], ...]
IFRS_NAMESPACE = re.compile(
    r"https?://xbrl\.ifrs\.org/taxonomy/[0-9]{4}-[0-9]{2}-[0-9]{2}/ifrs(?:-full)?"
)
US_GAAP_NAMESPACE = re.compile(
    r"https?://(?:fasb\.org|xbrl\.us)/us-gaap/[0-9]{4}(?:-[0-9]{2}-[0-9]{2})?"
)
# Of the general taxonomy of the Ministry of Finance (企业会计准则通用分类标准).
CAS_NAMESPACE = re.compile(r"https?://xbrl\.mof\.gov\.cn/taxonomy/[0-9]{4}-[0-9]{2}-[0-9]{2}/cas")
_US_BEFORE_TAX = "IncomeLossFromContinuingOperationsBeforeIncomeTaxes"
_US_CASH = "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents"
_IFRS: Mapping[str, Alternatives] = {
    "cash": (("CashAndCashEquivalents",),),
    "short-term-investments": (("OtherCurrentFinancialAssets",),),
    "receivables": (
        ("CurrentTradeReceivables",),
        ("TradeReceivables",),
        ("TradeAndOtherCurrentReceivables",),
    ),
    "inventory": (("Inventories",),),
    "current-assets": (("CurrentAssets",),),
    "fixed-assets": (("PropertyPlantAndEquipment",),),
    "intangible-assets": (
        ("IntangibleAssetsAndGoodwill",),
        ("Goodwill", "IntangibleAssetsOtherThanGoodwill"),
        ("IntangibleAssetsOtherThanGoodwill",),
    ),
    "non-current-assets": (("NoncurrentAssets",),),
    "total-assets": (("Assets",),),
    "short-term-debt": (
        ("CurrentBorrowingsAndCurrentPortionOfNoncurrentBorrowings",),
        ("ShorttermBorrowings", "CurrentPortionOfLongtermBorrowings"),
        ("ShorttermBorrowings",),
    ),
    "payables": (
        ("TradeAndOtherCurrentPayablesToTradeSuppliers",),
        ("TradeAndOtherCurrentPayables",),
    ),
    "current-liabilities": (("CurrentLiabilities",),),
    "long-term-debt": (
        ("NoncurrentPortionOfNoncurrentBorrowings",),
        ("LongtermBorrowings",),
    ),
    "non-current-liabilities": (("NoncurrentLiabilities",),),
    "total-liabilities": (("Liabilities",),),
    "paid-in-capital": (("IssuedCapital",),),
    "retained-earnings": (("RetainedEarnings",),),
    "minority-interests": (("NoncontrollingInterests",),),
    "total-equity": (("Equity",),),
    "sales": (("Revenue",), ("RevenueFromContractsWithCustomers",)),
    "cost-of-sales": (("CostOfSales",),),
    "gross-profit": (("GrossProfit",),),
    "operating-profit": (("ProfitLossFromOperatingActivities",),),
    "interest-expense": (("InterestExpense",), ("FinanceCosts",)),
    "profit-before-tax": (("ProfitLossBeforeTax",),),
    "income-tax": (("IncomeTaxExpenseContinuingOperations",),),
    "net-profit": (("ProfitLoss",),),
    "depreciation": (
        ("DepreciationAndAmortisationExpense",),
        ("AdjustmentsForDepreciationAndAmortisationExpense",),
    ),
    "operating-cash-flow": (("CashFlowsFromUsedInOperatingActivities",),),
    "investing-cash-flow": (("CashFlowsFromUsedInInvestingActivities",),),
    "financing-cash-flow": (("CashFlowsFromUsedInFinancingActivities",),),
    "exchange-effect": (("EffectOfExchangeRateChangesOnCashAndCashEquivalents",),),
    "net-cash-change": (("IncreaseDecreaseInCashAndCashEquivalents",),),
}
_US_GAAP: Mapping[str, Alternatives] = {
    "cash": (
        ("CashAndCashEquivalentsAtCarryingValue",),
        (_US_CASH,),
    ),
    "short-term-investments": (("ShortTermInvestments",), ("MarketableSecuritiesCurrent",)),
    "receivables": (("AccountsReceivableNetCurrent",), ("ReceivablesNetCurrent",)),
    "inventory": (("InventoryNet",),),
    "current-assets": (("AssetsCurrent",),),
    "fixed-assets": (("PropertyPlantAndEquipmentNet",),),
    "intangible-assets": (
        ("Goodwill", "IntangibleAssetsNetExcludingGoodwill"),
        ("IntangibleAssetsNetExcludingGoodwill",),
        ("Goodwill",),
    ),
    "non-current-assets": (("AssetsNoncurrent",),),
    "total-assets": (("Assets",),),
    "short-term-debt": (
        ("DebtCurrent",),
        ("ShortTermBorrowings", "LongTermDebtCurrent"),
        ("LongTermDebtCurrent",),
        ("ShortTermBorrowings",),
    ),
    "payables": (("AccountsPayableCurrent",), ("AccountsPayableTradeCurrent",)),
    "current-liabilities": (("LiabilitiesCurrent",),),
    "long-term-debt": (("LongTermDebtNoncurrent",),),
    "non-current-liabilities": (("LiabilitiesNoncurrent",),),
    "total-liabilities": (("Liabilities",),),
    "paid-in-capital": (("CommonStockValue",), ("CommonStocksIncludingAdditionalPaidInCapital",)),
    "retained-earnings": (("RetainedEarningsAccumulatedDeficit",),),
    "minority-interests": (("MinorityInterest",),),
    "total-equity": (
        ("StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest",),
        ("StockholdersEquity",),
    ),
    "sales": (
        ("Revenues",),
        ("RevenueFromContractWithCustomerExcludingAssessedTax",),
        ("SalesRevenueNet",),
    ),
    "cost-of-sales": (
        ("CostOfRevenue",),
        ("CostOfGoodsAndServicesSold",),
        ("CostOfGoodsSold",),
    ),
    "gross-profit": (("GrossProfit",),),
    "operating-expenses": (("OperatingExpenses",),),
    "operating-profit": (("OperatingIncomeLoss",),),
    "interest-expense": (("InterestExpense",), ("InterestExpenseDebt",)),
    "profit-before-tax": (
        (_US_BEFORE_TAX + "ExtraordinaryItemsNoncontrollingInterest",),
        (_US_BEFORE_TAX + "MinorityInterestAndIncomeLossFromEquityMethodInvestments",),
    ),
    "income-tax": (("IncomeTaxExpenseBenefit",),),
    "net-profit": (("ProfitLoss",), ("NetIncomeLoss",)),
    "depreciation": (
        ("DepreciationDepletionAndAmortization",),
        ("DepreciationAmortizationAndAccretionNet",),
        ("DepreciationAndAmortization",),
        ("Depreciation", "AmortizationOfIntangibleAssets"),
    ),
    "operating-cash-flow": (
        ("NetCashProvidedByUsedInOperatingActivities",),
        ("NetCashProvidedByUsedInOperatingActivitiesContinuingOperations",),
    ),
    "investing-cash-flow": (
        ("NetCashProvidedByUsedInInvestingActivities",),
        ("NetCashProvidedByUsedInInvestingActivitiesContinuingOperations",),
    ),
    "financing-cash-flow": (
        ("NetCashProvidedByUsedInFinancingActivities",),
        ("NetCashProvidedByUsedInFinancingActivitiesContinuingOperations",),
    ),
    "exchange-effect": (("EffectOfExchangeRateOnCashAndCashEquivalents",),),
    "net-cash-change": (
        ("CashAndCashEquivalentsPeriodIncreaseDecrease",),
        (_US_CASH + "PeriodIncreaseDecreaseIncludingExchangeRateEffect",),
    ),
}
CONCEPTS: Mapping[Gaap, Mapping[str, Alternatives]] = MappingProxyType(
    {Gaap.IFRS: _IFRS, Gaap.US_GAAP: _US_GAAP}
)
