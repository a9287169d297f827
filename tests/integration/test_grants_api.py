"""The operator's routes of what follows from consents."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.sharing.grants_api import build_grants_router
from protocol.consent import hash_consent
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from schemas.exchange import DeliveredConsent
from tests.support.exchanges import Scene
from tests.support.grants import ask, carry, correct_an_invoice, hold_on_both_sides
from tests.support.nodes import SUBJECT, TestNode

UNKNOWN = encode_b64u(bytes(32))
COMPACT_JWS = re.compile(r"[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}")


def face(node: TestNode) -> TestClient:
    app = FastAPI(exception_handlers={NodeError: handle_error, ProtocolError: handle_error})
    app.include_router(build_grants_router(consents=node.consents, grants=node.grants))
    return TestClient(app)


def test_a_consent_is_shown_as_a_record_in_both_forms(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    path = f"/consents/{encode_b64u(held.hash)}/record"

    plain = face(scene.consumer).get(path).json()
    linked = face(scene.consumer).get(path, params={"format": "json-ld"}).json()

    assert (plain["record_id"], plain["state"]) == (encode_b64u(held.hash), "active")
    assert linked["@type"] == "dpv:ConsentRecord"
    assert face(scene.consumer).get(f"/consents/{UNKNOWN}/record").status_code == 404
    assert face(scene.consumer).get(path, params={"format": "xml"}).status_code == 422


@pytest.mark.parametrize("form", ["json", "json-ld"])
def test_a_record_is_not_signed_and_no_evidence(scene: Scene, form: str) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    path = f"/consents/{encode_b64u(held.hash)}/record"

    response = face(scene.consumer).get(path, params={"format": form})

    assert encode_b64u(hash_consent(held.token)) in response.text  # It names the artefact,
    assert held.token not in response.text  # which is not in it,
    assert COMPACT_JWS.search(response.text) is None  # nor anything else that is signed.
    subject, salt = held.subject, encode_b64u(held.salt)
    with pytest.raises(ProtocolError):
        scene.consumer.consents.hold(
            [DeliveredConsent.model_construct(token=response.text, subject=subject, salt=salt)]
        )
    with pytest.raises(ProtocolError):
        scene.consumer.consents.submit_status(response.text)


def test_an_erasure_by_request_is_made_once_and_shown_to_the_provider(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    path = f"/consents/{encode_b64u(held.hash)}/erase"

    assert face(scene.consumer).post(path).json() == {"erased": 1}
    assert face(scene.consumer).post(path).json() == {"erased": 0}

    carry(scene.consumer)
    (shown,) = face(scene.provider).get("/erasures").json()
    assert (shown["answer"], shown["peer"], shown["basis"]) == (
        encode_b64u(ans),
        "alpha.example",
        "request",
    )
    (notice,) = face(scene.consumer).get("/notices", params={"op": "erase"}).json()
    assert (notice["peer"], notice["state"]) == ("beta.example", "done")


def test_a_brake_is_stated_by_the_provider_alone(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    path = f"/consents/{encode_b64u(held.hash)}/brake"
    body = {"state": "paused", "reason": "under review"}

    assert face(scene.provider).post(path, json=body).json()["state"] == "paused"
    assert face(scene.provider).post(path, json=body).status_code == 409
    assert face(scene.consumer).post(path, json=body).status_code == 403
    assert face(scene.provider).post(path, json={**body, "state": "expired"}).status_code == 422


def test_a_correction_says_what_it_looks_at(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    correct_an_invoice(scene)
    body = {"subject": str(SUBJECT), "reason": "records-corrected"}

    assert face(scene.provider).post("/corrections", json=body).json() == {
        "windows": [12, 3],
        "answers": 1,
    }
    assert face(scene.provider).post("/corrections", json=body).json() == {
        "windows": [],
        "answers": 0,
    }
    wrong = {**body, "reason": "whim"}
    assert face(scene.provider).post("/corrections", json=wrong).status_code == 422
