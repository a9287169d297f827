"""The portfolio that benches are measured on is read as a node reads its own."""

from __future__ import annotations

from pathlib import Path

from node.assessment.policy_parts import Source
from node.bootstrap.home import init_home
from node.bootstrap.local import build_local_node
from node.core.config import build_settings
from scripts.benches import portfolio
from tests.support.stores import migrated_url

CUSTOMERS = 60


def test_every_source_of_the_benches_portfolio_counts(tmp_path: Path) -> None:
    settings = build_settings(
        home=tmp_path,
        member_id="acme.example",
        business_date=portfolio.AS_OF,
        database_url=migrated_url(tmp_path / "node.sqlite"),
    )
    init_home(settings)
    node = build_local_node(settings)
    portfolio.fill(node, tmp_path, customers=CUSTOMERS, seed=1)

    report = node.runs.run(as_of=portfolio.AS_OF, by="test")
    used = {
        line.source
        for rated in node.rating.latest_ratings()
        if (pair := node.assessment.find_latest(rated.customer_id)) is not None
        for line in pair.with_peers.assessment.evidence
        if line.weight_milli > 0
    }
    node.close()

    assert report.run.rated == CUSTOMERS
    assert used == {Source.OWN, Source.PEERS, Source.STATEMENTS}
