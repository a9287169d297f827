"""What a peer can do to whoever asks it: too slow, too much, another encoding."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest

from node.sharing.peers import (
    REPLY_BYTES_MAX,
    HttpReply,
    PeerClient,
    PeerUnreachableError,
)
from protocol.errors import TooLargeError
from protocol.message import MEDIA_TYPE

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


def ask(serve: Serve) -> HttpReply:
    """Send a message to a server of the test's own, over a socket."""

    async def run() -> HttpReply:
        requests: list[bytes] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            try:
                await serve(writer)
            except ConnectionError:
                return
            finally:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        peers = PeerClient(timeout_s=1)
        try:
            return await peers.send_message(f"http://127.0.0.1:{port}", b"{}")
        finally:
            await peers.close()
            server.close()

    return asyncio.run(asyncio.wait_for(run(), timeout=20))


def head(length: int, *, extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {length}\r\n{extra}\r\n"
    ).encode()


def test_an_answer_comes_whole() -> None:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(head(2) + b"{}")

    assert ask(serve).body == b"{}"


def test_an_answer_that_drips_in_has_no_more_time_than_another() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(head(100_000))
        while True:
            writer.write(b"{")
            await writer.drain()
            await asyncio.sleep(0.1)

    with pytest.raises(PeerUnreachableError, match="Timeout"):
        ask(drip)


def test_an_answer_without_end_is_cut() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(head(10**12))
        while True:
            writer.write(b"0" * 65_536)
            await writer.drain()

    with pytest.raises(TooLargeError):
        ask(flood)


def test_an_answer_is_never_unpacked() -> None:
    packed = gzip.compress(b"0" * 100 * REPLY_BYTES_MAX)

    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(head(len(packed), extra="content-encoding: gzip\r\n") + packed)

    assert ask(serve).body == packed


def test_a_refused_connection_is_said_to_be_refused() -> None:
    async def run() -> None:
        peers = PeerClient(timeout_s=1)
        try:
            await peers.send_message("http://127.0.0.1:9", b"{}")
        finally:
            await peers.close()

    with pytest.raises(PeerUnreachableError, match="Connection refused"):
        asyncio.run(run())
