"""A member node with invoices, ratings, peers' summaries and exchanges, for the console's tests."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

from node.bootstrap.home import init_home
from node.bootstrap.member import Node, build_node
from node.core.clock import ManualClock
from node.core.config import build_settings
from node.records.store import CustomerRecord
from node.sharing.store import (
    INSERT_INCOMING,
    INSERT_OUTGOING,
    INSERT_PAYLOAD,
    INSERT_SUMMARY,
    HeldConsent,
    SharingStore,
)
from protocol.consent import ConsentState, sign_consent
from protocol.encoding import encode_b64u, sha256
from protocol.keys import SigningKey
from protocol.registry import FIRST_PREVIOUS, KeyEntry, MemberEntry, Registry, sign_registry
from schemas.summary import DELAY_CLASSES, Summary
from tests.support.forging import build_consent
from tests.support.nodes import SUBJECT_KEY
from tests.support.started import started_url
from tests.support.stores import FILE_NAME, ON_SQLITE

ROOT = Path(__file__).resolve().parents[2]
BUSINESS_DATE = date(2026, 6, 30)
NOW_MS = 1_782_820_800_000  # 2026-06-30T12:00:00Z
HUB_KEY = SigningKey(bytes(range(32)))
API_TOKEN = "a-token-of-the-console-tests"
PEERS = ("bravo.example", "charlie.example")


def build_console_node(home: Path) -> Node:
    """Return a node whose customers come from the generator and are rated."""
    node = build_empty_node(home)
    data = home / "data"
    command = [sys.executable, str(ROOT / "scripts/generate_invoices.py"), "--out", str(data)]
    command += ["--members", "4", "--seed", "1"]
    subprocess.run(command, check=True, capture_output=True)
    node.local.records.import_file(data / "member-0.csv")
    node.local.runs.run(as_of=BUSINESS_DATE, by="test")
    return node


def build_empty_node(home: Path) -> Node:
    """Return a node without customers."""
    home.mkdir(parents=True, exist_ok=True)
    if ON_SQLITE:
        started_url(home / FILE_NAME, at_ms=NOW_MS)  # where the settings look for it
    settings = build_settings(
        home=home,
        member_id="alpha.example",
        name="Alpha 示例",
        business_date=BUSINESS_DATE,
        hub_anchor=encode_b64u(HUB_KEY.public.raw),
        api_token=API_TOKEN,
        password_passes=1,
        password_memory_kib=8,
    )
    init_home(settings)
    return build_node(settings, clock=ManualClock(NOW_MS))


def adopt_registry(node: Node, *, simulated: bool) -> None:
    """Let the node hold a first registry snapshot."""
    now_s = NOW_MS // 1000
    registry = Registry(
        seq=1,
        prev=FIRST_PREVIOUS,
        hash=bytes(32),
        iat=now_s,
        exp=now_s + 3600,
        hub="hub.example",
        simulated=simulated,
        threshold=1,
        witness_vkey="none",
        hub_keys=(KeyEntry(key=HUB_KEY.public, use="hub", nbf=now_s, exp=now_s + 86_400),),
        members=tuple(_build_member(name, now_s=now_s) for name in PEERS),
        subjects=(),
    )
    node.registry.adopt(sign_registry(registry, keys=[HUB_KEY]))


def _build_member(member_id: str, *, now_s: int) -> MemberEntry:
    seed = sha256(member_id.encode())
    return MemberEntry(
        member=member_id,
        name=member_id,
        endpoints={"v1": f"https://{member_id}"},
        roles=("consumer", "provider"),
        status="active",
        log_origin=f"{member_id}/chengxin/log/1",
        keys=tuple(
            KeyEntry(
                key=SigningKey(sha256(seed, use.encode())).public,
                use=use,
                nbf=now_s,
                exp=now_s + 86_400,
            )
            for use in ("message", "log")
        ),
    )


def receive_summary(
    node: Node,
    customer: CustomerRecord,
    *,
    provider: str = PEERS[0],
    tier: str = "full",
    is_erased: bool = False,
) -> bytes:
    """Keep a peer's summary of a customer as an exchange leaves it; return its message hash."""
    jti = sha256(b"jti", provider.encode(), customer.subject_id.encode())[:16]
    consent_hash = sha256(b"consent", jti)
    ans = sha256(b"answer", jti)
    summary = build_summary(customer.subject_id, tier=tier)
    asked = {
        "jti": jti,
        "peer": provider,
        "op": "query",
        "msg": sha256(b"request", jti),
        "consent": consent_hash,
        "subject": customer.subject_id,
        "request_env": "",
        "request_inclusion": "",
        "seq": 7,
        "at_ms": NOW_MS,
        "ans": ans,
        "code": "200",
        "answer_env": "",
        "answer_inclusion": "",
        "answered_at_ms": NOW_MS,
        "receipt": None,
    }
    kept = {
        "msg": ans,
        "item": 0,
        "provider": provider,
        "subject": customer.subject_id,
        "consent": consent_hash,
        "received_on": BUSINESS_DATE,
    }
    with node.local.database.write() as uow:
        _hold(SharingStore(uow.connection), customer, consent_hash, provider=provider)
        uow.connection.execute(INSERT_OUTGOING, asked)
        uow.connection.execute(INSERT_SUMMARY, kept)
        if not is_erased:
            payload = {"msg": ans, "body": summary.to_bytes(), "salt": bytes(32)}
            uow.connection.execute(INSERT_PAYLOAD, payload)
    return ans


def answer_peer(node: Node, customer: CustomerRecord) -> bytes:
    """Leave what an answer of ours leaves; return the hash of the consent that it rests on."""
    jti = sha256(b"asked", customer.subject_id.encode())[:16]
    consent_hash = sha256(b"consent", jti)
    row = {
        "peer": PEERS[1],
        "jti": jti,
        "msg": sha256(b"m", jti),
        "ans": sha256(b"a", jti),
        "op": "query",
        "code": "full",
        "uses": 1,
        "consent": consent_hash,
        "request_env": "",
        "request_inclusion": "",
        "answer_env": "",
        "answer_inclusion": "",
        "seq": 9,
        "at_ms": NOW_MS,
    }
    with node.local.database.write() as uow:
        _hold(SharingStore(uow.connection), customer, consent_hash, provider="alpha.example")
        uow.connection.execute(INSERT_INCOMING, row)
    return consent_hash


def build_summary(subject: str, *, tier: str = "full") -> Summary:
    """Return a summary of a tier, every section of it filled."""
    head: dict[str, object] = {
        "v": 1,
        "kind": "payment-behaviour-summary",
        "formula": "pbs-1",
        "tier": tier,
        "subject": subject,
        "window": {"first": "2025-06", "last": "2026-05", "as_of": "2026-06-05"},
        "contributors": 1,
        "relation": {"years": "3-5", "last_sale": "<=3m"},
        "overdue_now": {"as_of": "2026-06-30", "oldest": "31-60"},
    }
    if tier == "class":
        return Summary.model_validate_json(json.dumps({**head, "lateness": {"seen": "<=30"}}))
    mix = dict.fromkeys((name.value for name in DELAY_CLASSES), 0)
    mix |= {"in_terms": 40, "1-15": 25, "31-60": 25, "unpaid": 10}
    body = {
        **head,
        "volume": {"n_invoices": "20-49"},
        "index": {"value": 60, "weighting": "amount"},
        "delay": {"mix": mix, "dbt_days": 25, "dbt_weighting": "amount", "worst": "unpaid"},
        "trend": {"direction": "worse"},
        "disputes": {"count": "1-2", "share": "<5%"},
        "adverse": {"facts": [{"kind": "collection", "quarter": "2025-Q4", "settled": True}]},
    }
    if tier == "full":
        body["money"] = {
            "currency": "CNY",
            "amount_paid": "1m-2m",
            "owing": "200k-500k",
            "past_due": "<10k",
        }
    return Summary.model_validate_json(json.dumps(body))


def _hold(
    store: SharingStore, customer: CustomerRecord, consent_hash: bytes, *, provider: str
) -> None:
    consumer = PEERS[1] if provider == "alpha.example" else "alpha.example"
    store.add_consent(
        HeldConsent(
            hash=consent_hash,
            token=sign_consent(build_consent(now_s=NOW_MS // 1000), key=SUBJECT_KEY),
            subject=customer.subject_id,
            salt=bytes(32),
            consumer=consumer,
            provider=provider,
            bundle="",
            state=ConsentState.ACTIVE,
            seq=0,
            uses=1,
            window_start_s=0,
            window_uses=1,
            exp=NOW_MS // 1000 + 86_400 * 180,
            delivered=True,
        ),
        at_ms=NOW_MS,
    )
