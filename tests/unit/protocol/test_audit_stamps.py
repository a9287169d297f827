"""The audit of time-stamps: a token is the one that an entry of its log names."""

import pytest

from protocol.audit.findings import Outcome, Report, Verdict
from protocol.audit.stamps import list_anchors
from protocol.bundle import ANCHORS_FILE, MANIFEST_FILE, format_anchor, parse_bundle_files
from protocol.encoding import sha256
from protocol.entry import AnchorEntry, format_entry
from tests.support.auditing import ALPHA, BETA, Files, audit_files, codes, find_line, make_pair

TOKEN = b"a token of an authority, whatever is in it"


def make_stamped(*, token: bytes = TOKEN) -> tuple[Files, int]:
    """Return the files of a member whose log names a token, and the index of that entry."""
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[BETA].log
    entry = AnchorEntry(
        at_ms=federation.now_s * 1000,
        head=log.head(),
        authority="authority.example",
        token=sha256(token),
    )
    index = log.append(format_entry(entry))
    return federation.export(BETA), index


def audit_with(files: Files, *, entry: int, token: bytes = TOKEN) -> Report:
    return audit_files(beta={**files, ANCHORS_FILE: format_anchor(entry=entry, token=token)})


def test_a_token_that_the_log_names_is_no_finding() -> None:
    files, index = make_stamped()

    report = audit_with(files, entry=index)

    assert codes(report) == set()
    assert report.verdict is Verdict.PROVEN


def test_another_token_than_the_log_names_is_contradicted() -> None:
    files, index = make_stamped()

    report = audit_with(files, entry=index, token=b"another")

    line = find_line(report, "anchor-unfounded")
    assert line.outcome is Outcome.FAILS
    assert "names another token" in line.text
    assert line.place is not None
    assert line.place.text == f"beta/{ANCHORS_FILE}:1"


@pytest.mark.parametrize("entry", [0, 1, 99, 2**40])
def test_a_token_for_an_entry_that_is_none_is_contradicted(entry: int) -> None:
    files, _ = make_stamped()

    report = audit_with(files, entry=entry)

    assert "no time-stamp's" in find_line(report, "anchor-unfounded").text


@pytest.mark.parametrize("damage", ["missing", "overlong", "altered", "manifest"])
def test_a_token_whose_entry_is_not_shown_is_contradicted(damage: str) -> None:
    files, index = make_stamped()
    (path,) = (path for path in files if path.startswith("tile/entries/"))
    if damage == "missing":
        del files[path]
    elif damage == "overlong":
        files[path] = b"\xff" + files[path]
    elif damage == "altered":
        files[path] = files[path].replace(b'"type":"anchor"', b'"type":"anch%r"')
    else:
        del files[MANIFEST_FILE]

    assert "anchor-unfounded" in codes(audit_with(files, entry=index))


def test_a_bundle_without_tokens_has_none() -> None:
    files, _ = make_stamped()

    assert list(list_anchors(parse_bundle_files(files, name="beta"))) == []


@pytest.mark.parametrize(
    "line",
    [
        b'{"entry":1}\n',
        b'{"entry":-1,"token":"AA"}\n',
        b'{"entry":1,"token":""}\n',
        b'{"entry":1,"token":"A"}\n',
        b'{"entry":1,"token":"AA","more":1}\n',
        b'{"entry":1,"token":"' + b"A" * 90_000 + b'"}\n',
    ],
    ids=["missing", "negative", "empty", "not-base64url", "more", "long"],
)
def test_a_line_of_another_form_is_a_fault(line: bytes) -> None:
    files, index = make_stamped()
    good = format_anchor(entry=index, token=TOKEN)

    bundle = parse_bundle_files({**files, ANCHORS_FILE: line + good}, name="beta")

    assert [(fault.file, fault.line) for fault in bundle.faults] == [(ANCHORS_FILE, 1)]
    assert [record.entry for record in bundle.anchors] == [index]
