"""Between the zones nothing passes but what a line admits, IPv4 and IPv6, on cables and on a VLAN trunk."""

import json
import os
import socket
import struct
import time

import pytest

from hwlab import netns, trunk
from hwlab.hornwork import Hornwork
from hwlab.proc import wait_until

PORT, MANAGED, OTHER = 7000, 161, 7002
SOURCE_PORT = 7100

# (from, to, port) that a line admits: reaches of the zones, and the office's administrators
ADMITTED = {("core", "internet", PORT), ("core", "internet", OTHER), ("core", "internet", MANAGED),
            ("core", "voice", PORT), ("office", "voice", MANAGED), ("data", "internet", OTHER)}
MORE = {"core": 'reaches = {"internet", "voice udp:7000"}', "data": 'reaches = {"internet udp:7002"}'}

CONFIG = """
pbx main {{ zone = core  address = "{pbx}" }}
phones desk {{ zone = voice  to = main }}
phones soft {{ zone = data  to = main }}
assess {{ admins = {{"10.99.0.0/28", "fd00:99::/64"}} }}
console {{ events = "{{events}}" }}
"""


@pytest.fixture(scope="module", params=["cables", "trunk"])
def zones(request):
    """The five zones with a running gateway."""
    reason = trunk.why_not() if request.param == "trunk" else None
    if reason:
        pytest.skip(reason)
    with trunk.TrunkLab(f"z{os.getpid()}{request.param[0]}", request.param == "trunk") as lab:
        config = lab.zone_sections(MORE) + CONFIG.format(pbx=trunk.address("core"))
        lab.gateway = Hornwork(lab, config=config).start()
        yield lab
        if lab.gateway.daemon.alive():
            assert lab.gateway.stop() == 0
        left = lab.run("gw", ["nft", "list", "tables"]).stdout
        assert "hornwork" not in left, left


def ear(lab, zone, port, family):
    """A UDP socket of the zone's host that keeps what arrives."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    sock = lab.socket(trunk.host_of(zone), kind, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((trunk.address(zone, family), port))
    sock.setblocking(False)
    return sock


def drain(sock):
    """Payloads that arrived."""
    out = []
    while True:
        try:
            out.append(sock.recv(2000).decode())
        except BlockingIOError:
            return out


def denied(lab):
    """Dropped packets by pair."""
    matrix = lab.gateway.ask("policy")[0]
    return {(p["from"], p["to"]): p["denied_packets"] for p in matrix["pairs"]}


def edge(lab, zone, what):
    """A counter of a zone's edge."""
    rows = lab.gateway.ask("policy")[0]["zones"]
    return next(z for z in rows if z["name"] == zone)[f"{what}_packets"]


def warm_up(lab, family):
    """Neighbour entries are there before anything is counted."""
    for zone in trunk.ZONES:
        with lab.socket(trunk.host_of(zone), socket.AF_INET if family == 4 else socket.AF_INET6,
                        socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", (trunk.address(zone, family, gateway=True), 9))
    time.sleep(0.3)


@pytest.mark.parametrize("family", [4, 6])
def test_every_pair(zones, family):
    """Each zone's host sends to each other one on three ports; what is denied is counted by its cell."""
    warm_up(zones, family)
    ports = (PORT, MANAGED, OTHER)
    ears = {(to, port): ear(zones, to, port, family) for to in trunk.ZONES for port in ports}
    before, want = denied(zones), {}
    for source in trunk.ZONES:
        mouth = ear(zones, source, SOURCE_PORT, family)
        for to in trunk.ZONES:
            for port in ports if to != source else ():
                mouth.sendto(f"{source} {to} {port}".encode(), (trunk.address(to, family), port))
                if (source, to, port) not in ADMITTED:
                    want[source, to] = want.get((source, to), 0) + 1
        mouth.close()
    time.sleep(0.7)
    arrived = {tuple(text.split()) for sock in ears.values() for text in drain(sock)}
    for sock in ears.values():
        sock.close()
    assert arrived == {(a, b, str(port)) for a, b, port in ADMITTED}
    after = denied(zones)
    assert {pair: after[pair] - before[pair] for pair in after if after[pair] != before[pair]} == want


@pytest.mark.parametrize("family", [4, 6])
def test_answers_come_back(zones, family):
    """What is admitted one way is answered the other way, and only that."""
    warm_up(zones, family)
    asker, answerer = ear(zones, "core", SOURCE_PORT, family), ear(zones, "voice", PORT, family)
    asker.sendto(b"question", (trunk.address("voice", family), PORT))
    wait_until(lambda: drain(answerer), 2, "the question")
    answerer.sendto(b"answer", (trunk.address("core", family), SOURCE_PORT))
    wait_until(lambda: drain(asker), 2, "the answer")
    answerer.sendto(b"unasked", (trunk.address("core", family), SOURCE_PORT + 1))
    time.sleep(0.3)
    assert drain(asker) == []
    asker.close()
    answerer.close()


@pytest.mark.parametrize("question, passes, line", [
    (("data", "voice", "udp:7002"), False, "zone data"), (("10.99.0.7", "10.20.0.20", "tcp:22"), True, "admins ="),
    (("office", "voice", "tcp:22"), False, "zone voice"), (("core", "voice", "udp:7000"), True, "voice udp:7000"),
    (("core", "voice", "udp:161"), False, "zone voice"), (("fd00:30::20", "2001:db8:113::60", "udp:7002"), True, "internet udp:7002"),
    (("voice", "gateway", "udp:5060"), True, "phones desk"), (("internet", "gateway", "tcp:22"), False, "zone internet"),
], ids=lambda value: "-".join(value) if isinstance(value, tuple) else None)
def test_explain(zones, question, passes, line):
    """The same answers as the packets got, with the line of the configuration that decides."""
    done = zones.gateway.command("policy", "--explain", *question, "--json", check=False)
    assert done.returncode == (0 if passes else 1), done.stdout + done.stderr
    said = json.loads(done.stdout)[0]
    assert said["verdict"] == ("pass" if passes else "drop"), said
    assert line in zones.gateway.config.split("\n")[said["line"] - 1], said
    assert f"line {said['line']}" in zones.gateway.command("policy", "--explain", *question, check=False).stdout


@pytest.mark.parametrize("family", [4, 6])
def test_data_reaches_voice_through_sip_alone(zones, family):
    """A softphone of the data zone is heard by the gateway, whose media ports are closed to it."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    gate = trunk.address("data", family, gateway=True)
    shown = f"[{gate}]" if family == 6 else gate
    own = f"[{trunk.address('data', family)}]" if family == 6 else trunk.address("data", family)
    with zones.socket("pc", kind, socket.SOCK_DGRAM) as mouth:
        mouth.bind((trunk.address("data", family), 5070))
        mouth.settimeout(10)
        mouth.sendto((f"OPTIONS sip:{shown} SIP/2.0\r\nVia: SIP/2.0/UDP {own}:5070;branch=z9hG4bKq{family}\r\nMax-Forwards: 70\r\n"
                      f"From: <sip:pc@{shown}>;tag=1\r\nTo: <sip:{shown}>\r\nCall-ID: q{family}\r\nCSeq: 1 OPTIONS\r\n"
                      "Content-Length: 0\r\n\r\n").encode(), (gate, 5060))
        assert mouth.recv(2000).startswith(b"SIP/2.0 200")
        def closed():
            rows = zones.gateway.api("/metrics")[1].decode().split("\n")
            return int(next(r for r in rows if r.startswith('hornwork_closed_port_packets_total{zone="data"}')).split()[1])
        before = closed()
        mouth.sendto(b"\x80\x00" + bytes(170), (gate, 20000))
        wait_until(lambda: closed() == before + 1, 10, "it is counted")


# ---- hopping ---------------------------------------------------------------------------------

def mac(lab, host, link):
    """Of an interface, as bytes."""
    text = lab.run(host, ["ip", "-o", "link", "show", link]).stdout
    return bytes.fromhex(text.split("link/ether ")[1].split()[0].replace(":", ""))


def udp4(source, target, port, payload):
    """An IPv4 packet."""
    data = struct.pack("!HHHH", SOURCE_PORT, port, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + head[12:] + data


def frames(lab, host, count, *ends):
    """Raw frames from a host's cable to the gateway; `ends` begin behind the two addresses."""
    link = lab.links[next(z for z in trunk.ZONES if trunk.host_of(z) == host)]
    there = trunk.TRUNK if lab.tagged and "." in link else link
    with netns.inside(lab.ns(host)), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        for end in ends * count:
            raw.send(mac_pair(lab, host, link if not lab.tagged else there) + end)


def mac_pair(lab, host, gateway_link):
    """Destination and source of a frame to the gateway."""
    return mac(lab, "gw", gateway_link) + mac(lab, host, "eth0")


def tag(vlan, inner):
    """802.1Q."""
    return struct.pack("!HH", 0x8100, vlan) + inner


def test_hopping_by_tags(zones):
    """A host at an access port tags its frames, once and twice: nothing reaches the voice VLAN."""
    phone = ear(zones, "voice", PORT, 4)
    packet = struct.pack("!H", 0x0800) + udp4(trunk.address("data"), trunk.address("voice"), PORT, b"hop")
    claimed = struct.pack("!H", 0x0800) + udp4(trunk.address("core"), trunk.address("voice"), PORT, b"hop")
    before = edge(zones, "data", "tagged")
    frames(zones, "pc", 3, tag(110, packet), tag(110, claimed), tag(120, tag(110, claimed)))
    time.sleep(0.5)
    assert drain(phone) == []
    phone.close()
    if not zones.tagged:        # on the trunk the switch has dropped them already
        assert edge(zones, "data", "tagged") - before == 9


def test_two_tags_at_the_gateway(zones):
    """Whoever gets frames with two tags onto the trunk itself, or onto a cable, gets no further."""
    phone = ear(zones, "voice", PORT, 4)
    claimed = struct.pack("!H", 0x0800) + udp4(trunk.address("core"), trunk.address("voice"), PORT, b"hop")
    before = sum(edge(zones, zone, "tagged") for zone in trunk.ZONES)
    host, link, to = ("switch", "trunk", trunk.TRUNK) if zones.tagged else ("pc", "eth0", zones.links["data"])
    with netns.inside(zones.ns(host)), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((link, 0))
        for _ in range(5):
            raw.send(mac(zones, "gw", to) + b"\x02\0\0\0\0\x01" + tag(130, tag(110, claimed)))
    time.sleep(0.5)
    assert drain(phone) == []
    phone.close()
    assert sum(edge(zones, zone, "tagged") for zone in trunk.ZONES) - before == 5


def test_forged_sources(zones):
    """Sources of other zones, and the gateway's own, are dropped where they come in."""
    targets = [ear(zones, zone, PORT, 4) for zone in ("voice", "internet")]
    before = {zone: edge(zones, zone, "spoofed") for zone in ("data", "internet")}
    link = zones.links["data"]
    gate = mac(zones, "gw", trunk.TRUNK if zones.tagged else link)
    # the link of a VLAN has the trunk's address; an emulated one its own
    gate = mac(zones, "gw", link) if zones.tagged else gate
    with netns.inside(zones.ns("pc")), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        for forged in (trunk.address("core"), trunk.address("internet"), "198.51.100.1",
                       trunk.address("data", gateway=True)):
            raw.send(gate + mac(zones, "pc", "eth0") + struct.pack("!H", 0x0800)
                     + udp4(forged, trunk.address("voice"), PORT, b"forged"))
    with netns.inside(zones.ns("inet")), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        for forged in (trunk.address("core"), trunk.address("office")):
            raw.send(mac(zones, "gw", "eth0") + mac(zones, "inet", "eth0") + struct.pack("!H", 0x0800)
                     + udp4(forged, trunk.address("voice"), PORT, b"forged"))
    time.sleep(0.5)
    assert [drain(sock) for sock in targets] == [[], []]
    for sock in targets:
        sock.close()
    assert edge(zones, "data", "spoofed") - before["data"] == 4
    assert edge(zones, "internet", "spoofed") - before["internet"] == 2


def test_forged_sources_of_ipv6(zones):
    """The same for IPv6, with addresses that the host gives itself."""
    phone, before = ear(zones, "voice", PORT, 6), edge(zones, "data", "spoofed")
    warm_up(zones, 6)
    netns.batch(zones.ns("pc"), ["addr add fd00:10::77/128 dev lo"])
    mouth = zones.socket("pc", socket.AF_INET6, socket.SOCK_DGRAM)
    mouth.bind(("fd00:10::77", SOURCE_PORT))
    for _ in range(3):
        mouth.sendto(b"forged", (trunk.address("voice", 6), PORT))
    time.sleep(0.5)
    assert drain(phone) == []
    mouth.close()
    phone.close()
    assert edge(zones, "data", "spoofed") - before == 3


def test_the_gateways_address_is_not_for_others(zones):
    """ARP in the gateway's name, and of an address of another zone, is dropped and counted."""
    own = socket.inet_aton(trunk.address("data", gateway=True))
    host = mac(zones, "pc", "eth0")
    arps = [struct.pack("!HHHBBH6s4s6s4s", 0x0806, 1, 0x0800, 6, 4, 1, host, sender, bytes(6), own)
            for sender in (own, socket.inet_aton("10.20.0.20"))]
    before = edge(zones, "data", "forged")
    with netns.inside(zones.ns("pc")), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        for end in arps:
            raw.send(b"\xff" * 6 + host + end)
    wait_until(lambda: edge(zones, "data", "forged") - before == 2, 3, "both are counted")


def test_a_reload_keeps_the_counts_and_takes_a_line_away(zones):
    """Without its line the pair is closed at once, also for what runs; the counters go on."""
    warm_up(zones, 4)
    before = denied(zones)
    phone, mouth = ear(zones, "voice", PORT, 4), ear(zones, "core", SOURCE_PORT, 4)
    mouth.sendto(b"one", (trunk.address("voice"), PORT))
    wait_until(lambda: drain(phone), 2, "it is admitted")
    text = zones.gateway.config
    zones.gateway.reload(text.replace(', "voice udp:7000"', ""))
    try:
        mouth.sendto(b"two", (trunk.address("voice"), PORT))
        time.sleep(0.4)
        assert drain(phone) == []
        after = denied(zones)
        assert after["core", "voice"] == before["core", "voice"] + 1
        assert all(after[pair] >= before[pair] for pair in before)
    finally:
        zones.gateway.reload(text)
        phone.close()
        mouth.close()
