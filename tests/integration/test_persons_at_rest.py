"""Nothing of a natural person's name or number lies in the store in the clear, however it came."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from node.assessment.application.rules_application import Application, Reference, ReferenceKind
from node.assessment.policy_kind import ASSESSMENT_POLICY
from node.assessment.renewal.service import queue_subject_within
from node.assessment.renewal.store import RenewalCause
from node.bootstrap.field_change import change_field_key
from node.bootstrap.home import init_home
from node.bootstrap.local import LocalNode, build_local_node
from node.bootstrap.member import build_node
from node.core.backup import back_up
from node.core.clock import ManualClock
from node.core.config import Settings, build_settings
from node.core.field_tables import sealed_owner
from node.core.people.service import Role
from node.core.people.tables import access_log
from node.core.policies.entering import Entry
from node.core.policies.rules_states import Actor
from node.decision.asked import Asked
from node.decision.evidence import Wish
from node.records import bulk
from node.records.customers import ContactRole, CustomerKind, KindUnchangedError, NameKind
from node.records.documents import DocumentOptions, parse_customer
from node.records.exporting import ExportFormat
from node.records.importing import ImportReport
from node.records.importing.profiles import TEMPLATE_COLUMNS
from node.records.importing.report import write_reject_report
from node.records.rules_adverse import FactKey, FactSource
from node.records.rules_papers import GuaranteeForm, GuaranteeTerms, PaperContent, PaperKind
from node.records.store import AdverseStore
from node.web.app import API_PREFIX, build_app
from protocol.encoding import encode_b64u
from tests.support.console_node import API_TOKEN, BUSINESS_DATE, HUB_KEY, NOW_MS
from tests.support.documents import ubl
from tests.support.outside import make_check, make_report
from tests.support.stores import FILE_NAME, ON_SQLITE, migrated_url, sqlite_only
from tests.support.traces import list_traces

NAME = "王小明五金商行"
OTHER_NAME = "Xiaoming Wang Hardware"
NUMBER = "92330106MA2CFLB30M"
SUBJECT = f"uscc:{NUMBER}"
OWN_NUMBER = "K-4711-0815"  # one of our own: by it nobody is a person
TEXTS = (NAME, OTHER_NAME, NUMBER, OWN_NUMBER)
COMPANY = "Hongda Trading"
SHA = "ab" * 32
DAY = date(2026, 1, 15)
ENTRY = Entry(actor=Actor(who="token-1", name="li"), reason="tried")


@dataclass(kw_only=True)
class Place:
    """A node's home and its services, and what it has written as log lines."""

    settings: Settings
    node: LocalNode
    logged: Sequence[object]

    @property
    def home(self) -> Path:
        return self.settings.home

    def list_traces(self, *, texts: tuple[str, ...] = TEXTS) -> list[str]:
        assert not [line for line in self.logged if any(text in str(line) for text in texts)]
        return list_traces(self.node.database, self.home, texts)

    def list_sealed(self) -> list[int]:
        with self.node.database.read() as uow:
            query = select(sealed_owner.c.owner_id).order_by(sealed_owner.c.owner_id)
            return list(uow.connection.execute(query).scalars())

    def add(self, subject: str, name: str) -> int:
        scheme, _, value = subject.partition(":")
        return self.node.records.add_customer(
            scheme=scheme, value=value, name=name, country="CN"
        ).customer_id

    def find(self, subject: str) -> tuple[int, str, str]:
        found = self.node.records.get_named_customer(subject)
        return found.customer_id, found.name, found.subject_id


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    made = build_settings(
        home=home,
        member_id="alpha.example",
        business_date=BUSINESS_DATE,
        hub_anchor=encode_b64u(HUB_KEY.public.raw),
        api_token=API_TOKEN,
        database_url=migrated_url(home / FILE_NAME),
    )
    init_home(made)
    return made


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    with capture_logs() as logged:
        node = build_local_node(settings, clock=ManualClock(NOW_MS))
        yield Place(settings=settings, node=node, logged=logged)
        node.close()


def write_list(*rows: tuple[str, str, str]) -> bytes:
    """Return a list of invoices of these customers: subject, name, number of the invoice."""
    file = io.StringIO()
    writer = csv.DictWriter(file, TEMPLATE_COLUMNS)
    writer.writeheader()
    for subject, name, number in rows:
        scheme, _, value = subject.partition(":")
        writer.writerow(
            {
                "customer_scheme": scheme,
                "customer_value": value,
                "customer_name": name,
                "country": "CN",
                "document_no": number,
                "line": "1",
                "issued_on": "2026-01-02",
                "due_on": "2026-02-02",
                "currency": "CNY",
                "amount": "100.00",
                "paid_on": "2026-02-20",
                "paid_amount": "100.00",
            }
        )
    return file.getvalue().encode()


def take_list(place: Place, *rows: tuple[str, str, str]) -> ImportReport:
    content = write_list(*(rows or ((SUBJECT, NAME, "R-1"), ("sim:A1", COMPANY, "R-2"))))
    return place.node.records.import_file(content, file_name="list.csv", source="erp")


def import_list(place: Place) -> str:
    take_list(place)
    return SUBJECT


def import_document(place: Place) -> str:
    # Of a buyer by a number of the seller's own; who it is, a person has said.
    file = ubl("RE-1").replace("示例启明".encode(), NAME.encode())
    options = DocumentOptions(customer=parse_customer(SUBJECT))
    assert place.node.records.import_documents(file, options).imported
    return SUBJECT


def enter_by_hand(place: Place) -> str:
    key = place.add(SUBJECT, NAME)
    customers = place.node.customers
    customers.add_name(key, kind=NameKind.FOREIGN, name=OTHER_NAME, by="li")
    customers.add_identifier(key, scheme="erp", value=OWN_NUMBER, by="li")
    customers.add_contact(key, role=ContactRole.CREDIT, name=NAME, phone=NUMBER, by="li")
    return SUBJECT


def call_it_a_person(place: Place) -> str:
    key = place.add(f"erp:{OWN_NUMBER}", NAME)
    customers = place.node.customers
    customers.add_name(key, kind=NameKind.FOREIGN, name=OTHER_NAME, by="li")
    rate(place, key)
    customers.set_kind(key, kind=CustomerKind.PERSON, reason="sells from a stall", by="li")
    return f"erp:{OWN_NUMBER}"


def give_it_a_traders_number(place: Place) -> str:
    key = place.add(f"erp:{OWN_NUMBER}", NAME)
    rate(place, key)
    place.node.customers.add_identifier(key, scheme="uscc", value=NUMBER, by="li")
    return SUBJECT


def merge_into_a_person(place: Place) -> str:
    person, other = place.add(SUBJECT, NAME), place.add(f"erp:{OWN_NUMBER}", OTHER_NAME)
    place.node.customers.merge(other, into_id=person, reason="one stall", by="li")
    return SUBJECT


def merge_a_person_into_it(place: Place) -> str:
    person, other = place.add(SUBJECT, NAME), place.add(f"erp:{OWN_NUMBER}", OTHER_NAME)
    place.node.customers.merge(person, into_id=other, reason="one stall", by="li")
    return f"erp:{OWN_NUMBER}"


def rate(place: Place, key: int) -> None:
    place.node.rating.rate_customer(key, as_of=BUSINESS_DATE)


WAYS = [
    pytest.param(import_list, id="list"),
    pytest.param(import_document, id="document"),
    pytest.param(enter_by_hand, id="by hand"),
    pytest.param(call_it_a_person, id="kind"),
    pytest.param(give_it_a_traders_number, id="another number"),
    pytest.param(merge_into_a_person, id="merged into a person"),
    pytest.param(merge_a_person_into_it, id="a person merged into it"),
]
Enter = Callable[[Place], str]


@pytest.mark.parametrize("enter", WAYS)
def test_no_name_and_no_number_of_a_person_lies_in_the_clear(place: Place, enter: Enter) -> None:
    subject = enter(place)

    assert place.list_traces() == []
    key, name, found = place.find(subject)
    assert (name in TEXTS, found.partition(":")[2] in TEXTS) == (True, True)
    assert key in place.list_sealed()
    rate(place, key)
    assert place.list_traces() == []
    rated = place.node.rating.find_latest(key)
    assert rated is not None
    assert rated.subject_id == found


def test_the_traces_that_are_looked_for_are_found_of_a_company(place: Place) -> None:
    key = place.add("sim:A1", COMPANY)
    rate(place, key)

    found = place.list_traces(texts=(COMPANY, "sim:A1"))

    expected = {"customer.name", "assessment.subject_id", "rating.subject_id"}
    assert expected <= set(found)
    assert any(one.startswith(FILE_NAME) for one in found) == ON_SQLITE
    assert place.list_sealed() == []


@sqlite_only
def test_a_large_list_says_the_same_as_a_small_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LARGE_BYTES_MIN", 0)

    first, again = take_list(place), take_list(place)
    more = take_list(place, (SUBJECT, NAME, "R-3"), ("sim:A2", COMPANY, "R-4"))

    assert (first.customers_added, first.invoices_added) == (2, 2)
    assert (again.imported, again.rows_known) == (False, 2)
    assert (more.customers_added, more.invoices_added) == (1, 2)
    assert place.list_traces() == []
    key, name, _ = place.find(SUBJECT)
    assert (name, place.list_sealed()) == (NAME, [key])


def test_a_list_finds_the_persons_that_are_here(place: Place) -> None:
    first, again = take_list(place), take_list(place)
    more = take_list(place, (SUBJECT, OTHER_NAME, "R-3"), ("sim:A1", COMPANY, "R-4"))

    assert (first.customers_added, again.rows_known, more.customers_added) == (2, 2, 0)
    key, name, _ = place.find(SUBJECT)
    assert (name, place.list_sealed()) == (NAME, [key])
    assert place.list_traces() == []


def test_a_rejected_row_says_nothing_of_whose_it_is(place: Place) -> None:
    take_list(place, (SUBJECT, NAME, "R-1"))
    changed = write_list((SUBJECT, NAME, "R-1")).replace(b"100.00", b"200.00")

    report = place.node.records.import_file(changed, file_name="list.csv", source="erp")

    written = io.StringIO()
    write_reject_report(report.rejects, written)
    assert report.rows_rejected == 1
    assert [text for text in TEXTS if text in written.getvalue()] == []
    assert place.list_traces() == []


def test_a_document_of_a_persons_number_is_refused_without_it(place: Place) -> None:
    buyer = (
        "<cac:PartyTaxScheme><cbc:CompanyID>CN" + NUMBER + "</cbc:CompanyID><cac:TaxScheme>"
        "<cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"
    )
    report = place.node.records.import_documents(ubl("RE-1", buyer=buyer), DocumentOptions())

    assert not report.imported
    assert NUMBER not in str(report.rejects)
    assert place.list_traces() == []


def test_who_stands_for_a_person_and_who_objects_is_encrypted(place: Place) -> None:
    key = place.add(SUBJECT, NAME)
    node = place.node
    terms = GuaranteeTerms(form=GuaranteeForm.SURETYSHIP, guarantor=NAME, rank=1)
    content = PaperContent(
        customer_id=key, currency="CNY", begins_on=DAY, ends_on=None, amount_minor=100,
        document_sha256_hex=SHA, contract_id=None, terms=terms,
    )  # fmt: skip
    node.papers.enter(PaperKind.GUARANTEE, "G-1", content, by="li")
    node.records.record_adverse_event(
        key, kind="legal", happened_on=DAY, settled_on=None, evidence_sha256_hex=SHA
    )
    fact = FactKey(source=FactSource.EVENT, number=1)
    node.notices.enter_objection(fact, objector=OTHER_NAME, on=DAY, by="li")

    assert place.list_traces() == []
    (standing,) = node.notices.list_facts(key, as_of=BUSINESS_DATE)
    assert [one.objector for one in standing.fact.objections] == [OTHER_NAME]


def test_what_a_person_applies_for_and_is_decided_on_is_encrypted(place: Place) -> None:
    key, node = place.add(SUBJECT, NAME), place.node
    given = [(SUBJECT, make_report(issued_on=DAY, expires_on=None))]
    node.outside.enter_reports(given, by="li")
    node.outside.enter_checks([(SUBJECT, make_check(checked_on=DAY))], by="li")
    speaks = Reference(kind=ReferenceKind.TRADE, name=OTHER_NAME, contact=NUMBER)
    asked = Application(
        requested_minor=100, currency="CNY", terms_days=30, purpose="stock", applicant=NAME,
        applied_on=DAY, references=(speaks,),
    )  # fmt: skip
    application_id = node.applications.enter(key, asked, by="li")
    rate(place, key)
    wish = Asked(wish=Wish(limit_minor=100_000))
    decision_id = node.decisions.propose(key, asked=wish, by="li", key="k-1").decision_id
    with node.database.write() as uow:
        queue_subject_within(uow, SUBJECT, cause=RenewalCause.BAND_CHANGE, ref="00", at_ms=1)
    draft = node.policies.copy(node.policies.get_active(ASSESSMENT_POLICY).version_id, entry=ENTRY)
    node.previews.preview(draft.version_id, as_of=BUSINESS_DATE, actor=ENTRY.actor)

    assert place.list_traces() == []
    assert node.applications.get(key, application_id).versions[-1].application == asked
    assert node.decision_reports.get(decision_id).customer.name == NAME
    assert [one.name for one in node.renewals.list_open(shows_peers=True)] == [NAME]


def test_a_person_who_is_a_company_after_all_is_written_in_the_clear_again(place: Place) -> None:
    key = place.node.records.get_named_customer(call_it_a_person(place)).customer_id
    customers = place.node.customers
    with pytest.raises(KindUnchangedError):
        customers.set_kind(key, kind=CustomerKind.PERSON, reason="again", by="li")
    version = read_version(place)

    customers.set_kind(key, kind=CustomerKind.COMPANY, reason="a company behind it", by="wang")

    assert place.list_sealed() == []
    assert place.find(f"erp:{OWN_NUMBER}") == (key, NAME, f"erp:{OWN_NUMBER}")
    assert {"customer.name", "customer.value", "customer_name.name", "rating.subject_id"} <= set(
        place.list_traces()
    )
    kinds = [(one.kind, one.reason, one.entered_by) for one in customers.get_card(key).kinds]
    assert kinds == [
        ("person", "sells from a stall", "li"), ("company", "a company behind it", "wang"),
    ]  # fmt: skip
    assert read_version(place) != version  # What was kept of who may be told is asked anew.


def read_version(place: Place) -> tuple[int, ...]:
    with place.node.database.read() as uow:
        return AdverseStore(uow.connection).read_version()


def test_a_merge_that_is_taken_back_leaves_the_person_alone_encrypted(place: Place) -> None:
    person, other = place.add(SUBJECT, NAME), place.add("sim:A1", COMPANY)
    place.node.customers.merge(other, into_id=person, reason="one stall", by="li")
    both = place.list_sealed()

    place.node.customers.unmerge(other, reason="two", by="li")

    assert (both, place.list_sealed()) == ([person, other], [person])
    assert place.list_traces() == []
    assert "customer.name" in place.list_traces(texts=(COMPANY,))
    assert place.find(SUBJECT)[0] == person


def test_persons_are_found_listed_and_exported(place: Place, tmp_path: Path) -> None:
    enter_by_hand(place)
    key, _, _ = place.find(f"erp:{OWN_NUMBER}")
    node = place.node

    assert [one.name for one in node.records.list_customers()] == [NAME]
    assert node.portfolio.list_persons() == {key}
    assert node.customers.is_person({"customer_id": key})
    card = node.customers.get_card(key)
    assert [row.values["value"] for row in card.identifiers] == [OWN_NUMBER]
    assert [row.values["name"] for row in card.names] == [OTHER_NAME]
    node.portfolio.export(tmp_path / "out", form=ExportFormat.CSV)
    assert NAME in (tmp_path / "out" / "customer.csv").read_text(encoding="utf-8")


def test_a_backup_holds_none_and_the_key_can_be_changed(place: Place) -> None:
    import_list(place)
    rate(place, place.find(SUBJECT)[0])
    before = read_stored_number(place)
    back_up(place.node.database, place.home / "copy", member="alpha.example", at_ms=1)

    changed = change_field_key(place.settings)

    assert changed.rows >= 3  # the customer, its assessment and its rating
    assert before.split(".")[1] != read_stored_number(place).split(".")[1]
    assert place.list_traces() == []
    assert place.find(SUBJECT)[1] == NAME
    assert take_list(place).rows_known == 2
    for archived in (place.home / "keys" / "archive").iterdir():
        archived.unlink()
    again = build_local_node(place.settings)
    assert again.records.get_named_customer(SUBJECT).name == NAME  # Nothing asks for an old key.
    again.close()


def read_stored_number(place: Place) -> str:
    with place.node.database.read() as uow:
        rows = uow.connection.exec_driver_sql("SELECT value FROM customer ORDER BY id")
        return str(rows.scalars().first())


def test_who_looks_at_a_person_leaves_no_number_in_the_access_log(settings: Settings) -> None:
    node = build_node(settings, clock=ManualClock(NOW_MS))
    place = Place(settings=settings, node=node.local, logged=[])
    token = node.local.people.create_token(role=Role.STEWARD, name="Li", life_s=3_600).token
    headers = {"authorization": f"Bearer {token}"}
    with capture_logs() as logged, TestClient(build_app(node)) as http:
        place.logged = logged
        sent = http.post(
            f"{API_PREFIX}/imports?file_name=list.csv&source=erp",
            content=write_list((SUBJECT, NAME, "R-1")),
            headers={"authorization": f"Bearer {API_TOKEN}"},
        )
        key = place.find(SUBJECT)[0]
        named = http.post(
            f"{API_PREFIX}/customers/{key}/names",
            json={"kind": "foreign", "name": OTHER_NAME, "by": "Li"},
            headers=headers,
        )
        shown = http.get(f"{API_PREFIX}/customers/{key}", headers=headers)
        taken = http.post(
            f"{API_PREFIX}/customers/{key}/identifiers",
            json={"scheme": "uscc", "value": NUMBER, "by": "Li"},
            headers=headers,
        )

        assert [one.status_code for one in (sent, named, shown, taken)] == [200, 201, 200, 409]
        assert (NUMBER in taken.text, NAME in shown.text) == (False, True)
        with node.local.database.read() as uow:
            log = select(func.count()).select_from(access_log)
            assert uow.connection.execute(log).scalar_one() > 2
        assert place.list_traces() == []
