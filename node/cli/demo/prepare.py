"""The demo's material: each member's own records, and the customers to ask about.

The records are generated, or one real file is dealt to the members.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from node.bootstrap.local import LocalNode
from node.core.errors import RejectedError
from node.records.behaviour import BehaviourWindow
from node.records.importing import Deal, read_import_file
from node.records.windows import last_released_month, release_date, trailing_window
from node.sharing.disclosure import DisclosurePolicy, find_tier
from schemas.summary import Tier

GENERATOR = Path(__file__).resolve().parents[3] / "scripts" / "generate_invoices.py"
GENERATED_AS_OF = "2026-06-30"
WINDOW_MONTHS = 12
CUSTOMERS_LOOKED_AT_MAX = 400
OWN_INVOICES_THIN = 5


class DemoDataError(RejectedError):
    """The data given cannot carry the demo."""

    code = "demo-data-unfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Where the records come from: one file a member, or one file dealt to all."""

    files: tuple[Path, ...]
    deal: bool
    business_date: date
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Whom the demo asks about.

    ``main`` is a customer that the consumer hardly knows; ``mix`` and ``thin`` are customers of the
    coarser tiers, where there are any.
    """

    main: str
    mix: str | None
    thin: str | None


def generate_material(folder: Path, *, members: int) -> Material:
    """Make the deterministic data set with the project's own generator.

    Raises:
        DemoDataError: The generator is not there (an installed package ships without it) or failed.
    """
    if not GENERATOR.is_file():
        raise DemoDataError("the generator is in the source tree only: name a file with --data")
    done = subprocess.run(  # noqa: S603  our own script and interpreter
        [
            sys.executable, str(GENERATOR), "--out", str(folder), "--members", str(members),
            "--seed", "1", "--as-of", GENERATED_AS_OF,
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise DemoDataError(f"the generator failed: {done.stderr[-500:]}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Material(
        files=tuple(folder / f"member-{number}.csv" for number in range(members)),
        deal=False,
        business_date=date.fromisoformat(manifest["as_of"]),
        label=f"generated data set, seed {manifest['seed']}",
    )


def inspect_material(path: Path) -> Material:
    """Take one real file, to be dealt to the members by document number.

    Raises:
        ImportFileError: It cannot be read.
        DemoDataError: It holds no dated invoice.
    """
    report = read_import_file(path).build_report()
    if report.last_due_on is None:
        raise DemoDataError("no row of the file can be used")
    return Material(files=(path,), deal=True, business_date=report.last_due_on, label=path.name)


def choose_cast(nodes: Sequence[LocalNode], *, on: date) -> Cast:
    """Find a customer whom the providers know well and the consumer hardly; two of coarser tiers.

    Raises:
        DemoDataError: No customer is known to three other members.
    """
    consumer, providers = nodes[0], nodes[1:4]
    best: tuple[tuple[bool, int, int], str] | None = None
    coarse: dict[Tier, str] = {}
    for subject in _list_shared(providers):
        windows = [_find_window(node, subject, on=on) for node in providers]
        tiers = [
            None if window is None else find_tier(window, policy=DisclosurePolicy())
            for window in windows
        ]
        for tier in (Tier.MIX, Tier.CLASS):
            if tier in tiers and tier not in coarse:
                coarse[tier] = subject
        if tiers.count(Tier.FULL) == len(providers):
            own = _find_window(consumer, subject, on=on)
            own_count = _count(own)
            late = sum(_late_permille(window) for window in windows if window is not None)
            # A customer hardly known here, and one whom others know to pay late.
            rank = (own_count >= OWN_INVOICES_THIN, -late, own_count)
            if best is None or rank < best[0]:
                best = (rank, subject)
    if best is None:
        raise DemoDataError("no customer is well known to three other members")
    return Cast(main=best[1], mix=coarse.get(Tier.MIX), thin=coarse.get(Tier.CLASS))


def _list_shared(providers: Sequence[LocalNode]) -> list[str]:
    held = [
        {customer.subject_id for customer in _list_all(node) if customer.kind == "company"}
        for node in providers
    ]
    return sorted(set.intersection(*held))[:CUSTOMERS_LOOKED_AT_MAX]


def _list_all(node: LocalNode) -> list[_Customer]:
    found: list[_Customer] = []
    after = 0
    while page := node.records.list_customers(limit=500, after=after):
        found += [
            _Customer(customer_id=row.customer_id, subject_id=row.subject_id, kind=row.kind)
            for row in page
        ]
        after = page[-1].customer_id
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Customer:
    customer_id: int
    subject_id: str
    kind: str


def _find_window(node: LocalNode, subject: str, *, on: date) -> BehaviourWindow | None:
    first, last = trailing_window(last_month=last_released_month(on), months=WINDOW_MONTHS)
    scheme, _, value = subject.partition(":")
    return node.records.find_behaviour_window(
        scheme=scheme, value=value, first_month=first, last_month=last, as_of=release_date(last)
    )


def _count(window: BehaviourWindow | None) -> int:
    return 0 if window is None else sum(month.invoice_count for month in window.months)


def _late_permille(window: BehaviourWindow) -> int:
    late = sum(sum(month.delay_counts[2:]) for month in window.months)
    return 1000 * late // max(1, _count(window))


def deal_of(material: Material, *, index: int, members: int) -> Deal | None:
    """Return a member's share of a file that is dealt."""
    return Deal(index=index, members=members) if material.deal else None
