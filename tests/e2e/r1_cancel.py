"""CANCEL before and after ringing ends the call on both sides and closes what early media opened."""

import time

import pytest

from hwlab.baresip import Baresip
from hwlab.peer import Call
from story import CALLEE_RTP, CALLER_RTP, CALLEE_HZ


@pytest.fixture
def pair(gateway, peer_at):
    """A registered caller outside and the scripted callee inside."""
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    return alice, peer_at("peer", "scripted", port=5070)


def cancelled(call, incoming, phone):
    """CANCEL from the caller until everybody has their final answers."""
    call.cancel()
    cancel = phone.expect("CANCEL")
    assert cancel.cseq() == incoming.invite.cseq()
    phone.reply(cancel, 200)
    incoming.reply(487)
    phone.expect("ACK")
    seen = {call.expect((200, 487)).status, call.expect((200, 487)).status}
    assert seen == {200, 487}
    call.ack_failure(next(m for m in call.peer.received if m.status == 487))


def test_before_ringing(gateway, pair):
    alice, phone = pair
    call = Call(alice)
    call.start("scripted", call.offer(CALLER_RTP), want=(100,))
    incoming = Call.incoming(phone)
    incoming.reply(100)
    cancelled(call, incoming, phone)
    gateway.wait_idle()
    assert gateway.calls(ended=True)[0]["answered_at"] is None


def test_after_ringing(gateway, pair):
    alice, phone = pair
    call = Call(alice)
    call.start("scripted", call.offer(CALLER_RTP), want=(100,))
    incoming = Call.incoming(phone)
    incoming.reply(180)
    call.expect(180)
    cancelled(call, incoming, phone)
    gateway.wait_idle()


def test_after_early_media_closes_its_pinholes(gateway, pair, talker_at):
    alice, phone = pair
    voice, ear = talker_at("ext", CALLER_RTP), talker_at("peer", CALLEE_RTP, CALLEE_HZ)
    call = Call(alice)
    call.start("scripted", call.offer(CALLER_RTP), want=(100,))
    incoming = Call.incoming(phone)
    incoming.reply(183, incoming.offer(CALLEE_RTP))
    early = call.expect(183)
    ear.remote, voice.remote = incoming.invite.sdp_media(), early.sdp_media()
    time.sleep(0.5)
    assert voice.got
    cancelled(call, incoming, phone)
    gateway.wait_idle()
    time.sleep(0.2)
    before = len(voice.got)
    time.sleep(0.4)
    assert len(voice.got) == before, "early media goes on after CANCEL"


def test_a_cancel_that_comes_too_late(gateway, pair, talker_at):
    """The 200 crosses the CANCEL: the caller acknowledges and hangs up (RFC 3261 9.1, 15)."""
    alice, phone = pair
    call = Call(alice)
    call.start("scripted", call.offer(CALLER_RTP), want=(100,))
    incoming = Call.incoming(phone)
    incoming.reply(200, incoming.offer(CALLEE_RTP))
    final = call.expect(200)
    call.cancel()
    assert call.expect((200, 481)).method == "CANCEL"
    call.established(final)
    phone.expect("ACK")
    call.send("BYE")
    phone.reply(phone.expect("BYE"), 200)
    call.expect(200)
    gateway.wait_idle()


def test_real_phones_ring_and_stop(lab, gateway):
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620, answer="manual").start()
    since = alice.dial("bob", wait=False)
    bob.wait_event("CALL_INCOMING")
    alice.wait_event(("CALL_RINGING", "CALL_PROGRESS"), since=since)
    alice.hangup()
    bob.wait_event("CALL_CLOSED")
    gateway.wait_idle()


def test_a_refused_call_closes_its_pinholes(gateway, pair):
    alice, phone = pair
    for status in (486, 603, 404, 480):
        call = Call(alice)
        call.start("scripted", call.offer(CALLER_RTP), want=(100,))
        incoming = Call.incoming(phone)
        incoming.reply(180)
        call.expect(180)
        incoming.reply(status)
        phone.expect("ACK")
        final = call.expect((486, 603, 404, 480, 503, 500))
        assert final.status == status
        call.ack_failure(final)
        gateway.wait_idle()
