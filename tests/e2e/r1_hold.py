"""Hold and resume: audio before, none while held, audio after, in one and the same call."""

import time

from hwlab.message import sdp
from hwlab.proc import wait_until
from story import CALLEE_RTP, CALLER_RTP, pinholes_are_closed

SETTLE_S = 0.5
LISTEN_S = 1.2


def reinvite(call, direction, answer):
    """The caller sends a re-INVITE with a direction, the callee answers with its own."""
    call.caller.send("INVITE", call.caller.offer(CALLER_RTP, direction))
    again = call.phone.expect("INVITE")
    call.callee.invite = again
    call.callee.reply(200, sdp(call.phone.ip, CALLEE_RTP, answer))
    final = call.caller.expect(200)
    call.caller.ack()
    call.phone.expect("ACK")
    return again, final


def test_real_phones(gateway, remote_phone, desk_phone):
    """baresip stops sending while it holds: the gateway's own counters stand still meanwhile."""
    def packets():
        return [stream["packets"] for call in gateway.calls() for stream in call["streams"]]

    def moved(seconds):
        before = packets()
        time.sleep(seconds)
        after = packets()
        assert before and len(before) == len(after)
        return [b - a for a, b in zip(before, after)]
    desk_phone.dial("alice")
    time.sleep(SETTLE_S)
    assert all(count > 40 for count in moved(LISTEN_S))
    desk_phone.hold()
    time.sleep(SETTLE_S)
    assert all(count <= 2 for count in moved(LISTEN_S))
    assert gateway.calls(), "a held call lives"
    desk_phone.resume()
    time.sleep(SETTLE_S)
    assert all(count > 40 for count in moved(LISTEN_S))
    desk_phone.hangup()
    remote_phone.wait_event("CALL_CLOSED")
    gateway.wait_idle()


def test_direction_is_passed_on(gateway, scripted_call):
    call = scripted_call(gateway).establish()
    for offered, answered in (("sendonly", "recvonly"), ("inactive", "inactive"),
                              ("sendrecv", "sendrecv")):
        again, final = reinvite(call, offered, answered)
        assert f"a={offered}".encode() in again.body
        assert f"a={answered}".encode() in final.body
    call.hang_up()
    gateway.wait_idle()


def test_audio_before_and_after(gateway, scripted_call):
    """A held call keeps its ports: after the resume the tones go on, on both sides."""
    call = scripted_call(gateway).establish()
    assert min(call.talk(LISTEN_S)) > 40
    ports = {pinhole["local"] for pinhole in call.record()["pinholes"]}
    reinvite(call, "inactive", "inactive")
    call.hush()
    time.sleep(SETTLE_S)
    assert call.talk(LISTEN_S) == (0, 0)
    _, final = reinvite(call, "sendrecv", "sendrecv")
    call.voice.remote = final.sdp_media()
    call.ear.remote = call.callee.invite.sdp_media()
    time.sleep(0.2)
    marks = len(call.voice.got), len(call.ear.got)
    assert min(call.talk(LISTEN_S)) > 40
    assert call.voice.heard(marks[0]).only(850, 0.8) and call.ear.heard(marks[1]).only(440, 0.8)
    still = {p["local"] for p in call.record()["pinholes"] if not p["closed_at"]}
    assert still == ports, "hold and resume is no reason for other ports"
    call.hang_up()
    gateway.wait_idle()
    assert pinholes_are_closed(gateway, call.record())


def test_one_way_hold_lets_music_through(gateway, scripted_call):
    """sendonly: the holder still plays (music on hold)."""
    call = scripted_call(gateway).establish()
    reinvite(call, "sendonly", "recvonly")
    call.ear.remote = None
    time.sleep(0.2)
    to_caller, to_callee = call.talk(LISTEN_S)
    assert to_callee > 40 and to_caller == 0
    call.hang_up()
    gateway.wait_idle()


def test_a_stream_that_is_dropped_closes_its_pinholes(gateway, scripted_call):
    """A re-INVITE with port 0 takes the stream away (RFC 3264 8.2): its ports close while the call lives."""
    call = scripted_call(gateway).establish()
    call.caller.send("INVITE", sdp(call.alice.ip, 0))
    again = call.phone.expect("INVITE")
    assert b"m=audio 0 " in again.body
    call.callee.invite = again
    call.callee.reply(200, sdp(call.phone.ip, 0))
    assert b"m=audio 0 " in call.caller.expect(200).body
    call.caller.ack()
    call.phone.expect("ACK")
    call.hush()
    wait_until(lambda: gateway.status()["pinholes_open"] == 0, 3.0, "the stream's pinholes close")
    assert call.record()["state"] == "established"
    call.hang_up()
    gateway.wait_idle()
