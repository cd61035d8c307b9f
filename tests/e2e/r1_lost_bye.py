"""Calls whose end nobody announced: a lost BYE, a phone without power, a PBX that restarts."""

import time

from hwlab.baresip import Baresip
from hwlab.peer import Call
from story import CALLER_RTP, pinholes_are_closed

IDLE_S = 3


def test_both_sides_vanish(kamailio, gateway_of, scripted_call):
    """No RTP for idle-timeout: the call ends, both sides are told, the pinholes close and say why."""
    gateway = gateway_of(more=f'media {{ idle-timeout = {IDLE_S}s }}')
    call = scripted_call(gateway).establish()
    call.hush()
    hushed = time.monotonic()
    call.alice.expect("BYE", 3 * IDLE_S)
    call.phone.expect("BYE", 3.0)
    took = time.monotonic() - hushed
    assert IDLE_S - 0.5 <= took <= IDLE_S + 3, f"the idle call ended after {took:.1f} s"
    gateway.wait_idle()
    record = call.record()
    assert record["state"] == "ended" and "idle" in record["end_reason"].lower()
    assert pinholes_are_closed(gateway, record)
    closed = gateway.events(event_type="flow", action="close", call=record["call"])
    assert closed and all(event["why"] for event in closed)


def test_a_call_with_media_one_way_lives(kamailio, gateway_of, scripted_call):
    """One side is muted: that is no dead call."""
    gateway = gateway_of(more=f'media {{ idle-timeout = {IDLE_S}s }}')
    call = scripted_call(gateway).establish()
    call.voice.remote = None
    time.sleep(IDLE_S + 2)
    assert call.record()["state"] == "established"
    call.hang_up()
    gateway.wait_idle()


def test_a_held_call_lives(kamailio, gateway_of, scripted_call):
    """Media that was agreed to be inactive is not missing."""
    gateway = gateway_of(more=f'media {{ idle-timeout = {IDLE_S}s }}')
    call = scripted_call(gateway).establish()
    call.caller.send("INVITE", call.caller.offer(CALLER_RTP, "inactive"))
    call.callee.invite = call.phone.expect("INVITE")
    call.callee.reply(200, call.callee.offer(6000, "inactive"))
    call.caller.expect(200)
    call.caller.ack()
    call.phone.expect("ACK")
    call.hush()
    time.sleep(IDLE_S + 2)
    assert call.record()["state"] == "established"
    call.hang_up()
    gateway.wait_idle()


def test_a_phone_that_vanishes(lab, kamailio, gateway_of):
    """The outside phone loses power in the call: the inside phone is hung up on, nothing stays."""
    gateway = gateway_of(more=f'media {{ idle-timeout = {IDLE_S}s }}')
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    alice.dial("bob")
    time.sleep(1.0)
    alice.vanish()
    # bob still talks, so the call is not idle; his hanging up must be answered at once
    time.sleep(1.0)
    started = time.monotonic()
    bob.hangup()
    assert time.monotonic() - started < 2.0
    gateway.wait_idle()
    assert all(pinholes_are_closed(gateway, record) for record in gateway.calls(ended=True))


def test_a_bye_that_nobody_answers(gateway, scripted_call):
    """The callee is gone: the caller's BYE is answered at once and the pinholes are closed."""
    call = scripted_call(gateway).establish()
    call.phone.close()
    call.caller.send("BYE")
    assert call.caller.expect((200, 481), 3.0).status == 200
    gateway.wait_idle()
    assert pinholes_are_closed(gateway, call.record())


def test_a_bye_for_a_call_that_is_over(gateway, scripted_call):
    """A late BYE, or one that crossed the gateway's own, is answered and changes nothing."""
    call = scripted_call(gateway).establish()
    call.hang_up()
    call.caller.send("BYE")
    assert call.caller.expect((200, 481))
    assert call.phone.silent("BYE", 0.5)
    gateway.wait_idle()


def test_a_callee_that_never_answers(kamailio, gateway, peer_at):
    """The PBX finds nobody at the other end and says so: the caller hears it, nothing stays."""
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    call = Call(alice)
    call.start("scripted", call.offer(CALLER_RTP), want=(100,))
    final = call.expect((408, 480, 500, 503, 504), 15.0)
    call.ack_failure(final)
    gateway.wait_idle()


def test_a_pbx_that_restarts(gateway, kamailio, scripted_call):
    """Media of a running call goes on without the PBX; afterwards everything works again."""
    call = scripted_call(gateway).establish()
    kamailio.stop()
    without = call.talk(1.2)
    assert min(without) > 45, f"packets in 1.2 s without the PBX: {without}"
    assert call.record()["state"] == "established"
    kamailio.start()
    call.hang_up()
    gateway.wait_idle()
    assert kamailio.contacts("alice") == []
    call.alice.register()
    assert len(kamailio.contacts("alice")) == 1


def test_without_a_pbx_phones_get_an_answer(gateway, kamailio, peer_at):
    """No silence: a REGISTER that reaches no PBX is answered."""
    kamailio.stop()
    alice = peer_at("ext", "alice", gateway.outside)
    alice.send(alice.request("REGISTER", "sip:pbx.test", "nobody-home", 1, "t",
                             to=f"<{alice.aor()}>"))
    answer = alice.expect((408, 500, 503, 504), 40.0)
    assert answer.get("call-id") == "nobody-home"
