"""``chengxin policy``: versions of policies, drafted, previewed, approved, made active."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from node.assessment.commands import AsOfOption, JsonOption, LanguageOption
from node.assessment.policy_file import POLICY_BYTES_MAX, Language
from node.core.files import read_file
from node.core.people.accounts.approvals import Approvals
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService, Role
from node.core.policies.entering import Entry
from node.core.policies.errors import PolicyFault, PolicyFaultyError
from node.core.policies.planning import PolicyPlanning
from node.core.policies.records import PolicyRecord
from node.core.policies.rules_states import Actor, PolicyState
from node.core.policies.service import PolicyService, write_document
from node.core.terminal import show_json, show_table
from node.governance.policies.previewing import Previews
from node.governance.policies.printing import tabulate_preview, tabulate_versions
from node.governance.policies.rules_form import apply_fields, find_field, list_fields
from node.governance.policies.view import (
    build_difference,
    build_policy_object,
    build_preview_object,
    build_summary_object,
    find_base,
    list_newer_shipped,
    read_document,
)
from node.governance.policies.wording import say_member

policy_app = typer.Typer(
    no_args_is_help=True,
    help="Policies: versions, preview, approval by a second person, activation. 信用政策。",
)

VersionArgument = Annotated[str, typer.Argument(help="Its number, or its label (own-expert-2).")]
ByOption = Annotated[
    str, typer.Option("--by", envvar="CHENGXIN_USER", help="Who does it, without a token.")
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        exists=True,
        dir_okay=False,
        help="Token of the person who does it (token create); without it: the operator's.",
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]
TOKEN_BYTES_MAX = 1_024


class PolicyNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def approvals(self) -> Approvals:
        """Who may approve by how they are here."""
        ...

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...

    @property
    def policies(self) -> PolicyService:
        """The versions."""
        ...

    @property
    def planning(self) -> PolicyPlanning:
        """Activations for a later day."""
        ...

    @property
    def previews(self) -> Previews:
        """What a version would change."""
        ...

    def business_date(self) -> date:
        """Return the node's business date."""
        ...


@policy_app.command("list")
def list_versions(
    ctx: typer.Context,
    *,
    kind: Annotated[str | None, typer.Option("--kind", help="Of this kind alone.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions, the newest first, with the state of each."""
    node: PolicyNode = ctx.obj
    records = node.policies.list_versions(kind=kind)
    if as_json:
        show_json([build_summary_object(one) for one in records])
        return
    show_table(tabulate_versions(records))
    for one in list_newer_shipped(records):
        typer.echo(f"{one.name.label} came with a release and is not active: preview, activate")


@policy_app.command("show")
def show(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Show a version: what it says, who wrote, proposed, decided and activated it."""
    node: PolicyNode = ctx.obj
    record = node.policies.get_named(version)
    document = read_document(node.policies, record)
    if as_json:
        preview = node.policies.find_preview(record.version_id)
        show_json(build_policy_object(record, document=document, preview=preview))
        return
    table = Table("Member", "Field", "Value", title=f"{record.name.label} · {record.state}")
    for field in list_fields(document):
        words = " · ".join(
            say_member(part, language) for part in field.place if isinstance(part, str)
        )
        table.add_row(field.name, words, field.value)
    show_table(table)
    typer.echo(f"sha256 {record.text.sha256_b64u}, revision {record.text.revision}")
    for text in record.texts:
        typer.echo(f"  text {text.revision} by {text.actor.name}: {text.reason}")
    for event in record.events:
        since = "" if event.effective_from is None else f", effective from {event.effective_from}"
        typer.echo(f"  {event.state} by {event.actor.name}: {event.reason}{since}")


@policy_app.command("export")
def export(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Into a file; else to the terminal.")
    ] = None,
) -> None:
    """Write the exact bytes of a version."""
    node: PolicyNode = ctx.obj
    raw = node.policies.get_content(node.policies.get_named(version).text.text_id)
    if out is None:
        typer.echo(raw.decode("utf-8"), nl=False)
    else:
        out.write_bytes(raw)


@policy_app.command("draft")
def draft(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Policy file (JSON).")],
    *,
    reason: ReasonOption,
    by: ByOption = "",
    token_file: TokenOption = None,
) -> None:
    """Enter a file as a draft; its id begins with own-, its version is not there yet."""
    node: PolicyNode = ctx.obj
    entry = build_entry(node, by, reason, token_file, area=Area.POLICIES)
    raw = read_file(file, bytes_max=POLICY_BYTES_MAX)
    tell(_refuse_by_field(lambda: node.policies.draft(raw, entry=entry)))


@policy_app.command("edit")
def edit(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    reason: ReasonOption,
    by: ByOption = "",
    token_file: TokenOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="PATH=VALUE, as in: --set factors.dbt.steps='0: 20; 90: 0'."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="The whole text.")
    ] = None,
) -> None:
    """Enter the next text of a draft; of another version, a draft that begins as its copy."""
    node: PolicyNode = ctx.obj
    if (file is None) is (not settings):
        raise typer.BadParameter("name a file, or --set PATH=VALUE")
    entry = build_entry(node, by, reason, token_file, area=Area.POLICIES)
    record = node.policies.get_named(version)
    raw = None if file is None else read_file(file, bytes_max=POLICY_BYTES_MAX)
    if raw is None:
        # Before a copy is begun: what cannot be read leaves nothing behind.
        _set_fields(read_document(node.policies, record), settings or [])
    if record.state is not PolicyState.DRAFT:
        record = node.policies.copy(record.version_id, entry=entry)
    if raw is None:
        raw = write_document(_set_fields(read_document(node.policies, record), settings or []))
    text = raw
    tell(
        _refuse_by_field(
            lambda: node.policies.save(
                record.version_id, text, seen_sha256_b64u=record.text.sha256_b64u, entry=entry
            )
        )
    )


@policy_app.command("preview")
def preview(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    as_of: AsOfOption = None,
    by: ByOption = "",
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a version on the whole portfolio; nothing but the summary is kept."""
    node: PolicyNode = ctx.obj
    entry = build_entry(node, by or "operator", "preview", token_file, area=Area.POLICIES)
    record = node.policies.get_named(version)
    look = Look(what=Area.CREDIT, target=f"policy {record.version_id} preview")
    node.people.record(OPERATOR_PRINCIPAL, look)
    with Progress(console=Console(stderr=True), disable=as_json, transient=True) as progress:
        task = progress.add_task("customers", total=None)
        found = node.previews.preview(
            record.version_id,
            as_of=as_of.date() if as_of else node.business_date(),
            actor=entry.actor,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    shown = build_preview_object(found)
    if as_json:
        show_json(shown)
        return
    for table in tabulate_preview(shown["summary"], as_of=shown["as_of"]):
        show_table(table)


@policy_app.command("diff")
def diff(
    ctx: typer.Context,
    version: VersionArgument,
    base: Annotated[
        str | None, typer.Argument(help="The other version; else what it was made from.")
    ] = None,
    *,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Say in words what a version says differently than another."""
    node: PolicyNode = ctx.obj
    record = node.policies.get_named(version)
    other = find_base(node.policies, record) if base is None else node.policies.get_named(base)
    shown = build_difference(node.policies, other, record, language=language)
    if as_json:
        show_json(shown)
        return
    typer.echo(f"{shown['before']} → {shown['after']}")
    for one in shown["changes"]:
        typer.echo(f"  {one['text']}")


@policy_app.command("propose")
def propose(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    reason: ReasonOption,
    by: ByOption = "",
    token_file: TokenOption = None,
) -> None:
    """Put a draft before a second person; it is not edited any more."""
    node: PolicyNode = ctx.obj
    entry = build_entry(node, by, reason, token_file, area=Area.POLICIES)
    record = node.policies.get_named(version)
    tell(
        node.policies.propose(
            record.version_id, seen_sha256_b64u=record.text.sha256_b64u, entry=entry
        )
    )


@policy_app.command("approve")
def approve(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    reason: ReasonOption,
    by: ByOption = "",
    token_file: TokenOption = None,
) -> None:
    """Approve what another person, with another token, has written and proposed."""
    _decide(ctx.obj, version, (by, reason, token_file), is_approved=True)


@policy_app.command("reject")
def reject(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    reason: ReasonOption,
    by: ByOption = "",
    token_file: TokenOption = None,
) -> None:
    """Reject what another person has proposed, for good."""
    _decide(ctx.obj, version, (by, reason, token_file), is_approved=False)


@policy_app.command("withdraw")
def withdraw(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    reason: ReasonOption,
    by: ByOption = "",
    token_file: TokenOption = None,
) -> None:
    """Take back a version that was never active."""
    node: PolicyNode = ctx.obj
    entry = build_entry(node, by, reason, token_file, area=Area.POLICIES)
    tell(node.policies.withdraw(node.policies.get_named(version).version_id, entry=entry))


@policy_app.command("activate")
def activate(
    ctx: typer.Context,
    version: VersionArgument,
    *,
    reason: ReasonOption,
    effective_from: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="A later business day; else now."),
    ] = None,
    by: ByOption = "",
    token_file: TokenOption = None,
) -> None:
    """Make an approved version the active one of its kind, now or by itself from a later day on."""
    node: PolicyNode = ctx.obj
    entry = build_entry(node, by, reason, token_file, area=Area.APPROVALS)
    version_id, today = node.policies.get_named(version).version_id, node.business_date()
    if effective_from is None:
        tell(node.policies.activate(version_id, entry=entry, today=today))
        return
    day = effective_from.date()
    tell(node.planning.plan(version_id, effective_from=day, entry=entry, today=today))


def _decide(
    node: PolicyNode, version: str, given: tuple[str, str, Path | None], *, is_approved: bool
) -> None:
    by, reason, token_file = given
    entry = build_entry(node, by, reason, token_file, area=Area.APPROVALS)
    record = node.policies.get_named(version)
    tell(
        node.policies.decide(
            record.version_id,
            is_approved=is_approved,
            seen_sha256_b64u=record.text.sha256_b64u,
            entry=entry,
        )
    )


def build_entry(
    node: PolicyNode, by: str, reason: str, token_file: Path | None, *, area: Area
) -> Entry:
    """Return who takes a step: the holder of a token, or the operator under a name."""
    if token_file is None:
        if not by:
            raise typer.BadParameter("say who: --by NAME, or --token-file FILE")
        if area is Area.APPROVALS:
            node.approvals.check_token()
        return Entry(actor=Actor(who=OPERATOR_PRINCIPAL.who, name=by), reason=reason)
    token = read_file(token_file, bytes_max=TOKEN_BYTES_MAX).decode("utf-8").strip()
    principal = node.people.get_principal(token)
    if principal.role is not Role.OPERATOR:
        check_access(node.people, principal, Access(area=area, target="policy", is_entry=True))
    if area is Area.APPROVALS:
        node.approvals.check_token()
    return Entry(actor=Actor(who=principal.who, name=principal.name), reason=reason)


def _set_fields(document: dict[str, Any], settings: list[str]) -> dict[str, Any]:
    typed: dict[str, str] = {}
    for one in settings:
        path, _, value = one.partition("=")
        field = find_field(document, path.strip())
        if field is None:
            raise typer.BadParameter(f"no field {path.strip()} (policy show lists them)")
        typed[field.name] = value
    changed, faults = apply_fields(document, typed)
    if faults:
        _tell_faults(faults)
        raise PolicyFaultyError("a field cannot be read", faults=faults)
    return changed


def _refuse_by_field(take: Any) -> PolicyRecord:  # noqa: ANN401  a use case without arguments
    try:
        record: PolicyRecord = take()
    except PolicyFaultyError as err:
        _tell_faults(err.faults)
        raise
    return record


def _tell_faults(faults: tuple[PolicyFault, ...]) -> None:
    for fault in faults:
        typer.echo(f"{fault.path or 'file'}: {fault.message}", err=True)


def tell(record: PolicyRecord) -> None:
    """Say in a line which version this is and where it stands."""
    typer.echo(
        f"{record.version_id} {record.name.label}: {record.state}, "
        f"revision {record.text.revision}, sha256 {record.text.sha256_b64u}"
        + (f", active from {record.plan.effective_from}" if record.plan else "")
    )
