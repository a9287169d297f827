"""Runs the steps of an audit in order and puts the report together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.audit.anchoring import Chain, ChainResult, follow_chain
from protocol.audit.arrivals import join_arrivals
from protocol.audit.artefacts import collect_artefacts
from protocol.audit.counters import Counters
from protocol.audit.describing import describe_judged, report_logs, report_without_chain
from protocol.audit.events import list_events
from protocol.audit.evidence import ExchangeKey, KnownEntry
from protocol.audit.examining import Examiner
from protocol.audit.findings import (
    ConsentReport,
    Evidence,
    ExchangeCounts,
    Finding,
    LogReport,
    Outcome,
    Place,
    PolicyReport,
    Report,
    Totals,
)
from protocol.audit.heads import (
    ClaimSet,
    HeadClaim,
    HeadComparison,
    compare_partition,
    describe_split,
    open_held_heads,
)
from protocol.audit.key_order import list_in_doubt, list_key_places
from protocol.audit.members import count_numbers, judge_members
from protocol.audit.policies import judge_policy
from protocol.audit.ports import MAIN, Batch, MemoryWorkspace, Workspace
from protocol.audit.preparing import (
    build_world,
    count_partitions,
    list_others,
    name_apart,
)
from protocol.audit.reading import ReadLog, open_log, read_logs
from protocol.audit.reports import KeptReports, LinesByKey, settle_totals
from protocol.audit.rounds import Rounds
from protocol.audit.rows import choose_partition
from protocol.audit.stamps import judge_anchors
from protocol.audit.surveying import (
    Survey,
    join_surveys,
    list_survey_tasks,
    survey_range,
)
from protocol.audit.uses import count_partition, list_changes
from protocol.audit.witnessing import Covered, read_witnessed
from protocol.audit.world import SUSPECTS_MAX, Spools, World
from protocol.bundle import CHECKPOINT_FILE, MESSAGES_FILE, Bundle, Fault
from protocol.encoding import decode_b64u, encode_b64u
from protocol.entry import Entry
from protocol.keys import PublicKey
from protocol.log_policy import LogPolicy
from protocol.message import LogHead


def audit_bundles(
    bundles: Sequence[Bundle],
    *,
    anchor: PublicKey | None = None,
    policy: LogPolicy | None = None,
    workspace: Workspace | None = None,
    papers: frozenset[bytes] = frozenset(),
) -> Report:
    """Judge bundles together; without an anchor only their agreement with each other is proven.

    Args:
        bundles: What the members exported.
        anchor: The hub's key, given out of band.
        policy: Witnesses that the auditor asks for beside the hub's.
        workspace: Room and hands for more than fits in memory; all in memory where none is given.
        papers: SHA-256 of the papers of subjects without a key that the auditor has been given.
    """
    named = name_apart(bundles)
    result = follow_chain(named, anchor=anchor)
    if result.chain is None:
        return report_without_chain(named, result)
    room = workspace or MemoryWorkspace()
    return _Audit(named, result, result.chain, room, policy=policy, papers=papers).run()


class _Audit:
    """One audit under one chain."""

    def __init__(
        self,
        bundles: Sequence[Bundle],
        result: ChainResult,
        chain: Chain,
        workspace: Workspace,
        *,
        policy: LogPolicy | None,
        papers: frozenset[bytes],
    ) -> None:
        self._bundles = bundles
        self._result = result
        self._chain = chain
        self._workspace = workspace
        self._policy = policy
        self._policy_report: PolicyReport | None = None
        self._papers = papers
        self._examiner = Examiner(chain)
        self._findings: list[Finding] = list(result.findings)
        self._partitions = 1
        self._signatures = 0
        self._counters: dict[str, Counters] = {}
        self._others: list[KnownEntry[Entry]] = []

    def run(self) -> Report:
        """Make every step and return the report."""
        opened = [
            open_log(bundle, number=number, examiner=self._examiner)
            for number, bundle in enumerate(self._bundles)
        ]
        self._partitions = count_partitions(opened)
        spools = self._open_spools()
        read = tuple(read_logs(opened, workspace=self._workspace))
        surveys = self._survey()
        artefacts = collect_artefacts(self._bundles, chain=self._chain, papers=self._papers)
        world = build_world(
            self._bundles,
            read,
            examiner=self._examiner,
            spools=spools,
            artefacts=artefacts,
            partitions=self._partitions,
        )
        self._prepare(world, read)
        self._rounds = Rounds(world, self._workspace)
        faults = [*self._list_faults(), *self._rounds.begin(surveys)]
        self._settle_altered(world)
        compared = self._compare_heads(world)
        consents, lines = self._join(world)
        judged = self._rounds.judged
        self._findings += describe_judged(opened, world, judged, faults)
        self._findings += judge_members(
            self._counters,
            world=world,
            others=self._others,
            beyond=[known for one in judged for known in one.beyond],
            workspace=self._workspace,
        )
        logs = tuple(report_logs(opened, read, compared, judged, rolled_back=world.rolled_back))
        return self._report(world, logs, consents, lines)

    def _open_spools(self) -> Spools:
        room = self._workspace
        return Spools(
            routed=room.open_spool(),
            swept=room.open_spool(),
            claims=room.open_spool(),
            uses=room.open_spool(),
            arrivals=room.open_spool(),
            reports=room.open_spool(),
        )

    def _survey(self) -> list[Survey]:
        tasks = list_survey_tasks(self._bundles)
        surveyed = self._workspace.map(survey_range, tasks, shared=self._bundles, what="lines")
        return join_surveys(self._bundles, tasks, list(surveyed))

    def _list_faults(self) -> Iterator[tuple[int, Fault]]:
        """Yield what cannot be read of the files that were read at once."""
        for number, bundle in enumerate(self._bundles):
            for fault in bundle.file_faults:
                yield number, fault
        for number, bundle in enumerate(self._bundles):
            if bundle.files.find_size(MESSAGES_FILE) is None:
                detail = "the file is missing"
                yield number, Fault(file=MESSAGES_FILE, line=None, detail=detail)

    def _prepare(self, world: World, read: Sequence[ReadLog]) -> None:
        """Put aside what no exchange says: heads held, changes of consents, numbers given up."""
        self._others = list(list_others(world))
        claims = ClaimSet(world)
        for log in read:
            if log.signed is not None:
                claims.add(
                    LogHead(size=log.signed.size, root=log.signed.root),
                    member=log.member,
                    origin=log.origin,
                    by_log=True,
                    place=Place(bundle=log.name, file=CHECKPOINT_FILE),
                    exhibit=log.checkpoint,
                )
        self._findings += open_held_heads(self._bundles, examiner=self._examiner, claims=claims)
        covered: Covered = {}
        self._findings += read_witnessed(
            self._bundles, read, examiner=self._examiner, claims=claims, covered=covered
        )
        self._findings += judge_anchors(self._bundles)
        world.covered = covered
        if self._policy is not None:
            asked = judge_policy(self._policy, self._bundles, read, examiner=self._examiner)
            self._policy_report = asked.report
            self._findings += asked.findings
            self._signatures += asked.signatures
            if not self._policy.has_quorum(()):  # A policy that asks for nobody proves no time.
                world.asked = asked.covered
        for known in self._others:
            claims.add_entry(known)
        for partition, part in claims.split().items():
            world.spools.claims.append(partition, [Batch(MAIN, 0, part)])
        for change in list_changes(self._others):
            partition = choose_partition(change.consent, count=self._partitions)
            world.spools.uses.append(partition, [Batch(MAIN, 0, [change])])
        self._counters = count_numbers(world, self._others)
        world.key_places = list_key_places(self._others)
        in_doubt = dict.fromkeys(list_in_doubt(world, world.key_places), ())
        world.altered = {**in_doubt, **world.altered}
        self._signatures += self._examiner.signatures

    def _settle_altered(self, world: World) -> None:
        """Make every exchange suspect that misses an entry where one cannot be read any more."""
        placed = {name for judged in self._rounds.judged for name in judged.placed}
        suspects: dict[str, list[Place]] = {}
        for log in world.logs.values():
            ours = suspects.setdefault(log.member, [])
            ours += [
                log.place_entry(index)
                for index in sorted(log.altered)
                if (log.origin, index) not in placed
            ][:SUSPECTS_MAX]
        world.suspects = {member: places for member, places in suspects.items() if places}
        if world.suspects:
            self._rounds.judge(range(self._partitions))

    def _compare_heads(self, world: World) -> dict[int, HeadComparison]:
        """Compare every head that anybody states, and judge again what more of them prove."""
        whole: dict[int, HeadComparison] = {}
        splits: dict[str, tuple[HeadClaim, HeadClaim]] = {}
        partitions = range(self._partitions)
        for compared in self._workspace.map(
            compare_partition, partitions, shared=world, what="heads"
        ):
            for number, one in compared.logs.items():
                whole.setdefault(number, HeadComparison()).add(one)
            for pair in compared.splits:
                known = splits.get(pair[0].member)
                if known is None or pair[0].size < known[0].size:
                    splits[pair[0].member] = pair
        self._findings += [describe_split(*splits[member]) for member in sorted(splits)]
        anchored = {
            log.origin: whole.get(number, HeadComparison()).anchored
            for number, log in world.primary.items()
        }
        if anchored != world.anchored:
            world.anchored = anchored
            self._rounds.judge(partitions)
        return whole

    def _join(self, world: World) -> tuple[tuple[ConsentReport, ...], LinesByKey]:
        """Join what exchanges say of each other, and count the uses of every consent."""
        lines: dict[ExchangeKey, list[Evidence]] = {}
        partitions = range(self._partitions)
        for found in self._workspace.map(join_arrivals, partitions, shared=world, what="arrivals"):
            for key, line in found:
                lines.setdefault(key, []).append(line)
        consents: list[ConsentReport] = []
        for counted in self._workspace.map(
            count_partition, partitions, shared=world, what="consents"
        ):
            consents += counted.reports
            for key, line in counted.lines:
                lines.setdefault(key, []).append(line)
        if not world.keeps_all:
            self._judge_wanted(lines)
        return tuple(sorted(consents, key=lambda one: decode_b64u(one.consent))), lines

    def _judge_wanted(self, lines: LinesByKey) -> None:
        """Judge again where a line was added to an exchange whose report was not kept."""
        wanted: dict[int, set[ExchangeKey]] = {}
        for key, found in lines.items():
            if any(line.outcome in {Outcome.FAILS, Outcome.UNKNOWN} for line in found):
                name = encode_b64u(key.xid).encode("ascii")
                partition = choose_partition(name, count=self._partitions)
                wanted.setdefault(partition, set()).add(key)
        if wanted:
            frozen = {partition: frozenset(keys) for partition, keys in wanted.items()}
            self._rounds.judge(sorted(wanted), wanted=frozen)

    def _report(
        self,
        world: World,
        logs: tuple[LogReport, ...],
        consents: tuple[ConsentReport, ...],
        lines: LinesByKey,
    ) -> Report:
        totals, outcomes = self._rounds.sum_totals()
        exchanges = KeptReports(
            world.spools.reports,
            partitions=self._partitions,
            rounds=dict(world.rounds),
            lines=lines,
            count=sum(one.kept for one in self._rounds.judged),
        )
        outcomes |= settle_totals(totals, exchanges)
        return Report(
            anchor=self._result.anchor,
            registry=self._result.report,
            logs=logs,
            exchanges=exchanges,
            consents=consents,
            findings=(*self._findings, *world.artefacts.findings),
            totals=Totals(
                bundles=len(self._bundles),
                entries=sum(log.entries for log in logs),
                exchanges=self._rounds.exchanges,
                uses=self._rounds.uses,
                signatures=self._signatures
                + self._rounds.signatures
                + self._result.signatures
                + world.artefacts.signatures,
            ),
            counted=ExchangeCounts(
                totals=totals, outcomes=frozenset(outcomes), keeps_all=world.keeps_all
            ),
            events=list_events(
                self._others,
                world.covered,
                members={origin: log.member for origin, log in world.logs.items()},
            ),
            policy=self._policy_report,
        )
