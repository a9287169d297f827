"""The audit of counters: no number twice, and a gap stays open."""

from protocol.audit.findings import Outcome
from protocol.bundle import parse_bundle_files
from protocol.encoding import encode_b64u
from tests.support.auditing import ALPHA, BETA, audit, find_line, flip_in, make_pair

UNKNOWN = Outcome.UNKNOWN


def test_a_number_that_was_never_logged_is_named() -> None:
    federation, consent = make_pair()
    federation.members[ALPHA].counters[BETA] = 1
    federation.ask(ALPHA, BETA, consent)
    federation.members[ALPHA].counters[BETA] += 3
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    line = find_line(report, "counter-gap")
    assert line.outcome is UNKNOWN
    assert "its number 1, 3 to 5 for beta.example" in line.text


def test_many_gaps_are_counted() -> None:
    federation, consent = make_pair()
    for _ in range(22):
        federation.members[ALPHA].counters[BETA] = (
            federation.members[ALPHA].counters.get(BETA, 0) + 1
        )
        federation.ask(ALPHA, BETA, consent, code="consent-missing", use=0)

    line = find_line(audit(federation.bundles()), "counter-gap")

    assert "and 2 more gaps" in line.text


def test_a_number_used_twice_is_named_with_its_exchange() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    federation.members[ALPHA].counters[BETA] = 0
    second = federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    (finding,) = [one for one in report.findings if one.code == "counter-repeated"]
    assert finding.affects == (encode_b64u(second.envelope.jti),)


def test_a_gap_in_a_log_with_altered_entries_says_so() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)
    federation.members[ALPHA].records.clear()
    files = federation.export(ALPHA)
    path = "tile/entries/000.p/5"
    files = flip_in(files, path, files[path].index(b'"type":"request"') + 10)

    report = audit([parse_bundle_files(files, name="alpha")])

    assert "1 entries of this log are altered" in find_line(report, "counter-gap").text
