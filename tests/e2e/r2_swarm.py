"""A flood from many sources of few messages each is told as one; nobody is banned for it, and phones go on."""

import json
import re
import socket
import time

import pytest

from hwlab import netns
from hwlab.message import build
from r2_shield import forged

SOURCES = [f"60.{n}.1.7" for n in range(1, 9)]
GRACE_S = 6


def invite(n):
    """What the same program sends, whoever it claims to be."""
    return build(f"INVITE sip:{n}@203.0.113.10 SIP/2.0",
                 [("Via", f"SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bK{1000 + n}"), ("Max-Forwards", "70"),
                  ("From", f"<sip:x@203.0.113.10>;tag={2000 + n}"), ("To", f"<sip:{n}@203.0.113.10>"),
                  ("Call-ID", str(30000 + n)), ("CSeq", "1 INVITE"), ("Contact", "<sip:x@10.9.9.9>"),
                  ("User-Agent", "Bot")])


def send_from_each(lab, target, first):
    """One INVITE from each forged source."""
    with netns.inside(lab.ns("stranger")), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for n, source in enumerate(SOURCES):
            raw.sendto(forged(source, invite(first + n), target), (target[0], 0))
            time.sleep(0.01)


@pytest.mark.limit(90)
def test_a_slow_flood_is_one_event(lab, kamailio, gateway_of, peer_at):
    gateway = gateway_of(more="limits { flood-sources = 6 }")
    alice = peer_at("phone", "alice", gateway.outside)
    alice.register()
    send_from_each(lab, gateway.outside, 100)
    time.sleep(GRACE_S)
    send_from_each(lab, gateway.outside, 200)
    event = gateway.wait_event(event_type="alert", reason="distributed_flood")
    assert re.search(r"\b[678] sources in [678] networks", event["message"]) and 'User-Agent "Bot"' in event["message"], event
    gateway.wait_event(event_type="refused", reason="distributed_flood")
    assert json.loads(gateway.command("bans", "--json").stdout) == []
    alice.register()
    bob = peer_at("phone2", "bob", gateway.outside)
    bob.register()
    assert not [one for one in gateway.events() if one.get("reason") == "distributed_flood"
                and one["src_ip"] not in SOURCES]
