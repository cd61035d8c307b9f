"""Bad input gets the SIP answer that the RFC names where one is due, an event, and nothing falls over."""

import glob
import os
import random
import time

import pytest

from hwlab.message import Message, build
from hwlab.peer import token
from hwlab.topology import address

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("HORNWORK_DATA") or f"{os.path.dirname(ROOT)}/shared/data"
QUIET_S = 0.3


@pytest.fixture
def gateway(kamailio, gateway_of):
    """Without the limit per source and without bans: here each message is judged for itself."""
    return gateway_of(more='limits { per-source-pps = 0  never-ban = {"%s"} }' % address("stranger"))


@pytest.fixture
def attacker(gateway, peer_at):
    """Somebody on the internet."""
    return peer_at("stranger", "mallory", gateway.outside)


@pytest.fixture
def unhurt(gateway):
    """After the test the gateway has the same processes as before and still answers."""
    before = gateway.processes()
    yield
    status = gateway.status()
    assert {row["name"]: row["pid"] for row in status["processes"]} == before
    assert all(row["restarts"] == 0 for row in status["processes"])
    gateway.wait_idle(10.0)


def headers(peer, method="OPTIONS", **changes):
    """The headers of a good request; a change of None leaves one out."""
    rows = {"Via": peer.via(), "Max-Forwards": "70", "From": "<sip:mallory@pbx.test>;tag=m",
            "To": "<sip:pbx.test>", "Call-ID": token(), "CSeq": f"1 {method}",
            "Contact": peer.contact()}
    rows.update({key.replace("_", "-"): value for key, value in changes.items()})
    return [(key, value) for key, value in rows.items() if value is not None]


ROWS = [
    # name, start line, method, changed headers, answers that are right, RFC 3261
    ("unknown method", "DANCE sip:pbx.test SIP/2.0", "DANCE", {}, (403, 405, 501), "8.2.1"),
    ("version 3", "OPTIONS sip:pbx.test SIP/3.0", "OPTIONS", {}, (505,), "21.5.6"),
    ("no Call-ID", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS", {"Call_ID": None}, (400,), "8.1.1"),
    ("no From", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS", {"From": None}, (400,), "8.1.1"),
    ("no To", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS", {"To": None}, (400,), "8.1.1"),
    ("no CSeq", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS", {"CSeq": None}, (400,), "8.1.1"),
    ("CSeq of another method", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS", {"CSeq": "1 INVITE"},
     (400,), "8.1.1.5"),
    ("CSeq too large", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS", {"CSeq": "99999999999 OPTIONS"},
     (400,), "8.1.1.5"),
    ("no hops left", "OPTIONS sip:elsewhere@pbx.test SIP/2.0", "OPTIONS", {"Max_Forwards": "0"},
     (483,), "16.3"),
    ("Max-Forwards is no number", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS",
     {"Max_Forwards": "many"}, (400,), "20.22"),
    ("unknown extension required", "INVITE sip:scripted@pbx.test SIP/2.0", "INVITE",
     {"Require": "teleportation"}, (420,), "8.2.2.3"),
    ("unknown URI scheme", "OPTIONS gopher:pbx.test SIP/2.0", "OPTIONS", {}, (416,), "8.2.2.1"),
    ("spaces in the URI", "OPTIONS sip:a b@pbx.test SIP/2.0", "OPTIONS", {}, (400,), "7.1"),
    ("two Call-IDs", "OPTIONS sip:pbx.test SIP/2.0", "OPTIONS", {"call_id": "another"}, (400,),
     "7.3.1"),
]


@pytest.mark.parametrize("name, start, method, changes, answers, rule", ROWS,
                         ids=[row[0] for row in ROWS])
def test_is_answered(gateway, attacker, unhurt, name, start, method, changes, answers, rule):
    attacker.send(build(start, headers(attacker, method, **changes)))
    final = attacker.expect(tuple(range(200, 700)))
    assert final.status in answers, f"{name} (RFC 3261 {rule}): {final.start}"
    if final.status >= 400 and method == "INVITE":
        attacker.send(build("ACK sip:scripted@pbx.test SIP/2.0", [
            ("Via", final.get("via").split(";received")[0]), ("Max-Forwards", "70"),
            ("From", final.get("from")), ("To", final.get("to")),
            ("Call-ID", final.get("call-id")), ("CSeq", "1 ACK")]))
    event = gateway.wait_event(event_type="refused", src_ip=attacker.ip)
    assert event["reason"] and event["message"]


def test_a_body_shorter_than_said(gateway, attacker, unhurt):
    raw = build("OPTIONS sip:pbx.test SIP/2.0", headers(attacker)).replace(
        b"Content-Length: 0", b"Content-Length: 500")
    attacker.send(raw)
    assert attacker.expect(tuple(range(200, 700))).status == 400


def test_a_wrong_sdp_is_no_call(gateway, attacker, unhurt, kamailio, peer_at):
    """488 or 400 (RFC 3261 13.2.1, 21.4.26): no pinhole for an offer that nobody can read."""
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    for body in (b"v=0\r\nthis is no sdp\r\n", b"\x00\xff" * 40,
                 b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n"
                 b"m=audio 99999 RTP/AVP 0\r\n"):
        alice.send(alice.request("INVITE", "sip:scripted@pbx.test", token(), 1, "t", body=body))
        final = alice.expect(tuple(range(300, 700)))
        assert final.status in (400, 488), final.start


def test_rubbish_is_not_answered(gateway, attacker, unhurt):
    """What is no SIP gets no answer: an amplifier would be the alternative."""
    source = random.Random(7)
    for size in (1, 4, 20, 500, 1400, 20000):
        attacker.send(source.randbytes(size))
    attacker.send(b"\r\n" * 50)
    attacker.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(QUIET_S)
    assert attacker.silent(tuple(range(100, 700)), QUIET_S)


def test_cut_and_bent_messages(gateway, attacker, unhurt):
    """A good INVITE cut at every tenth byte, and with bytes changed at random."""
    source = random.Random(11)
    good = attacker.request("INVITE", "sip:scripted@pbx.test", token(), 1, "t",
                            body=b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\n")
    for end in range(0, len(good), 10):
        attacker.send(good[:end])
    for _ in range(150):
        bent = bytearray(good)
        for _ in range(source.randint(1, 8)):
            bent[source.randrange(len(bent))] = source.randrange(256)
        attacker.send(bytes(bent))
        time.sleep(0.003)
    time.sleep(1.0)
    while attacker.poll(0.0):
        pass
    for message in attacker.received:
        if (message.status or 0) >= 300 and message.method == "INVITE" and message.get("cseq")[0].isdigit():
            attacker.send(build("ACK sip:scripted@pbx.test SIP/2.0", [
                ("Via", message.get("via")), ("From", message.get("from")),
                ("To", message.get("to")), ("Call-ID", message.get("call-id")),
                ("CSeq", f"{message.cseq()} ACK"), ("Max-Forwards", "70")]))


def test_a_stream_of_rubbish_is_closed(gateway, peer_at, unhurt):
    peer = peer_at("stranger", "mallory", gateway.outside, transport="tcp")
    try:
        for _ in range(40):
            peer.socket.sendall(b"A" * 1000)
            time.sleep(0.01)
        peer.socket.settimeout(5.0)
        closed = peer.socket.recv(100) == b""
    except (ConnectionResetError, BrokenPipeError):
        closed = True
    assert closed


def test_half_messages_on_many_connections(gateway, peer_at, unhurt):
    """Fifty connections that never finish their message leave room for one that does."""
    peers = [peer_at("stranger", "mallory", gateway.outside, port=0, transport="tcp")
             for _ in range(50)]
    for peer in peers:
        peer.socket.sendall(b"OPTIONS sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/TCP ")
    honest = peer_at("ext", "alice", gateway.outside, transport="tcp")
    assert honest.register().status == 200


def test_pieces_of_a_stream_make_a_message(gateway, kamailio, peer_at):
    """Bytes one by one and two messages in one segment are all the same to the framing."""
    peer = peer_at("ext", "alice", gateway.outside, transport="tcp")
    raw = build("OPTIONS sip:pbx.test SIP/2.0", headers(peer))
    for at in range(0, len(raw), 7):
        peer.socket.sendall(raw[at:at + 7])
        time.sleep(0.002)
    first = peer.expect(tuple(range(200, 700)))
    two = [build("OPTIONS sip:pbx.test SIP/2.0", headers(peer)) for _ in range(2)]
    peer.socket.sendall(b"".join(two))
    ids = {peer.expect(tuple(range(200, 700))).get("call-id") for _ in two}
    assert ids == {Message(raw).get("call-id") for raw in two}
    assert first.get("call-id") == Message(raw).get("call-id")


def hostile_messages():
    """The repository's own seeds, and RFC 4475's torture messages where they are at hand."""
    paths = sorted(glob.glob(f"{ROOT}/tests/fuzz/seeds/sip/*") +
                   glob.glob(f"{ROOT}/tests/fuzz/crashes/sip/*"))
    assert len(paths) > 5
    return paths + sorted(glob.glob(f"{DATA}/voip/sip-torture/rfc4475/dat/*"))


def test_torture_messages(gateway, attacker, unhurt):
    """Sent at the listener one after the other: what is answered is SIP, and the gateway lives."""
    for path in hostile_messages():
        with open(path, "rb") as data:
            attacker.send(data.read()[:60000])
        time.sleep(0.02)
    time.sleep(QUIET_S)
    while attacker.poll(0.0):
        pass
    assert all(message.start.startswith("SIP/2.0 ") for message in attacker.received)
    assert gateway.wait_event(event_type="refused")
    peer_answer(attacker)


def peer_answer(attacker):
    """The listener still answers a good request."""
    attacker.unread.clear()
    call_id = token()
    attacker.send(build("OPTIONS sip:pbx.test SIP/2.0", headers(attacker, Call_ID=call_id)))
    assert attacker.expect(tuple(range(200, 700)), call_id=call_id)
