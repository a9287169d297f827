"""What the auditor's API answers."""

from __future__ import annotations

from typing import Literal

from node.core.http.models import ApiModel
from node.sharing.auditing import EntryView, HeadView
from node.sharing.store.auditing import ConsentRow, ExchangeRow, StatusRow
from protocol.bundle import MessageCopy
from protocol.encoding import encode_b64u


class WitnessedView(ApiModel):
    """The newest head that the hub has cosigned."""

    size: int
    checkpoint: str
    at_s: int


class HeadModel(ApiModel):
    """A log's head; ``end_reason`` of one that has ended."""

    log: int
    origin: str
    end_reason: str | None
    size: int
    root: str
    checkpoint: str
    witnessed: WitnessedView | None


class EntryModel(ApiModel):
    """One entry; ``entry`` is its very bytes as text, absent where the token does not reach it."""

    index: int
    leaf: str
    entry: str | None


class EntryPage(ApiModel):
    """Entries in order."""

    entries: list[EntryModel]
    next: int | None


class ProvenEntryModel(ApiModel):
    """An entry with its tlog-proof."""

    index: int
    leaf: str
    entry: str
    proof: str


class ExchangeModel(ApiModel):
    """One exchange in a list."""

    side: Literal["in", "out"]
    log: int
    index: int
    xid: str
    peer: str
    op: str
    code: str
    uses: int
    consent: str | None
    at_ms: int
    msg: str
    ans: str | None


class ExchangePage(ApiModel):
    """Exchanges, the newest first."""

    exchanges: list[ExchangeModel]
    next: str | None


class CopyModel(ApiModel):
    """One message as it is kept; body and salt only where asked for, allowed and not erased."""

    envelope: str
    inclusion: str
    body: str | None
    salt: str | None


class ExchangeDetail(ApiModel):
    """One exchange with its messages."""

    exchange: ExchangeModel
    request: CopyModel
    answer: CopyModel | None


class ConsentModel(ApiModel):
    """One consent; subject and salt only where asked for and allowed."""

    consent: str
    token: str
    consumer: str
    provider: str
    state: str
    seq: int
    uses: int
    exp: int
    subject: str | None
    salt: str | None


class ConsentPage(ApiModel):
    """Consents in the order of their hashes."""

    consents: list[ConsentModel]
    next: str | None


class StatusModel(ApiModel):
    """A signed change of state."""

    id: int
    consent: str
    seq: int
    state: str
    token: str
    taken_at_ms: int


class StatusPage(ApiModel):
    """Statuses in the order in which they were taken."""

    statuses: list[StatusModel]
    next: int | None


class ConsentDetail(ApiModel):
    """One consent with its changes and uses."""

    consent: ConsentModel
    statuses: list[StatusModel]
    uses: list[ExchangeModel]


class PeerModel(ApiModel):
    """Counters and sums of one peer."""

    peer: str
    n: int
    head_size: int
    answered: int
    uses: int
    asked: int
    open: int


class AccessModel(ApiModel):
    """One look."""

    id: int
    at_ms: int
    who: str
    name: str
    what: str
    target: str
    scope: str
    outcome: str


class AccessPage(ApiModel):
    """Looks, the newest first."""

    accesses: list[AccessModel]
    next: int | None


def text_of(raw: bytes | None) -> str | None:
    """Return bytes as text, None where they are not shown."""
    return None if raw is None else raw.decode("utf-8", errors="replace")


def view_head(head: HeadView) -> HeadModel:
    """Return a head for the answer."""
    witnessed = None
    if head.witnessed_at_s is not None:
        witnessed = WitnessedView(
            size=head.witnessed_size,
            checkpoint=head.witnessed_checkpoint,
            at_s=head.witnessed_at_s,
        )
    return HeadModel(
        log=head.log,
        origin=head.origin,
        end_reason=head.end_reason,
        size=head.size,
        root=encode_b64u(head.root),
        checkpoint=head.checkpoint,
        witnessed=witnessed,
    )


def view_entry(view: EntryView) -> EntryModel:
    """Return an entry for the answer."""
    return EntryModel(index=view.index, leaf=encode_b64u(view.leaf), entry=text_of(view.raw))


def view_exchange(row: ExchangeRow) -> ExchangeModel:
    """Return an exchange for the answer."""
    return ExchangeModel(
        side="in" if row.side == "in" else "out",
        log=row.log,
        index=row.index,
        xid=encode_b64u(row.xid),
        peer=row.peer,
        op=row.op,
        code=row.code,
        uses=row.uses,
        consent=None if row.consent is None else encode_b64u(row.consent),
        at_ms=row.at_ms,
        msg=encode_b64u(row.msg),
        ans=None if row.ans is None else encode_b64u(row.ans),
    )


def view_copy(copy: MessageCopy) -> CopyModel:
    """Return a message for the answer."""
    return CopyModel(
        envelope=copy.env,
        inclusion=copy.inclusion,
        body=text_of(copy.body),
        salt=None if copy.salt is None else encode_b64u(copy.salt),
    )


def view_consent(row: ConsentRow) -> ConsentModel:
    """Return a consent for the answer."""
    return ConsentModel(
        consent=encode_b64u(row.hash),
        token=row.token,
        consumer=row.consumer,
        provider=row.provider,
        state=row.state,
        seq=row.seq,
        uses=row.uses,
        exp=row.exp,
        subject=row.subject or None,
        salt=encode_b64u(row.salt) or None,
    )


def view_status(row: StatusRow) -> StatusModel:
    """Return a status for the answer."""
    return StatusModel(
        id=row.status_id,
        consent=encode_b64u(row.consent),
        seq=row.seq,
        state=row.state,
        token=row.token,
        taken_at_ms=row.taken_at_ms,
    )
