"""Every method that phones use crosses the gateway, in and outside of calls; retransmissions do not."""

import re
import time

import pytest

from hwlab.message import build, sdp, uri_of
from hwlab.peer import Call, token
from hwlab.proc import wait_until
from hwlab.topology import address
from story import CALLEE_RTP, CALLER_RTP


@pytest.fixture
def alice(gateway, peer_at):
    """A registered scripted phone outside."""
    peer = peer_at("ext", "alice", gateway.outside)
    peer.register()
    return peer


@pytest.fixture
def bob(gateway, peer_at):
    """A registered scripted phone in the voice network."""
    peer = peer_at("desk", "bob", gateway.inside)
    peer.register()
    return peer


def test_info_in_a_call(gateway, scripted_call):
    """DTMF as application/dtmf-relay, both ways."""
    call = scripted_call(gateway).establish()
    body = b"Signal=5\r\nDuration=160\r\n"
    for sender, receiver in ((call.caller, call.phone), (call.callee, call.alice)):
        raw = sender.send("INFO")
        assert raw
        seen = receiver.expect("INFO")
        receiver.reply(seen, 200)
        sender.expect(200)
    call.caller.cseq += 1
    # pylint: disable-next=protected-access
    raw = call.caller._in_dialog("INFO", call.caller.cseq, body).replace(
        b"application/sdp", b"application/dtmf-relay")
    call.alice.send(raw)
    seen = call.phone.expect("INFO")
    assert seen.body == body and seen.get("content-type") == "application/dtmf-relay"
    call.phone.reply(seen, 200)
    call.caller.expect(200)
    call.hang_up()
    gateway.wait_idle()


def test_update_in_a_call(gateway, scripted_call):
    """UPDATE with an offer (RFC 3311): the answer comes back with the gateway's own address."""
    call = scripted_call(gateway).establish()
    call.caller.send("UPDATE", call.caller.offer(CALLER_RTP, "sendonly"))
    seen = call.phone.expect("UPDATE")
    assert b"a=sendonly" in seen.body and seen.sdp_media()[0] == address("gw", "eth1")
    call.phone.reply(seen, 200, body=sdp(call.phone.ip, CALLEE_RTP, "recvonly"))
    answer = call.caller.expect(200)
    assert answer.sdp_media()[0] == gateway.outside[0] and b"a=recvonly" in answer.body
    call.hang_up()
    gateway.wait_idle()


def test_reliable_provisional_answers(gateway, alice, peer_at):
    """100rel and PRACK (RFC 3262) end to end."""
    phone = peer_at("peer", "scripted", port=5070)
    call = Call(alice)
    call.extra = [("Supported", "100rel")]
    call.start("scripted", call.offer(CALLER_RTP), want=(100,))
    incoming = Call.incoming(phone)
    assert "100rel" in incoming.invite.get("supported")
    incoming.reply(183, incoming.offer(CALLEE_RTP), extra=[("Require", "100rel"), ("RSeq", "7")])
    early = call.expect(183)
    assert "100rel" in early.get("require")
    call.to, call.target = early.get("to"), early.contact_uri()
    call.routes = [uri_of(route) for route in reversed(early.all("record-route"))]
    call.send("PRACK", extra=[("RAck", f"{early.get('rseq')} {call.invite.cseq()} INVITE")])
    prack = phone.expect("PRACK")
    assert re.match(rf"7 {incoming.invite.cseq()} INVITE$", prack.get("rack"))
    phone.reply(prack, 200)
    assert call.expect(200).method == "PRACK"
    incoming.reply(200)
    final = call.expect(200)
    call.established(final)
    phone.expect("ACK")
    call.send("BYE")
    phone.reply(phone.expect("BYE"), 200)
    call.expect(200)
    gateway.wait_idle()


def authenticated(peer, method, uri, extra=(), body=b""):
    """A request outside of calls, its challenge answered; returns its Call-ID."""
    call_id = token()
    for cseq in (1, 2):
        raw = peer.request(method, uri, call_id, cseq, "t", extra=extra, body=body)
        peer.send(raw.replace(b"application/sdp", b"text/plain"))
        if cseq == 1:
            refusal = peer.expect((407, 401), call_id=call_id)
            # pylint: disable-next=protected-access
            extra = [*extra, peer._credentials(refusal, method, uri)]
    return call_id


def test_message_both_ways(gateway, alice, bob):
    for one, other in ((alice, bob), (bob, alice)):
        call_id = authenticated(one, "MESSAGE", other.aor(), body=b"Lunch?")
        seen = other.expect("MESSAGE")
        assert seen.body == b"Lunch?" and seen.get("call-id") != call_id
        other.reply(seen, 200)
        assert one.expect(200, call_id=call_id).method == "MESSAGE"
    assert gateway.status()["calls"] == 0


def test_options_between_phones(alice, bob):
    call_id = authenticated(alice, "OPTIONS", bob.aor())
    bob.reply(bob.expect("OPTIONS"), 200, extra=[("Allow", "INVITE, ACK, BYE")])
    assert "INVITE" in alice.expect(200, call_id=call_id).get("allow")


def test_subscribe_and_notify(alice, bob):
    """A subscription (RFC 6665): NOTIFY finds its way back in the dialog, and is answered."""
    call_id = authenticated(alice, "SUBSCRIBE", bob.aor(),
                            extra=[("Event", "dialog"), ("Expires", "60")])
    seen = bob.expect("SUBSCRIBE")
    assert seen.get("event") == "dialog"
    bob.reply(seen, 200, tag="n1", extra=[("Expires", "60")])
    ok = alice.expect(200, call_id=call_id)
    notifier = Call(bob)
    notifier.call_id, notifier.to = seen.get("call-id"), seen.get("from")
    notifier.own, notifier.target = f"{seen.get('to')};tag=n1", seen.contact_uri()
    notifier.routes = [uri_of(route) for route in seen.all("record-route")]
    notifier.send("NOTIFY", extra=[("Event", "dialog"), ("Subscription-State", "active;expires=60")])
    notify = alice.expect("NOTIFY")
    assert notify.get("call-id") == call_id and notify.tag("from") == ok.tag("to")
    alice.reply(notify, 200)
    assert notifier.expect(200).method == "NOTIFY"


def test_the_pbx_is_asked_whether_it_is_there(kamailio, gateway_of):
    """options-ping: a PBX that is gone is an event (after timer F, 32 s), its return too."""
    gateway = gateway_of(pbx_more="options-ping = 1s")
    time.sleep(1.5)
    assert not gateway.events(event_type="sip")
    kamailio.stop()
    gone = gateway.wait_event(40.0, event_type="sip")
    assert "pbx main" in gone["message"] and gone["src_ip"] == kamailio.ip
    grace = gateway.status()["shield"]["recovery_s"]
    kamailio.start()
    wait_until(lambda: len(gateway.events(event_type="sip")) == 2, 10.0, "its return is seen")
    wait_until(lambda: gateway.status()["shield"]["recovery_s"] > grace, 5.0, "everybody may register again")


def test_retransmissions_are_absorbed(gateway, scripted_call):
    """The same INVITE three times is one INVITE on the other side; a 200 is repeated until its ACK."""
    call = scripted_call(gateway)
    call.ring()
    again = call.caller.invite.raw
    for _ in range(2):
        call.alice.send(again)
    assert call.alice.expect((180, 100), 2.0)
    assert call.phone.silent("INVITE", 0.8)
    call.callee.reply(200, call.callee.offer(CALLEE_RTP))
    final = call.caller.expect(200)
    call.callee.reply(200, call.callee.offer(CALLEE_RTP))
    repeated = call.caller.expect(200, 3.0)
    assert repeated.tag("to") == final.tag("to") and repeated.cseq() == final.cseq()
    call.caller.established(final)
    call.phone.expect("ACK")
    time.sleep(0.2)
    while call.alice.poll(0.1):
        pass
    call.alice.unread.clear()
    assert call.alice.silent(200, 4.5), "the 200 is repeated although it was acknowledged"
    call.hang_up()
    gateway.wait_idle()


def test_an_unknown_dialog_gets_481(gateway, alice):
    for method in ("BYE", "INFO", "UPDATE", "NOTIFY"):
        call_id = token()
        alice.send(build(f"{method} sip:x@{gateway.outside[0]} SIP/2.0", [
            ("Via", alice.via()), ("Max-Forwards", "70"), ("From", f"<{alice.aor()}>;tag=a"),
            ("To", "<sip:x@pbx.test>;tag=gone"), ("Call-ID", call_id), ("CSeq", f"1 {method}"),
            ("Contact", alice.contact())]))
        assert alice.expect(tuple(range(200, 700)), call_id=call_id).status == 481, method
