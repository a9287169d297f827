"""``chengxin governance``: cases, and what else keeps the house in order."""

from __future__ import annotations

import typer

from node.governance.cases.commands import case_app
from node.governance.duties.commands import show_duties
from node.governance.looks.commands import show_extract, show_looks
from node.governance.reviews.commands import action_app, review_app
from node.governance.training.commands import procedure_app, show_training

governance_app = typer.Typer(
    no_args_is_help=True,
    help="Objections, complaints, procedures, duties, reviews, access log. 管理制度。",
)
governance_app.add_typer(case_app, name="case")
governance_app.add_typer(procedure_app, name="procedure")
governance_app.add_typer(review_app, name="review")
governance_app.add_typer(action_app, name="action")
governance_app.command("training")(show_training)
governance_app.command("duties")(show_duties)
governance_app.command("looks")(show_looks)
governance_app.command("extract")(show_extract)
