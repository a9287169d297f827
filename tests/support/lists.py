"""Lists of our own making, in the form in which systems save theirs; none is a real export."""

from __future__ import annotations

SAP_TITLE = "Einzelpostenliste Debitoren\r\nBuchungskreis;1000\r\n\r\n"
SAP_HEADER = (
    "Konto;Belegnummer;Belegart;Belegdatum;Nettofälligkeit;Betrag in Hauswährung;Hauswährung;"
    "Ausgleichsdatum;Ausgleichsbeleg;Sonderhauptbuch-Kennz.;Text\r\n"
)
SAP_ROWS = (
    "4711;1800000001;RV;02.01.2026;01.02.2026;1.234,56;EUR;05.02.2026;1400000001;;Pumpen\r\n"
    "4711;1800000002;DR;05.01.2026;04.02.2026;100,00;EUR;05.02.2026;1400000001;;\r\n"
    "4711;1400000001;DZ;04.02.2026;04.02.2026;1.234,56-;EUR;05.02.2026;1400000001;;\r\n"
    "4711;1600000001;DG;20.01.2026;20.01.2026;100,00-;EUR;05.02.2026;1400000001;;\r\n"
    "4711;1800000003;RV;01.03.2026;31.03.2026;500,00;EUR;;;;\r\n"
    "4711;1400000002;DZ;15.03.2026;15.03.2026;50,00-;EUR;;;;Anzahlung\r\n"
    "4712;1800000004;DV;01.03.2026;31.03.2026;2.000,00;EUR;;;;\r\n"
    "4712;1900000001;RV;01.03.2026;30.06.2026;700,00;EUR;;;W;Wechsel\r\n"
    "4712;1500000001;AB;01.03.2026;01.03.2026;7,00;EUR;;;;\r\n"
    "4712;1800000005;RV;01.03.2026;31.03.2026;10,00;EUR;10.03.2026;1400000009;;\r\n"
    "4712;1800000006;RV;01.03.2026;31.03.2026;30,00;EUR;10.03.2026;1400000008;;\r\n"
    "4712;1400000008;DZ;10.03.2026;10.03.2026;29,00-;EUR;10.03.2026;1400000008;;Skonto\r\n"
)
SAP_END = "*;;;;;4.443,56;EUR;;;;\r\n;;;;;;;;;;\r\n"
SAP_LIST = (SAP_TITLE + SAP_HEADER + SAP_ROWS + SAP_END).encode("cp1252")

SAP_ENGLISH = (
    "Account\tDocument Number\tDocument Type\tDocument Date\tNet due date\t"
    "Amount in local currency\tLocal Currency\tClearing date\tClearing Document\t"
    "Special G/L ind\n"
    "4711\t1800000001\tRV\t02.01.2026\t01.02.2026\t1.234,56\tEUR\t\t\t\n"
    "4711\t1400000001\tDZ\t04.02.2026\t04.02.2026\t34,56-\tEUR\t\t\t\n"
).encode("cp1252")

KINGDEE_RECEIVABLES = (
    "应收单列表,,,,,,,\n"
    "单据编号,业务日期,客户编码,客户名称,币别,价税合计,到期日,备注\n"
    'AR00000001,2026-01-05,CUST0001,宏达机械有限公司,人民币,"12,000.00",2026-02-04,\n'
    "AR00000002,2026-01-20,CUST0001,宏达机械有限公司,人民币,-500.00,2026-02-19,红字\n"
    "AR00000003,2026-02-01,CUST0002,远东贸易,美元,300.00,2026-03-03,\n"
    '合计,,,,,"11,800.00",,\n'
).encode("gb18030")
KINGDEE_RECEIPTS = (
    "单据编号,业务日期,往来单位编码,往来单位,币别,收款金额\n"
    'SKD00000001,2026-02-03,CUST0001,宏达机械有限公司,人民币,"7,000.00"\n'
).encode("gb18030")

YONYOU_RECEIVABLES = (
    "单据日期\t单据号\t客户编码\t客户\t币种\t原币金额\t到期日\n"
    "2026-01-05\t0000000012\t0101\t宏达机械\t人民币\t12000.00\t2026-02-04\n"
    "小计\t\t\t\t\t12000.00\t\n"
    "制单人:李\t\t\t\t\t\t\n"
).encode("gb18030")
