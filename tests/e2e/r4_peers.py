"""Peers over TLS: a trunk is its certificate, in both directions."""

import ssl

import pytest

from hwlab.peer import Call, Peer
from hwlab.pki import Authority
from hwlab.proc import LabError, wait_until
from secure import NAME, TLS_PORT, ask, client, phone_at, pki, section, secure  # noqa: F401 pylint: disable=unused-import

TRUNK = """
trunk carrier {{
    zone   = internet
    peer   = "tls:203.0.113.70:5061"
    to     = main
    {more}
}}
"""
GOOD = ["IP:203.0.113.70", "URI:sip:carrier.test"]


@pytest.fixture
def trunk(secure, pki):
    """A gateway with a trunk over TLS."""
    def start(more=""):
        return secure(more=TRUNK.format(more=more), tls_more=f'ca = "{pki.certificate}"',
                      pbx_more="outbound = carrier")
    return start


def bad_pair(pki, kind, lab):
    """A certificate of the kind that must not be believed."""
    if kind == "expired":
        return pki.issue("expired", GOOD, days=-1)
    if kind == "self-signed":
        return pki.self_signed("self", GOOD)
    if kind == "stranger":
        return Authority(f"{lab.workdir}/other", "other").issue("stranger", GOOD)
    return pki.issue("wrong", ["DNS:evil.test", "IP:203.0.113.71", "DNS:*.113.70"],
                     common="203.0.113.70")


BAD = [("wrong-name", "tls_certificate_name"), ("expired", "tls_certificate_expired"),
       ("self-signed", "tls_certificate_untrusted"), ("stranger", "tls_certificate_untrusted")]


def server(pair):
    """An SSL context of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


def test_out_over_the_trunk(lab, trunk, pki, peer_at, request):
    gateway = trunk()
    carrier = Peer.listening(lab, "carrier", "carrier", TLS_PORT, server(pki.issue("carrier", GOOD)))
    request.addfinalizer(carrier.close)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    for number in (1, 2):                    # the second one takes the same connection
        call = Call(alice)
        call.start(f"49301{number}", call.offer(4000), want=(100,))
        if number == 1:
            carrier.accept()
        incoming = Call.incoming(carrier)
        assert incoming.invite.get("via").startswith("SIP/2.0/TLS 203.0.113.10:5061")
        incoming.reply(486)
        call.expect(486)
    assert b"hornwork_tls_dialled_total 1" in wait_until(
        lambda: [m for m in [gateway.api("/metrics")[1]] if b"tls_dialled_total 1" in m], 3.0,
        "counted")[0]


@pytest.mark.parametrize("kind, reason", BAD)
def test_a_server_that_proves_nothing(lab, trunk, pki, peer_at, request, kind, reason):
    gateway = trunk()
    carrier = Peer.listening(lab, "carrier", "carrier", TLS_PORT, server(bad_pair(pki, kind, lab)))
    request.addfinalizer(carrier.close)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    call = Call(alice)
    call.start("49301", call.offer(4000), want=(100,))
    with pytest.raises((ssl.SSLError, OSError, LabError)):
        carrier.accept()
        carrier.socket.settimeout(3.0)
        if carrier.socket.recv(1) == b"":
            raise LabError("closed without a byte of SIP")
    call.expect((500, 503))                  # the PBX's own way to say so
    event = gateway.wait_event(reason=reason)
    assert event["tag"] == "r4" and not carrier.received
    assert reason in {e["reason"] for e in gateway.events(event_type="refused")}
    assert "certificate" in gateway.command("explain", "203.0.113.70").stdout


def test_not_verified_by_wish(lab, trunk, pki, peer_at, request):
    gateway = trunk("verify = no")
    carrier = Peer.listening(lab, "carrier", "carrier", TLS_PORT, server(pki.self_signed("s", GOOD)))
    request.addfinalizer(carrier.close)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    call = Call(alice)
    call.start("49301", call.offer(4000), want=(100,))
    carrier.accept()
    assert Call.incoming(carrier)


def invite_in(peer):
    """The carrier calls bob."""
    peer.user, peer.domain = "4989555", "carrier.test"
    call = Call(peer)
    peer.send(call.invite_raw("sip:bob@203.0.113.10", call.offer(4000)))
    return call


def test_in_from_the_trunk(trunk, pki, phone_at, peer_at):
    """A peer is its certificate: from its own address, and from any other."""
    gateway = trunk()
    pair = pki.issue("carrier", GOOD)
    bob = peer_at("desk", "bob", gateway.inside)
    bob.register()
    for host in ("carrier", "stranger"):
        peer = phone_at(gateway, host, "carrier", client(pki, pair), name=NAME)
        call = invite_in(peer)
        ringing = Call.incoming(bob)
        ringing.reply(180)
        call.expect(180)
        row = next(c for c in gateway.calls() if c["from"] == "trunk carrier")
        lock = next(s for s in row["signalling"] if s["side"] == "caller")
        assert lock["tls"]["verified"] and lock["tls"]["certificate"] == "carrier"
        ringing.reply(486)
        call.expect(486)
        gateway.wait_idle()
        peer.close()


@pytest.mark.parametrize("kind", ["none", *(kind for kind, _ in BAD)])
def test_in_from_somebody_at_its_address(trunk, pki, phone_at, peer_at, lab, kind):
    gateway = trunk()
    bob = peer_at("desk", "bob", gateway.inside)
    bob.register()
    pair = None if kind == "none" else bad_pair(pki, kind, lab)
    peer = phone_at(gateway, "carrier", "carrier", client(pki, pair), name=NAME)
    invite_in(peer).expect(403)
    assert gateway.wait_event(reason="tls_peer_unproven")["src_ip"] == "203.0.113.70"
    assert bob.silent("INVITE", 0.5)


def test_in_clear_from_its_address(trunk, peer_at):
    gateway = trunk()
    bob = peer_at("desk", "bob", gateway.inside)
    bob.register()
    peer = peer_at("carrier", "carrier", gateway.outside)
    invite_in(peer).expect(403)
    assert gateway.wait_event(reason="tls_peer_clear")["src_ip"] == "203.0.113.70"
    assert bob.silent("INVITE", 0.5)
