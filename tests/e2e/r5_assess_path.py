"""Checks of the path between places and of what a link tells: SIP ALGs, DSCP, LLDP and CDP."""

import socket
import struct
import threading

import pytest

from hwlab.assess import Assessor
from hwlab.topology import address

ROUTER = "asset router { address = 192.168.1.1  kind = network  packets-per-second = 100 }\n"
INSIDE = "place inside { address = 192.168.1.20 }\n"
SWITCH = "asset switch { address = 10.10.0.5  kind = network  packets-per-second = 100 }\n"
DATA = "place data { address = 10.10.0.20 }\n"


@pytest.fixture
def router_rule(lab):
    """A function that puts one more rule into the home router, until the test ends."""
    def rule(text):
        lab.run("home", ["nft", "add table ip lab; add chain ip lab c { type filter hook forward "
                         f"priority -10; }}; add rule ip lab c {text}"])
    yield rule
    lab.run("home", ["nft", "delete", "table", "ip", "lab"], check=False)


def behind_the_router(lab, server_of):
    """An assessor in the home network, with a place outside of its NAT."""
    return Assessor(lab, "phone").configure(ROUTER + INSIDE + server_of("ext").place("outside"))


def mended(lab, assessor, check):
    """The rule is gone: the finding must be called fixed."""
    lab.run("home", ["nft", "delete", "table", "ip", "lab"])
    good = assessor.run(only=check)
    assert {f["change"] for f in good.findings(check)} == {"fixed"}, good.text
    assert good.code == 0 and good.verdict(check) == "clean"


@pytest.mark.proves("GW-10")
def test_gw10_a_router_rewrites_sip(lab, server_of, router_rule):
    """The home router puts its own address into the Via, as an ALG does; then it does not."""
    before = len(f"OPTIONS sip:{address('ext')}:5060 SIP/2.0\r\nVia: SIP/2.0/UDP ")
    own = address("home").encode()
    assert len(own) == len("192.168.1.20")
    router_rule(f"udp dport 5060 @th,{(8 + before) * 8},{len(own) * 8} set 0x{own.hex()}")
    assessor = behind_the_router(lab, server_of)
    bad = assessor.run(only="GW-10")
    assert bad.verdict("GW-10") == "found" and bad.code == 1, bad.text + bad.stderr
    assert f"Via: SIP/2.0/UDP {address('home')}:" in bad.open()[0]["evidence"]
    mended(lab, assessor, "GW-10")


def test_gw10_sip_that_does_not_pass_is_not_called_clean(lab, server_of, router_rule):
    """Port 5060 is closed on the way out: no ALG is seen, and nothing is said of one."""
    router_rule("udp dport 5060 drop")
    report = behind_the_router(lab, server_of).run(only="GW-10")
    assert report.verdict("GW-10") == "not applicable", report.text
    assert "does not pass" in report.why("GW-10")


@pytest.mark.proves("VL-13")
def test_vl13_marks_lost(lab, server_of, router_rule):
    """The home router clears DSCP; then it does not."""
    router_rule("ip dscp set cs0")
    assessor = behind_the_router(lab, server_of)
    bad = assessor.run(only="VL-13")
    assert bad.verdict("VL-13") == "found" and bad.code == 1, bad.text + bad.stderr
    assert "DSCP EF (46) from place inside, it arrives at place outside with 0" in \
        bad.open()[0]["evidence"]
    assert "CS3 (24)" in bad.open()[0]["evidence"]
    mended(lab, assessor, "VL-13")


# -- what a link tells -----------------------------------------------------------------------

def _tlv(kind, value):
    return struct.pack("!H", kind << 9 | len(value)) + value


BARE = _tlv(1, b"\4\2\0\0\0\0\1") + _tlv(2, b"\5p1") + _tlv(3, struct.pack("!H", 120))
POLICY = b"\x00\x12\xbb\x02\x01" + (110 << 9 | 5 << 6 | 46).to_bytes(3, "big")
LLDP = bytes.fromhex("0180c200000e 020000000001 88cc")
CDP = bytes.fromhex("01000ccccccc 020000000001 0024 aaaa0300000c2000 02b40000".replace(" ", ""))


class Switch:
    """The switch's side of a host's port: sends a frame every half second, or as said."""

    def __init__(self, lab, host, frame, every_s=0.5):
        self.sock = lab.socket("switch", socket.AF_PACKET, socket.SOCK_RAW)
        self.sock.bind((f"p-{host}", 0))
        self.frame, self.every_s, self.ended = frame, every_s, threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.ended.wait(self.every_s):
            self.sock.send(self.frame)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_exc):
        self.ended.set()
        self.thread.join()
        self.sock.close()


@pytest.mark.limit(180)
@pytest.mark.proves("VL-07")
def test_vl07_lldp_med_on_a_data_port(lab, phones_of):
    """Voice VLAN, DSCP and model are told; then the port's name alone."""
    phones_of({"sip": {}}, host="pbx")
    assessor = Assessor(lab, "peer").configure(SWITCH + DATA)
    model = _tlv(127, b"\x00\x12\xbb\x0aLab Switch 24")
    with Switch(lab, "peer", LLDP + BARE + _tlv(127, POLICY) + model + _tlv(0, b"")):
        bad = assessor.run(only="VL-07")
    assert bad.verdict("VL-07") == "found" and bad.code == 1, bad.text + bad.stderr
    assert "voice VLAN 110 (DSCP 46), model Lab Switch 24" in bad.open()[0]["evidence"]
    with Switch(lab, "peer", LLDP + BARE + _tlv(0, b"")):
        good = assessor.run(only="VL-07")
    assert {f["change"] for f in good.findings("VL-07")} == {"fixed"}, good.text
    assert good.verdict("VL-07") == "clean"


def test_vl07_cdp_on_a_data_port(lab, phones_of):
    """CDP tells the same in its own way."""
    phones_of({"sip": {}}, host="pbx")
    fields = struct.pack("!HHBH", 0x000E, 7, 1, 110) + struct.pack("!HH", 6, 12) + b"LabPhone"
    with Switch(lab, "peer", CDP + fields):
        bad = Assessor(lab, "peer").configure(SWITCH + DATA).run(only="VL-07")
    assert bad.verdict("VL-07") == "found", bad.text + bad.stderr
    assert "voice VLAN 110, model LabPhone" in bad.open()[0]["evidence"]


def test_vl07_a_flood_is_not_called_clean(lab, phones_of):
    """Frames that tell nothing until the limit is reached: what came later was not heard."""
    phones_of({"sip": {}}, host="pbx")
    with Switch(lab, "peer", LLDP + BARE + _tlv(0, b""), every_s=0.002):
        report = Assessor(lab, "peer").configure(SWITCH + DATA).run(only="VL-07")
    assert report.verdict("VL-07") == "not tested" and report.code == 3, report.text
    assert "did not listen to the end" in report.why("VL-07")
