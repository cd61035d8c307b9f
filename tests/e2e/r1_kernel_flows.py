"""What single flows of the kernel path do: learn anew, report by RTCP, turn back, meet a narrow way."""

import socket
import struct
import time

import pytest

from hwlab.proc import wait_until
from hwlab.topology import address
from story import CALLEE_RTP, CALLER_RTP

SOON_S = 5.0
SECOND_PORT, SECOND_HZ = 4100, 1130


def stream(call, direction):
    """The call's audio from one side, as it was opened last."""
    return [s for s in call.record()["streams"] if s["direction"] == direction][-1]


def all_on_kernel_path(call):
    """Wait until every stream of the call is on the kernel path."""
    wait_until(lambda: {(s["path"], s["why"]) for s in call.record()["streams"]} == {("kernel", "")},
               SOON_S, "all streams on the kernel path")


def reinvite(call, port):
    """The caller's media moves to another port; the callee agrees."""
    call.caller.send("INVITE", call.caller.offer(port))
    again = call.phone.expect("INVITE")
    call.phone.reply(again, 200, "OK", call.callee.tag, call.callee.offer(CALLEE_RTP))
    call.caller.expect(200)
    call.caller.ack()


def test_a_reinvite_lets_the_port_be_learned_again(gateway, scripted_call, talker_at):
    """Behind NAT: another port of the justified address is refused until the phone says so."""
    call = scripted_call(gateway, caller_at="phone").establish()
    all_on_kernel_path(call)
    first = stream(call, "from_caller")
    assert first["source_learned"]
    later = talker_at("phone", SECOND_PORT, SECOND_HZ)
    later.remote, call.voice.remote = call.voice.remote, None
    wait_until(lambda: stream(call, "from_caller")["refused"] > first["refused"] + 10, SOON_S,
               "another port is refused")
    assert not later.got
    later.remote, remote = None, later.remote
    heard = len(call.ear.got)
    reinvite(call, SECOND_PORT)
    later.remote = remote
    wait_until(lambda: len(later.got) > 25 and len(call.ear.got) > heard + 25, SOON_S,
               "audio with the new port, both ways")
    all_on_kernel_path(call)
    now = stream(call, "from_caller")
    assert now["source_learned"] and now["source"] != first["source"]
    assert call.ear.heard(heard).only(SECOND_HZ, 0.3)
    mark = len(call.voice.got)
    call.voice.remote = remote              # the old one: it is the stranger now
    refused = stream(call, "from_caller")["refused"]
    wait_until(lambda: stream(call, "from_caller")["refused"] > refused + 10, SOON_S,
               "the old port is refused")
    assert len(call.voice.got) == mark
    later.remote = None
    call.hang_up()
    gateway.wait_idle()


class Reporter:
    """The RTCP port of one side: RFC 3550 6.4 by hand."""

    def __init__(self, lab, host, port, ssrc):
        self.ssrc = ssrc
        self.socket = lab.socket(host, socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address(host), port))
        self.socket.settimeout(SOON_S)

    def sender_report(self, remote, ntp):
        """An SR whose clock says `ntp` (64 bits)."""
        self.socket.sendto(struct.pack("!BBHIQIII", 0x80, 200, 6, self.ssrc, ntp, 0, 10, 1600), remote)

    def receiver_report(self, remote, of_ssrc, last_sr, delay_s, lost):
        """An RR about a stream: the middle of the last SR's clock, and how long ago that came."""
        self.socket.sendto(struct.pack("!BBHIIIIIII", 0x81, 201, 7, self.ssrc, of_ssrc, lost, 100, 5,
                                       last_sr, int(delay_s * 65536)), remote)

    def receive(self):
        """The next packet."""
        return self.socket.recv(2048)


@pytest.fixture
def reporters(lab):
    """Both sides' RTCP ports: caller's, callee's."""
    both = Reporter(lab, "ext", CALLER_RTP + 1, 0x1111), Reporter(lab, "peer", CALLEE_RTP + 1, 0x2222)
    yield both
    for one in both:
        one.socket.close()


def test_the_round_trip_is_measured_by_rtcp(gateway, scripted_call, reporters):
    """The callee's SR and the caller's RR pass by the kernel path; copies of them tell the round trip."""
    caller, callee = reporters
    call = scripted_call(gateway).establish()
    all_on_kernel_path(call)
    to_caller = call.ear.remote[0], call.ear.remote[1] + 1
    to_callee = call.voice.remote[0], call.voice.remote[1] + 1
    ntp = 0x83AA7E8112345678
    held_s = 0.3
    sent = time.monotonic()
    callee.sender_report(to_caller, ntp)
    assert caller.receive()[1] == 200
    time.sleep(held_s)                       # a wire of 300 ms, as far as the gateway can see
    caller.receiver_report(to_callee, 0x2222, ntp >> 16 & 0xFFFFFFFF, 0.0, 51 << 24 | 7)
    assert callee.receive()[1] == 201
    took_ms = 1000 * (time.monotonic() - sent)
    wait_until(lambda: stream(call, "from_caller")["round_trip_ms"], SOON_S, "a round trip")
    far = stream(call, "from_caller")
    assert 1000 * held_s <= far["round_trip_ms"] <= took_ms, (far, took_ms)
    assert far["far_lost"] == 7
    assert stream(call, "from_callee")["round_trip_ms"] is None, "nobody reported on the caller's"
    # the same, and the caller says that it held the report for that long
    sent = time.monotonic()
    callee.sender_report(to_caller, ntp + (1 << 32))
    caller.receive()
    time.sleep(held_s)
    caller.receiver_report(to_callee, 0x2222, (ntp + (1 << 32)) >> 16 & 0xFFFFFFFF, held_s, 0)
    callee.receive()
    took_ms = 1000 * (time.monotonic() - sent)
    wait_until(lambda: stream(call, "from_caller")["far_lost"] == 0, SOON_S, "the second report")
    near = stream(call, "from_caller")
    assert near["round_trip_ms"] <= took_ms - 1000 * held_s + 1
    assert far["r_factor"] < near["r_factor"] - 2 and far["mos"] < near["mos"], "150 ms one way are heard (G.107 7.4)"
    all_on_kernel_path(call)
    call.hang_up()
    gateway.wait_idle()


def test_a_call_may_turn_back_on_its_interface(kamailio, gateway_of, scripted_call):
    """Both phones in the core network: in and out by one interface, by the kernel path."""
    gateway = gateway_of(more='phones local { zone = core  listen = {"udp:5062"}  to = main }')
    gateway.outside = (address("gw", "eth1"), 5062)
    call = scripted_call(gateway, caller_at="ast").establish()
    all_on_kernel_path(call)
    assert {s["zone"] for s in call.record()["streams"]} == {"core"}
    marks = len(call.voice.got), len(call.ear.got)
    assert min(call.talk(1.0)) > 40
    assert call.ear.heard(marks[1]).only(440, 0.5) and call.voice.heard(marks[0]).only(850, 0.5)
    here = {source[0] for _, source, *_ in call.voice.got + call.ear.got}
    assert here == {address("gw", "eth1")}, "each hears the gateway alone"
    assert stream(call, "from_caller")["packets"] > 40
    call.hang_up()
    gateway.wait_idle()


@pytest.fixture
def narrow(lab):
    """The gateway's interface to the core takes 1,300 bytes."""
    lab.run("gw", ["ip", "link", "set", "eth1", "mtu", "1300"])
    yield
    lab.run("gw", ["ip", "link", "set", "eth1", "mtu", "1500"])


def test_a_packet_too_long_for_the_way_is_not_lost(narrow, kamailio, gateway_of, scripted_call):
    """It goes by the stack, and the stream says so; the others stay on the kernel path."""
    call = scripted_call(gateway_of()).establish()
    all_on_kernel_path(call)
    long = bytes(1400)
    packet = call.voice.packet
    call.voice.packet = lambda number: packet(number) if number % 50 else packet(number)[:12] + long
    wait_until(lambda: any(got[4] == long for got in call.ear.got), SOON_S, "the long one arrives whole")
    said = stream(call, "from_caller")
    assert said["path"] == "kernel" and said["why"] == "a packet is longer than the way out takes"
    assert said["lost"] == 0 and stream(call, "from_callee")["why"] == ""
    call.hush()
    time.sleep(0.2)
    numbers = [got[2] for got in call.ear.got]
    assert sorted(set(range(min(numbers), max(numbers) + 1)) - set(numbers)) == []
    call.hang_up()
