"""The demo's acts, one function a step, each returning what the next one needs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from node.assessment.policy_file import Language
from node.assessment.report import build_table
from node.bootstrap.home import load_member_keys
from node.bootstrap.local import build_local_node
from node.cli.demo.federation import MemberProcess, SubjectKeys
from node.cli.demo.processes import COMMAND_S_MAX, run_command
from node.cli.http import post_statement
from node.cli.query import build_outcome_table
from node.cli.signing import Grant, format_bundle, sign_bundle, sign_revocation
from node.core.clock import SystemClock, now_s
from node.core.errors import InvariantError
from node.core.keystore import draw_bytes
from node.sharing.peers import MESSAGES_PATH, STATUSES_PATH
from node.sharing.sealing import Content, Sealer
from protocol.consent import hash_consent
from protocol.encoding import decode_b64u, encode_b64u
from protocol.limits import ANSWER_BYTES_MAX, HASH_BYTES, JTI_BYTES
from protocol.message import MEDIA_TYPE, LogHead, RegistryReference, parse_message
from protocol.strict_json import parse_object
from protocol.tile import EMPTY_EDGE
from schemas.exchange import QUERY_CONTENT_TYPE, DeliveredConsent
from schemas.summary import Section

CONSENT_DAYS = 90
CONSENT_USES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A signed consent and whom it names."""

    provider: MemberProcess
    delivered: DeliveredConsent
    hash_b64u: str


def sign_consents(
    keys: SubjectKeys, *, consumer: MemberProcess, providers: list[MemberProcess], at_s: int
) -> list[Held]:
    """The customer signs, in one act, one consent a provider."""
    grant = Grant(
        subject=keys.subject,
        salt=keys.salt,
        consumer=consumer.settings.member_id,
        providers=tuple(one.settings.member_id for one in providers),
        purpose="P1",
        metrics=tuple(Section),
        last_months=12,
        days=CONSENT_DAYS,
        max_uses=CONSENT_USES,
        language="en",
        jurisdiction="CN",
    )
    signed = sign_bundle(grant, key=keys.key, now_s=at_s)
    consumer.client.post("/api/v1/consents", format_bundle(signed))
    return [
        Held(
            provider=provider,
            delivered=one,
            hash_b64u=encode_b64u(hash_consent(one.token)),
        )
        for provider, one in zip(providers, signed, strict=True)
    ]


def deliver(consumer: MemberProcess, consents: list[Held]) -> None:
    """Hand each consent to the provider that it names."""
    for held in consents:
        consumer.client.post(f"/api/v1/consents/{held.hash_b64u}/deliver")


def ask(consumer: MemberProcess, consents: list[Held]) -> list[dict[str, Any]]:
    """Ask every provider at once, for every section over twelve months."""
    made: dict[str, Any] = consumer.client.post(
        "/api/v1/asks",
        {
            "consents": [held.hash_b64u for held in consents],
            "purpose": "P1",
            "metrics": [section.value for section in Section],
            "last_months": 12,
        },
    )
    outcomes: list[dict[str, Any]] = made["outcomes"]
    return outcomes


def show_outcomes(console: Console, outcomes: list[dict[str, Any]], *, title: str) -> None:
    """Show answers side by side."""
    table = build_outcome_table(outcomes)
    table.title = title
    console.print(table)


def expect(outcome: dict[str, Any], status: str) -> None:
    """Check that a question came out as the demo promises.

    Raises:
        InvariantError: Something else came.
    """
    if outcome["status"] != status:
        raise InvariantError(f"expected {status}, got {outcome['status']}: {outcome['detail']}")


def check_promise(found: object, promised: object, *, what: str) -> None:
    """Check that the demo shows what it promises.

    Raises:
        InvariantError: It does not.
    """
    if found != promised:
        raise InvariantError(f"{what}: expected {promised}, got {found}")


def count_uses(provider: MemberProcess, hash_b64u: str, *, subject: str) -> int:
    """Return the uses that the provider has counted."""
    held = provider.client.get("/api/v1/consents", subject=subject)
    return next(int(one["uses"]) for one in held if one["consent"] == hash_b64u)


def repeat(consumer: MemberProcess, outcome: dict[str, Any]) -> dict[str, Any]:
    """Send the same bytes again."""
    repeated: dict[str, Any] = consumer.client.post(f"/api/v1/asks/{outcome['id']}/settle")
    return repeated


def forge_same_id(
    consumer: MemberProcess, provider: MemberProcess, outcome: dict[str, Any], consent_b64u: str
) -> tuple[int, str]:
    """Send another body under a used message id; return status and code of the signed refusal."""
    sealer = Sealer(
        member_id=consumer.settings.member_id,
        key=load_member_keys(consumer.settings).message,
        random_bytes=draw_bytes,
    )
    draft = sealer.seal(
        Content(
            op="query",
            body=b'{"another":"body"}',
            content_type=QUERY_CONTENT_TYPE,
            consents=(decode_b64u(consent_b64u, bytes_exact=HASH_BYTES),),
        ),
        audience=provider.settings.member_id,
        jti=decode_b64u(outcome["id"], bytes_exact=JTI_BYTES),
        n=0,
        head=LogHead(size=0, root=EMPTY_EDGE.root),  # True of every log: an auditor compares heads.
        registry=RegistryReference(seq=1, hash=bytes(HASH_BYTES)),
        now_s=now_s(SystemClock()),
    )
    answer = httpx.post(
        f"{provider.settings.url}{MESSAGES_PATH}",
        content=draft.complete("").to_bytes(),
        headers={"content-type": MEDIA_TYPE},
        timeout=COMMAND_S_MAX,
    )
    problem = parse_object(parse_message(answer.content, bytes_max=ANSWER_BYTES_MAX).body)
    return answer.status_code, str(problem["code"])


def revoke(keys: SubjectKeys, held: Held, *, at_s: int) -> None:
    """The customer withdraws one consent, straight at the provider."""
    token = sign_revocation(
        decode_b64u(held.hash_b64u, bytes_exact=HASH_BYTES), seq=1, key=keys.key, now_s=at_s
    )
    post_statement(f"{held.provider.settings.url}{STATUSES_PATH}", token)


def rate(
    console: Console, consumer: MemberProcess, subject: str, *, language: Language
) -> tuple[str, str]:
    """Rate the customer from own records alone and with peers, and show what changed by factor."""
    node = build_local_node(consumer.settings)
    try:
        scheme, _, value = subject.partition(":")
        customer = node.records.find_customer(scheme=scheme, value=value)
        if customer is None:
            customer = node.records.add_customer(scheme=scheme, value=value, name=value)
        node.runs.run(
            as_of=node.business_date(), by="demo"
        )  # So that the console's list has ratings.
        consumer.client.post(f"/api/v1/customers/{customer.customer_id}/ratings")
        pair = node.assessment.find_latest(customer.customer_id)
        rating = node.rating.find_latest(customer.customer_id)
        if pair is None or rating is None:
            raise InvariantError("the rating was not kept")
        policy = node.assessment.get_policy(pair.with_peers.assessment.policy)
        console.print(build_table(pair, policy=policy, language=language))
        return rating.grade_own, rating.grade_with_peers
    finally:
        node.close()


def export_bundles(members: list[MemberProcess], *, folder: Path) -> list[Path]:
    """Have every log cosigned and export each node's bundle with its own command."""
    for one in members:
        one.client.post("/api/v1/receipts")
    for one in members:
        one.client.post("/api/v1/witness")
    bundles = []
    for one in members:
        bundle = folder / one.settings.member_id
        run_command(
            [
                "-m",
                "node",
                "--home",
                str(one.settings.home),
                "audit",
                "export",
                "--out",
                str(bundle),
            ]
        )
        bundles.append(bundle)
    return bundles


def verify(bundles: list[Path], *, anchor_b64u: str) -> tuple[int, str]:
    """Run the auditor's verifier, which knows nothing of the nodes; return status and report."""
    done = subprocess.run(  # noqa: S603  our own module and interpreter
        [sys.executable, "-m", "protocol", "verify", *map(str, bundles), "--anchor", anchor_b64u],
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S_MAX,
    )
    return done.returncode, done.stdout + done.stderr


def tamper(bundle: Path) -> str:
    """Change one byte in the middle of the exported entries, and say where."""
    files = sorted(path for path in (bundle / "tile" / "entries").rglob("*") if path.is_file())
    raw = bytearray(files[0].read_bytes())
    place = len(raw) // 2
    raw[place] ^= 1
    files[0].write_bytes(bytes(raw))
    return f"{files[0].relative_to(bundle.parent)}, byte {place}"


def build_import_table() -> Table:
    """Return the empty table of the first act."""
    return Table(
        "Member", "Rows read", "Invoices", "Customers", "Rejected", "Oddities and exclusions",
        title="Each member's own records, in its own database",
    )  # fmt: skip
