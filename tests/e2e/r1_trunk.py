"""A trunk: calls out to numbers, calls in from the carrier only, within its limits and dial rules."""

import os
import re
import time

import pytest

from hwlab.message import digest, sdp
from hwlab.peer import Call
from hwlab.topology import address
from story import CALLEE_RTP, CALLER_RTP, pinholes_are_closed

TRUNK = """
trunk carrier {{
    zone      = internet
    peer      = "udp:{peer}:5060"
    to        = main
    max-calls = 2
    dial-deny = {{"0900", "+1900"}}
    {more}
}}
"""


@pytest.fixture
def trunk_of(kamailio, gateway_of):
    """A function that starts the gateway with the trunk and additions to it."""
    def start(more=""):
        return gateway_of(more=TRUNK.format(peer=address("carrier"), more=more),
                          pbx_more="outbound = carrier")
    return start


@pytest.fixture
def carrier(peer_at):
    """The provider's SIP server."""
    return peer_at("carrier", "carrier", (address("gw"), 5060))


def outgoing(alice, number):
    """alice dials a number; returns her call (challenge answered, 100 seen)."""
    call = Call(alice)
    call.start(number, call.offer(CALLER_RTP), want=(100, 403, 404, 480, 486, 488, 500, 503, 603))
    return call


def answered(call, carrier):
    """The carrier takes the call."""
    incoming = Call.incoming(carrier)
    incoming.reply(180)
    incoming.reply(200, incoming.offer(CALLEE_RTP))
    call.established(call.expect(200))
    carrier.expect("ACK")
    return incoming


def end(call, carrier):
    """The caller hangs up."""
    call.send("BYE")
    carrier.reply(carrier.expect("BYE", call_id=None), 200)
    call.expect(200)


@pytest.fixture
def alice_of(peer_at):
    """alice in the voice network, registered."""
    def make(gateway):
        alice = peer_at("desk", "alice", gateway.inside)
        alice.register()
        return alice
    return make


def test_a_call_to_a_number_goes_to_the_carrier(trunk_of, carrier, alice_of, talker_at):
    gateway = trunk_of()
    alice = alice_of(gateway)
    voice, ear = talker_at("desk", CALLER_RTP, 440), talker_at("carrier", CALLEE_RTP, 850)
    call = outgoing(alice, "4930123456")
    incoming = answered(call, carrier)
    assert incoming.invite.uri.startswith("sip:4930123456@")
    assert incoming.invite.source[0] == address("gw")
    voice.remote, ear.remote = call.answer.sdp_media(), incoming.invite.sdp_media()
    time.sleep(0.8)
    assert ear.heard().only(440, 0.5), ear.heard().says()
    assert voice.heard().only(850, 0.5), voice.heard().says()
    text = incoming.invite.raw
    assert b"10.10.0." not in text and b"10.20.0." not in text
    assert any(row["to"] == "trunk carrier" for row in gateway.calls())
    end(call, carrier)
    gateway.wait_idle()
    assert all(pinholes_are_closed(gateway, row) for row in gateway.calls(ended=True))


def test_a_call_from_the_carrier_reaches_a_phone(trunk_of, carrier, alice_of):
    gateway = trunk_of()
    alice = alice_of(gateway)
    carrier.user, carrier.domain = "4989555", "carrier.example"
    call = Call(carrier)
    carrier.send(call.invite_raw(f"sip:alice@{address('gw')}", call.offer(CALLEE_RTP)))
    incoming = Call.incoming(alice)
    assert "4989555" in incoming.invite.get("from")
    incoming.reply(180)
    call.expect(180)
    incoming.reply(200, incoming.offer(CALLER_RTP))
    call.established(call.expect(200))
    alice.expect("ACK")
    call.send("BYE")
    alice.reply(alice.expect("BYE"), 200)
    call.expect(200)
    gateway.wait_idle()


def test_a_stranger_is_no_carrier(trunk_of, carrier, alice_of, peer_at):
    """Nobody but the carrier's address may call in without a registration."""
    gateway = trunk_of()
    alice = alice_of(gateway)
    stranger = peer_at("stranger", "4989666", (address("gw"), 5060), domain="carrier.example")
    call = Call(stranger)
    call.peer.send(call.invite_raw(f"sip:alice@{address('gw')}", sdp(stranger.ip, 5000)))
    answer = call.expect((401, 403, 404, 407, 180, 200), 5.0)
    assert answer.status in (401, 403, 404, 407), answer.start
    assert alice.silent("INVITE", 1.0)
    call.ack_failure(answer)
    assert gateway.status()["pinholes_open"] == 0
    said = gateway.command("explain", address("stranger")).stdout
    assert address("stranger") in said or "trunk" in said


@pytest.mark.parametrize("number", ["0900123456", "+1900555"])
def test_denied_numbers_are_refused(trunk_of, carrier, alice_of, number):
    gateway = trunk_of()
    call = outgoing(alice_of(gateway), number)
    final = call.expect((403, 603, 404, 180, 200), 5.0) if not refused(call) else refused(call)
    assert final.status in (403, 603), final.start
    assert carrier.silent("INVITE", 1.0)
    assert gateway.wait_event(event_type="refused")
    gateway.wait_idle()


def refused(call):
    """The final refusal that came already, or None."""
    return next((m for m in call.peer.received if m.status and m.status >= 400
                 and m.status not in (401, 407) and m.get("call-id") == call.call_id), None)


def test_only_allowed_numbers_where_a_list_is_given(trunk_of, carrier, alice_of):
    gateway = trunk_of('dial-allow = {"49"}')
    alice = alice_of(gateway)
    call = outgoing(alice, "4930123456")
    answered(call, carrier)
    end(call, carrier)
    other = outgoing(alice, "33123456")
    final = refused(other) or other.expect((403, 603, 404), 5.0)
    assert final.status in (403, 603)
    assert carrier.silent("INVITE", 0.7)
    gateway.wait_idle()


def test_no_more_calls_than_max_calls(trunk_of, carrier, alice_of):
    gateway = trunk_of()
    alice = alice_of(gateway)
    calls = [outgoing(alice, f"49301234{n}") for n in range(2)]
    for call in calls:
        answered(call, carrier)
    third = outgoing(alice, "4930999")
    final = refused(third) or third.expect((480, 486, 500, 503, 403), 5.0)
    # The PBX, a proxy, makes 500 of the gateway's 503 (RFC 3261 16.7).
    assert final.status in (480, 486, 500, 503), final.start
    assert gateway.wait_event(event_type="refused", reason="trunk_calls_limit")
    assert carrier.silent("INVITE", 0.7)
    end(calls[0], carrier)
    fourth = outgoing(alice, "4930888")
    answered(fourth, carrier)
    for call in (calls[1], fourth):
        end(call, carrier)
    gateway.wait_idle()


def test_an_unreachable_carrier_is_answered(trunk_of, alice_of):
    gateway = trunk_of()
    call = outgoing(alice_of(gateway), "4930123456")
    final = refused(call) or call.expect((408, 480, 500, 502, 503, 504), 40.0)
    assert final.status >= 400
    gateway.wait_idle()


def test_credentials_are_used_when_the_carrier_asks(lab, trunk_of, carrier, alice_of):
    """username and password-file: the gateway answers the carrier's challenge itself."""
    secret = f"{lab.workdir}/trunk-password"
    with open(secret, "w", encoding="utf-8") as out:
        out.write("s3cret\n")
    os.chmod(secret, 0o600)
    gateway = trunk_of(f'username = "hornwork"\n    password-file = "{secret}"')
    call = outgoing(alice_of(gateway), "4930123456")
    first = Call.incoming(carrier)
    carrier.reply(first.invite, 407, "Proxy Authentication Required", "t1", extra=[
        ("Proxy-Authenticate", 'Digest realm="carrier.example", nonce="abc123", algorithm=MD5')])
    carrier.expect("ACK")
    second = Call.incoming(carrier)
    check_credentials(second.invite)
    second.reply(200, second.offer(CALLEE_RTP))
    call.established(call.expect(200))
    carrier.expect("ACK")
    end(call, carrier)
    gateway.wait_idle()
    assert "s3cret" not in gateway.daemon.text()


def check_credentials(invite):
    """The Proxy-Authorization answers the challenge with the trunk's name and password."""
    value = invite.get("proxy-authorization")
    uri = re.search(r'uri="([^"]*)"', value).group(1)
    want = digest('Digest realm="carrier.example", nonce="abc123"', "INVITE", uri, "hornwork",
                  "s3cret")
    assert re.search(r'response="(\w+)"', want).group(1) in value
    assert 'username="hornwork"' in value
