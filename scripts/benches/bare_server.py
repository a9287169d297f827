"""The server half of the bare pair: verify twice, sign twice, send as many bytes as a node does."""

from __future__ import annotations

import secrets  # noqa: TID251  filler of a bench
import sys

import uvicorn
from fastapi import FastAPI, Request, Response

from node.core.heap import settle_heap
from node.core.keystore import generate_key
from node.sharing.peers import MESSAGES_PATH
from protocol.keys import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, PublicKey
from protocol.message import MEDIA_TYPE

CHECKPOINT_BYTES = 200
app = FastAPI()
key = generate_key()
filler = secrets.token_bytes(65_536)


@app.post(MESSAGES_PATH)
async def answer(request: Request) -> Response:
    """Verify message and checkpoint, sign the answer and its checkpoint."""
    raw = await request.body()
    payload = raw[2 * SIGNATURE_BYTES :]
    client = PublicKey(payload[:PUBLIC_KEY_BYTES])
    client.verify(payload, raw[:SIGNATURE_BYTES])
    client.verify(payload[:CHECKPOINT_BYTES], raw[SIGNATURE_BYTES : 2 * SIGNATURE_BYTES])
    answer_bytes = int.from_bytes(payload[PUBLIC_KEY_BYTES : PUBLIC_KEY_BYTES + 4], "big")
    body = filler[: answer_bytes - 2 * SIGNATURE_BYTES - PUBLIC_KEY_BYTES]
    signatures = key.sign(body) + key.sign(body[:CHECKPOINT_BYTES])
    return Response(signatures + key.public.raw + body, media_type=MEDIA_TYPE)


@app.get("/livez")
async def live() -> dict[str, str]:
    """Say that the server is up."""
    return {"status": "live"}


if __name__ == "__main__":
    settle_heap()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
