"""How peers' summaries enter an assessment: which count, and what each weighs.

docs/formulas.md, Peers; docs/decisions/0052. What may not count is not read at all, so it changes
nothing. One provider has one voice, and so has a group of companies. A consolidated summary stands
back behind the summaries of single members that it may have been made from. All is in integers,
and the order in which summaries come changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from node.assessment.evidence import LeftOutPeer, PeerEvidence
from node.assessment.policy import PERMILLE, PeerCap, PeerRules, PolicyBody, choose_step
from node.assessment.results import INVOICE_WEIGHT, USED, EvidenceLine
from node.core.errors import InvariantError
from schemas.summary import Tier


class LeftOut(StrEnum):
    """Why a summary that may count does not; what may not count comes with its own code."""

    LATER = "left-out.later"
    SUPERSEDED = "left-out.superseded"
    SAME_GROUP = "left-out.same-group"
    STALE = "left-out.stale"
    EMPTY = "left-out.empty"
    CONSOLIDATED = "left-out.consolidated"


@dataclass(slots=True, kw_only=True)
class _Heard:
    """What was taken in so far, the freshest first."""

    voices: dict[str, str]  # by group or provider: who spoke for it
    windows: list[PeerEvidence]


def weigh_peers(
    peers: Sequence[PeerEvidence],
    body: PolicyBody,
    *,
    own_line: EvidenceLine | None,
    as_of: date,
    left_out: Sequence[LeftOutPeer] = (),
) -> tuple[EvidenceLine, ...]:
    """Return a line for each summary, in the order of providers: its weight, or why it has none."""
    if not peers and not left_out:
        return ()
    heard = _Heard(voices={}, windows=[])
    lines = [_leave_out(one) for one in left_out]
    # Single members speak before consolidations, which cannot say whom they hold.
    for peer in sorted(peers, key=_freshness, reverse=True):
        code = _explain(peer, body, heard=heard, as_of=as_of)
        if code == USED:
            heard.voices[_voice(peer)] = peer.provider
            heard.windows.append(peer)
        lines.append(_weigh(peer, body.peers, code=code, as_of=as_of))
    lines.sort(key=lambda line: (line.provider or "", line.ref))
    return tuple(_scale(_cap(lines, body.peers.cap), body, own_line=own_line))


def cap_weights(weights: Sequence[int], *, cap: PeerCap) -> list[int]:
    """Cut weights so that none has more than its share of their sum; none is ever raised.

    Nothing is cut below ``contributors_min`` contributors. One that weighs less than
    ``counts_from_invoices`` is none: a thin voice beside three full ones would silence them all.
    """
    least_milli = max(1, cap.counts_from_invoices * INVOICE_WEIGHT)
    counted = sum(weight >= least_milli for weight in weights)
    if counted < cap.contributors_min:
        return list(weights)
    level = _find_level(weights, share_permille=cap.share_max_permille)
    return [min(weight, level) for weight in weights]


def _find_level(weights: Sequence[int], *, share_permille: int) -> int:
    """Return the highest level that is no more than a share of what is left below it."""
    ordered = sorted(weights, reverse=True)
    rest = sum(ordered)
    for count, weight in enumerate(ordered):
        # The level times (1 - share x count) is the share of what is not cut.
        level = share_permille * rest // (PERMILLE - share_permille * count)
        if weight <= level:
            return level
        rest -= weight
    raise InvariantError("a cap that no contributors can keep to")


def _leave_out(one: LeftOutPeer) -> EvidenceLine:
    return EvidenceLine(
        ref=one.msg_hash_b64u,
        provider=one.provider,
        code=one.code,
        weight_milli=0,
        invoices=None,
        age_days=None,
    )


def _freshness(peer: PeerEvidence) -> tuple[bool, date, date, int, date, str]:
    # The newest statement wins; of two of one day the longer window, then the one received later.
    # The hash ends all ties.
    return (
        peer.contributors == 1,
        peer.stated_on,
        peer.window_end,
        -peer.window_first,
        peer.received_on,
        peer.msg_hash_b64u,
    )


def _voice(peer: PeerEvidence) -> str:
    # A member's name never holds a blank, so no group has the name of a member.
    return f"group {peer.group}" if peer.group else peer.provider


def _explain(peer: PeerEvidence, body: PolicyBody, *, heard: _Heard, as_of: date) -> str:
    if peer.stated_on > as_of:
        return LeftOut.LATER
    speaker = heard.voices.get(_voice(peer))
    if speaker is not None:
        # One provider has one voice, however often it was asked, and so has a group.
        return LeftOut.SUPERSEDED if speaker == peer.provider else LeftOut.SAME_GROUP
    if not choose_step(body.peers.age_permille, _age_of(peer, as_of)):
        return LeftOut.STALE
    if peer.figures.is_empty:
        return LeftOut.EMPTY
    return LeftOut.CONSOLIDATED if _is_held(peer, heard.windows) else USED


def _is_held(peer: PeerEvidence, heard: Collection[PeerEvidence]) -> bool:
    """Tell whether a consolidation may hold again what was taken in already."""
    return peer.contributors > 1 and any(
        one.window_first <= peer.window_last and peer.window_first <= one.window_last
        for one in heard
    )


def _age_of(peer: PeerEvidence, as_of: date) -> int:
    return max(0, (as_of - peer.window_end).days)


def _weigh(peer: PeerEvidence, rules: PeerRules, *, code: str, as_of: date) -> EvidenceLine:
    age_days = _age_of(peer, as_of)
    worth_permille = rules.worth_permille * choose_step(rules.age_permille, age_days)
    weight_milli = min(peer.invoices, rules.invoices_cap) * worth_permille // PERMILLE
    return EvidenceLine(
        ref=peer.msg_hash_b64u,
        provider=peer.provider,
        code=code,
        weight_milli=_discount(weight_milli, peer, rules) if code == USED else 0,
        invoices=peer.invoices,
        age_days=age_days,
    )


def _discount(weight_milli: int, peer: PeerEvidence, rules: PeerRules) -> int:
    """Return the weight after what disclosure control let out: the less, the lighter."""
    if rules.disclosure is None:
        return weight_milli
    if peer.tier is Tier.CLASS:
        permille = rules.disclosure.class_only
    elif peer.figures.late_permille is None:
        permille = rules.disclosure.index_only
    else:
        permille = rules.disclosure.mix if peer.tier is Tier.MIX else rules.disclosure.full
    return weight_milli * permille // PERMILLE


def _cap(lines: Sequence[EvidenceLine], cap: PeerCap | None) -> list[EvidenceLine]:
    if cap is None:
        return list(lines)
    weights = cap_weights([line.weight_milli for line in lines], cap=cap)
    return [replace(line, weight_milli=weight) for line, weight in zip(lines, weights, strict=True)]


def _scale(
    lines: Sequence[EvidenceLine], body: PolicyBody, *, own_line: EvidenceLine | None
) -> list[EvidenceLine]:
    # Peers are scaled down together, and more so the more we have seen ourselves. By weight, not by
    # count: old invoices of ours leave more room to peers than fresh ones.
    total_milli = sum(line.weight_milli for line in lines)
    own_milli = 0 if own_line is None else own_line.weight_milli
    own_invoices = -(-own_milli // INVOICE_WEIGHT)
    limit_milli = INVOICE_WEIGHT * choose_step(body.peers.weight_max_invoices, own_invoices)
    if total_milli <= limit_milli:
        return list(lines)
    return [
        replace(line, weight_milli=line.weight_milli * limit_milli // total_milli) for line in lines
    ]
