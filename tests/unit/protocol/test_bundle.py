"""The files of a bundle: what is written reads back, what cannot be read is a fault with a line."""

from dataclasses import replace

import pytest

from protocol.bundle import (
    BUNDLE_LINE_BYTES_MAX,
    HEADS_FILE,
    MANIFEST_FILE,
    MESSAGES_FILE,
    Bundle,
    ConsentRecord,
    HeadRecord,
    Manifest,
    MessageCopy,
    MessageRecord,
    SnapshotRecord,
    StatusRecord,
    build_log_files,
    build_policy,
    format_consent,
    format_head,
    format_manifest,
    format_message_record,
    format_snapshot,
    format_status,
    parse_bundle_files,
    parse_manifest,
    reading,
)
from protocol.encoding import sha256
from protocol.errors import MalformedError, SchemaError
from protocol.limits import INCLUSION_BYTES_MAX
from protocol.log_policy import format_log_policy, parse_log_policy
from protocol.merkle import leaf_hash
from protocol.strict_json import JsonObject, canonical_json
from protocol.tile import EMPTY_EDGE, TileCache, TileNodes, list_tiles, parse_bundle
from tests.support.auditing import ALPHA, BETA, make_pair
from tests.support.federation import WITNESS, make_key

MANIFEST = Manifest(
    member=ALPHA,
    origin="alpha.example/log",
    exported_at_s=1_790_000_000,
    size=3,
    root=sha256(b"root"),
    redacted=False,
)
SALT = sha256(b"salt")
WHOLE = MessageCopy(env="a.b.c", inclusion="proof\n\n— key", body=b"body", salt=SALT)
BARE = MessageCopy(env="a.b.c", inclusion="proof")


def parse(**files: bytes) -> Bundle:
    """Read a bundle of these files; the others are empty, which is in order."""
    names = {
        "manifest": MANIFEST_FILE,
        "registry": "registry.jsonl",
        "consents": "consents.jsonl",
        "statuses": "statuses.jsonl",
        "messages": MESSAGES_FILE,
        "heads": HEADS_FILE,
    }
    whole = dict.fromkeys(names.values(), b"") | {
        MANIFEST_FILE: format_manifest(MANIFEST),
        "policy": b"",
        "checkpoint": b"",
    }
    whole |= {names[name]: content for name, content in files.items()}
    return parse_bundle_files(whole, name="alpha")


def test_a_manifest_reads_back() -> None:
    assert parse_manifest(format_manifest(MANIFEST)) == MANIFEST


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"member": ""}, {"size": -1}, {"redacted": 1}, {"root": "x"}, {"more": 1}],
    ids=lambda change: next(iter(change)),
)
def test_a_manifest_of_another_form_is_refused(change: JsonObject) -> None:
    good: JsonObject = {
        "v": 1,
        "member": ALPHA,
        "origin": "o",
        "exported_at_s": 1,
        "size": 1,
        "root": "A" * 43,
        "redacted": False,
    }
    parse_manifest(canonical_json(good))

    with pytest.raises((SchemaError, MalformedError)):
        parse_manifest(canonical_json(good | change))


def test_every_line_reads_back() -> None:
    read = parse(
        registry=format_snapshot(seq=1, tokens=["a.b.c", "d.e.f"]),
        consents=format_consent(token="x.y.z", subject="sim:1", salt=SALT)
        + format_consent(token="x.y.z"),
        statuses=format_status("s.t.u"),
        messages=format_message_record(side="in", request=WHOLE, answer=BARE)
        + format_message_record(side="out", request=BARE, answer=None),
        heads=format_head(peer=BETA, checkpoint="note\n\n— key x\n"),
    )

    assert read.faults == ()
    assert read.manifest == MANIFEST
    assert read.snapshots == (SnapshotRecord(line=1, seq=1, tokens=("a.b.c", "d.e.f")),)
    assert read.consents == (
        ConsentRecord(line=1, token="x.y.z", subject="sim:1", salt=SALT),
        ConsentRecord(line=2, token="x.y.z"),
    )
    assert read.statuses == (StatusRecord(line=1, token="s.t.u"),)
    assert read.messages == (
        MessageRecord(line=1, side="in", request=WHOLE, answer=BARE),
        MessageRecord(line=2, side="out", request=BARE, answer=None),
    )
    assert read.heads == (HeadRecord(line=1, peer=BETA, checkpoint="note\n\n— key x\n"),)


@pytest.mark.parametrize(
    ("subject", "salt"), [("sim:1", None), (None, SALT)], ids=["no-salt", "no-subject"]
)
def test_a_consent_shows_subject_and_salt_together_or_neither(
    subject: str | None, salt: bytes | None
) -> None:
    assert format_consent(token="t", subject=subject, salt=salt) == format_consent(token="t")


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("messages", b"{}"),
        ("messages", b'{"request":"\xc3\xa9","request_inclusion":"","side":"in"}'),
        ("messages", b'{"request":1,"request_inclusion":"","side":"in"}'),
        ("messages", b'{"request":"a","request_inclusion":"","side":"both"}'),
        ("messages", b'{"request":"a","request_body":"","request_inclusion":"","side":"in"}'),
        ("messages", b'{"more":1,"request":"a","request_inclusion":"","side":"in"}'),
        ("consents", b'{"subject":"sim:1","token":"t"}'),
        ("registry", b'{"seq":0,"tokens":[]}'),
        ("statuses", b'{"token":"\\u00e9"}'),
        ("heads", b'{"checkpoint":7,"peer":"a"}'),
        ("heads", b"not json"),
    ],
)
def test_a_line_of_another_form_is_a_fault_and_the_next_one_is_read(file: str, line: bytes) -> None:
    good = {
        "messages": format_message_record(side="in", request=BARE, answer=None),
        "consents": format_consent(token="t"),
        "registry": format_snapshot(seq=1, tokens=["t"]),
        "statuses": format_status("t"),
        "heads": format_head(peer=BETA, checkpoint="x"),
    }[file]

    read = parse(**{file: line + b"\n" + good})

    (fault,) = read.faults
    assert (fault.file, fault.line) == (f"{file}.jsonl", 1)
    lines = [one.line for one in read.messages] + [one.line for one in read.consents]
    lines += [one.line for one in read.snapshots] + [one.line for one in read.statuses]
    lines += [one.line for one in read.heads]
    assert lines == [2]


def test_a_proof_over_the_limit_is_a_fault() -> None:
    large = replace(BARE, inclusion="x" * (INCLUSION_BYTES_MAX + 1))

    read = parse(messages=format_message_record(side="in", request=large, answer=None))

    assert read.faults[0].line == 1


def test_a_line_over_the_limit_is_a_fault() -> None:
    read = parse(statuses=b" " * (BUNDLE_LINE_BYTES_MAX + 1) + b"\n")

    assert "more than" in read.faults[0].detail


def test_a_file_over_the_limit_of_lines_is_a_fault_and_read_up_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "BUNDLE_LINES_MAX", 2)

    read = parse(statuses=format_status("t") * 3)

    assert len(read.statuses) == 2
    assert len(read.faults) == 1


def test_a_last_line_without_its_newline_is_a_fault() -> None:
    read = parse(statuses=format_status("t") + b"{")

    assert len(read.statuses) == 1
    assert read.faults[0].line is None


def test_missing_and_foreign_files_are_faults() -> None:
    read = parse_bundle_files({"README": b"", "tile/0/000.p/1": b"x"}, name="alpha")

    assert read.manifest is None
    assert [fault.file for fault in read.faults] == [
        "README",
        MANIFEST_FILE,
        "policy",
        "checkpoint",
        "registry.jsonl",
        "consents.jsonl",
        "statuses.jsonl",
        HEADS_FILE,
        MESSAGES_FILE,
    ]
    assert read.tiles == {"tile/0/000.p/1": b"x"}


def test_a_checkpoint_that_is_no_text_is_a_fault() -> None:
    federation, _ = make_pair()

    read = parse_bundle_files(federation.export(ALPHA) | {"checkpoint": b"\xff"}, name="alpha")

    assert read.checkpoint == ""
    assert [fault.file for fault in read.faults] == ["checkpoint"]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600])
def test_the_files_of_a_log_are_all_its_tiles_and_entries(size: int) -> None:
    entries = [b"%d" % number for number in range(size)]
    edge, full = EMPTY_EDGE.extend([leaf_hash(entry) for entry in entries])
    tiles = {(tile.level, tile.index): tile.data for tile in full}
    nodes = TileNodes(edge=edge, cache=TileCache(lambda level, index, _: tiles[level, index]))
    files = dict(
        build_log_files(
            size,
            read_tile=nodes.read_tile,
            list_entries=lambda first, count: entries[first : first + count],
        )
    )

    assert {path for path in files if "entries" not in path} == {
        tile.path for tile in list_tiles(size)
    }
    read: list[bytes] = []
    for path in sorted(path for path in files if "entries" in path):
        width = int(path.rpartition("/")[2]) if ".p/" in path else 256
        read += parse_bundle(files[path], width=width)
    assert read == entries


def test_a_policy_asks_for_one_of_the_hubs_keys_and_reads_back() -> None:
    federation, _ = make_pair()
    log = federation.members[ALPHA].log.vkey
    other = replace(WITNESS, public=make_key("newer witness").public)

    policy = build_policy(log=log, witnesses=[WITNESS, other, WITNESS])

    assert [witness.key for witness in policy.witnesses] == [WITNESS, other]
    assert not policy.has_quorum([])
    assert policy.has_quorum(["hub1"])
    assert policy.has_quorum(["hub2"])
    assert parse_log_policy(format_log_policy(policy)) == policy
