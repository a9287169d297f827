"""``chengxin audit``: hand a bundle to an auditor, and check bundles offline."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from node.core.clock import Clock, now_s
from node.core.config import Settings
from node.core.database import Database
from node.core.errors import RejectedError
from node.core.people.service import OPERATOR_PRINCIPAL, Look, PeopleService, Scope
from node.sharing.export import export_bundle
from node.sharing.registry import RegistryHolder
from node.sharing.stamp_check import add_timestamps
from protocol.__main__ import Watch, parse_anchor, verify_paths, watch_nothing
from protocol.audit.findings import (
    Evidence,
    ExchangeReport,
    ExitStatus,
    Finding,
    LogVerdict,
    Outcome,
    Report,
    Verdict,
)
from protocol.bundle import MessageFilter
from protocol.errors import ProtocolError
from protocol.report import (
    FINDINGS_SHOWN_MAX,
    FROM_BUNDLE_WARNING,
    choose_open,
    count_report,
    describe_finding,
    describe_line,
    describe_time,
    describe_totals,
    format_json,
    name_log,
    show_plainly,
)

DAY = "%Y-%m-%d"
DAY_S = 86_400
BundlesArgument = Annotated[list[Path], typer.Argument(metavar="BUNDLE…", help="Exported folders.")]
AnchorOption = Annotated[
    str | None, typer.Option(help="The hub's public key (base64url), given out of band.")
]
PolicyOption = Annotated[
    Path | None, typer.Option(help="A tlog-policy file: witnesses that you ask for.")
]
CertificateOption = Annotated[
    Path | None, typer.Option(help="Verify time-stamps too, against this PEM file.")
]
DocumentsOption = Annotated[
    list[Path] | None,
    typer.Option("--document", help="Paper of a customer without a key; repeat it."),
]
audit_app = typer.Typer(no_args_is_help=True, help="Bundles for auditors: export and verify.")

_STYLES = {
    Verdict.PROVEN: "green",
    Verdict.CONTRADICTED: "bold red",
    Verdict.UNDETERMINED: "yellow",
    LogVerdict.HOLDS: "green",
    LogVerdict.BROKEN: "bold red",
    Outcome.HOLDS: "green",
    Outcome.FAILS: "bold red",
    Outcome.UNKNOWN: "yellow",
    Outcome.NOT_SHOWN: "dim",
}


class LocalParts(Protocol):
    """What an export needs of the node."""

    @property
    def settings(self) -> Settings:
        """The configuration."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock."""
        ...

    @property
    def database(self) -> Database:
        """The database."""
        ...

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        ...


class AuditHome(Protocol):
    """What ``ctx.obj`` holds."""

    @property
    def local(self) -> LocalParts:
        """The node of the home folder; it may be running."""
        ...


@audit_app.command("export")
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="The folder to make; it must not exist.")],
    *,
    redacted: Annotated[
        bool, typer.Option("--redacted", help="Leave out bodies, salts and subject ids.")
    ] = False,
    from_day: Annotated[
        datetime | None,
        typer.Option("--from", formats=[DAY], help="Messages of this day (UTC) and later."),
    ] = None,
    to_day: Annotated[
        datetime | None,
        typer.Option("--to", formats=[DAY], help="Messages of this day (UTC) and earlier."),
    ] = None,
    peers: Annotated[
        list[str] | None, typer.Option("--peer", help="Messages with this member; repeatable.")
    ] = None,
) -> None:
    """Write this node's bundle, up to the newest head that the hub has cosigned.

    Where the chosen days touch several of its logs, the folder holds a bundle of each.
    """
    chosen = _choose_messages(from_day=from_day, to_day=to_day, peers=peers or ())
    home: AuditHome = ctx.obj
    parts = home.local
    registry = RegistryHolder(
        database=parts.database, anchor=parse_anchor(parts.settings.hub_anchor)
    )
    if not redacted:
        look = Look(what="export", target=f"command: {out.name}", scope=Scope.BODIES)
        parts.people.record(OPERATOR_PRINCIPAL, look)
    with parts.database.read() as uow, _show_progress() as watch:
        written = export_bundle(
            uow,
            member_id=parts.settings.member_id,
            registry=registry.newest,
            exported_at_s=now_s(parts.clock),
            out=out,
            redacted=redacted,
            chosen=chosen,
            watch=watch,
        )
    kind = "redacted" if written.redacted else "with bodies"
    if len(written.bundles) > 1:
        kind += f", of {len(written.bundles)} logs"
    typer.echo(f"{written.folder}: {written.size} entries, {written.messages} messages, {kind}")


def _choose_messages(
    *, from_day: datetime | None, to_day: datetime | None, peers: Sequence[str]
) -> MessageFilter | None:
    """Return which messages are wanted, or None where all are."""
    if from_day is None and to_day is None and not peers:
        return None
    return MessageFilter(
        from_s=None if from_day is None else int(from_day.replace(tzinfo=UTC).timestamp()),
        until_s=None if to_day is None else int(to_day.replace(tzinfo=UTC).timestamp()) + DAY_S,
        peers=tuple(dict.fromkeys(peers)),
    )


@contextmanager
def _show_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show bars on a terminal, one for each step; they go when the work is done."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def watch(what: str, done: int, total: int) -> None:
            bar = bars.get(what)
            if bar is None:
                bar = bars[what] = progress.add_task(what, total=total or None)
            progress.update(bar, completed=done, total=total or None)

        yield watch


@audit_app.command("verify")
def verify(
    bundles: BundlesArgument,
    *,
    anchor: AnchorOption = None,
    policy: PolicyOption = None,
    timestamp_certificate: CertificateOption = None,
    documents: DocumentsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what the bundles prove, what they contradict and what stays open.

    Exit status: 0 proven, 1 contradicted or broken, 2 usage or unreadable, 3 undetermined.
    """
    try:
        with _show_progress() as watch:
            report = judge_bundles(
                bundles,
                anchor=anchor,
                policy=policy,
                certificate=timestamp_certificate,
                documents=documents or (),
                watch=watch,
            )
    except (ProtocolError, RejectedError) as err:
        Console(stderr=True).print(
            f"[bold red]{err.code}[/]: {escape(err.detail)}", highlight=False
        )
        raise typer.Exit(ExitStatus.USAGE) from err
    if as_json:
        sys.stdout.writelines(format_json(report))
    else:
        Console().print(build_view(report), highlight=False)
    raise typer.Exit(report.exit_status)


def judge_bundles(
    bundles: Sequence[Path],
    *,
    anchor: str | None,
    policy: Path | None,
    certificate: Path | None,
    documents: Sequence[Path],
    watch: Watch = watch_nothing,
) -> Report:
    """Audit exported folders, and their time-stamps where a certificate is given.

    Raises:
        ProtocolError: A folder, the anchor, the policy or a document cannot be read or used.
        RejectedError: The certificate cannot be used.
    """
    report = verify_paths(bundles, anchor=anchor, policy=policy, documents=documents, watch=watch)
    if certificate is None:
        return report
    return add_timestamps(report, bundles, certificate=certificate)


def build_view(report: Report) -> RenderableType:
    """Return a report for the terminal."""
    return Group(
        _view_root(report),
        _view_logs(report),
        _view_exchanges(report),
        _view_consents(report),
        _view_findings(report),
        Text(describe_totals(report), style=_STYLES[report.verdict]),
    )


def _view_root(report: Report) -> RenderableType:
    lines: list[Text] = []
    if report.anchor is not None:
        lines.append(Text(f"Anchor    {report.anchor.key}"))
        if not report.anchor.given:
            lines.append(Text(FROM_BUNDLE_WARNING, style="yellow"))
    registry = report.registry
    if registry is None:
        lines.append(Text("Registry  no snapshot holds: nothing can be judged", style="bold red"))
    else:
        kind = ", a simulated federation" if registry.simulated else ""
        lines.append(
            _say(
                f"Registry  {registry.hub}{kind}: {registry.snapshots} snapshots follow each "
                f"other, {registry.members} members"
            )
        )
    return Group(*lines)


def _view_logs(report: Report) -> RenderableType:
    table = Table(title="Logs", title_justify="left")
    for column in ("Log", "Verdict", "Cosigned"):
        table.add_column(column)
    for column in ("Entries", "Proven", "Tiles", "Heads equal", "Beyond"):
        table.add_column(column, justify="right")
    for log in report.logs:
        cosigned = "never" if log.cosigned_at_s is None else describe_time(log.cosigned_at_s)
        table.add_row(
            _say(name_log(report, log)),
            Text(log.verdict.value, style=_STYLES[log.verdict]),
            cosigned,
            str(log.size),
            str(log.anchored),
            str(log.tiles),
            str(log.heads_equal),
            str(log.heads_beyond),
        )
    return Group(table, *(_view_finding(one) for log in report.logs for one in log.findings))


def _view_exchanges(report: Report) -> RenderableType:
    table = Table(title="Exchanges", title_justify="left")
    for column in ("Verdict", "Consumer", "Provider", "Operation", "Outcome"):
        table.add_column(column)
    table.add_column("Count", justify="right")
    for (verdict, *parties), count in sorted(count_report(report).totals.items()):
        table.add_row(
            Text(verdict, style=_STYLES[Verdict(verdict)]), *map(_say, parties), str(count)
        )
    shown, more = choose_open(report)
    rest = [Text(f"and {more} more that are not proven")] if more else []
    return Group(table, *map(_view_exchange, shown), *rest)


def _view_exchange(one: ExchangeReport) -> RenderableType:
    title = Text(f"{one.verdict.value} ", style=_STYLES[one.verdict])
    named = f"{one.xid} ({one.consumer} → {one.provider}, {one.op})"
    title.append(show_plainly(named), style="default")
    return Group(title, *map(_view_line, one.evidence))


def _view_consents(report: Report) -> RenderableType:
    table = Table(title="Consents", title_justify="left")
    for column in ("Verdict", "Consumer", "Provider", "Purpose", "State"):
        table.add_column(column)
    table.add_column("Uses", justify="right")
    lines: list[RenderableType] = []
    for one in report.consents:
        table.add_row(
            Text(one.verdict.value, style=_STYLES[one.verdict]),
            *map(_say, (one.consumer, one.provider, one.purpose, one.state)),
            f"{one.uses} of {one.max_uses}",
        )
        lines += [_view_line(line) for line in one.evidence if line.outcome is not Outcome.HOLDS]
    return Group(table, *lines)


def _view_findings(report: Report) -> RenderableType:
    shown = [_view_finding(one) for one in report.findings[:FINDINGS_SHOWN_MAX]]
    more = len(report.findings) - FINDINGS_SHOWN_MAX
    rest = [Text(f"and {more} more findings")] if more > 0 else []
    return Group(*shown, *rest)


def _view_finding(finding: Finding) -> RenderableType:
    return Padding(Text(describe_finding(finding), style=_STYLES[finding.outcome]), (0, 0, 0, 2))


def _view_line(line: Evidence) -> RenderableType:
    return Padding(Text(describe_line(line), style=_STYLES[line.outcome]), (0, 0, 0, 2))


def _say(text: str) -> Text:
    """Return a name out of a bundle as it is: no markup, nothing that steers the terminal."""
    return Text(show_plainly(text))
