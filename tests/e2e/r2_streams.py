"""SIP over streams: messages are found however TCP cuts them, and nobody holds the door open."""

import json
import contextlib
import socket
import time

import pytest

from hwlab.message import frames

TARGET = "sip:203.0.113.10"


@pytest.fixture
def stream(lab, gateway):
    """A function that opens a plain TCP connection to the gateway."""
    made = []

    def connect():
        sock = lab.socket("ext", socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(5.0)
        sock.connect(gateway.outside)
        made.append(sock)
        return sock
    yield connect
    for sock in made:
        sock.close()


def option(number, sock, extra=""):
    """An OPTIONS request."""
    host, port = sock.getsockname()
    return (f"OPTIONS {TARGET} SIP/2.0\r\nVia: SIP/2.0/TCP {host}:{port};branch=z9hG4bK{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\nTo: <{TARGET}>\r\n{extra}"
            f"Call-ID: s{number}-{port}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()


def answers(sock, count, for_s=5.0):
    """Status lines of the next `count` messages (fewer when the connection closes before)."""
    got, buffer = [], b""
    deadline = time.monotonic() + for_s
    while len(got) < count and time.monotonic() < deadline:
        try:
            data = sock.recv(65536)
        except ConnectionResetError:
            break
        if not data:
            break
        whole, buffer = frames(buffer + data)
        got += [raw.split(b"\r\n")[0].decode() for raw in whole]
    return got


def closed(sock, within_s):
    """True if the other side closes within that time."""
    sock.settimeout(within_s)
    try:
        while sock.recv(65536):
            pass
        return True
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_message_in_pieces(stream, size):
    sock = stream()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw = option(1, sock)
    for at in range(0, len(raw), size):
        sock.sendall(raw[at:at + size])
    assert answers(sock, 1) == ["SIP/2.0 200 OK"]


def test_many_messages_in_one_piece(stream):
    sock = stream()
    sock.sendall(b"\r\n".join(option(n, sock) for n in range(20)))
    assert answers(sock, 20) == ["SIP/2.0 200 OK"] * 20


def test_a_keepalive_is_answered(stream):
    sock = stream()
    sock.sendall(b"\r\n\r\n")
    assert sock.recv(10) == b"\r\n"
    sock.sendall(option(1, sock))
    assert answers(sock, 1) == ["SIP/2.0 200 OK"]


@pytest.mark.parametrize("raw, reason", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "sip_start_line"),
    (b"OPTIONS sip:x SIP/2.0\r\nContent-Length: nonsense\r\n\r\n", "sip_content_length"),
    (b"A" * 100000, None),
    (b"\x16\x03\x01", "sip_control_byte"),    # begins as TLS: nothing more is waited for
    (b"\xd5", "sip_start_line"),
], ids=["http", "length", "endless", "tls", "high"])
def test_garbage_ends_the_connection(gateway, stream, raw, reason):
    sock = stream()
    with contextlib.suppress(ConnectionError):      # it may end while the rest is being written
        sock.sendall(raw)
    assert closed(sock, 5.0)
    event = gateway.wait_event(event_type="refused", src_ip="203.0.113.60")
    assert reason in (None, event["reason"])
    again = stream()
    again.sendall(option(1, again))
    assert answers(again, 1) == ["SIP/2.0 200 OK"]


@pytest.mark.limit(90)
def test_who_holds_the_door(gateway, stream):
    silent, slow, good = stream(), stream(), stream()
    good.sendall(option(1, good))
    assert answers(good, 1) == ["SIP/2.0 200 OK"]
    began = time.monotonic()
    raw = option(2, slow)
    for at in range(30):
        slow.sendall(raw[at:at + 1])
        time.sleep(0.5)
        if gateway.events(reason="connection_refused"):
            break
    assert closed(slow, 10.0) and closed(silent, 10.0)
    assert time.monotonic() - began < 30.0
    gateway.status()  # events leave before an answer does
    whys = {e["message"] for e in gateway.events(reason="connection_refused")}
    assert len(whys) == 2
    good.settimeout(5.0)
    good.sendall(option(3, good))
    assert answers(good, 1) == ["SIP/2.0 200 OK"]


def test_connections_of_one_source(gateway, stream):
    held = [stream() for _ in range(257)]
    event = gateway.wait_event(reason="connection_refused")
    assert "source" in event["message"]
    assert gateway.status()["tcp_connections"] == 256
    assert closed(held[-1], 5.0)


def test_the_forms_of_the_api(gateway):
    for path in ("/v1/status", "/v1/calls", "/v1/calls?all=1", "/v1/registrations", "/v1/events",
                 "/v1/explain?what=192.0.2.1"):
        status, body = gateway.api(path)
        rows = json.loads(body)
        assert status == 200 and isinstance(rows, list), path
        assert all(isinstance(row, dict) for row in rows), path
    for path, want in (("/v1/trace?call=c-fff", 404), ("/v1/explain", 400), ("/v2", 404),
                       ("/v1/reload", 405)):
        status, body = gateway.api(path)
        assert status == want and json.loads(body)["error"], path
    status, body = gateway.api("/metrics")
    assert status == 200 and b"\nhornwork_calls 0\n" in body
    assert b"# TYPE hornwork_refused_total counter" in body
