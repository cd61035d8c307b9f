"""Virtual patches where a message comes in over TLS and over secure WebSocket: attacks never reach the PBX."""

import ssl

import pytest

from hwlab.message import Message
from hwlab.pki import Authority
from hwlab.websocket import BINARY, TEXT, WebSocket
from r2_patches import RULES, arrived, patch, pbx, sent_anew  # noqa: F401 (pbx is a fixture)

NAME, TLS_PORT, WSS_PORT = "sip.lab.test", 5061, 8443
# A count, a number, a pattern on headers, one on a header alone and one on the body; what answers each.
CHOSEN = {"asterisk-accept-values": 400, "asterisk-session-expires": 400, "kamailio-long-tag": 400,
          "asterisk-identity-malformed": 438, "asterisk-sdp-bad-address": 488}


class OverTls:
    """A phone over TLS."""
    word = b"TLS"

    def __init__(self, peer_at, _lab, pki, gateway):
        context = ssl.create_default_context(cafile=pki.certificate)
        self.peer = peer_at("stranger", "mallory", (gateway.outside[0], TLS_PORT), port=0, transport="tls",
                            tls=context, server_name=NAME)

    def status(self, raw):
        """Sent; what it is answered with."""
        self.peer.send(raw)
        return self.peer.expect((400, 403, 438, 488)).status


class OverWebSocket:
    """A browser."""
    word = b"WSS"

    def __init__(self, _peer_at, lab, pki, gateway):
        sock = lab.socket("ext", 2, 1)
        sock.settimeout(10.0)
        sock.connect((gateway.outside[0], WSS_PORT))
        context = ssl.create_default_context(cafile=pki.certificate)
        self.tls = context.wrap_socket(sock, server_hostname=NAME)
        self.socket = WebSocket(self.tls, f"{NAME}:{WSS_PORT}")
        assert self.socket.status == 101

    def status(self, raw):
        """Sent in a frame; what it is answered with."""
        self.socket.send(raw)
        while True:
            opcode, payload = self.socket.receive()
            if opcode in (TEXT, BINARY):
                return Message(payload, None).status


@pytest.mark.limit(90)
@pytest.mark.parametrize("way", [OverTls, OverWebSocket], ids=["tls", "wss"])
def test_attacks_never_arrive(lab, gateway_of, pbx, peer_at, way):  # noqa: F811
    pki = Authority(f"{lab.workdir}/pki")
    certificate, key = pki.issue("gw", [f"DNS:{NAME}"])
    gateway = gateway_of(more=f"""
        tls {{ certificate = "{certificate}"  key = "{key}" }}
        limits {{ per-source-pps = 0  never-ban = {{0.0.0.0/0}} }}
        phones safe {{ zone = internet  to = main  listen = {{"tls:{TLS_PORT}", "wss:{WSS_PORT}"}} }}""")
    for name, answer in CHOSEN.items():
        rule = RULES[name]
        attack, neighbour = (sent_anew(rule[kind][0]).replace(b"SIP/2.0/UDP", b"SIP/2.0/" + way.word)
                             for kind in ("attack", "neighbour"))
        # A stream ends with what the parser refuses too: each has a connection of its own.
        assert way(peer_at, lab, pki, gateway).status(attack) == answer, name
        assert patch(gateway, name)["hits"] == 1, name
        # A stranger's call: heard, and refused for what it is.
        assert way(peer_at, lab, pki, gateway).status(neighbour) == 403, name
        assert patch(gateway, name)["hits"] == 1, f"the neighbour of {name}"
    assert not arrived(pbx), [m.start for m in arrived(pbx)]
    told = [event for event in gateway.events(reason="virtual_patch")]
    assert {event["proto"] for event in told} == {way.word.decode().lower()}, told
