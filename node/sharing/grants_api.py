"""Operator's API of what follows from consents: record, erasure, brake, correction, notices."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from node.core.http.models import ApiModel
from node.sharing.correcting import Reason
from node.sharing.grants import Grants
from node.sharing.service import ConsentService
from protocol.consent import ConsentState
from protocol.encoding import decode_b64u, encode_b64u
from protocol.identifiers import parse_subject_id
from protocol.limits import CONSENT_TEXT_CHARACTERS_MAX, HASH_BYTES
from schemas.wire import Hash, MemberId, SubjectId

NOTICES_SHOWN = 200


class BrakeRequest(ApiModel):
    """What this node states of a consent, as its provider or as the consumer that vouches."""

    state: Literal["paused", "active", "revoked"]
    reason: Annotated[str, Field(min_length=1, max_length=CONSENT_TEXT_CHARACTERS_MAX)]


class StateView(ApiModel):
    """Where a consent stands."""

    consent: Hash
    state: str
    seq: int


class CorrectionRequest(ApiModel):
    """Whose releases are to be made anew, and why."""

    subject: SubjectId
    reason: Reason


class CorrectionView(ApiModel):
    """Windows that were wrong, in months, and past answers that are looked at."""

    windows: list[int]
    answers: int


class ErasureView(ApiModel):
    """How many bodies are erased."""

    erased: int


class NoticeView(ApiModel):
    """Something that this node tells by itself, and how far it has come."""

    id: str
    op: str
    peer: MemberId
    about: str
    state: str
    tries: int
    next_at_ms: int


class AttestedView(ApiModel):
    """An answer of ours that its receiver says to have erased."""

    answer: Hash
    peer: MemberId
    basis: str
    at_ms: int


def build_grants_router(*, consents: ConsentService, grants: Grants) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["consents"])
    _add_consent_routes(router, consents=consents, grants=grants)
    _add_told_routes(router, grants=grants)
    return router


def _add_consent_routes(router: APIRouter, *, consents: ConsentService, grants: Grants) -> None:
    @router.get("/consents/{consent}/record")
    async def show_record(
        consent: Hash,
        format: Literal["json", "json-ld"] = "json",  # noqa: A002  the name of the parameter
    ) -> dict[str, Any]:
        """Return a consent as an ISO/IEC TS 27560 record, plain or as JSON-LD; never signed."""
        name, as_json_ld = _read_hash(consent), format == "json-ld"
        return await asyncio.to_thread(consents.build_record, name, as_json_ld=as_json_ld)

    @router.post("/consents/{consent}/erase")
    async def erase_consent(consent: Hash) -> ErasureView:
        """Erase at the subject's request what was received under a consent."""
        return ErasureView(erased=await grants.erasure.erase_consent(_read_hash(consent)))

    @router.post("/consents/{consent}/brake")
    async def brake(consent: Hash, body: BrakeRequest) -> StateView:
        """State as its provider that a consent is paused, active again, or revoked.

        Who vouches for a consent as its consumer states here that its customer has withdrawn it.
        """
        held = await grants.brake.state(
            _read_hash(consent), ConsentState(body.state), reason=body.reason
        )
        return StateView(consent=encode_b64u(held.hash), state=held.state.value, seq=held.seq)


def _add_told_routes(router: APIRouter, *, grants: Grants) -> None:
    @router.post("/corrections")
    async def correct(body: CorrectionRequest) -> CorrectionView:
        """Make a subject's releases anew and put right what was told; a round sends it."""
        corrected = await grants.correction.correct_release(
            parse_subject_id(body.subject), reason=body.reason
        )
        return CorrectionView(windows=list(corrected.windows), answers=corrected.answers)

    @router.get("/notices")
    async def list_notices(
        op: Literal["push", "correct", "erase", "status"] | None = None,
    ) -> list[NoticeView]:
        """List what this node tells by itself, with what has become of it."""
        found = await asyncio.to_thread(grants.notices.list_notices, op=op, limit=NOTICES_SHOWN)
        return [
            NoticeView(
                id=encode_b64u(one.jti),
                op=one.op,
                peer=one.peer,
                about="" if one.about is None else encode_b64u(one.about),
                state=one.state,
                tries=one.tries,
                next_at_ms=one.next_at_ms,
            )
            for one in found
        ]

    @router.get("/erasures")
    async def list_erasures() -> list[AttestedView]:
        """List answers of ours that their receivers say to have erased, the newest first."""
        found = await asyncio.to_thread(grants.erasure.list_attested, limit=NOTICES_SHOWN)
        return [
            AttestedView(
                answer=encode_b64u(row.ans),
                peer=row.peer,
                basis=row.basis,
                at_ms=row.attested_at_ms,
            )
            for row in found
        ]


def _read_hash(consent: str) -> bytes:
    return decode_b64u(consent, bytes_exact=HASH_BYTES)
