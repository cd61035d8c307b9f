"""IPv6 outside, IPv4 inside, and IPv6 on both sides: the gateway speaks each side's own."""

import time

import pytest

from hwlab.baresip import Baresip
from hwlab.capture import Capture
from hwlab.topology import address


def proxy(host_interface, family):
    """The gateway's SIP address on one side."""
    own = address("gw", host_interface, family)
    return f"[{own}]:5060" if family == 6 else f"{own}:5060"


@pytest.mark.parametrize("outside, inside, transport", [(6, 4, "udp"), (6, 6, "udp"), (6, 4, "tcp"),
                                                        (4, 6, "udp")])
def test_a_call_between_families(lab, gateway, outside, inside, transport):
    alice = Baresip(lab, "alice", "ext", proxy("eth0", outside), 440, transport,
                    family=outside).start()
    bob = Baresip(lab, "bob", "desk", proxy("eth2", inside), 620, family=inside).start()
    with Capture(lab, "gw", "eth0", "outside") as capture:
        alice.dial("bob")
        time.sleep(2.0)
        alice.hangup()
        bob.wait_event("CALL_CLOSED")
        gateway.wait_idle()
    assert alice.heard().only(620, 1.2), alice.heard().says()
    assert bob.heard().only(440, 1.2), bob.heard().says()
    version = "ipv6" if outside == 6 else "ip"
    other = "ip" if outside == 6 else "ipv6"
    assert capture.count(f"{version} && udp") > 100
    assert capture.count(f"{other} && (udp || tcp)") == 0
