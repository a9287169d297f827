"""``chengxin model outcomes``: kept scores judged by what happened after them."""

from __future__ import annotations

from typing import Any, Protocol

import typer
from rich.table import Table

from node.assessment.commands import AsOfOption, JsonOption, LanguageOption
from node.assessment.policy_file import Language
from node.core.terminal import show_json, show_table
from node.rating.models.commands import ModelArgument, ModelNode, format_interval, model_app
from node.rating.models.report import build_judged_object, describe_verdict
from node.rating.panel.judging import ScoreJudge

__all__ = ["model_app"]  # the whole command, with what is added to it here


class JudgingNode(ModelNode, Protocol):
    """What this command needs of the node that ``ctx.obj`` holds."""

    @property
    def score_judge(self) -> ScoreJudge:
        """Judges kept scores."""
        ...


@model_app.command("outcomes")
def outcomes(
    ctx: typer.Context,
    model: ModelArgument,
    *,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Judge the scores that a model gave in ratings by what happened in the months after."""
    node: JudgingNode = ctx.obj
    day = as_of.date() if as_of else node.business_date()
    found = node.score_judge.judge(model, today=day)
    figures: dict[str, Any] = dict(build_judged_object(found.judged))
    verdict = describe_verdict(found.judged.validation.verdict, language)
    if as_json:
        show_json(
            {
                "model": found.record.model_id,
                "label": found.record.label,
                "first_on": found.first_on.isoformat(),
                "last_on": found.last_on.isoformat(),
                **figures,
                "verdict_text": verdict,
            }
        )
        return
    shown = found.judged.validation
    table = Table("model", "scores of", "n", "bad", "AUC", "KS", "Brier")
    table.add_row(
        found.record.label,
        f"{found.first_on} to {found.last_on}",
        str(shown.rows),
        str(shown.bads),
        format_interval(figures["auc"]),
        format_interval(figures["ks"]),
        "" if shown.brier is None else f"{shown.brier:.4f}",
    )
    show_table(table)
    typer.echo(verdict)
