"""Forms of evidence from outside: agencies' reports, public lists, credit applications."""

from __future__ import annotations

from node.assessment.application.rules_application import (
    NEXT_STATES,
    OPEN_STATES,
    PURPOSE_CHARS_MAX,
    TERMS_DAYS_MAX,
    TEXT_CHARS_MAX,
    Application,
    ApplicationState,
    Document,
    Reference,
    ReferenceKind,
)
from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import SHA256_FORM, OutsideReport
from node.assessment.outside_evidence import ReportKind
from node.assessment.policy_outside import PublicList
from node.bootstrap.local import LocalNode
from node.core.people.areas import Area
from node.records.tables import REASON_CHARS_MAX
from node.web.entry_desk import Fact, Link
from node.web.entry_fields import CUSTOMER, choice_field, day_field, money_field
from node.web.entry_form import Done, Enter, EntryForm, FieldKind, FormField, Ground
from node.web.typed import Typed
from node.web.wording import say_money

APPLICATION = f"{CUSTOMER}/applications/{{application_id}}"
KINDS = tuple(kind.value for kind in ReportKind)
LISTS = tuple(one.value for one in PublicList)
FOUND = ("no", "yes")


def _text(
    name: str, label: str, *, chars_max: int = 64, is_required: bool = True, hint: str = ""
) -> FormField:
    return FormField(
        name=name, label=label, chars_max=chars_max, is_required=is_required, hint=hint
    )


def _optional_day(name: str, label: str) -> FormField:
    return FormField(name=name, label=label, kind=FieldKind.DAY, is_required=False)


def _hash_field() -> FormField:
    return _text(
        "sha256", "enter.document-hash", is_required=False, hint="enter.document-hash.hint"
    )


def _read_hash(form: Typed) -> str | None:
    if not form.raw("sha256"):
        return None
    return form.match("sha256", SHA256_FORM, key="typed.sha256")


def _link_evidence(ground: Ground) -> tuple[Link, ...]:
    key = ground.customer.customer_id
    return (Link(words=ground.customer.name, address=f"/console/customers/{key}/evidence"),)


def _build_report(ground: Ground) -> tuple[FormField, ...]:
    return (
        _text("agency", "outside.agency"),
        _text("number", "outside.number"),
        choice_field("kind", "outside.kind", KINDS, "report-kind"),
        _text("scale", "outside.scale", is_required=False, hint="outside.scale.hint"),
        _text("printed", "outside.printed", is_required=False, hint="outside.printed.hint"),
        FormField(name="limit", label="outside.limit", kind=FieldKind.MONEY, is_required=False),
        FormField(
            name="currency", label="ledger.currency", kind=FieldKind.CURRENCY, is_required=False
        ),
        day_field("issued_on", "outside.issued", ground),
        _optional_day("expires_on", "outside.expires"),
        _text("source", "outside.source", chars_max=200),
        _hash_field(),
    )


def _read_report(form: Typed, ground: Ground) -> Enter:
    has_limit = bool(form.raw("limit"))
    currency = form.currency("currency") if has_limit else None
    report = OutsideReport(
        agency=form.text("agency", chars_max=64),
        number=form.text("number", chars_max=64),
        kind=ReportKind(form.choice("kind", KINDS)),
        scale=form.text("scale", chars_max=32, is_required=False),
        printed=form.text("printed", chars_max=32, is_required=False),
        limit_minor=None if currency is None else form.money("limit", currency=currency),
        currency=currency,
        issued_on=form.day("issued_on"),
        expires_on=form.find_day("expires_on"),
        document_sha256_hex=_read_hash(form),
        source=form.text("source", chars_max=200),
    )

    def enter(local: LocalNode, by: str) -> Done:
        given = [(str(ground.customer.customer_id), report)]
        local.outside.enter_reports(given, by=by).check_whole()
        facts = (
            Fact(label="outside.agency", value=report.agency),
            Fact(label="outside.number", value=report.number),
            Fact(label="outside.printed", value=f"{report.printed} {report.scale}".strip()),
            Fact(label="outside.issued", value=report.issued_on.isoformat()),
        )
        return Done(facts=facts, links=_link_evidence(ground))

    return enter


def _build_check(ground: Ground) -> tuple[FormField, ...]:
    return (
        choice_field("list", "outside.list", LISTS, "public-list"),
        choice_field("found", "outside.found", FOUND, "list-found"),
        _text("reference", "outside.reference", is_required=False, hint="outside.reference.hint"),
        _optional_day("listed_on", "outside.listed"),
        _optional_day("removed_on", "outside.removed"),
        day_field("checked_on", "outside.checked", ground),
        _text("source", "outside.source", chars_max=200),
        _hash_field(),
    )


def _read_check(form: Typed, ground: Ground) -> Enter:
    check = ListCheck(
        list=PublicList(form.choice("list", LISTS)),
        is_found=form.choice("found", FOUND) == "yes",
        reference=form.text("reference", chars_max=64, is_required=False),
        listed_on=form.find_day("listed_on"),
        removed_on=form.find_day("removed_on"),
        source=form.text("source", chars_max=200),
        checked_on=form.day("checked_on"),
        document_sha256_hex=_read_hash(form),
    )

    def enter(local: LocalNode, by: str) -> Done:
        given = [(str(ground.customer.customer_id), check)]
        local.outside.enter_checks(given, by=by).check_whole()
        facts = (
            Fact(label="outside.list", value=check.list.value, family="public-list"),
            Fact(
                label="outside.found",
                value="yes" if check.is_found else "no",
                family="list-found",
            ),
            Fact(label="outside.checked", value=check.checked_on.isoformat()),
        )
        return Done(facts=facts, links=_link_evidence(ground))

    return enter


def _build_application(ground: Ground) -> tuple[FormField, ...]:
    return (
        money_field(),
        FormField(name="currency", label="ledger.currency", kind=FieldKind.CURRENCY),
        _text("terms", "outside.terms", chars_max=3),
        FormField(
            name="purpose",
            label="outside.purpose",
            kind=FieldKind.LONG,
            chars_max=PURPOSE_CHARS_MAX,
        ),
        _text("applicant", "outside.applicant", chars_max=TEXT_CHARS_MAX),
        day_field("applied_on", "outside.applied", ground),
        _text("bank", "outside.bank", chars_max=TEXT_CHARS_MAX, is_required=False),
        _text("trade", "outside.trade", chars_max=TEXT_CHARS_MAX, is_required=False),
    )


def _read_application(form: Typed, ground: Ground) -> Enter:
    currency = form.currency("currency")
    content = Application(
        requested_minor=form.money("amount", currency=currency),
        currency=currency,
        terms_days=_read_terms(form),
        purpose=form.text("purpose", chars_max=PURPOSE_CHARS_MAX),
        applicant=form.text("applicant", chars_max=TEXT_CHARS_MAX),
        applied_on=form.day("applied_on"),
        references=_read_references(form),
    )

    def enter(local: LocalNode, by: str) -> Done:
        local.applications.enter(ground.customer.customer_id, content, by=by)
        facts = (
            Fact(
                label="outside.requested",
                value=say_money(content.requested_minor, content.currency),
            ),
            Fact(label="outside.terms", value=str(content.terms_days)),
            Fact(label="outside.applicant", value=content.applicant),
        )
        return Done(facts=facts, links=_link_evidence(ground))

    return enter


def _read_terms(form: Typed) -> int:
    days = form.find_days("terms", days_max=TERMS_DAYS_MAX)
    if days is None:
        form.refuse("terms", "typed.empty")
    return days or 0


def _read_references(form: Typed) -> tuple[Reference, ...]:
    given = (
        (ReferenceKind.BANK, form.text("bank", chars_max=TEXT_CHARS_MAX, is_required=False)),
        (ReferenceKind.TRADE, form.text("trade", chars_max=TEXT_CHARS_MAX, is_required=False)),
    )
    return tuple(Reference(kind=kind, name=name) for kind, name in given if name)


def _is_open(ground: Ground) -> bool:
    return ground.application is not None and ground.application.state in OPEN_STATES


def _build_document(ground: Ground) -> tuple[FormField, ...]:
    return (
        choice_field("kind", "outside.document", ground.documents, "document"),
        day_field("dated_on", "outside.dated", ground),
        day_field("received_on", "outside.received", ground),
        _hash_field(),
    )


def _read_document(form: Typed, ground: Ground) -> Enter:
    document = Document(
        kind=form.choice("kind", ground.documents),
        dated_on=form.day("dated_on"),
        received_on=form.day("received_on"),
    )
    sha256 = _read_hash(form)

    def enter(local: LocalNode, by: str) -> Done:
        local.applications.enter_document(
            ground.customer.customer_id,
            ground.told_application.application_id,
            document,
            by=by,
            document_sha256_hex=sha256,
        )
        facts = (
            Fact(label="outside.document", value=document.kind, family="document"),
            Fact(label="outside.dated", value=document.dated_on.isoformat()),
        )
        return Done(facts=facts, links=_link_evidence(ground))

    return enter


def _list_states(ground: Ground) -> tuple[str, ...]:
    reached = NEXT_STATES[ground.told_application.state]
    return tuple(state.value for state in ApplicationState if state in reached)


def _build_move(ground: Ground) -> tuple[FormField, ...]:
    return (
        choice_field("state", "outside.state", _list_states(ground), "application-state"),
        FormField(
            name="reason",
            label="enter.reason",
            kind=FieldKind.LONG,
            chars_max=REASON_CHARS_MAX,
            is_required=False,
            hint="outside.reason.hint",
        ),
    )


def _read_move(form: Typed, ground: Ground) -> Enter:
    state = ApplicationState(form.choice("state", _list_states(ground)))
    needs_reason = state in {ApplicationState.WITHDRAWN, ApplicationState.CLOSED}
    reason = form.text("reason", chars_max=REASON_CHARS_MAX, is_required=needs_reason)

    def enter(local: LocalNode, by: str) -> Done:
        local.applications.move(
            ground.customer.customer_id,
            ground.told_application.application_id,
            state,
            by=by,
            reason=reason or None,
        )
        facts = (Fact(label="outside.state", value=state.value, family="application-state"),)
        return Done(facts=facts, links=_link_evidence(ground))

    return enter


EVIDENCE_FORMS: tuple[EntryForm, ...] = (
    EntryForm(
        name="report",
        path=f"{CUSTOMER}/enter/report",
        area=Area.CREDIT,
        build=_build_report,
        read=_read_report,
    ),
    EntryForm(
        name="list-check",
        path=f"{CUSTOMER}/enter/list-check",
        area=Area.CREDIT,
        build=_build_check,
        read=_read_check,
    ),
    EntryForm(
        name="application",
        path=f"{CUSTOMER}/enter/application",
        area=Area.CREDIT,
        build=_build_application,
        read=_read_application,
    ),
    EntryForm(
        name="application-document",
        path=f"{APPLICATION}/document",
        area=Area.CREDIT,
        build=_build_document,
        read=_read_document,
        fits=_is_open,
    ),
    EntryForm(
        name="application-state",
        path=f"{APPLICATION}/state",
        area=Area.CREDIT,
        build=_build_move,
        read=_read_move,
        fits=_is_open,
    ),
)
