"""Media leaves the gateway marked EF and signalling CS3, whatever mark came in."""

import pytest

from hwlab.capture import Capture
from hwlab.topology import address

EF, CS3 = 46, 24


def marks(capture, own_address, display_filter):
    """DSCP values of packets that the gateway sent on that side, with how many of each."""
    rows = capture.fields(f"ip.src == {own_address} && ({display_filter})", "ip.dsfield.dscp")
    out = {}
    for row in rows:
        out[int(row[0])] = out.get(int(row[0]), 0) + 1
    return out


@pytest.mark.parametrize("path", ["kernel", "user"])
def test_on_both_sides(path, lab, kamailio, gateway_of, scripted_call):
    # At the far ends: what the kernel path sends is seen by no capture on the gateway itself.
    del kamailio
    gateway = gateway_of(more="" if path == "kernel" else "media { path = user }")
    with Capture(lab, "ext", "eth0", "outside") as outside, \
            Capture(lab, "peer", "eth0", "core") as core, Capture(lab, "pbx", "eth0", "pbx") as pbx:
        call = scripted_call(gateway).establish()
        call.talk(0.6)
        assert {s["path"] for s in gateway.calls()[0]["streams"]} == {path}
        call.hang_up()
        gateway.wait_idle()
    for media_at, sip_at, own in ((outside, outside, address("gw", "eth0")),
                                  (core, pbx, address("gw", "eth1"))):
        media = marks(media_at, own, "udp.srcport >= 16384 && udp.srcport <= 32767")
        assert set(media) == {EF} and media[EF] > 20, media
        signalling = marks(sip_at, own, "sip")
        assert set(signalling) == {CS3} and signalling[CS3] >= 4, signalling


def test_over_tcp(lab, gateway, peer_at):
    with Capture(lab, "gw", "eth0", "outside") as outside:
        peer_at("ext", "alice", gateway.outside, transport="tcp").register()
    signalling = marks(outside, address("gw", "eth0"), "tcp.len > 0")
    assert set(signalling) == {CS3}, signalling
