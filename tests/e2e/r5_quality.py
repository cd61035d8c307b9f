"""Alarms of running calls: loss, one-way audio, silence; figures that agree with tshark's."""

import re
import time

import pytest

from hwlab.capture import Capture
from hwlab.hornwork import usual_config
from hwlab.proc import run
from hwlab.topology import address

LOSSY_S = 7


@pytest.fixture
def watched(kamailio, gateway_of):
    """A gateway whose internet raises alarms."""
    del kamailio
    text = usual_config()
    return gateway_of(config=text.replace(
        "zone internet { interface = eth0 }",
        "zone internet { interface = eth0  quality { loss = 5  jitter = 500ms  silence = 2s } }"))


def alarms(gateway):
    """Names of the alarms so far, in order."""
    return [event["reason"] for event in gateway.events(event_type="quality")]


def test_loss_and_its_figures(lab, watched, scripted_call):
    """Every tenth packet is missing: the alarm comes, and tshark counts the same."""
    call = scripted_call(watched).establish(0)
    with Capture(lab, "ext", "eth0", "lossy", "udp and src host " + address("ext")) as capture:
        until = time.monotonic() + LOSSY_S
        while time.monotonic() < until:
            time.sleep(0.2)                 # ten packets
            call.voice.sent += 1
    event = watched.wait_event(event_type="quality", reason="quality_loss")
    assert event["zone"] == "internet" and "from the caller" in event["message"]
    assert alarms(watched) == ["quality_loss"]
    call.voice.remote = None
    time.sleep(0.3)
    stream = next(s for s in watched.calls()[0]["streams"] if s["lost"] > 0)
    text = run(["tshark", "-n", "-r", capture.path, "-d", f"udp.port=={call.voice.port},rtp", "-q", "-z",
                "rtp,streams"], timeout_s=60).stdout
    lost, percent = re.search(r"(\d+) \((\d+\.\d+)%\)", text).groups()
    ours = 100 * stream["lost"] / (stream["lost"] + stream["packets"])
    print(f"\ntshark: {lost} lost, {percent} %; the gateway: {stream['lost']} lost, {ours:.2f} %")
    assert abs(ours - float(percent)) < 1.0


def test_one_way_and_silence(watched, scripted_call):
    """The caller falls silent while the callee speaks; then the callee does, too."""
    call = scripted_call(watched).establish(1.0)
    assert alarms(watched) == []
    call.voice.remote = None
    event = watched.wait_event(6.0, event_type="quality", reason="one_way_audio")
    assert event["zone"] == "internet" and "from the caller" in event["message"]
    call.ear.remote = None
    watched.wait_event(6.0, event_type="quality", reason="media_silent")
    assert alarms(watched) == ["one_way_audio", "media_silent"]


def test_a_call_on_hold_is_no_alarm(watched, scripted_call):
    """Who holds may be silent."""
    call = scripted_call(watched).establish(0.5)
    call.caller.send("INVITE", call.caller.offer(call.voice.port, "inactive"))
    again = call.phone.expect("INVITE")
    call.phone.reply(again, 200, "OK", call.callee.tag, call.callee.offer(call.ear.port, "inactive"))
    call.caller.expect(200)
    call.caller.ack()
    call.voice.remote = call.ear.remote = None
    time.sleep(4.0)
    assert alarms(watched) == []
