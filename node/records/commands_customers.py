"""``chengxin customer``: who the customers are, and which of them are one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.core.people.areas import Access, Area, check_access
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService
from node.core.terminal import show_table
from node.records.commands_entering import ByOption, ReasonOption
from node.records.commands_ledger import CustomerArgument, JsonOption, print_json, say_moment
from node.records.customers import (
    ContactRole,
    CustomerCard,
    CustomerKind,
    CustomerService,
    FactKind,
    NameKind,
)
from node.records.service import UNKNOWN_COUNTRY, RecordsService
from node.records.store import FactRow

customer_app = typer.Typer(
    no_args_is_help=True, help="Customers: identifiers, names, groups, contacts, merges. 客户。"
)


class HasCustomers(Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def records(self) -> RecordsService:
        """The room's reports."""
        ...

    @property
    def customers(self) -> CustomerService:
        """Who the customers are."""
        ...

    @property
    def people(self) -> PeopleService:
        """The access log."""
        ...


@customer_app.command("add")
def add_customer(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="First identifier, scheme:value.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    country: Annotated[
        str, typer.Option(help="ISO 3166-1 code; decides its business days.")
    ] = UNKNOWN_COUNTRY,
) -> None:
    """Enter a customer before its first invoice; one that is here stays as it is."""
    node: HasCustomers = context.obj
    scheme, _, value = subject.partition(":")
    added = node.records.add_customer(scheme=scheme, value=value, name=name, country=country)
    typer.echo(f"customer {added.customer_id}: {added.name}")


@customer_app.command("show")
def show_customer(
    context: typer.Context, customer: CustomerArgument, *, as_json: JsonOption = False
) -> None:
    """Show all that is known of a customer beside its ledger, with who entered it."""
    node: HasCustomers = context.obj
    card = node.customers.get_card(_get_id(node, customer))
    if card.contacts:
        access = Access(area=Area.PERSONS, target=f"customer {card.customer.customer_id}")
        check_access(node.people, OPERATOR_PRINCIPAL, access)
    if as_json:
        print_json(asdict(card))
        return
    _print_card(card)


@customer_app.command("identifier")
def add_identifier(
    context: typer.Context,
    customer: CustomerArgument,
    identifier: Annotated[str, typer.Argument(help="A further identifier, scheme:value.")],
    *,
    by: ByOption,
) -> None:
    """Enter a further identifier: what comes under it is this customer's."""
    node: HasCustomers = context.obj
    scheme, _, value = identifier.partition(":")
    key = node.customers.add_identifier(_get_id(node, customer), scheme=scheme, value=value, by=by)
    typer.echo(f"identifier {key}")


@customer_app.command("name")
def add_name(
    context: typer.Context,
    customer: CustomerArgument,
    name: Annotated[str, typer.Argument(help="A further name, in any script.")],
    *,
    kind: Annotated[NameKind, typer.Option(help="What kind of a name it is.")],
    by: ByOption,
) -> None:
    """Enter a further name."""
    node: HasCustomers = context.obj
    typer.echo(
        f"name {node.customers.add_name(_get_id(node, customer), kind=kind, name=name, by=by)}"
    )


@customer_app.command("contact")
def add_contact(
    context: typer.Context,
    customer: CustomerArgument,
    name: Annotated[str, typer.Argument(help="Whom to reach.")],
    *,
    role: Annotated[ContactRole, typer.Option(help="What this person answers for.")],
    by: ByOption,
    phone: Annotated[str, typer.Option(help="Phone number.")] = "",
    email: Annotated[str, typer.Option(help="Mail address.")] = "",
) -> None:
    """Enter a person to reach at the customer's."""
    node: HasCustomers = context.obj
    key = node.customers.add_contact(
        _get_id(node, customer), role=role, name=name, phone=phone, email=email, by=by
    )
    typer.echo(f"contact {key}")


@customer_app.command("parent")
def set_parent(
    context: typer.Context,
    customer: CustomerArgument,
    parent: Annotated[str, typer.Argument(help="To whom it belongs: number or subject id.")],
    *,
    by: ByOption,
) -> None:
    """Enter to whom a customer belongs."""
    node: HasCustomers = context.obj
    key = node.customers.set_parent(_get_id(node, customer), parent_id=_get_id(node, parent), by=by)
    typer.echo(f"parent {key}")


@customer_app.command("end")
def end_fact(
    context: typer.Context,
    kind: Annotated[FactKind, typer.Argument(help="What it is.")],
    key: Annotated[int, typer.Argument(help="Its key, as customer show lists it.")],
    *,
    by: ByOption,
) -> None:
    """Enter that an identifier, name, parent or contact stands no longer."""
    node: HasCustomers = context.obj
    node.customers.end(kind, key, by=by)


@customer_app.command("duplicates")
def find_duplicates(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List customers that may be one company; a person decides, a name proves nothing."""
    node: HasCustomers = context.obj
    found = node.customers.find_duplicates()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table("Customer", "Name", "Customer", "Name", "Alike", "Same contact", box=None)
    for one in found:
        first, second = (node.records.get_customer(key) for key in (one.first_id, one.second_id))
        alike = f"{one.name_percent} %" if one.name_percent else ""
        table.add_row(
            str(one.first_id), first.name, str(one.second_id), second.name, alike,
            ", ".join(one.same_contacts),
        )  # fmt: skip
    show_table(table)


@customer_app.command("merge")
def merge(
    context: typer.Context,
    customer: CustomerArgument,
    into: Annotated[str, typer.Argument(help="Which one it is: number or subject id.")],
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Enter that a customer is another one: every item of it gets a next version there.

    What peers are answered under a consent of either is of both from then on.
    """
    node: HasCustomers = context.obj
    moved = node.customers.merge(
        _get_id(node, customer), into_id=_get_id(node, into), reason=reason, by=by
    )
    typer.echo(f"{moved} items moved")


@customer_app.command("unmerge")
def unmerge(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(help="Who was merged: its own number or subject id.")],
    *,
    reason: ReasonOption,
    by: ByOption,
    also: Annotated[
        list[int] | None,
        typer.Option(help="Key of an item entered since that is this one's; may be repeated."),
    ] = None,
) -> None:
    """Take a merge back: what it has moved goes back, what was entered since stays.

    Nothing is applied any more between what goes and what stays. Who was told of both before is
    told again with exchange correct.
    """
    node: HasCustomers = context.obj
    key = node.customers.find_merged(customer)
    done = node.customers.unmerge(key, reason=reason, by=by, also=also or ())
    typer.echo(f"{done.items} items went back, {done.unapplied} applications came apart")


@customer_app.command("kind")
def set_kind(
    context: typer.Context,
    customer: CustomerArgument,
    kind: Annotated[CustomerKind, typer.Argument(help="What it is.")],
    *,
    reason: ReasonOption,
    by: ByOption,
) -> None:
    """Enter that a customer is a natural person, or a company after all.

    Names and numbers of a person are encrypted where they lie, and nobody else is told of it.
    """
    node: HasCustomers = context.obj
    key = _get_id(node, customer)
    node.customers.set_kind(key, kind=kind, reason=reason, by=by)
    typer.echo(f"customer {key} is a {kind}")


def _get_id(node: HasCustomers, text: str) -> int:
    return node.records.get_named_customer(text).customer_id


def _print_card(card: CustomerCard) -> None:
    one = card.customer
    typer.echo(f"{one.customer_id} {one.name}, {one.subject_id}, {one.country}, {one.kind}")
    table = Table("", "Key", "What", "Entered by", "At", "Ended", box=None)
    for kind, rows in (
        (FactKind.IDENTIFIER, card.identifiers),
        (FactKind.NAME, card.names),
        (FactKind.CONTACT, card.contacts),
        (FactKind.PARENT, card.parents),
    ):
        for row in rows:
            what = ":" if kind is FactKind.IDENTIFIER else ", "
            table.add_row(
                kind.value,
                str(row.fact_id),
                what.join(str(value) for value in row.values.values() if value),
                row.entered_by,
                say_moment(row.entered_at_ms),
                _say_end(row),
            )
    show_table(table)
    for said in card.kinds:
        moment = say_moment(said.entered_at_ms)
        typer.echo(f"{said.kind}: {said.reason} ({said.entered_by}, {moment})")
    for member in card.group:
        typer.echo(f"group: {member.customer_id} {member.name}")
    for merged in card.merged:
        moment = say_moment(merged.entered_at_ms)
        typer.echo(
            f"was also {merged.customer_id} {merged.name}, {merged.subject_id}: "
            f"{merged.reason} ({merged.entered_by}, {moment})"
        )

    for ended in card.taken_back:
        moment = say_moment(ended.ended_at_ms or 0)
        other = ended.into_id if ended.customer_id == one.customer_id else ended.customer_id
        typer.echo(f"not {other} after all: {ended.end_reason} ({ended.ended_by}, {moment})")


def _say_end(row: FactRow) -> str:
    return "" if row.ended_at_ms is None else f"{say_moment(row.ended_at_ms)} {row.ended_by}"
