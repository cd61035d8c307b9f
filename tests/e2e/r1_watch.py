"""What `watch` says of a capture is what the gateway did: calls, streams, losses, no refusal."""

import json
import time

from hwlab.capture import Capture
from hwlab.hornwork import binary
from hwlab.proc import run

TALK_S = 3.0
SETTLE = 25                 # packets that one side of the capture may hold more: half a second


def watched(capture):
    """The report as (calls, streams of no call, refusals)."""
    report = json.loads(run([binary(), "watch", "-r", capture.path, "--json"], timeout_s=20).stdout)
    calls = [one for one in report if one["type"] == "call" and one["answered_at"]]
    return (calls, [one for one in report if one["type"] == "stream"],
            [one for one in report if one["type"] == "refused"])


def talk(caller, callee, gateway):
    """One call; returns the gateway's records of it."""
    since = callee.mark()
    caller.dial(callee.name)
    callee.wait_event("CALL_ESTABLISHED", since=since)
    time.sleep(TALK_S)
    caller.hangup()
    callee.wait_event("CALL_CLOSED", since=since)
    gateway.wait_idle()
    return [call for call in gateway.calls(ended=True) if call["answered_at"]]


def test_both_sides_of_a_call(lab, gateway, remote_phone, desk_phone):
    with Capture(lab, "gw", "eth0", "outside") as outside, Capture(lab, "gw", "eth2", "inside") as inside:
        records = talk(remote_phone, desk_phone, gateway)
    told = {stream["local"]: stream for call in records for stream in call["streams"]}
    for capture in (outside, inside):
        calls, strangers, refused = watched(capture)
        assert len(calls) == 1 and calls[0]["state"] == "ended", capture.path
        assert not strangers and not refused, (strangers, refused)
        assert calls[0]["end_reason"] == "bye_caller"
        assert abs(calls[0]["duration_s"] - TALK_S) < 2
        streams = calls[0]["streams"]
        assert len(streams) == 2
        to_us = [stream for stream in streams if stream["destination"] in told]
        assert len(to_us) == 1, "one of them comes to a port of the gateway"
        own = told[to_us[0]["destination"]]
        assert abs(own["packets"] - to_us[0]["packets"]) <= SETTLE
        assert own["lost"] == to_us[0]["lost"] == 0
        for stream in streams:
            assert stream["lost"] == 0 and stream["r_factor"] > 85


def test_other_networks_stay_unseen(lab, gateway, remote_phone, desk_phone):
    """Neither capture's messages name an address of the other network."""
    with Capture(lab, "gw", "eth0", "outside") as outside, Capture(lab, "gw", "eth2", "inside") as inside:
        talk(desk_phone, remote_phone, gateway)
    outer, inner = gateway.outside[0].rsplit(".", 1)[0], gateway.inside[0].rsplit(".", 1)[0]
    for capture, foreign in ((outside, inner), (inside, outer)):
        calls, _, _ = watched(capture)
        assert len(calls) == 1
        assert capture.count(f'sip contains "{foreign}."') == 0
        assert all(foreign + "." not in end["at"] for end in calls[0]["announced"])
