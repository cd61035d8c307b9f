"""Toll fraud: an account whose phone dials what nobody may call loses its running calls too, on both sides;
an emergency call passes whatever the rules say."""

import json

import pytest

from hwlab.baresip import Baresip
from hwlab.peer import Call
from hwlab.proc import wait_until
from hwlab.topology import address
from story import CALLEE_RTP

SECTIONS = """
trunk carrier {{
    zone = internet  peer = "udp:{peer}:5060"  to = main  dial-deny = {{"112", "0900"}}
}}
fraud {{
    action = end  parallel-calls = 1  premium = {{"0190"}}
}}
"""


@pytest.fixture
def house(lab, kamailio, gateway_of, peer_at):
    """The gateway, a real phone and the provider."""
    gateway = gateway_of(more=SECTIONS.format(peer=address("carrier")), pbx_more="outbound = carrier")
    carrier = peer_at("carrier", "carrier", (address("gw"), 5060))
    alice = Baresip(lab, "alice", "desk", "%s:%d" % gateway.inside, 440).start()
    return gateway, carrier, alice


def explained(gateway, what):
    """What `explain` says of it."""
    return json.loads(gateway.command("explain", what, "--json").stdout)[0]


def test_a_forbidden_number_ends_the_accounts_calls(house):
    gateway, carrier, alice = house
    alice.dial("4930123456", wait=False)
    incoming = Call.incoming(carrier)
    incoming.reply(200, incoming.offer(CALLEE_RTP))
    carrier.expect("ACK")
    wait_until(gateway.calls, 10, "the call is listed")
    since = alice.mark()
    alice.dial("0190-123456", wait=False)
    carrier.reply(carrier.expect("BYE", call_id=None, timeout_s=20), 200)
    alice.wait_event("CALL_CLOSED", since=since)
    gateway.wait_idle()
    ended = {call["end_reason"] for call in gateway.calls(ended=True)}
    assert "fraud_premium" in ended, ended
    alert = gateway.wait_event(event_type="alert", reason="fraud_premium")
    assert "0190-123456" in alert["message"] and "alice@" in alert["message"], alert
    gateway.wait_event(event_type="refused", reason="fraud_premium")


def test_an_emergency_passes_and_explain_tells(house):
    gateway, carrier, alice = house
    alice.dial("4930123456", wait=False)
    incoming = Call.incoming(carrier)
    incoming.reply(200, incoming.offer(CALLEE_RTP))
    carrier.expect("ACK")
    # A second call would be one too many; an emergency is none, and dial-deny does not hold it either.
    alice.dial("112", wait=False)
    emergency = Call.incoming(carrier)
    assert emergency.invite.uri.startswith("sip:112@")
    emergency.reply(486)
    carrier.expect("ACK")
    account = explained(gateway, "alice@carrier")
    assert account["kind"] == "account" and "1 of 1 calls to the outside" in account["sentence"], account
    number = explained(gateway, "0190123")
    assert number["kind"] == "number" and "fraud { premium }" in number["sentence"], number
