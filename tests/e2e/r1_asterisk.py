"""The same basic call with the PBX that most users have: Asterisk 22."""

import time

import pytest

from hwlab import asterisk
from hwlab.baresip import Baresip
from hwlab.proc import LabError
from hwlab.topology import address
from story import pinholes_are_closed


@pytest.fixture(scope="module")
def folder():
    """Asterisk's folder; the tests are skipped, and say so, where it cannot be had."""
    try:
        return asterisk.chroot()
    except LabError as err:
        pytest.skip(f"Asterisk cannot be had here: {err}")


@pytest.fixture
def phones(lab, folder, gateway_of):
    """Asterisk behind the gateway and two phones that registered through it."""
    pbx = asterisk.Asterisk(lab).start()
    gateway = gateway_of(pbx=address("ast"))
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    return pbx, gateway, alice, bob


def test_calls_both_ways(phones):
    pbx, gateway, alice, bob = phones
    assert pbx.version().startswith("22.")
    assert all(address("gw", "eth1") in pbx.contacts(user)[0] for user in ("alice", "bob"))
    for caller, callee in ((alice, bob), (bob, alice)):
        since = callee.mark()
        caller.dial(callee.name)
        time.sleep(2.5)
        caller.hangup()
        callee.wait_event("CALL_CLOSED", since=since)
        gateway.wait_idle()
        for phone, other in ((caller, callee), (callee, caller)):
            heard = phone.heard()
            assert heard.only(other.tone_hz, 1.5), f"{phone.name} heard {heard.says()}"
    assert all(pinholes_are_closed(gateway, row) for row in gateway.calls(ended=True))


def test_hold_and_resume(phones):
    _pbx, gateway, alice, bob = phones
    alice.dial("bob")
    time.sleep(1.0)
    alice.hold()
    time.sleep(1.0)
    assert gateway.status()["calls"] > 0
    alice.resume()
    time.sleep(0.5)
    before = [s["packets"] for c in gateway.calls() for s in c["streams"]]
    time.sleep(1.0)
    after = [s["packets"] for c in gateway.calls() for s in c["streams"]]
    assert all(b - a > 40 for a, b in zip(before, after)), (before, after)
    alice.hangup()
    bob.wait_event("CALL_CLOSED")
    gateway.wait_idle()
