"""``chengxin audit report``: bundles to one page that a person can read, print and keep."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from node.assessment.policy_file import Language
from node.core.clock import SystemClock, now_s
from node.core.errors import ConflictError, RejectedError
from node.sharing.commands_audit import (
    AnchorOption,
    BundlesArgument,
    CertificateOption,
    DocumentsOption,
    PolicyOption,
    audit_app,
    judge_bundles,
)
from node.web.report_page import build_report_page
from protocol.audit.findings import ExitStatus
from protocol.errors import ProtocolError
from protocol.report import build_object, describe_totals

__all__ = ["audit_app"]


class ReportTargetError(ConflictError):
    """The file exists: a report is never written over another."""

    code = "report-target"


@audit_app.command("report")
def report(
    bundles: BundlesArgument,
    out: Annotated[Path, typer.Option("--out", help="The HTML file to make; it must not exist.")],
    *,
    anchor: AnchorOption = None,
    policy: PolicyOption = None,
    timestamp_certificate: CertificateOption = None,
    documents: DocumentsOption = None,
    language: Annotated[Language, typer.Option(help="Language of the page.")] = Language.EN,
) -> None:
    """Write what the bundles prove as one HTML page.

    Exit status as of audit verify: 0 proven, 1 contradicted or broken, 2 usage or unreadable,
    3 undetermined.
    """
    try:
        audited = judge_bundles(
            bundles,
            anchor=anchor,
            policy=policy,
            certificate=timestamp_certificate,
            documents=documents or (),
        )
        html = build_report_page(
            build_object(audited),
            language=language,
            made_at_s=now_s(SystemClock()),
            software=f"chengxin {version('chengxin')}",
        )
        _write_new(out, html)
    except (ProtocolError, RejectedError, ReportTargetError) as err:
        Console(stderr=True).print(
            f"[bold red]{err.code}[/]: {escape(err.detail)}", highlight=False
        )
        raise typer.Exit(ExitStatus.USAGE) from err
    typer.echo(f"{describe_totals(audited)}\n{out}")
    raise typer.Exit(audited.exit_status)


def _write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
                path.hardlink_to(partial)  # Fails where the file has come to exist meanwhile.
            finally:
                partial.unlink(missing_ok=True)
    except FileExistsError as err:
        raise ReportTargetError(f"{path} or {partial.name} exists") from err
    except OSError as err:
        raise ReportTargetError(f"{path}: {err.strerror}") from err
