"""How answers leave: head and body in one piece, and nothing held back that nobody follows."""

from __future__ import annotations

import socket

import httpx
import pytest

from passline.service.protocol import _Corked


class Written:
    """A transport that remembers what was written to it."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


def test_a_head_and_its_body_are_one_write():
    transport = Written()
    corked = _Corked(transport)
    corked.write(HEAD)
    assert transport.pieces == []
    corked.write(b"{}")
    corked.write(HEAD)
    corked.write(b"[]")
    assert transport.pieces == [HEAD + b"{}", HEAD + b"[]"]


@pytest.mark.parametrize("data", [b"HTTP/1.1 100 Continue\r\n\r\n", b"{}", HEAD + b"{}"])
def test_what_no_body_follows_leaves_at_once(data):
    transport = Written()
    _Corked(transport).write(data)
    assert transport.pieces == [data]


def test_a_head_that_stays_alone_leaves_with_the_end_of_the_answer_or_of_the_connection():
    for end in ("flush", "close"):
        transport = Written()
        corked = _Corked(transport)
        corked.write(HEAD)
        getattr(corked, end)()
        assert transport.pieces == [HEAD]
        assert transport.closed == (end == "close")


def test_an_answer_to_head_arrives_on_a_connection_that_goes_on(service):
    address = httpx.URL(service.address)
    with socket.create_connection((address.host, address.port), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(f"HEAD /healthz HTTP/1.1\r\nhost: {address.host}:{address.port}\r\n\r\n".encode())
            found = connection.recv(4096)
            assert found.startswith(b"HTTP/1.1 200")
            assert found.endswith(b"\r\n\r\n")
