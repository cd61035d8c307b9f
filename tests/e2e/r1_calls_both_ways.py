"""Two real phones register to a real PBX through the gateway, call each other and hear each other."""

import time

import pytest

from hwlab.baresip import Baresip
from story import pinholes_are_closed

TALK_S = 2.5
HEARD_S = 1.5


def converse(caller, callee, gateway):
    """The caller calls, both talk, the caller hangs up; each heard only the other's tone."""
    caller.dial(callee.name)
    callee.wait_event("CALL_ESTABLISHED")
    time.sleep(TALK_S)
    caller.hangup()
    callee.wait_event("CALL_CLOSED")
    gateway.wait_idle()
    for phone, other in ((caller, callee), (callee, caller)):
        heard = phone.heard()
        assert heard.only(other.tone_hz, HEARD_S), f"{phone.name} heard {heard.says()}"
    records = gateway.calls(ended=True)
    assert all(pinholes_are_closed(gateway, record) for record in records)
    answered = [record for record in records if record["answered_at"]]
    assert len(answered) >= 2, "one from the caller to the PBX, one from the PBX to the callee"
    return answered


def test_outside_calls_inside(gateway, remote_phone, desk_phone):
    converse(remote_phone, desk_phone, gateway)


def test_inside_calls_outside(gateway, remote_phone, desk_phone):
    converse(desk_phone, remote_phone, gateway)


def test_the_callee_may_hang_up(gateway, remote_phone, desk_phone):
    remote_phone.dial("bob")
    time.sleep(1.0)
    desk_phone.hangup()
    remote_phone.wait_event("CALL_CLOSED")
    gateway.wait_idle()


def test_three_calls_in_a_row(gateway, remote_phone, desk_phone):
    for _ in range(3):
        remote_phone.dial("bob")
        time.sleep(0.4)
        since = desk_phone.mark()
        remote_phone.hangup()
        desk_phone.wait_event("CALL_CLOSED", since=since)
    gateway.wait_idle()


@pytest.mark.parametrize("outside, inside", [("tcp", "udp"), ("udp", "tcp"), ("tcp", "tcp")])
def test_over_tcp(lab, gateway, outside, inside):
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440, outside).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620, inside).start()
    converse(alice, bob, gateway)
    converse(bob, alice, gateway)


def test_two_phones_behind_one_nat(lab, gateway):
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    carol = Baresip(lab, "carol", "phone2", "%s:%d" % gateway.outside, 620).start()
    converse(alice, carol, gateway)


def test_the_record_of_a_call(gateway, remote_phone, desk_phone):
    records = converse(remote_phone, desk_phone, gateway)
    first = min(records, key=lambda record: record["started_at"])
    assert first["state"] == "ended" and first["from"] == "phones remote" and first["to"] == "pbx main"
    assert "alice" in first["caller"] and "bob" in first["callee"]
    assert first["started_at"] <= first["answered_at"] <= first["ended_at"]
    assert TALK_S <= first["duration_s"] < TALK_S + 3
    ways = {stream["direction"]: stream for stream in first["streams"]}
    assert set(ways) == {"from_caller", "from_callee"}
    for stream in ways.values():
        assert stream["media"] == "audio" and stream["codec"].startswith("PCMU")
        assert stream["packets"] >= 40 * TALK_S and stream["lost"] == 0
        assert 0 <= stream["jitter_ms"] < 30 and stream["r_factor"] > 80
    assert ways["from_caller"]["zone"] == "internet" and ways["from_caller"]["source_learned"]
    assert ways["from_caller"]["source"].startswith("203.0.113.50:")


def test_the_ladder_of_a_call(gateway, remote_phone, desk_phone):
    records = converse(remote_phone, desk_phone, gateway)
    for record in records:
        ladder = gateway.command("trace", record["call"]).stdout
        for word in ("INVITE", "200", "ACK", "BYE"):
            assert word in ladder, ladder
    assert gateway.ask("trace", records[0]["call"])
    assert gateway.command("trace", "c-none", check=False).returncode == 1
