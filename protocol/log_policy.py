"""C2SP tlog-policy: which logs and witnesses are known, and how many of them a checkpoint needs.

One text file, the same for our own verifier and for any other: ``log``, ``witness``, ``group`` and
``quorum`` lines. Names are opaque octets that mean nothing outside the file. Stricter than the
specification in one point: ``all`` and ``any`` are no names, since other verifiers trip over them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from protocol.checkpoint import Checkpoint, check_log_signed, parse_checkpoint
from protocol.errors import EvidenceError, MalformedError, TooLargeError
from protocol.limits import LOG_POLICY_BYTES_MAX, LOG_POLICY_ITEMS_MAX
from protocol.note import (
    SignatureKind,
    VerifierKey,
    VerifierKeyError,
    format_vkey,
    parse_note,
    parse_vkey,
    verify_note,
)

QUORUM_NONE = "none"
RESERVED_NAMES = frozenset({QUORUM_NONE, "all", "any"})

_FORBIDDEN_OCTET = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_WHITESPACE = re.compile(r"[ \t]+")
_COUNT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class LogPolicyError(MalformedError):
    """The policy file breaks the specification."""

    code = "log-policy-malformed"


class QuorumError(EvidenceError):
    """Too few of the witnesses that the policy asks for have cosigned."""

    code = "witness-quorum"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLog:
    """A log whose checkpoints are accepted."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWitness:
    """A witness, under the name that the policy gives it."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGroup:
    """Witnesses and groups defined before it, ``threshold`` of which make it count as a witness."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """A whole policy; groups stand in the order of their definition."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    def has_quorum(self, cosigned: Iterable[str]) -> bool:
        """Return whether these witnesses, by their policy names, are enough."""
        witnessed = set(cosigned)
        for group in self.groups:
            if sum(member in witnessed for member in group.members) >= group.threshold:
                witnessed.add(group.name)
        return self.quorum == QUORUM_NONE or self.quorum in witnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A witness that cosigned, by its name in the policy, and when it says it did."""

    name: str
    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedCheckpoint:
    """A checkpoint that satisfies a policy, with every known witness that cosigned it."""

    checkpoint: Checkpoint
    cosigners: tuple[Cosigner, ...]


def parse_log_policy(raw: bytes) -> LogPolicy:
    """Read a policy file.

    Raises:
        TooLargeError: More bytes or definitions than the limits.
        LogPolicyError: A line breaks the specification; the message has its number.
    """
    if len(raw) > LOG_POLICY_BYTES_MAX:
        raise TooLargeError(f"a policy has at most {LOG_POLICY_BYTES_MAX} bytes")
    if _FORBIDDEN_OCTET.search(raw) or not raw.endswith(b"\n"):
        raise LogPolicyError("a control character, or no newline at the end")
    reader = _PolicyReader()
    # Octets above ASCII are opaque: as surrogates they compare by octet, whatever their encoding.
    for number, line in enumerate(raw.decode("ascii", "surrogateescape").split("\n"), start=1):
        words = _WHITESPACE.split(line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        try:
            reader.read(words)
        except MalformedError as err:
            raise LogPolicyError(f"line {number}: {err.detail}") from err
    return reader.close()


def format_log_policy(policy: LogPolicy) -> bytes:
    """Write a policy file.

    Raises:
        LogPolicyError: It would not read back as the same policy.
    """
    lines = [
        *(("log", format_vkey(log.key), log.url) for log in policy.logs),
        *(("witness", each.name, format_vkey(each.key), each.url) for each in policy.witnesses),
        *(("group", each.name, str(each.threshold), *each.members) for each in policy.groups),
        ("quorum", policy.quorum),
    ]
    text = "".join(" ".join(word for word in line if word is not None) + "\n" for line in lines)
    raw = text.encode("utf-8", "surrogateescape")
    if parse_log_policy(raw) != policy:
        raise LogPolicyError("the parts make no policy")
    return raw


def open_witnessed(note: str, *, policy: LogPolicy) -> WitnessedCheckpoint:
    """Verify a checkpoint under a policy: its log, every known witness, and the quorum.

    Raises:
        MalformedError: No note, or no checkpoint in it.
        SignatureInvalidError: A known key's signature is wrong, or there is none.
        CheckpointOriginError: No known key of the named log has signed.
        QuorumError: Too few witnesses have.
    """
    parsed = parse_note(note)
    keys = [log.key for log in policy.logs] + [witness.key for witness in policy.witnesses]
    signed = {signature.key: signature.at_s for signature in verify_note(parsed, keys)}
    checkpoint = parse_checkpoint(parsed.text)
    check_log_signed(checkpoint, signed)
    cosigners = tuple(
        Cosigner(name=witness.name, at_s=at_s)
        for witness in policy.witnesses
        if (at_s := signed.get(witness.key)) is not None
    )
    if not policy.has_quorum(cosigner.name for cosigner in cosigners):
        raise QuorumError(f"{len(cosigners)} known witnesses are not the quorum")
    return WitnessedCheckpoint(checkpoint=checkpoint, cosigners=cosigners)


@dataclass(slots=True)
class _PolicyReader:
    """Collects the definitions of one file, each of which may only refer to earlier ones."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: list[PolicyGroup] = field(default_factory=list)
    quorum: str | None = None
    defined: set[str] = field(default_factory=set)
    grouped: set[str] = field(default_factory=set)

    def read(self, words: Sequence[str]) -> None:
        """Take one line."""
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self._add_log(vkey, url=url[0] if url else None)
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._add_witness(name, vkey=vkey, url=url[0] if url else None)
            case ["group", name, threshold, _, *_]:
                self._add_group(name, threshold=threshold, members=tuple(words[3:]))
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise LogPolicyError("not a log, witness, group or quorum line")

    def close(self) -> LogPolicy:
        """Return the policy once all lines are read."""
        if self.quorum is None:
            raise LogPolicyError("no quorum line")
        counts = (len(self.logs), len(self.witnesses), len(self.groups))
        if max(counts) > LOG_POLICY_ITEMS_MAX:
            raise TooLargeError(f"more than {LOG_POLICY_ITEMS_MAX} logs, witnesses or groups")
        return LogPolicy(
            logs=tuple(self.logs),
            witnesses=tuple(self.witnesses),
            groups=tuple(self.groups),
            quorum=self.quorum,
        )

    def _add_log(self, vkey: str, *, url: str | None) -> None:
        key = _parse_key(vkey, kind=SignatureKind.ED25519)
        if any(log.key.public == key.public for log in self.logs):
            raise LogPolicyError("a log's key is listed twice")
        self.logs.append(PolicyLog(key=key, url=url))

    def _add_witness(self, name: str, *, vkey: str, url: str | None) -> None:
        key = _parse_key(vkey, kind=SignatureKind.COSIGNATURE_V1)
        # One key under two names would count twice towards a quorum.
        if any(witness.key.public == key.public for witness in self.witnesses):
            raise LogPolicyError("a witness's key is listed twice")
        self._define(name)
        self.witnesses.append(PolicyWitness(name=name, key=key, url=url))

    def _add_group(self, name: str, *, threshold: str, members: tuple[str, ...]) -> None:
        for member in members:
            if member not in self.defined:
                raise LogPolicyError("a group's member is not defined before it")
            if member in self.grouped:
                raise LogPolicyError("a member is listed twice")
            self.grouped.add(member)
        self._define(name)
        count = _parse_threshold(threshold, members=len(members))
        self.groups.append(PolicyGroup(name=name, threshold=count, members=members))

    def _set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise LogPolicyError("a second quorum line")
        if name != QUORUM_NONE and name not in self.defined:
            raise LogPolicyError("the quorum is not defined before its line")
        self.quorum = name

    def _define(self, name: str) -> None:
        if name in self.defined or name in RESERVED_NAMES:
            raise LogPolicyError("a name is reserved or defined twice")
        self.defined.add(name)


def _parse_key(vkey: str, *, kind: SignatureKind) -> VerifierKey:
    # Back from octets: a key's name is UTF-8, or it is no name.
    try:
        key = parse_vkey(vkey.encode("ascii", "surrogateescape").decode("utf-8"))
    except UnicodeDecodeError as err:
        raise VerifierKeyError("a key's name is not UTF-8") from err
    if key.kind is not kind:
        raise LogPolicyError(f"a key of type {key.kind:#04x} where {kind:#04x} is due")
    return key


def _parse_threshold(text: str, *, members: int) -> int:
    if text in {"any", "all"}:
        return 1 if text == "any" else members
    if _COUNT.fullmatch(text) is None or int(text) > members:
        raise LogPolicyError(f"a threshold is 1 to {members}, any or all")
    return int(text)
