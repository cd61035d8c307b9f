"""Phones behind a home router work: answers and calls find the way back, media ports are learned once."""

import re
import time

from hwlab.message import build
from hwlab.peer import Call, token
from hwlab.topology import address
from story import CALLER_RTP

HOME = address("home")
KEEPALIVE_MAX_S = 30        # home routers forget a UDP flow after 30 s at the earliest


def test_the_binding_is_the_routers_address(gateway, kamailio, remote_phone):
    rows = gateway.registrations()
    assert len(rows) == 1
    assert rows[0]["user"] == "alice" and rows[0]["phones"] == "remote" and rows[0]["pbx"] == "main"
    assert rows[0]["source"].startswith(HOME + ":")
    contacts = kamailio.contacts("alice")
    assert len(contacts) == 1 and address("gw", "eth1") in contacts[0]
    assert not re.search(r"192\.168\.|203\.0\.113\.", contacts[0])
    assert remote_phone.registrations()[-1] == 200


def test_rport_is_filled_in(gateway, peer_at):
    peer = peer_at("phone", "alice", gateway.outside)
    ok = peer.register()
    via = ok.get("via")
    assert re.search(r";received=203\.0\.113\.50\b", via) and re.search(r";rport=\d+", via), via


def test_an_answer_comes_back_without_rport_too(gateway, peer_at):
    peer = peer_at("phone", "alice", gateway.outside)
    via = f"SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK{token()}"
    peer.send(peer.request("OPTIONS", "sip:pbx.test", token(), 1, "t", via=via))
    assert peer.expect((200, 401, 403, 404, 407)).get("via").startswith(via.split(";")[0])


def test_a_call_reaches_the_phone_through_the_router(gateway, peer_at, talker_at):
    alice = peer_at("phone", "alice", gateway.outside)
    alice.register()
    bob = peer_at("desk", "bob", gateway.inside)
    bob.register()
    call = Call(bob)
    call.start("alice", call.offer(CALLER_RTP), want=(100,))
    incoming = Call.incoming(alice)
    incoming.reply(180)
    call.expect(180)
    incoming.reply(200, incoming.offer(CALLER_RTP))
    call.established(call.expect(200))
    assert alice.expect("ACK").uri.split(";")[0] in (f"sip:alice@{alice.host_port}",)
    call.send("BYE")
    alice.reply(alice.expect("BYE"), 200)
    call.expect(200)
    gateway.wait_idle()


def test_the_media_port_is_learned_once(gateway, scripted_call, talker_at):
    call = scripted_call(gateway, caller_at="phone").establish()
    record = call.record()
    stream = next(s for s in record["streams"] if s["direction"] == "from_caller")
    assert stream["source_learned"] and stream["source"].startswith(HOME + ":")
    later = talker_at("phone2", 4100, 1130)
    later.remote = call.voice.remote
    heard_before = len(call.ear.got)
    got_caller, _ = call.talk(0.8)
    assert call.ear.heard(heard_before).only(440, 0.5), call.ear.heard(heard_before).says()
    assert got_caller >= 30 and not later.got
    call.hang_up()
    gateway.wait_idle()


def test_the_phone_is_reachable_while_it_is_quiet(lab, gateway, kamailio, peer_at):
    """The home router forgets flows after 30 s of silence: something must come before that."""
    alice = peer_at("phone", "alice", gateway.outside)
    expires = int(re.search(r"expires=(\d+)", alice.register().get("contact")).group(1))
    assert kamailio.contacts("alice")
    started = time.monotonic()
    quiet_s = KEEPALIVE_MAX_S if expires > KEEPALIVE_MAX_S else 1
    kept = False
    while time.monotonic() - started < quiet_s and not kept:
        kept = keepalive_seen(alice)
    assert kept or expires <= KEEPALIVE_MAX_S


def keepalive_seen(peer):
    """True if a datagram came; an OPTIONS is answered."""
    if not peer.poll(1.0):
        return False
    while peer.unread:
        message = peer.unread.pop(0)
        if message.method == "OPTIONS" and not message.status:
            peer.reply(message, 200, "OK", "k")
    return True


def test_a_ping_over_tcp_is_answered(gateway, peer_at):
    """RFC 5626 3.5.1: two CRLF from the phone, one back."""
    peer = peer_at("phone", "alice", gateway.outside, transport="tcp")
    peer.register()
    peer.socket.sendall(b"\r\n\r\n")
    peer.socket.settimeout(3.0)
    assert peer.socket.recv(16) == b"\r\n"


def test_unregistering_removes_the_binding(gateway, kamailio, peer_at):
    alice = peer_at("phone", "alice", gateway.outside)
    alice.register()
    assert len(gateway.registrations()) == 1
    alice.register(expires=0)
    assert gateway.registrations() == []
    assert kamailio.contacts("alice") == []


def test_a_wrong_password_makes_no_binding(gateway, kamailio, peer_at):
    peer = peer_at("phone", "alice", gateway.outside)
    uri = "sip:pbx.test"
    peer.send(build(f"REGISTER {uri} SIP/2.0", [
        ("Via", peer.via()), ("Max-Forwards", "70"), ("From", "<sip:alice@pbx.test>;tag=w"),
        ("To", "<sip:alice@pbx.test>"), ("Call-ID", token()), ("CSeq", "1 REGISTER"),
        ("Contact", peer.contact()),
        ("Authorization", 'Digest username="alice", realm="pbx.test", nonce="n", '
                          f'uri="{uri}", response="00000000000000000000000000000000"')]))
    assert peer.expect((200, 401, 403)).status in (401, 403)
    assert gateway.registrations() == [] and kamailio.contacts("alice") == []
