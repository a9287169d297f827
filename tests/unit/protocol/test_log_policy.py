"""Policies: which logs and witnesses, and how many."""

import pytest

from protocol.checkpoint import Checkpoint, CheckpointOriginError, sign_checkpoint
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import sha256
from protocol.errors import MalformedError, TooLargeError
from protocol.keys import SigningKey
from protocol.log_policy import (
    Cosigner,
    LogPolicy,
    LogPolicyError,
    PolicyLog,
    PolicyWitness,
    QuorumError,
    format_log_policy,
    open_witnessed,
    parse_log_policy,
)
from protocol.note import (
    NoteSignatureError,
    NoteUnsignedError,
    SignatureKind,
    VerifierKey,
    add_signatures,
    format_vkey,
)

ORIGIN = "cx.alpha.example/log/2026a"
LOG = SigningKey(sha256(b"policy test: log"))
LOG_KEY = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=LOG.public)
WITNESSES = [SigningKey(sha256(b"policy test: witness", bytes([number]))) for number in range(70)]
CHECKPOINT = Checkpoint(origin=ORIGIN, size=42, root=sha256(b"root"))


def witness_key(number: int) -> VerifierKey:
    return VerifierKey(
        name=f"w{number}.example",
        kind=SignatureKind.COSIGNATURE_V1,
        public=WITNESSES[number].public,
    )


L = f"log {format_vkey(LOG_KEY)}\n"
W = [f"witness w{number} {format_vkey(witness_key(number))}\n" for number in range(70)]


def policy(*lines: str) -> LogPolicy:
    return parse_log_policy("".join(lines).encode())


def note(*cosigned: int, at_s: int = 100) -> str:
    return add_signatures(
        sign_checkpoint(CHECKPOINT, key=LOG),
        [
            cosign_checkpoint(
                CHECKPOINT, name=f"w{number}.example", key=WITNESSES[number], now_s=at_s + number
            )
            for number in cosigned
        ],
    )


# The example of c2sp.org/tlog-policy, with the layout that it allows.
EXAMPLE = (
    "# two operators\n",
    "\n",
    f" \tlog\t{format_vkey(LOG_KEY)}  https://log.example/ \n",
    *W[:3],
    "group X-witnesses 2 w0 w1 w2\n",
    *W[3:6],
    "  # the second one\n",
    "group Y-witnesses any w3 w4 w5\n",
    "group X-and-Y all X-witnesses Y-witnesses\n",
    "quorum X-and-Y\n",
)


@pytest.mark.parametrize(
    ("cosigned", "enough"),
    [
        ((), False),
        ((0, 1), False),
        ((0, 3), False),
        ((3, 4, 5), False),
        ((0, 1, 3), True),
        ((1, 2, 5), True),
        ((0, 1, 2, 3, 4, 5), True),
    ],
)
def test_quorum_of_groups_is_that_of_the_specification(
    cosigned: tuple[int, ...], *, enough: bool
) -> None:
    read = policy(*EXAMPLE)

    if enough:
        opened = open_witnessed(note(*cosigned), policy=read)
        assert opened.checkpoint == CHECKPOINT
        assert opened.cosigners == tuple(
            Cosigner(name=f"w{number}", at_s=100 + number) for number in cosigned
        )
    else:
        with pytest.raises(QuorumError):
            open_witnessed(note(*cosigned), policy=read)


def test_policy_reads_back() -> None:
    read = policy(*EXAMPLE)

    assert parse_log_policy(format_log_policy(read)) == read
    assert read.logs == (PolicyLog(key=LOG_KEY, url="https://log.example/"),)
    assert read.groups[1].threshold == 1


def test_quorum_none_asks_for_no_witness() -> None:
    assert open_witnessed(note(), policy=policy(L, "quorum none\n")).cosigners == ()


def test_quorum_may_be_one_witness() -> None:
    read = policy(L, *W[:2], "quorum w1\n")

    assert open_witnessed(note(1), policy=read).cosigners == (Cosigner(name="w1", at_s=101),)
    with pytest.raises(QuorumError):
        open_witnessed(note(0), policy=read)


def test_unknown_witness_counts_for_nothing() -> None:
    with pytest.raises(QuorumError):
        open_witnessed(note(5), policy=policy(L, W[0], "quorum w0\n"))


def test_bad_cosignature_of_a_known_witness_refuses_the_checkpoint() -> None:
    other = Checkpoint(origin=ORIGIN, size=43, root=CHECKPOINT.root)
    line = cosign_checkpoint(other, name="w0.example", key=WITNESSES[0], now_s=1)
    forged = add_signatures(note(1), [line])

    with pytest.raises(NoteSignatureError):
        open_witnessed(forged, policy=policy(L, *W[:2], "quorum w1\n"))


def test_witnesses_do_not_replace_the_log() -> None:
    with pytest.raises(CheckpointOriginError):
        open_witnessed(note(0), policy=policy(W[0], "quorum w0\n"))
    with pytest.raises(NoteUnsignedError):
        open_witnessed(note(0), policy=policy(W[1], "quorum none\n"))


def test_old_and_new_key_of_a_log_may_stand_side_by_side() -> None:
    new = SigningKey(sha256(b"policy test: rotated"))
    new_key = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=new.public)
    read = policy(L, f"log {format_vkey(new_key)}\n", "quorum none\n")

    for key in (LOG, new):
        opened = open_witnessed(sign_checkpoint(CHECKPOINT, key=key), policy=read)
        assert opened.checkpoint == CHECKPOINT


def test_names_are_opaque_octets() -> None:
    raw = f"# \xff\n{L}{W[0]}".replace("witness w0", "witness \xff").encode("latin-1")

    read = parse_log_policy(raw + b"quorum \xff\n")

    assert read.has_quorum([read.witnesses[0].name])
    assert format_log_policy(read) == raw.split(b"\n", 1)[1] + b"quorum \xff\n"


def test_key_names_are_utf_8() -> None:
    key = VerifierKey(name="\u8bda\u4fe1", kind=SignatureKind.ED25519, public=LOG.public)
    read = policy(f"log {format_vkey(key)}\n", "quorum none\n")

    assert read.logs == (PolicyLog(key=key),)
    with pytest.raises(LogPolicyError, match="line 1"):
        parse_log_policy(f"log \xff{format_vkey(LOG_KEY)}\nquorum none\n".encode("latin-1"))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((L,), id="no-quorum"),
        pytest.param((L, "quorum none\n", "quorum none\n"), id="two-quorums"),
        pytest.param((L, "quorum w0\n", W[0]), id="quorum-before-its-witness"),
        pytest.param((L, "quorum nobody\n"), id="quorum-of-nobody"),
        pytest.param((L, "quorum\n"), id="quorum-without-name"),
        pytest.param((L, "quorum none none\n"), id="quorum-with-two-names"),
        pytest.param((L, "quorum none"), id="no-newline-at-the-end"),
        pytest.param((L, "quorum none\r\n"), id="carriage-return"),
        pytest.param((L, "# \x00\n", "quorum none\n"), id="control-character"),
        pytest.param((L, "# \x7f\n", "quorum none\n"), id="delete-character"),
        pytest.param((L, "mirror m\n", "quorum none\n"), id="unknown-line"),
        pytest.param((L, "LOG x\n", "quorum none\n"), id="upper-case"),
        pytest.param((L, L, "quorum none\n"), id="log-twice"),
        pytest.param(("log\n", "quorum none\n"), id="log-without-key"),
        pytest.param((L[:-1] + " a b\n", "quorum none\n"), id="log-with-two-urls"),
        pytest.param(("log " + W[0].split(" ")[2], "quorum none\n"), id="witness-key-as-log"),
        pytest.param(("witness w0 " + L.split(" ")[1], "quorum w0\n"), id="log-key-as-witness"),
        pytest.param((L, W[0], W[0], "quorum w0\n"), id="witness-twice"),
        pytest.param((L, W[0], W[0].replace("w0 ", "w1 "), "quorum w0\n"), id="one-key-two-names"),
        pytest.param((L, W[0], W[1].replace("w1 ", "w0 "), "quorum w0\n"), id="one-name-two-keys"),
        pytest.param((L, W[0].replace("w0 ", "none "), "quorum none\n"), id="witness-named-none"),
        pytest.param((L, W[0].replace("w0 ", "all "), "quorum none\n"), id="witness-named-all"),
        pytest.param((L, "witness w0\n", "quorum w0\n"), id="witness-without-key"),
        pytest.param((L, W[0][:-1] + " a b\n", "quorum w0\n"), id="witness-with-two-urls"),
        pytest.param((L, W[0].replace("+", "-"), "quorum w0\n"), id="bad-key"),
        pytest.param((L, W[0], "group g any\n", "quorum g\n"), id="empty-group"),
        pytest.param((L, W[0], "group g 0 w0\n", "quorum g\n"), id="threshold-0"),
        pytest.param((L, W[0], "group g 2 w0\n", "quorum g\n"), id="threshold-above-members"),
        pytest.param((L, W[0], "group g 01 w0\n", "quorum g\n"), id="threshold-leading-zero"),
        pytest.param((L, W[0], "group g some w0\n", "quorum g\n"), id="threshold-word"),
        pytest.param((L, W[0], "group g any w1\n", W[1], "quorum g\n"), id="member-later"),
        pytest.param((L, W[0], "group g any none\n", "quorum g\n"), id="none-as-member"),
        pytest.param((L, W[0], "group g any g\n", "quorum g\n"), id="group-of-itself"),
        pytest.param((L, W[0], "group g any w0 w0\n", "quorum g\n"), id="member-twice"),
        pytest.param(
            (L, W[0], "group g any w0\n", "group h any w0\n", "quorum g\n"), id="in-two-groups"
        ),
        pytest.param((L, W[0], "group w0 any w0\n", "quorum w0\n"), id="group-named-as-witness"),
        pytest.param((L, W[0], "group none any w0\n", "quorum none\n"), id="group-named-none"),
    ],
)
def test_policy_that_breaks_the_specification_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(LogPolicyError):
        policy(*lines)


def test_size_of_a_policy_is_limited() -> None:
    assert len(policy(*W[:64], "quorum none\n").witnesses) == 64
    with pytest.raises(TooLargeError):
        policy(*W[:65], "quorum none\n")
    with pytest.raises(TooLargeError):
        parse_log_policy(b"#" * 65_537)


def test_parts_that_make_no_policy_are_not_written() -> None:
    witness = PolicyWitness(name="w0 w1", key=witness_key(0))
    with pytest.raises(MalformedError):
        format_log_policy(LogPolicy(logs=(), witnesses=(witness,), groups=(), quorum="none"))

    commented = PolicyWitness(name="\u00e9", key=witness_key(0))
    with pytest.raises(LogPolicyError, match="make no policy"):
        format_log_policy(LogPolicy(logs=(), witnesses=(commented,), groups=(), quorum="none"))
