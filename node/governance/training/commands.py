"""``chengxin governance procedure | training``: procedures, and who has not confirmed them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.table import Table

from node.assessment.commands import JsonOption
from node.core.files import hash_file, read_file
from node.core.people.areas import Access, Area, check_access
from node.core.people.service import PeopleService, Principal, Role
from node.core.terminal import show_json, show_table
from node.governance.training.errors import ProcedureInvalidError
from node.governance.training.service import NewProcedure, TrainingService
from node.governance.training.tables import TEXT_CHARS_MAX
from node.governance.training.view import build_procedure_object, build_standing_object
from node.records.commands_entering import ByOption

TOKEN_BYTES_MAX = 1_024
UTF8_BYTES_PER_CHAR_MAX = 4

procedure_app = typer.Typer(
    no_args_is_help=True, help="Procedures that people read and confirm. 流程规范。"
)

NameArgument = Annotated[str, typer.Argument(help="As procedure list names it: order-check.")]
TokenOption = Annotated[
    Path,
    typer.Option(
        "--token-file", exists=True, dir_okay=False, help="A file with one's own token, alone."
    ),
]


class TrainingNode(Protocol):
    """What these commands need of the node that ``ctx.obj`` holds."""

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...

    @property
    def training(self) -> TrainingService:
        """Procedures."""
        ...


@procedure_app.command("publish")
def publish(
    ctx: typer.Context,
    name: NameArgument,
    *,
    title: Annotated[str, typer.Option("--title", help="As people know it.")],
    by: ByOption,
    roles: Annotated[
        list[Role] | None, typer.Option("--role", help="Who has to read it; none: it is over.")
    ] = None,
    text_file: Annotated[
        Path | None,
        typer.Option("--text-file", exists=True, dir_okay=False, help="The text (UTF-8)."),
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", exists=True, dir_okay=False, help="A paper: its hash is kept."),
    ] = None,
) -> None:
    """Enter the next version of a procedure: everybody for whom it is reads it anew."""
    node: TrainingNode = ctx.obj
    new = NewProcedure(
        slug=name,
        title=title,
        text=None if text_file is None else _read_text(text_file),
        document_sha256_hex=None if document is None else hash_file(document),
        roles=frozenset(roles or ()),
    )
    found = node.training.publish(new, by=by)
    typer.echo(f"{found.slug} version {found.version}")


@procedure_app.command("list")
def list_procedures(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the newest version of each procedure."""
    node: TrainingNode = ctx.obj
    found = [build_procedure_object(one, has_text=False) for one in node.training.list_procedures()]
    if as_json:
        show_json(found)
        return
    table = Table("Name", "Version", "Title", "For", "Published")
    for one in found:
        table.add_row(
            one["name"], str(one["version"]), one["title"], ", ".join(one["roles"]),
            one["published_on"],
        )  # fmt: skip
    show_table(table)


@procedure_app.command("show")
def show(
    ctx: typer.Context,
    name: NameArgument,
    *,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Else the newest.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a version of a procedure with its text."""
    node: TrainingNode = ctx.obj
    found = node.training.get(name, version=version)
    if as_json:
        show_json(build_procedure_object(found, has_text=True))
        return
    typer.echo(f"{found.slug} version {found.version}: {found.title}")
    typer.echo(found.text or f"sha256 {found.document_sha256_hex}")


@procedure_app.command("confirm")
def confirm(
    ctx: typer.Context,
    name: NameArgument,
    *,
    version: Annotated[int, typer.Option("--version", min=1, help="Which was read.")],
    token_file: TokenOption,
) -> None:
    """Confirm that one has read the newest version, with one's own token."""
    node: TrainingNode = ctx.obj
    actor = read_actor(node.people, token_file)
    access = Access(area=Area.TRAINING, target=f"procedure {name}", is_entry=True)
    check_access(node.people, actor, access)
    found = node.training.confirm(name, version=version, actor=actor)
    typer.echo(f"{found.name} has read {name} version {version} on {found.confirmed_on}")


def show_training(
    ctx: typer.Context,
    *,
    person: Annotated[
        str | None, typer.Option("--person", help="What this person has confirmed instead.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List who has not confirmed the newest version of each procedure, and how many have."""
    node: TrainingNode = ctx.obj
    if person is not None:
        for procedure, confirmation in node.training.list_of_person(person):
            typer.echo(
                f"{confirmation.confirmed_on} {procedure.slug} version {procedure.version}"
                f" as {confirmation.role}"
            )
        return
    found = [build_standing_object(one) for one in node.training.list_standings()]
    if as_json:
        show_json(found)
        return
    table = Table("Name", "Version", "Confirmed", "Percent", "Not yet")
    for one in found:
        percent = "nobody holds such a role" if one["percent"] is None else f"{one['percent']}"
        missing = ", ".join(each["name"] for each in one["missing"])
        table.add_row(
            one["name"], str(one["version"]), str(len(one["confirmed"])), percent, missing
        )
    show_table(table)


def read_actor(people: PeopleService, token_file: Path) -> Principal:
    """Return whose token a file holds.

    Raises:
        NotAuthenticatedError: It is none of ours, or its time is over.
    """
    return people.get_principal(read_token(token_file))


def read_token(token_file: Path) -> str:
    """Return the token that a file holds."""
    return read_file(token_file, bytes_max=TOKEN_BYTES_MAX).decode("utf-8", "replace").strip()


def _read_text(path: Path) -> str:
    raw = read_file(path, bytes_max=TEXT_CHARS_MAX * UTF8_BYTES_PER_CHAR_MAX)
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as err:
        raise ProcedureInvalidError("the text is not UTF-8") from err
