"""What does not belong on a link is seen while the gateway runs, told once with evidence, and listed."""

import os
import random
import socket
import struct
import time

import pytest

from hwlab import frames, netns, trunk
from hwlab.hornwork import Hornwork
from hwlab.proc import wait_until

PHONE, SWITCH, OTHER, HIDDEN, LATE = (bytes((2, 0, 0, 0x5e, 0, n)) for n in (0x20, 0x99, 0x66, 0x77, 0x79))
MORE = {"data": 'dhcp-servers = {"10.30.0.2"}  switches = {"02:00:00:5e:00:99"}',
        "office": "cleartext = deny"}
CONFIG = """
pbx main {{ zone = core  address = "{pbx}" }}
phones desk {{ zone = voice  to = main }}
console {{ events = "{{events}}" }}
"""
INVITE = b"INVITE sip:bob@10.20.0.20 SIP/2.0\r\nVia: SIP/2.0/UDP 10.30.0.20\r\n\r\n"


@pytest.fixture(scope="module", params=["cables", "trunk"])
def lab(request):
    """Five zones with a running gateway."""
    reason = trunk.why_not() if request.param == "trunk" else None
    if reason:
        pytest.skip(reason)
    with trunk.TrunkLab(f"k{os.getpid()}{request.param[0]}", request.param == "trunk") as made:
        config = made.zone_sections(MORE) + CONFIG.format(pbx=trunk.address("core"))
        made.gateway = Hornwork(made, config=config).start()
        want = 2 if made.tagged else 5
        wait_until(lambda: len(made.gateway.status()["links_watched"]) == want, 5, "the links are watched")
        yield made
        if made.gateway.daemon.alive():
            assert made.gateway.stop() == 0


def text_of(mac):
    return mac.hex(":")


def send(made, zone, *rows):
    """Frames onto the zone's link, on the trunk with its tag: what a switch passes on, and what it should not."""
    vlan = trunk.ZONES[zone][0]
    host, link = ("switch", "trunk") if made.tagged and vlan else (trunk.host_of(zone), "eth0")
    with netns.inside(made.ns(host)), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((link, 0))
        for row in rows:
            raw.send(row[:12] + struct.pack("!HH", 0x8100, vlan) + row[12:] if made.tagged and vlan else row)


def udp(mac, source, target, payload):
    """An Ethernet frame with an IPv4 datagram; source and target are (address, port)."""
    data = struct.pack("!HHHH", source[1], target[1], 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(target[0]))
    return frames.ether(mac, 0x0800, head + data)


def segment(mac, source, target, payload):
    """The same with a segment of TCP."""
    data = struct.pack("!HHIIBBHHH", source[1], target[1], 1, 1, 5 << 4, 0x18, 1000, 0, 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, 0, 64, 6, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(target[0]))
    return frames.ether(mac, 0x0800, head + data)


def stream(mac, source, target, payload, count=20):
    return [udp(mac, source, target, struct.pack("!BBHII", 0x80, 0, n, 160 * n, 7) + payload(n)) for n in range(count)]


def told(made, reason, mac):
    """The one event of this kind about this sender, and its row in the listing."""
    def events():
        return [e for e in made.gateway.events(event_type="leak", reason=reason) if text_of(mac) in e["message"]]
    wait_until(events, 10, f"{reason} of {text_of(mac)} is told")
    same = events()
    assert len(same) == 1 and same[0]["tag"] == "r5", same
    rows = [k for k in made.gateway.ask("leaks") if k["reason"] == reason and k["src_mac"] == text_of(mac)]
    assert len(rows) == 1 and rows[0]["evidence"] in same[0]["message"], rows
    assert rows[0]["evidence"] in made.gateway.command("explain", text_of(mac)).stdout
    return rows[0]


def test_tags(lab):
    """Tagged once where no VLAN is, and twice anywhere."""
    packet = udp(OTHER, ("10.30.0.66", 9), ("10.20.0.20", 7000), b"hop")
    def tagged(*vlans):
        return packet[:12] + b"".join(struct.pack("!HH", 0x8100, v) for v in vlans) + packet[12:]
    if lab.tagged:
        send(lab, "data", tagged(110), tagged(110))
        row = told(lab, "leak_double_tag", OTHER)
        assert row["vlans"] == [120, 110] and row["link"] == trunk.TRUNK
    else:
        send(lab, "data", tagged(110), tagged(110), tagged(0), tagged(120, 110))
        row = told(lab, "leak_tag", OTHER)
        assert row["vlans"] == [110] and row["link"] == lab.links["data"]
        assert told(lab, "leak_double_tag", OTHER)["vlans"] == [120, 110]
    assert row["count"] == 2
    said = lab.gateway.command("explain", text_of(OTHER)).stdout
    assert "tagged" in said and text_of(OTHER) in said, said


def test_voice_of_a_data_host(lab):
    """SIP and RTP past the gateway are told; what goes to the gateway, and what only looks alike, is not."""
    chance = random.Random(5)
    pc, phone, gate = ("10.30.0.77", 5060), ("10.20.0.20", 5060), (trunk.address("data", gateway=True), 5060)
    send(lab, "data", udp(SWITCH, ("10.30.0.78", 5060), gate, INVITE),
         *[udp(SWITCH, pc, phone, b"\x80\x00" + chance.randbytes(100)) for _ in range(50)],
         udp(HIDDEN, pc, phone, INVITE), *stream(HIDDEN, pc, phone, lambda n: bytes(160)))
    assert "INVITE sip:bob@10.20.0.20" in told(lab, "leak_sip", HIDDEN)["evidence"]
    row = told(lab, "leak_rtp", HIDDEN)
    assert row["zone"] == "data" and row["count"] == 20 - 7
    assert not [k for k in lab.gateway.ask("leaks") if k["src_mac"] == text_of(SWITCH)]
    said = lab.gateway.command("explain", "10.30.0.77").stdout
    assert "speaks SIP" in said and "sends RTP" in said, said


def test_sip_that_begins_in_a_segment(lab):
    """Behind the end of another message, beyond what is kept of a frame that may be voice."""
    body = b"a=sendrecv\r\n" * 70
    send(lab, "data", segment(LATE, ("10.30.0.79", 40000), ("10.20.0.20", 5060), body + INVITE))
    row = told(lab, "leak_sip", LATE)
    assert "10.30.0.79:40000" in row["evidence"] and "INVITE sip:bob@10.20.0.20" in row["evidence"]


def test_phone_on_the_data_vlan(lab):
    """It announces itself (always untagged), then takes an address of the data zone."""
    if lab.tagged:
        send(lab, "internet", frames.lldp(PHONE, *frames.PHONE_SAYS))   # nobody knows it on the trunk yet
        with netns.inside(lab.ns("switch")), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("trunk", 0))
            raw.send(frames.lldp(PHONE, *frames.PHONE_SAYS))
    else:
        send(lab, "data", frames.lldp(PHONE, *frames.PHONE_SAYS))
    wait_until(lambda: any(d["mac"] == text_of(PHONE) for d in lab.gateway.ask("devices")), 5, "the phone is listed")
    send(lab, "data", frames.arp(PHONE, "10.30.0.40"))
    row = told(lab, "leak_voice_device", PHONE)
    assert row["zone"] == "data" and "10.30.0.40" in row["evidence"]
    phone, = [d for d in lab.gateway.ask("devices") if d["mac"] == text_of(PHONE) and d["zone"] == "data"]
    assert {k: phone[k] for k in ("class", "name", "maker", "model", "firmware", "serial", "address", "known_by")} == {
        "class": "phone", "name": "SEP0200", "maker": "Acme", "model": "Desk 7", "firmware": "fw 2.9", "serial": "SN77",
        "address": "10.30.0.40", "known_by": ["lldp"]}
    assert "Desk 7" in lab.gateway.command("devices").stdout
    assert "firmware fw 2.9" in lab.gateway.command("explain", "10.30.0.40").stdout


def test_strangers_that_serve(lab):
    """Answers of DHCP and speakers as a switch that the zone does not name."""
    everybody = ("255.255.255.255", 68)
    send(lab, "data", udp(SWITCH, ("10.30.0.2", 67), everybody, frames.dhcp(PHONE, 2)),
         udp(OTHER, ("10.30.0.66", 67), everybody, frames.dhcp(PHONE, 2)))
    assert told(lab, "leak_server", OTHER)["evidence"] == "an answer of DHCP of 10.30.0.66"
    if lab.tagged:          # a switch's words are untagged: `switches` counts on the carrier
        with netns.inside(lab.ns("switch")), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("trunk", 0))
            raw.send(frames.lldp(SWITCH, *frames.SWITCH_SAYS))
            raw.send(frames.lldp(OTHER, *frames.SWITCH_SAYS, frames.policy(666)))
    else:
        send(lab, "data", frames.lldp(SWITCH, *frames.SWITCH_SAYS), frames.lldp(OTHER, *frames.SWITCH_SAYS),
             frames.cdp(OTHER, 0x08))
    row = told(lab, "leak_switch", OTHER)
    assert row["count"] == (1 if lab.tagged else 2)
    assert not [k for k in lab.gateway.ask("leaks") if k["src_mac"] == text_of(SWITCH)]


def test_cleartext(lab):
    """In a zone that wants voice encrypted, also what is sent to the gateway."""
    chance = random.Random(6)
    gate, source = (trunk.address("office", gateway=True), 17000), "10.99.0.9"
    send(lab, "office", *stream(SWITCH, (source, 9000), gate, lambda n: chance.randbytes(170), 60),
         *stream(OTHER, (source, 9002), gate, lambda n: bytes(160)))
    row = told(lab, "leak_cleartext", OTHER)
    assert row["zone"] == "office" and "RTP" in row["evidence"]
    assert not [k for k in lab.gateway.ask("leaks") if k["src_mac"] == text_of(SWITCH)]


def frames_seen(made, zone):
    links = made.gateway.status()["links_watched"]
    interface = trunk.TRUNK if made.tagged and trunk.ZONES[zone][0] else made.links[zone]
    return next(row for row in links if row["interface"] == interface)


def test_what_is_no_voice_costs_nothing(lab):
    """The kernel passes on what may be of interest alone; metrics count it."""
    gate = (trunk.address("data", gateway=True), 40000)
    before = frames_seen(lab, "data")["frames"]
    send(lab, "data", *[udp(SWITCH, ("10.30.0.81", 443), ("10.20.0.20", 50000), b"\x40" + bytes(900))] * 500,
         *stream(SWITCH, ("10.30.0.81", 9000), gate, lambda n: bytes(160), 100),
         udp(SWITCH, ("10.30.0.81", 5060), ("10.30.0.1", 5060), INVITE))
    wait_until(lambda: frames_seen(lab, "data")["frames"] > before, 5, "the last one is seen")
    time.sleep(0.3)
    assert frames_seen(lab, "data")["frames"] - before < 50         # ARP and the like besides
    link = trunk.TRUNK if lab.tagged else lab.links["data"]
    metrics = lab.gateway.api("/metrics")[1].decode()
    assert f'hornwork_watched_frames_total{{interface="{link}"}}' in metrics
    assert f'hornwork_leaked_frames_total{{link="{link}",reason="leak_tag"}}' in metrics


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_flood(lab):
    """More than can be looked at: counted as missed, told once, the processor's time and the tables bounded."""
    pid, began = lab.gateway.processes()["watch"], time.monotonic()
    spent, burst = cpu_s(pid), udp(OTHER, ("10.30.0.90", 9), ("10.20.0.20", 9), b"\x80\x00" + bytes(20))
    rows = [burst[:6] + struct.pack("!HI", 0x0200, n) + burst[12:] for n in range(20000)]
    for _ in range(20):
        send(lab, "data", *rows)
        if frames_seen(lab, "data")["missed"]:
            break
    assert frames_seen(lab, "data")["missed"] > 0
    lab.gateway.wait_event(event_type="leak", reason="leak_watch_overrun")
    assert cpu_s(pid) - spent < 0.5 * (time.monotonic() - began) + 0.5
    assert len(lab.gateway.events(reason="leak_watch_overrun")) == 1
    assert len(lab.gateway.ask("leaks")) < 8 * 128 * 5
    def drained():
        seen = frames_seen(lab, "data")["frames"]
        time.sleep(0.6)
        return frames_seen(lab, "data")["frames"] - seen < 20
    wait_until(drained, 15, "what waits is looked at")


def test_watch_dies_and_comes_back(lab):
    """Meanwhile the others answer; what was found before is forgotten, what comes is seen."""
    pid = lab.gateway.processes()["watch"]
    os.kill(pid, 9)
    assert lab.gateway.status()["calls"] == 0
    wait_until(lambda: lab.gateway.processes()["watch"] not in (0, pid), 8, "watch is started again")
    want = 2 if lab.tagged else 5
    wait_until(lambda: len(lab.gateway.status().get("links_watched", [])) == want, 8, "the links are watched again")
    send(lab, "data", udp(OTHER, ("10.30.0.91", 5060), ("10.20.0.20", 5060), INVITE))
    wait_until(lambda: any("10.30.0.91" in k["evidence"] for k in lab.gateway.ask("leaks")), 5, "it is seen")


def test_reload_takes_links_away(lab):
    """`leak-watch = no` on every zone of a link closes its socket; findings stay."""
    text, found = lab.gateway.config, len(lab.gateway.ask("leaks"))
    inet = lab.links["internet"]
    lab.gateway.reload(text.replace("role = wan", "role = wan  leak-watch = no"))
    wait_until(lambda: inet not in [r["interface"] for r in lab.gateway.status()["links_watched"]], 5, "it is closed")
    assert len(lab.gateway.ask("leaks")) >= found > 0
    lab.gateway.reload(text)
    wait_until(lambda: inet in [r["interface"] for r in lab.gateway.status()["links_watched"]], 5, "it is open again")
