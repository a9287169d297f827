"""Prepares the judging of exchanges: which export counts, how much to do at once, what is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from protocol.audit.artefacts import Artefacts
from protocol.audit.evidence import KnownEntry
from protocol.audit.examining import Examiner
from protocol.audit.reading import OpenedLog, ReadLog
from protocol.audit.world import Spools, World
from protocol.bundle import MESSAGES_FILE, WITNESSED_FILE, Bundle
from protocol.entry import Entry

KEPT_ENTRIES_MAX = 10_000  # up to so many, reports of proven exchanges are kept too
RECORDS_PER_PARTITION = 20_000
RECORD_BYTES = 3_500  # about what a line of messages is for each message in it
PARTITIONS_MAX = 256
_XID = re.compile(rb'"xid":"([A-Za-z0-9_-]{22})"')


def name_apart(bundles: Sequence[Bundle]) -> list[Bundle]:
    """Give bundles of one name a number, so that a place is unambiguous."""
    count: Counter[str] = Counter()
    named: list[Bundle] = []
    for bundle in bundles:
        count[bundle.name] += 1
        number = count[bundle.name]
        named.append(bundle if number == 1 else replace(bundle, name=f"{bundle.name}#{number}"))
    return named


def build_world(
    bundles: Sequence[Bundle],
    read: Sequence[ReadLog],
    *,
    examiner: Examiner,
    spools: Spools,
    artefacts: Artefacts,
    partitions: int,
) -> World:
    """Return the state in which exchanges are judged for the first time."""
    primary = _choose_primary(read)
    logs = {log.origin: log for log in primary.values()}
    reads: dict[str, list[ReadLog]] = {}
    for log in read:
        reads.setdefault(log.origin, []).append(log)
    manifests = [(number, bundle.manifest) for number, bundle in enumerate(bundles)]
    holders = {log.exported.bundle: log.member for log in read}
    altered: dict[bytes, list[tuple[str, int]]] = {}
    for log in logs.values():
        for index, raw in log.altered.items():
            match = None if raw is None else _XID.search(raw)
            if match is not None:
                altered.setdefault(match[1], []).append((log.origin, index))
    return World(
        chain=examiner.chain,
        examiner=examiner,
        bundles=bundles,
        holders=holders,
        filters={
            number: (holders[number], manifest.filter)
            for number, manifest in manifests
            if manifest is not None and number in holders
        },
        primary=primary,
        logs=logs,
        reads=reads,
        members=frozenset(log.member for log in logs.values()),
        artefacts=artefacts,
        anchored={log.origin: _count_anchored(log) for log in logs.values()},
        last_n={},
        not_sent={},
        covered={},
        asked=None,
        histories=frozenset(
            log.origin
            for number, log in primary.items()
            if bundles[number].files.find_size(WITNESSED_FILE) is not None
        ),
        altered=altered,
        suspects={},
        rolled_back={},
        key_places={},
        spools=spools,
        partitions=partitions,
        rounds={},
        keeps_all=sum(log.present for log in logs.values()) <= KEPT_ENTRIES_MAX,
    )


def _choose_primary(read: Sequence[ReadLog]) -> dict[int, ReadLog]:
    """Return one export a log, by bundle: of several the one that reaches farthest.

    One under no head that its log has signed is none: anybody can make it, so that it accuses and
    proves nothing, and what it belongs to is judged as if that log were not here.
    """
    by_origin: dict[str, ReadLog] = {}
    for log in read:
        known = by_origin.get(log.origin)
        if log.signed is not None and (known is None or known.tree.size < log.tree.size):
            by_origin[log.origin] = log
    return {log.exported.bundle: log for log in by_origin.values()}


def _count_anchored(log: ReadLog) -> int:
    """Return how many entries the export's own checkpoint proves."""
    signed = log.signed
    if signed is None or signed.size > log.tree.size or log.tree.root(signed.size) != signed.root:
        return 0
    return signed.size


def list_others(world: World) -> Iterator[KnownEntry[Entry]]:
    """Yield the entries that belong to no exchange, in the order of each member's logs."""
    for origin, log in sorted(world.logs.items(), key=lambda item: (item[1].member, item[0])):
        sequence = world.list_origins(log.member).index(origin)
        for index, entry in log.sorted.others:
            yield KnownEntry(
                member=log.member,
                origin=origin,
                log=sequence,
                index=index,
                entry=entry,
                place=log.place_entry(index),
                anchored=index < world.anchored[origin],
            )


def count_partitions(opened: Sequence[OpenedLog]) -> int:
    """Return into how many parts the exchanges are split, so that one part is not too large."""
    records = sum(one.exported.size for one in opened)
    for one in opened:
        records += (one.bundle.files.find_size(MESSAGES_FILE) or 0) // RECORD_BYTES
    return min(max(records // RECORDS_PER_PARTITION, 1), PARTITIONS_MAX)
