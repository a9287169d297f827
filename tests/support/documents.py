"""Documents of our own making, as the formats write them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

UBL = "urn:oasis:names:specification:ubl:schema:xsd"
CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
BUYER = "213800KUD8LAJWSQ9D15"


def ubl(
    number: str,
    amount: str = "100.00",
    *,
    kind: str = "Invoice",
    issued: str = "2026-01-05",
    due: str | None = "2026-02-04",
    currency: str = "CNY",
    buyer: str = f'<cac:PartyIdentification><cbc:ID schemeID="0199">{BUYER}</cbc:ID>'
    "</cac:PartyIdentification>",
    totals: str = "",
    more: str = "",
) -> bytes:
    due_date = f"<cbc:DueDate>{due}</cbc:DueDate>" if due is not None else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{kind} xmlns="{UBL}:{kind}-2" xmlns:cac="{UBL}:CommonAggregateComponents-2"
  xmlns:cbc="{UBL}:CommonBasicComponents-2">
  <cbc:ID>{escape(number)}</cbc:ID><cbc:IssueDate>{issued}</cbc:IssueDate>{due_date}
  <cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>{more}
  <cac:AccountingCustomerParty><cac:Party>{buyer}
    <cac:PostalAddress><cac:Country><cbc:IdentificationCode>CN</cbc:IdentificationCode>
    </cac:Country></cac:PostalAddress>
    <cac:PartyLegalEntity><cbc:RegistrationName>示例启明</cbc:RegistrationName>
    </cac:PartyLegalEntity>
  </cac:Party></cac:AccountingCustomerParty>
  <cac:LegalMonetaryTotal>{totals}
    <cbc:PayableAmount currencyID="{currency}">{amount}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
</{kind}>""".encode()


def credits_invoice(number: str) -> str:
    return (
        "<cac:BillingReference><cac:InvoiceDocumentReference>"
        f"<cbc:ID>{number}</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference>"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One transaction of an entry."""

    text: str = ""
    references: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    name: str = ""
    account: str = ""
    amount: str | None = None
    more: str = ""

    def write(self, currency: str) -> str:
        amount = f'<Amt Ccy="{currency}">{self.amount}</Amt>' if self.amount else ""
        structured = "".join(
            f"<Strd><CdtrRefInf><Ref>{one}</Ref></CdtrRefInf></Strd>" for one in self.references
        ) + "".join(
            f"<Strd><RfrdDocInf><Nb>{one}</Nb></RfrdDocInf></Strd>" for one in self.documents
        )
        text = f"<Ustrd>{escape(self.text)}</Ustrd>" if self.text else ""
        account = (
            f"<DbtrAcct><Id><IBAN>{self.account}</IBAN></Id></DbtrAcct>" if self.account else ""
        )
        return (
            f"<TxDtls>{amount}<RltdPties><Dbtr><Pty><Nm>{escape(self.name)}</Nm></Pty></Dbtr>"
            f"{account}</RltdPties><RmtInf>{text}{structured}</RmtInf>{self.more}</TxDtls>"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a statement."""

    amount: str
    details: tuple[Detail, ...] = ()
    reference: str = ""
    mark: str = "CRDT"
    status: str = "BOOK"
    reversal: bool = False
    day: str = "2026-02-10"

    def write(self, currency: str) -> str:
        reference = f"<AcctSvcrRef>{self.reference}</AcctSvcrRef>" if self.reference else ""
        reversal = "<RvslInd>true</RvslInd>" if self.reversal else ""
        details = "".join(one.write(currency) for one in self.details)
        return (
            f'<Ntry><Amt Ccy="{currency}">{self.amount}</Amt><CdtDbtInd>{self.mark}</CdtDbtInd>'
            f"{reversal}<Sts><Cd>{self.status}</Cd></Sts><BookgDt><Dt>{self.day}</Dt></BookgDt>"
            f"<ValDt><Dt>{self.day}</Dt></ValDt>{reference}<NtryDtls>{details}</NtryDtls></Ntry>"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What a statement says of its balances."""

    opening: str
    closing: str


def camt(
    *entries: Entry,
    balances: Balances | None = None,
    currency: str = "CNY",
    namespace: str = CAMT,
    message: tuple[str, str] = ("BkToCstmrStmt", "Stmt"),
    more: str = "",
) -> bytes:
    said = ""
    if balances is not None:
        said = "".join(
            f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount}'
            "</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>"
            for code, amount in (("OPBD", balances.opening), ("CLBD", balances.closing))
        )
    outer, inner = message
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace}"><{outer}>'
        f"<{inner}><Id>S1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>{said}"
        f"{''.join(one.write(currency) for one in entries)}{more}</{inner}></{outer}></Document>"
    ).encode()


def mt940(
    *lines: str, opening: str = "0,00", closing: str = "0,00", currency: str = "CNY"
) -> bytes:
    return "\r\n".join(
        (
            ":20:START",
            ":25:37040044/532013000",
            ":28C:5/1",
            f":60F:C260209{currency}{opening}",
            *lines,
            f":62F:C260210{currency}{closing}",
            "-",
            "",
        )
    ).encode()


def pack_archive(entries: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fapiao:
    """A digital invoice."""

    number: str = "26442000000000000017"
    total: str = "113.00"
    net: str = "100.00"
    tax: str = "13.00"
    flag: str = "Y"
    buyer: str = "91350100M000100Y43"
    remark: str = ""
    lines: tuple[str, ...] = field(default=("*电子元件*驱动器",))

    def write(self) -> bytes:
        items = "".join(
            f"<IssuItemInformation><ItemName>{one}</ItemName></IssuItemInformation>"
            for one in self.lines
        )
        return f"""<?xml version="1.0" encoding="utf-8"?>
<EInvoice><Header><EIid>{self.number}</EIid><InherentLabel><InIssuType>
<LabelCode>{self.flag}</LabelCode></InIssuType></InherentLabel></Header><EInvoiceData>
<SellerInformation><SellerIdNum>9144030071526726XG</SellerIdNum><SellerName>示例卖方</SellerName>
</SellerInformation><BuyerInformation><BuyerIdNum>{self.buyer}</BuyerIdNum>
<BuyerName>示例买方</BuyerName></BuyerInformation><BasicInformation>
<TotalAmWithoutTax>{self.net}</TotalAmWithoutTax><TotalTaxAm>{self.tax}</TotalTaxAm>
<TotalTax-includedAmount>{self.total}</TotalTax-includedAmount></BasicInformation>{items}
<AdditionalInformation><Remark>{self.remark}</Remark></AdditionalInformation></EInvoiceData>
<TaxSupervisionInfo><InvoiceNumber>{self.number}</InvoiceNumber>
<IssueTime>2026-01-05 10:00:00</IssueTime></TaxSupervisionInfo></EInvoice>""".encode()
