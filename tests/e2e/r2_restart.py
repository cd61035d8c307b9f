"""A crash of `signal` costs no established call and no registration: its successor goes on with them."""

import os
import signal
import threading
import time
from datetime import datetime

import pytest

from hwlab.peer import Call
from r1_hold import reinvite
from story import CALLEE_HZ, CALLER_HZ, crash

SIGNALS = [pytest.param(signal.SIGSEGV, id="segv"), pytest.param(signal.SIGKILL, id="kill")]


def lost(sender, receiver):
    """How many packets between the first and the last that arrived did not."""
    numbers = {packet[2] for packet in receiver.got if packet[3] == sender.ssrc}
    return max(numbers) - min(numbers) + 1 - len(numbers)


def seconds(timestamp):
    """A listing's time as a number."""
    return datetime.fromisoformat(timestamp).timestamp()


def away_s(gateway):
    """Seconds between the death and the word that calls go on, of the last time."""
    ended = gateway.events(event_type="process", reason="process_ended")[-1]
    again = gateway.events(event_type="process", reason="calls_go_on")[-1]
    return seconds(again["timestamp"]) - seconds(ended["timestamp"])


@pytest.mark.limit(90)
def test_a_call_goes_on(gateway, scripted_call):
    """No packet of audio is lost by two crashes; hold, resume and BYE work as before."""
    call = scripted_call(gateway).establish()
    before = call.record()
    open_before = gateway.status()["pinholes_open"]
    away = []
    for how in (signal.SIGSEGV, signal.SIGKILL):
        status = crash(gateway, how)
        assert status["calls"] == 1 and status["calls_went_on"] == 1
        assert status["registrations"] == 1 and status["registrations_went_on"] == 1
        gateway.wait_event(event_type="process", reason="calls_go_on")
        away.append(away_s(gateway))
        assert min(call.talk(1.0)) > 25
    assert min(away) < 1.0, away
    assert lost(call.voice, call.ear) == 0 and lost(call.ear, call.voice) == 0
    assert call.voice.heard().only(CALLEE_HZ, 1.0) and call.ear.heard().only(CALLER_HZ, 1.0)
    status = gateway.status()
    assert status["pinholes_open"] == open_before > 0
    assert status["pinholes_opened_total"] == open_before, "they are the same, not new ones"
    assert not any("earlier calls" in n for n in status["notices"])
    assert gateway.events(event_type="process", reason="calls_go_on")[-1]["message"].endswith(
        "1 call and 1 registration go on")
    after = call.record()
    assert after["call"] == before["call"] and after["caller"] == before["caller"]
    assert abs(seconds(after["answered_at"]) - seconds(before["answered_at"])) < 1.0
    reinvite(call, "sendonly", "recvonly")
    again, final = reinvite(call, "sendrecv", "sendrecv")
    call.voice.remote, call.ear.remote = final.sdp_media(), again.sdp_media()
    assert final.sdp_media() == call.caller.answer.sdp_media(), "its ports stay"
    assert min(call.talk(1.0)) > 25
    call.hang_up()
    gateway.wait_idle()
    assert gateway.events(event_type="call", reason="bye_caller")
    closed = gateway.events(event_type="flow", action="close")
    assert len(closed) == open_before and {e["why"] for e in closed} == {"bye_caller"}
    assert gateway.status()["kept_records"] == 1, "the registration alone"


@pytest.mark.parametrize("how", SIGNALS)
def test_the_called_side_hangs_up(gateway, scripted_call, how):
    call = scripted_call(gateway).establish()
    crash(gateway, how)
    call.callee.send("BYE")
    call.alice.reply(call.alice.expect("BYE"), 200)
    call.callee.expect(200)
    call.hush()
    gateway.wait_idle()
    assert gateway.events(event_type="call", reason="bye_callee")


@pytest.mark.limit(90)
def test_real_phones(gateway, remote_phone, desk_phone):
    """Phones notice nothing: the call goes on, is held and ended, and the next one rings at once."""
    desk_phone.dial("alice")
    time.sleep(1.0)
    status = crash(gateway)
    assert status["calls"] == 2 and status["registrations"] == 2, "to the PBX and from it"
    desk_phone.hold()
    desk_phone.resume()
    time.sleep(1.0)
    desk_phone.hangup()
    remote_phone.wait_event("CALL_CLOSED")
    gateway.wait_idle()
    for phone, hertz in ((remote_phone, 620), (desk_phone, 440)):
        heard = phone.heard()
        assert heard.tones_s.get(hertz, 0.0) >= 0.5, f"{phone.name}: {heard.says()}"
    crash(gateway, signal.SIGKILL)
    mark = remote_phone.mark()
    desk_phone.dial("alice")
    remote_phone.wait_event("CALL_ESTABLISHED", since=mark)
    remote_phone.hangup()
    gateway.wait_idle()


def test_a_call_that_rings_is_given_up(gateway, scripted_call):
    """What was under way is not kept: nothing of it stays, and its number is not given again."""
    call = scripted_call(gateway)
    call.ring()
    number = call.record()["call"]
    status = crash(gateway)
    assert status["calls"] == 0 and status["registrations"] == 1
    call.caller.cancel()
    call.caller.expect(481)
    call.caller = Call(call.alice)
    call.establish()
    assert int(call.record()["call"].split("-")[-1], 16) > int(number.split("-")[-1], 16)
    call.hang_up()


@pytest.mark.parametrize("change, left", [
    pytest.param(("phones remote", "phones remote"), 1, id="same"),
    pytest.param(("phones remote", "phones moved"), 0, id="other")])
def test_a_reload_in_the_same_moment(gateway, scripted_call, change, left):
    """Records of one configuration are read with another one where its zones and sections are the same."""
    call = scripted_call(gateway).establish()
    before = gateway.status()["pinholes_open"]
    pid = gateway.processes()["signal"]
    os.kill(pid, signal.SIGSTOP)
    gateway.write_config(gateway.config.replace(*change) + "\nlimits { calls = 77 }\n")
    reload = threading.Thread(target=gateway.reload, kwargs={"check": False})
    reload.start()
    time.sleep(1.0)
    status = crash(gateway, signal.SIGKILL, pid)
    reload.join(20.0)
    assert status["config_generation"] == 2
    assert status["calls"] == status["calls_went_on"] == left
    assert status["registrations"] == left
    assert status["pinholes_open"] == before
    assert min(call.talk(0.6)) > 15
    if left:
        call.hang_up()
        gateway.wait_idle()
