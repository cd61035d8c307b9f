"""SIP over secure WebSocket: the opening, frames, keep-alives, and what is refused."""

import json
import ssl

import pytest

from hwlab.message import Message
from hwlab.pki import Authority
from hwlab.proc import LabError, wait_until
from hwlab.websocket import BINARY, CLOSE, PING, PONG, TEXT, WebSocket, opening

NAME, PORT = "sip.lab.test", 8443


@pytest.fixture
def web(lab, gateway_of, kamailio):
    """A gateway that serves browsers; `web.connect(...)` opens a WebSocket."""
    class Web:
        """The gateway and how to get at it."""
        def __init__(self):
            self.pki = Authority(f"{lab.workdir}/pki")
            self.pair = self.pki.issue("gw", [f"DNS:{NAME}"])
            self.gateway = None
            self.made = []

        def start(self, tls_more=""):
            """Start the gateway."""
            self.gateway = gateway_of(more=f"""
                tls {{ certificate = "{self.pair[0]}"  key = "{self.pair[1]}"  {tls_more} }}
                phones web {{ zone = internet  to = main  listen = {{"wss:{PORT}"}} }}""")
            return self

        def socket(self):
            """An SSL connection."""
            context = ssl.create_default_context(cafile=self.pki.certificate)
            sock = lab.socket("ext", 2, 1)
            sock.settimeout(5.0)
            sock.connect((self.gateway.outside[0], PORT))
            self.made.append(context.wrap_socket(sock, server_hostname=NAME))
            return self.made[-1]

        def connect(self, **how):
            """An open WebSocket."""
            return WebSocket(self.socket(), f"{NAME}:{PORT}", **how)
    made = Web()
    yield made
    for sock in made.made:
        sock.close()


def request(method, number=1, more=""):
    """A request as a browser sends it."""
    return (f"{method} sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/WSS x{number}.invalid;branch=z9hG4bK{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:alice@pbx.test>;tag=1\r\nTo: <sip:alice@pbx.test>\r\n"
            f"Call-ID: ws-{number}\r\nCSeq: 1 {method}\r\n{more}\r\n").encode()


def answer(sock):
    """The next SIP message."""
    while True:
        opcode, payload = sock.receive()
        if opcode in (TEXT, BINARY):
            return Message(payload, None)


def test_a_message_a_frame(web):
    sock = web.start().connect()
    assert sock.status == 101 and "Sec-WebSocket-Protocol: sip" in sock.answer
    sock.send(request("OPTIONS"))
    assert answer(sock).status == 200
    sock.send(request("OPTIONS", 2), opcode=BINARY)
    assert answer(sock).status == 200


def test_a_message_in_fragments(web):
    sock = web.start().connect()
    raw = request("OPTIONS")
    sock.send(raw[:50], fin=False)
    sock.send(b"are you there?", opcode=PING)
    sock.send(raw[50:90], opcode=0, fin=False)
    sock.send(raw[90:], opcode=0)
    assert sock.receive() == (PONG, b"are you there?")
    assert answer(sock).status == 200


def test_a_browser_registers(web):
    sock = web.start().connect()
    contact = "Contact: <sip:abc@x1.invalid;transport=ws>;expires=600\r\n"
    sock.send(request("REGISTER", 1, contact))
    challenge = answer(sock)
    assert challenge.status == 401 and challenge.get("via").startswith("SIP/2.0/WSS")


def test_goodbye(web):
    sock = web.start().connect()
    sock.send(b"\x03\xe8", opcode=CLOSE)
    assert sock.receive() == (CLOSE, b"\x03\xe8")
    assert sock.receive() is None
    wait_until(lambda: web.gateway.status()["tcp_connections"] == 0, 5.0, "nothing left")


@pytest.mark.parametrize("how, status", [
    ({"protocol": None}, 400), ({"protocol": "mqtt"}, 400), ({"protocol": "mqtt, sip"}, 101),
    ({"origin": "https://evil.test"}, 403), ({"origin": "https://phones.test"}, 101), ({}, 403),
], ids=["no-protocol", "other-protocol", "several", "evil", "good", "no-origin"])
def test_openings(web, how, status):
    how = {"origin": "https://phones.test", **how} if "protocol" in how else how
    web.start('origin = "https://phones.test"')
    assert web.connect(**how).status == status
    if status != 101:
        assert web.gateway.wait_event(reason="websocket_refused")["src_ip"] == "203.0.113.60"


@pytest.mark.parametrize("raw, status", [
    (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b"405"), (b"OPTIONS sip:x SIP/2.0\r\n\r\n", b"405"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"426"), (b"\x00" * 64, b"400"),
    (opening("x") .replace(b"Host", b"Most"), b"400"), (b"GET /" + b"a" * 5000, b"431"),
], ids=["post", "sip", "page", "binary", "no-host", "endless"])
def test_what_is_no_opening(web, raw, status):
    sock = web.start().socket()
    sock.sendall(raw)
    assert sock.recv(4096).split(b" ")[1] == status
    web.gateway.wait_event(reason="websocket_refused")


def test_rules_of_frames(web):
    web.start()
    for bad in ({"mask": False}, {"opcode": 3}, {"opcode": 0}):
        sock = web.connect()
        sock.send(request("OPTIONS"), **bad)
        opcode, payload = sock.receive()
        assert opcode == CLOSE and payload[:2] == b"\x03\xea"      # 1002
        assert sock.receive() is None
    sock = web.connect()
    sock.send(b"x" * 60000)
    opcode, payload = sock.receive()
    assert opcode == CLOSE and payload[:2] == b"\x03\xf1"          # 1009
    assert web.connect().status == 101
