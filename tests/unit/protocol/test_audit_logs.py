"""The audit of one log: one changed byte is named, and what it still proves is said."""

import re
from dataclasses import replace

import pytest

from protocol.audit.findings import LogVerdict, Outcome, Verdict
from protocol.audit.reading import NAMED_MAX
from protocol.audit.splitting import split_entries
from protocol.bundle import format_head, parse_bundle_files
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.encoding import encode_b64u, sha256
from protocol.entry import GenesisEntry, UnknownEntry, format_entry, parse_entry
from protocol.merkle import leaf_hash
from protocol.message import LogHead
from protocol.tile import encode_bundle
from tests.support.auditing import (
    ALPHA,
    BETA,
    GAMMA,
    Files,
    audit,
    audit_files,
    codes,
    find_line,
    flip,
    flip_in,
    make_pair,
)
from tests.support.federation import NOW_S, Federation, make_key

ENTRIES = "tile/entries/000.p/2"  # of the provider after one exchange
LEAVES = "tile/0/000.p/2"


def files_of_pair() -> tuple[Federation, Files, Files]:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    return federation, federation.export(ALPHA), federation.export(BETA)


def position_of(files: Files, path: str, pattern: bytes) -> int:
    match = re.search(pattern, files[path])
    assert match is not None
    return match.end()


# --- one byte


def test_a_changed_decision_is_named_and_its_original_is_known_from_the_proofs() -> None:
    _, ours, theirs = files_of_pair()
    theirs = flip_in(theirs, ENTRIES, position_of(theirs, ENTRIES, rb'"ans":"'))

    report = audit_files(alpha=ours, beta=theirs)

    assert "tile-altered" not in codes(report)
    log = report.logs[1]
    assert (log.verdict, log.entries, log.anchored) == (LogVerdict.BROKEN, 2, 1)
    (finding,) = log.findings
    assert finding.code == "entry-altered"
    assert finding.place is not None
    assert finding.place.text == f"beta/{ENTRIES} entry 1"
    assert encode_b64u(sha256(b"")) not in finding.text
    assert log.root in finding.text
    assert finding.affects == (report.exchanges[0].xid,)
    (one,) = report.exchanges
    assert one.verdict is Verdict.CONTRADICTED
    assert {line.code for line in one.evidence if line.outcome is Outcome.FAILS} == {
        "entry-altered"
    }


def test_a_changed_arrival_is_named_with_its_exchange_by_its_message_id() -> None:
    _, ours, theirs = files_of_pair()
    path = "tile/entries/000.p/3"
    start = ours[path].index(b'"type":"response"')
    ours = flip_in(ours, path, start - 5)

    report = audit_files(alpha=ours, beta=theirs)

    assert report.logs[0].findings[0].affects == (report.exchanges[0].xid,)
    assert codes(report) == {"entry-altered"}
    assert codes(report, Outcome.UNKNOWN) == {"response-missing"}


@pytest.mark.parametrize("offset", [0, 21], ids=["another-id", "stray-bits"])
def test_an_arrival_whose_message_id_is_changed_makes_the_open_exchange_suspect(
    offset: int,
) -> None:
    _, ours, theirs = files_of_pair()
    path = "tile/entries/000.p/3"
    start = ours[path].rindex(b'"xid":"') + len(b'"xid":"')
    raw = bytearray(ours[path])
    raw[start + offset] = ord("B" if raw[start + offset] != ord("B") else "C")
    ours[path] = bytes(raw)

    report = audit_files(alpha=ours, beta=theirs)

    assert report.logs[0].findings[0].affects == (report.exchanges[0].xid,)
    assert codes(report, Outcome.UNKNOWN) >= {"response-missing", "entry-suspect"}
    assert report.exchanges[0].verdict is Verdict.UNDETERMINED


def test_a_changed_genesis_makes_nothing_else_suspect() -> None:
    _, ours, theirs = files_of_pair()
    theirs = flip_in(theirs, ENTRIES, position_of(theirs, ENTRIES, rb'"member":"'))

    report = audit_files(alpha=ours, beta=theirs)

    assert report.logs[1].findings[0].affects == ()
    assert report.exchanges[0].verdict is Verdict.PROVEN


def test_a_changed_length_is_named_and_costs_no_entry() -> None:
    _, ours, theirs = files_of_pair()
    theirs = flip_in(theirs, ENTRIES, 1)

    report = audit_files(alpha=ours, beta=theirs)

    line = find_line(report, "length-altered")
    assert line.place is not None
    assert line.place.entry == 0
    assert report.exchanges[0].verdict is Verdict.PROVEN


def test_a_changed_leaf_tile_is_named_and_every_entry_stays_proven() -> None:
    _, ours, theirs = files_of_pair()
    theirs = flip_in(theirs, LEAVES, 40)

    report = audit_files(alpha=ours, beta=theirs)

    line = find_line(report, "tile-altered")
    assert line.text.startswith("hash 1 of level 0")
    assert report.exchanges[0].verdict is Verdict.PROVEN
    assert report.logs[1].anchored == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (ENTRIES, {"entries-missing", "entry-altered"}),
        (LEAVES, {"tile-missing"}),
    ],
)
def test_a_missing_tile_is_named(path: str, expected: set[str]) -> None:
    _, ours, theirs = files_of_pair()
    theirs.pop(path)

    report = audit_files(alpha=ours, beta=theirs)

    assert codes(report) == expected
    (log,) = [log for log in report.logs if log.bundle == "beta"]
    assert log.findings[0].place is not None
    assert log.findings[0].place.file == path


def test_a_tile_of_another_length_is_named() -> None:
    _, ours, theirs = files_of_pair()
    theirs[LEAVES] = theirs[LEAVES][:-1]

    report = audit_files(alpha=ours, beta=theirs)

    assert find_line(report, "tile-altered").text == "63 bytes where 64 are due"
    assert report.exchanges[0].verdict is Verdict.PROVEN


def test_a_file_that_no_tree_of_this_size_has_is_named() -> None:
    _, ours, _ = files_of_pair()

    report = audit_files(alpha=ours | {"tile/7/000": b""})

    assert codes(report) == {"tile-unexpected"}


def test_bytes_after_the_last_entry_are_named() -> None:
    _, ours, theirs = files_of_pair()
    theirs[ENTRIES] += b"more"

    report = audit_files(alpha=ours, beta=theirs)

    assert find_line(report, "entries-overlong").text.startswith("4 bytes")


def test_without_entries_and_their_hashes_the_tree_is_short() -> None:
    _, ours, theirs = files_of_pair()
    theirs.pop(ENTRIES)
    theirs.pop(LEAVES)

    report = audit_files(alpha=ours, beta=theirs)

    assert codes(report) >= {"tiles-missing", "tree-short"}
    assert report.logs[1].entries == 0


def test_a_size_that_the_files_cannot_hold_is_refused_without_reading_on() -> None:
    federation = Federation(ALPHA)
    log = federation.members[ALPHA].log
    files = federation.export(ALPHA)
    huge = Checkpoint(origin=log.origin, size=2**62, root=sha256(b"huge"))
    files["checkpoint"] = sign_checkpoint(huge, key=log.key).encode()
    files.pop("manifest.json")

    assert "tiles-missing" in codes(audit_files(alpha=files))


# --- the checkpoint


@pytest.mark.parametrize(
    "place", [b"log/1", b"log/1\n", b"log/1\n2\n"], ids=["name", "size", "root"]
)
def test_a_changed_checkpoint_is_named_and_other_signed_heads_still_prove_the_entries(
    place: bytes,
) -> None:
    _, ours, theirs = files_of_pair()
    position = theirs["checkpoint"].index(b"log/1") + len(place)
    theirs = flip_in(theirs, "checkpoint", position - (place == b"log/1"))

    report = audit_files(alpha=ours, beta=theirs)

    assert "manifest" not in codes(report)
    assert report.logs[1].anchored == 2
    assert report.exchanges[0].verdict is Verdict.PROVEN
    assert report.logs[1].verdict is LogVerdict.BROKEN


def test_a_checkpoint_without_cosignature_is_refused() -> None:
    federation, ours, theirs = files_of_pair()
    theirs["checkpoint"] = federation.members[BETA].log.signed().encode()

    report = audit_files(alpha=ours, beta=theirs)

    assert codes(report) == {"witness-quorum"}
    assert report.logs[1].cosigned_at_s is None


@pytest.mark.parametrize("checkpoint", [b"", b"nonsense"])
def test_without_checkpoint_and_manifest_nothing_says_how_large_the_log_is(
    checkpoint: bytes,
) -> None:
    _, ours, theirs = files_of_pair()
    theirs["checkpoint"] = checkpoint
    theirs.pop("manifest.json")

    report = audit_files(alpha=ours, beta=theirs)

    assert codes(report) == {"unreadable", "checkpoint"}
    assert [log.member for log in report.logs] == [ALPHA]


def test_a_log_that_the_registry_does_not_know_is_refused() -> None:
    federation, ours, _ = files_of_pair()
    stranger = Federation(GAMMA).export(GAMMA)
    stranger["registry.jsonl"] = ours["registry.jsonl"]

    report = audit_files(gamma=stranger)

    assert codes(report) == {"unknown-log"}
    assert federation.members


def test_entries_and_tiles_rewritten_together_contradict_the_checkpoint() -> None:
    federation, ours, theirs = files_of_pair()
    log = federation.members[BETA].log
    log.entries[1] = log.entries[1].replace(b'"code":"full"', b'"code":"mix!"')
    rewritten = federation.export(BETA) | {"checkpoint": theirs["checkpoint"]}
    rewritten["manifest.json"] = theirs["manifest.json"]

    report = audit_files(alpha=ours, beta=rewritten)

    assert {"root-mismatch", "fork", "entry-differs"} <= codes(report)
    assert report.exchanges[0].verdict is Verdict.CONTRADICTED


# --- forks


def test_a_log_rewritten_after_its_head_was_seen_is_a_fork_with_both_heads_as_evidence() -> None:
    federation, _, _ = files_of_pair()
    ours = federation.export(ALPHA)
    log = federation.members[BETA].log
    log.entries[1] = log.entries[1].replace(b'"code":"full"', b'"code":"mix!"')

    report = audit_files(alpha=ours, beta=federation.export(BETA))

    (finding,) = [one for one in report.logs[1].findings if one.code == "fork"]
    assert "at size 2, stated by its own log key" in finding.text
    assert [text.split("\n")[:2] for text in finding.exhibits] == [[log.origin, "2"]] * 2
    assert finding.exhibits[0] != finding.exhibits[1]
    assert {"entry-differs", "entry-mismatch"} & codes(report)


def test_a_head_stated_in_a_message_alone_is_compared_too() -> None:
    federation, consent = make_pair()
    asked = federation.request(
        ALPHA,
        BETA,
        op="query",
        body=b"{}",
        purpose="P1",
        consents=(consent,),
        change=lambda envelope: replace(envelope, head=LogHead(size=1, root=sha256(b"lie"))),
    )
    federation.decide(asked, code="schema", use=0)
    federation.receive(asked)

    report = audit(federation.bundles())

    (finding,) = report.logs[0].findings
    assert "stated by a message or an entry of its own" in finding.text
    assert "and" not in finding.text.rpartition("give ")[2]


def test_two_heads_of_one_size_are_a_fork_even_where_no_export_reaches() -> None:
    federation, ours, _ = files_of_pair()
    log = federation.members[BETA].log
    other = Checkpoint(origin=log.origin, size=2, root=sha256(b"another history"))
    ours["heads.jsonl"] += format_head(peer=BETA, checkpoint=sign_checkpoint(other, key=log.key))

    report = audit_files(alpha=ours)

    line = find_line(report, "fork")
    assert line.text.startswith("two heads of beta.example at size 2")
    assert report.findings[0].exhibits


def test_heads_beyond_an_export_leave_open_what_was_added() -> None:
    federation, consent = make_pair()
    early = federation.export(BETA)
    federation.ask(ALPHA, BETA, consent)

    report = audit_files(alpha=federation.export(ALPHA), beta=early)

    assert codes(report) == set()
    assert codes(report, Outcome.UNKNOWN) == {"heads-beyond"}
    assert report.logs[1].heads_beyond == 1
    assert report.exchanges[0].verdict is Verdict.PROVEN  # by the proof beside its answer


def test_several_different_heads_are_one_finding() -> None:
    federation, consent = make_pair()
    for _ in range(3):
        federation.ask(ALPHA, BETA, consent)
    ours = federation.export(ALPHA)
    log = federation.members[BETA].log
    log.entries[0] = format_entry(
        GenesisEntry(at_ms=NOW_S * 1000 + 1, member=BETA, origin=log.origin)
    )

    report = audit_files(alpha=ours, beta=federation.export(BETA))

    (finding,) = [one for one in report.logs[1].findings if one.code == "fork"]
    assert finding.text.endswith("other heads")


# --- what stands in a log


def test_an_export_under_no_signed_head_proves_nothing() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    files = federation.export(BETA)
    ours = federation.export(ALPHA)
    ours["messages.jsonl"] = ours["heads.jsonl"] = b""
    files["messages.jsonl"] = b""
    files["checkpoint"] = b"x"

    report = audit_files(alpha=ours, beta=files)

    assert codes(report, Outcome.UNKNOWN) == {"request-absent", "request-unanswered"}
    assert report.logs[1].anchored == 0


def test_an_export_under_no_signed_head_accuses_nobody() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    other, more = make_pair()
    for _ in range(3):
        other.ask(ALPHA, BETA, more)
    made_up = other.export(BETA)
    made_up["checkpoint"] = flip(made_up["checkpoint"], len(made_up["checkpoint"]) - 10)
    made_up["messages.jsonl"] = made_up["heads.jsonl"] = b""
    for path in [path for path in made_up if path.startswith("tile/entries/")]:
        made_up[path] = made_up[path].replace(b'"code":"full"', b'"code":"mix!"')

    report = audit_files(alpha=federation.export(ALPHA), beta=made_up)

    assert [one.verdict for one in report.exchanges] == [Verdict.PROVEN]
    assert codes(report) & {"fork", "entry-differs", "entry-missing", "entry-mismatch"} == set()
    assert report.logs[1].verdict is LogVerdict.BROKEN


def test_a_signed_entry_that_is_no_entry_is_named() -> None:
    federation, _, _ = files_of_pair()
    federation.members[BETA].log.append(b'{"hello":1}')

    report = audit(federation.bundles())

    line = find_line(report, "entry-invalid")
    assert line.place is not None
    assert line.place.entry == 2


def test_entries_of_a_later_version_are_reported_as_not_understood() -> None:
    federation, _, _ = files_of_pair()
    later = b'{"at":1,"type":"anchor","v":2}'
    assert parse_entry(later) == UnknownEntry(type="anchor")
    federation.members[BETA].log.append(later)

    report = audit(federation.bundles())

    assert codes(report, Outcome.UNKNOWN) == {"not-understood"}
    assert codes(report) == set()


@pytest.mark.parametrize("entry", ["second", "of-another"])
def test_a_log_begins_with_its_own_genesis_and_has_no_other(entry: str) -> None:
    federation, _, _ = files_of_pair()
    log = federation.members[BETA].log
    if entry == "second":
        log.append(log.entries[0])
    else:
        stranger = GenesisEntry(at_ms=1, member=GAMMA, origin=log.origin)
        log.entries[:] = [format_entry(stranger)]

    assert "genesis" in codes(audit(federation.bundles(BETA)))


def test_a_log_without_genesis_is_named() -> None:
    federation, consent = make_pair()
    federation.members[BETA].log.entries.clear()
    federation.ask(ALPHA, BETA, consent)

    assert "genesis" in codes(audit(federation.bundles()))


def test_an_empty_log_is_an_empty_tree() -> None:
    federation = Federation(ALPHA)
    federation.members[ALPHA].log.entries.clear()

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert report.logs[0].size == 0


def test_a_longer_export_that_nobody_signed_does_not_take_the_place_of_the_members_own() -> None:
    _, ours, theirs = files_of_pair()
    forged = Federation(ALPHA, BETA)
    grow(forged, BETA, size=40)
    fake = forged.export(BETA)
    fake["checkpoint"] = flip(fake["checkpoint"], len(fake["checkpoint"]) - 10)

    report = audit_files(alpha=ours, beta=theirs, stranger=fake)

    assert [one.verdict for one in report.exchanges] == [Verdict.PROVEN]
    assert [log.verdict for log in report.logs] == [
        LogVerdict.HOLDS,
        LogVerdict.HOLDS,
        LogVerdict.BROKEN,
    ]


# --- long logs


def grow(federation: Federation, name: str, *, size: int) -> None:
    log = federation.members[name].log
    while len(log.entries) < size:
        log.append(b'{"at":%d,"type":"later","v":2}' % len(log.entries))


def test_a_log_of_several_levels_is_read_and_every_tile_is_counted() -> None:
    federation = Federation(ALPHA)
    grow(federation, ALPHA, size=600)

    report = audit(federation.bundles())

    assert codes(report) == set()
    assert report.logs[0].tiles == 4  # two full ones, a partial one, and the level above
    assert report.logs[0].anchored == 600


@pytest.mark.parametrize(
    ("path", "position", "named"),
    [("tile/1/000.p/2", 33, "hash 1 of level 1"), ("tile/0/001", 0, "hash 256 of level 0")],
)
def test_a_changed_tile_of_a_long_log_is_named(path: str, position: int, named: str) -> None:
    federation = Federation(ALPHA)
    grow(federation, ALPHA, size=600)
    files = flip_in(federation.export(ALPHA), path, position)

    report = audit_files(alpha=files)

    assert find_line(report, "tile-altered").text.startswith(named)


def test_many_changed_entries_are_named_up_to_a_limit_and_then_counted() -> None:
    federation = Federation(ALPHA)
    grow(federation, ALPHA, size=300)
    files = federation.export(ALPHA)
    files["tile/entries/000"] = files["tile/entries/000"].replace(b'"later"', b'"LATER"')

    report = audit_files(alpha=files)

    named = [one for one in report.logs[0].findings if one.code == "entry-altered"]
    assert len(named) == NAMED_MAX + 1
    assert named[-1].text.startswith(f"{255 - NAMED_MAX} more")


# --- splitting a damaged bundle of entries

PARTS = [b'{"a":1}', b'{"b":22}', b'{"c":333}']
HASHES = [leaf_hash(part) for part in PARTS]
WHOLE = encode_bundle(PARTS)


def test_a_sound_bundle_splits_into_its_entries() -> None:
    split = split_entries(WHOLE, leaves=HASHES)

    assert (split.entries, split.mislengthed, split.rest) == (tuple(PARTS), (), 0)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("mask", [1, 8, 0x80])
def test_a_changed_length_costs_at_most_its_own_entry(number: int, mask: int) -> None:
    position = sum(2 + len(part) for part in PARTS[:number]) + 1
    raw = bytearray(WHOLE)
    raw[position] ^= mask

    split = split_entries(bytes(raw), leaves=HASHES)

    others = [part for index, part in enumerate(PARTS) if index != number]
    assert [one for index, one in enumerate(split.entries) if index != number] == others
    assert split.mislengthed == (number,) or split.rest or split.entries[number] != PARTS[number]


def test_a_changed_byte_costs_its_own_entry_alone() -> None:
    split = split_entries(flip(WHOLE, 4), leaves=HASHES)

    assert split.entries[0] != PARTS[0]
    assert split.entries[1:] == tuple(PARTS[1:])


def test_without_hashes_the_lengths_are_believed() -> None:
    assert split_entries(WHOLE, leaves=[None] * 3).entries == tuple(PARTS)


def test_what_cannot_be_told_apart_is_none() -> None:
    split = split_entries(b"\xff\xff", leaves=HASHES)

    assert split.entries == (None, None, None)


def test_two_changed_entries_in_a_row_are_both_kept_as_they_stand() -> None:
    raw = flip(flip(WHOLE, 4), 2 + len(PARTS[0]) + 4)

    split = split_entries(raw, leaves=HASHES)

    assert split.entries[2] == PARTS[2]
    assert None not in split.entries


def test_the_search_for_the_next_entry_is_bounded() -> None:
    raw = (5_000).to_bytes(2, "big") + b'{"' * 2_400

    split = split_entries(raw, leaves=HASHES[:2])

    assert split.entries == (None, None)


def test_a_key_of_a_log_signs_for_no_other() -> None:
    federation, ours, theirs = files_of_pair()
    log = federation.members[BETA].log
    stranger = make_key("a stranger's log")
    theirs["checkpoint"] = sign_checkpoint(log.checkpoint(), key=stranger).encode()

    report = audit([parse_bundle_files(ours, name="a"), parse_bundle_files(theirs, name="b")])

    assert codes(report) == {"note-unsigned"}
