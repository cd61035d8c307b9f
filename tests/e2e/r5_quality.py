"""Alarms of running calls: loss, one-way audio, silence; figures that agree with tshark's."""

import re
import time

import pytest

from hwlab.capture import Capture
from hwlab.hornwork import usual_config
from hwlab.proc import run
from hwlab.rtp import FRAME_S
from hwlab.topology import address

PACKETS = 300


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


def losing(name):
    """Numbers of packets in the order in which they are sent."""
    numbers = range(1, PACKETS + 1)
    if name == "single":
        return [n for n in numbers if n % 10]
    if name == "bursts":                # of 3, and of 30
        return [n for n in numbers if n % 100 < 70 and n % 37 < 34]
    late = [n for n in numbers if n % 20]
    for at in range(3, len(late) - 1, 9):
        late[at], late[at + 1] = late[at + 1], late[at]
    return late


def play(voice, order):
    """Send these packets, five at a time: jitter of some 30 ms, beside which what this machine adds is little."""
    begun = time.monotonic()
    for number in order:
        time.sleep(max(0.0, begun + number // 5 * 5 * FRAME_S - time.monotonic()))
        voice.socket.sendto(voice.packet(number), voice.remote)


def by_tshark(capture, port):
    """Packets, lost packets and the last jitter in ms. tshark's analysis prints the mean and the maximum of jitters alone:
    the series (RFC 3550 A.8) is made of the times that tshark read, and must have that mean and that maximum."""
    argv = ["tshark", "-n", "-r", capture.path, "-d", f"udp.port=={port},rtp"]
    text = run([*argv, "-q", "-z", "rtp,streams"], timeout_s=60).stdout
    row, = [line for line in text.splitlines() if "0x" in line]
    packets, lost = re.search(r"(\d+) +(-?\d+) \(", row).groups()
    mean, most = [float(n) for n in re.findall(r"\d+\.\d+", row[row.index("%"):])][-2:]
    rows = run([*argv, "-Y", "rtp", "-T", "fields", "-e", "frame.time_epoch", "-e", "rtp.timestamp"],
               timeout_s=60).stdout.split()
    transits = [1000 * (float(at) - float(rows[0])) - int(stamp) / 8 for at, stamp in zip(rows[::2], rows[1::2])]
    jitters = [0.0]
    for before, now in zip(transits, transits[1:]):
        jitters.append(jitters[-1] + (abs(now - before) - jitters[-1]) / 16)
    assert sum(jitters) / (len(jitters) - 1) == pytest.approx(mean, rel=0.002)
    assert max(jitters) == pytest.approx(most, rel=0.002)
    return int(packets), int(lost), jitters[-1]


@pytest.mark.parametrize("name", ["single", "bursts", "late"])
def test_figures_are_tsharks(lab, watched, scripted_call, name):
    """Loss, alone, in bursts and between packets that come late, and jitter: within 1 % of tshark's on the same packets."""
    call = scripted_call(watched)
    call.voice.send_one = lambda: None      # its packets come from here alone, and all are in the capture
    call.ring()
    with Capture(lab, "ext", "eth0", "lossy", f"udp and src host {address('ext')} and src port {call.voice.port}") as capture:
        call.answer()
        play(call.voice, losing(name))
        if name != "late":
            event = watched.wait_event(event_type="quality", reason="quality_loss")
            assert event["zone"] == "internet" and "from the caller" in event["message"]
        stream = next(s for s in watched.calls()[0]["streams"] if s["direction"] == "from_caller")
        assert alarms(watched).count("quality_loss") == (name != "late")
    packets, lost, jitter = by_tshark(capture, call.voice.port)
    print(f"\ntshark: {packets} packets, {lost} lost, jitter {jitter:.3f} ms; the gateway: {stream['packets']}, "
          f"{stream['lost']}, {stream['jitter_ms']:.3f} ms")
    assert packets == stream["packets"] == len(losing(name))
    assert lost > 10 and stream["lost"] == pytest.approx(lost, rel=0.01)
    r = stream["r_factor"]              # ITU-T G.107 Annex B
    assert stream["mos"] == pytest.approx(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, abs=0.02)
    assert jitter > 10 and stream["jitter_ms"] == pytest.approx(jitter, rel=0.01)


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
