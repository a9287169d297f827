"""One import of a table, as one transaction: read whole, or by the engine where it is large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from node.core.clock import Clock
from node.core.database import Database
from node.records.barring import Barring
from node.records.bulk import import_large_file, is_large
from node.records.derivation import refresh_behaviour
from node.records.importing import (
    ControlTotals,
    Deal,
    ImportOutcome,
    ImportReport,
    Profile,
    find_difference,
    has_credits,
    read_import_file,
    write_import,
)
from node.records.store import AppendingStore
from node.records.tombstones import NameHasher


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """What the user says beside the table.

    ``profile`` is detected from the header and ``source`` is the profile's own name where they are
    not given. With ``strict`` one bad row keeps the whole file out. A dry run says what would be
    imported and writes nothing. With ``is_opening`` the table is what was open when the records
    were begun; ``sheet`` names one of a workbook. Where what the good rows leave open differs from
    the control totals, nothing is written and the report says how.
    """

    file_name: str | None = None
    profile: Profile | str | None = None
    source: str | None = None
    deal: Deal | None = None
    strict: bool = False
    dry_run: bool = False
    sheet: str | None = None
    is_opening: bool = False
    control_totals: ControlTotals | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether the file must be read whole: an engine knows invoices, and no sum."""
        return bool(
            self.is_opening or self.control_totals or self.sheet or has_credits(self.profile)
        )


def import_table(
    database: Database,
    file: Path | bytes,
    options: TableOptions,
    *,
    hasher: NameHasher | None,
    clock: Clock,
    business_date: date,
    on_progress: Callable[[int, int], None] | None,
) -> ImportReport:
    """Import a table; importing it again changes nothing.

    ``hasher`` knows the names of records that are gone.

    Raises:
        ImportFileError: The file cannot be read at all (``node.records.importing.errors``).
    """
    if not options.is_whole and is_large(database, file):
        return import_large_file(
            database,
            file,
            file_name=options.file_name,
            profile=options.profile,
            source=options.source,
            deal=options.deal,
            strict=options.strict,
            dry_run=options.dry_run,
            at_ms=clock.now_ms,
            business_date=business_date,
            hasher=hasher,
            on_progress=on_progress,
        )
    content = read_import_file(
        file,
        file_name=options.file_name,
        profile=options.profile,
        source=options.source,
        deal=options.deal,
        sheet=options.sheet,
        is_opening=options.is_opening,
        on_progress=on_progress,
    )
    refusal = find_difference(content.list_balances(), options.control_totals or {})
    if refusal or (options.strict and content.rejects):
        return content.build_report(ImportOutcome(refusal=refusal))
    with database.write() as uow:
        trial = uow.connection.begin_nested() if options.dry_run else None
        outcome = write_import(
            AppendingStore(uow.connection),
            content,
            barring=Barring(uow, hasher=hasher),
            at_ms=clock.now_ms(),
            strict=options.strict,
        )
        if trial is not None:
            trial.rollback()
        elif outcome.customer_ids:
            refresh_behaviour(uow, outcome.customer_ids, business_date=business_date)
    return content.build_report(outcome)
