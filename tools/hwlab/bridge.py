"""A gateway that bridges: zones that are a bridge, or VLANs of one that filters them, and what is told at its ports.

    core    eth3     10.10.0.0/24  fd00:10::/64   pbx .5
    voice   br0      10.20.0.0/24  fd00:20::/64   phone .20, phone2 .21, server .2, rogue .66
    data    eth5     10.30.0.0/24  fd00:30::/64   pc .20

With VLANs voice and data are VLAN 110 and 120 of br0: each host has a port of its own in its VLAN, and far (voice .40)
is the only one whose port carries tags, as behind another switch.
"""

import socket
import struct

from . import netns, topology
from .frames import arp, ether
from .proc import run, wait_until

NETS = {"core": ("10.10.0", "fd00:10:", "core"), "voice": ("10.20.0", "fd00:20:", "voice"),
        "data": ("10.30.0", "fd00:30:", "data")}
HOSTS = {"pbx": ("core", 5), "phone": ("voice", 20), "phone2": ("voice", 21), "server": ("voice", 2),
         "rogue": ("voice", 66), "far": ("voice", 40), "pc": ("data", 20)}
VLANS = {"voice": 110, "data": 120}
MARK = 0x88b5                   # an EtherType for experiments: passes, and says that all before it has passed or not
CONFIG = """
zone core {{ interface = eth3  trust = trusted  role = core  address = {{10.10.0.1, "fd00:10::1"}} }}
zone voice {{ {voice}  role = voice  subnets = {{"10.20.0.0/24", "fd00:20::/64"}}
    address = {{10.20.0.1, "fd00:20::1"}}  dhcp-servers = {{"10.20.0.2", "fe80::2"}}  server-ports = {{p-server}}
    services = {{"tcp:22"}} }}
zone data {{ {data}  role = data  subnets = {{"10.30.0.0/24", "fd00:30::/64"}}
    address = {{10.30.0.1, "fd00:30::1"}} }}
pbx main {{ zone = core  address = "10.10.0.5" }}
phones desk {{ zone = voice  to = main  listen = {{"udp:5060", "tcp:5060"}} }}
phones soft {{ zone = data  to = main }}
assess {{ admins = {{"10.20.0.21"}} }}
console {{ events = "{{events}}" }}
"""


def address(host, family=4):
    """Of a host, or of the gateway in a zone."""
    zone, number = HOSTS.get(host, (host, 1))
    return f"{NETS[zone][0]}.{number}" if family == 4 else f"{NETS[zone][1]}:{number}"


class BridgeLab(topology.Lab):
    """See above. The gateway makes the links of the VLANs itself."""

    def __init__(self, ident, vlans):
        super().__init__(ident)
        self.vlans = vlans
        self.hosts = [h for h in HOSTS if vlans or h != "far"]

    def config(self):
        """Of the gateway; {events} is left."""
        links = {zone: f"interface = br0  vlan = {vlan}" for zone, vlan in VLANS.items()} if self.vlans else \
            {"voice": "interface = br0", "data": "interface = eth5"}
        return CONFIG.format(**links)

    def _make(self):
        self._make_workdir()
        for host in ["gw", *self.hosts]:
            run(["ip", "netns", "add", self.ns(host)])
            self.run(host, ["sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"])
            netns.batch(self.ns(host), ["link set lo up"])
        self.run("gw", ["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])
        filters = " vlan_filtering 1 vlan_default_pvid 0" if self.vlans else ""
        netns.batch(self.ns("gw"), [f"link add br0 type bridge{filters}", "link set br0 up"])
        for vlan in VLANS.values() if self.vlans else ():
            self.run("gw", ["bridge", "vlan", "add", "dev", "br0", "vid", vlan, "self"])
        for host in self.hosts:
            self._make_host(host)
        for zone, (four, six, _role) in NETS.items():
            link = {"core": "eth3", "voice": "br0", "data": "eth5"}[zone]
            if zone == "core" or not self.vlans:
                netns.batch(self.ns("gw"), [f"addr add {four}.1/24 dev {link}", f"addr add {six}:1/64 dev {link} nodad"])

    def _make_host(self, host):
        zone, number = HOSTS[host]
        bridged = zone == "voice" or (self.vlans and zone == "data")
        port = f"p-{host}" if bridged else {"core": "eth3", "data": "eth5"}[zone]
        run(["ip", "link", "add", "eth0", "netns", self.ns(host), "type", "veth", "peer", "name", port, "netns", self.ns("gw")])
        netns.batch(self.ns("gw"), [f"link set {port} up", *([f"link set {port} master br0"] if bridged else [])])
        netns.batch(self.ns(host), [f"link set eth0 address 02:00:00:00:{number:02x}:{len(zone):02x}", "link set eth0 up"])
        for where, link in ((host, "eth0"), ("gw", port)):
            self.run(where, ["ethtool", "-K", link, "tx", "off", "tso", "off", "gso", "off"], check=False)
        link = "eth0"
        if bridged and self.vlans:
            words = [] if host == "far" else ["pvid", "untagged"]
            self.run("gw", ["bridge", "vlan", "add", "dev", port, "vid", VLANS[zone], *words])
        if host == "far":
            link = "eth0.110"
            netns.batch(self.ns(host), [f"link add {link} link eth0 type vlan id 110", f"link set {link} up"])
        netns.batch(self.ns(host), [
            f"addr add {address(host)}/24 dev {link}", f"addr add {address(host, 6)}/64 dev {link} nodad",
            f"route add default via {address(zone)}", f"route add default via {address(zone, 6)}"])

    # -- what is told ----------------------------------------------------------------------

    def zone(self, name):
        """What `policy` says of a zone."""
        return next(z for z in self.gateway.ask("policy")[0]["zones"] if z["name"] == name)

    def try_frames(self, host, *frames, to="phone", by=None):
        """Which of these frames, sent by a host, arrive at another one. A mark behind them says when all have; `by`: who
        sends it where the host's own cannot arrive."""
        tags = b"\x81\x00\x00\x6e" if host == "far" else b""
        mark = ether(mac(by or host), MARK, b"mark" * 12)
        with raw(self, to) as ear, raw(self, host) as mouth, raw(self, by or host) as marker:
            heard = []
            for frame in frames:
                mouth.send(frame[:12] + tags + frame[12:])
            marker.send(mark[:12] + tags + mark[12:])
            def drain():
                while True:
                    try:
                        heard.append(ear.recv(2000))
                    except BlockingIOError:
                        return any(h.startswith(mark) for h in heard)
            wait_until(drain, 30, "the mark behind the frames")
        return [any(h.startswith(f) or h.startswith(untagged(f)) for h in heard) for f in frames]


def untagged(frame):
    """As it looks when its first tag is gone."""
    return frame[:12] + frame[16:] if frame[12:14] in (b"\x81\x00", b"\x88\xa8") else frame


def raw(lab, host):
    """A socket on the host's link that sends and hears everything."""
    with netns.inside(lab.ns(host)):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind(("eth0", 0 if host == "pbx" else 3))
    sock.setblocking(False)
    return sock


def mac(host):
    """Hardware address of a host."""
    zone, number = HOSTS[host]
    return bytes((2, 0, 0, 0, number, len(zone)))


# -- frames --------------------------------------------------------------------------------

def ip4(sender, source, target, payload, protocol=17, to=None):
    """IPv4; source and target are texts."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, socket.inet_aton(source),
                       socket.inet_aton(target))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + head[12:]
    return ether(sender, 0x0800, head + payload, to=to or b"\xff" * 6)


def ip6(sender, source, target, payload, protocol=17, to=None):
    """IPv6, with the checksum of UDP and ICMPv6."""
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    at = 6 if protocol == 17 else 2
    whole = ends + struct.pack(">II", len(payload), protocol) + payload + bytes(len(payload) % 2)
    total = sum(struct.unpack(f">{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    payload = payload[:at] + struct.pack(">H", ~total & 0xffff) + payload[at + 2:]
    head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 255) + ends
    return ether(sender, 0x86dd, head + payload, to=to or b"\x33\x33\0\0\0\1")


def udp(source_port, target_port, payload=b"x" * 20):
    """UDP without a checksum."""
    return struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def advert(sender, target, source=None, option=True):
    """A neighbour advertisement to all hosts, with the hardware address or without."""
    told = struct.pack(">BB6s", 2, 1, sender) if option else b""
    body = struct.pack(">BBHI", 136, 0, 0, 0x20000000) + socket.inet_pton(socket.AF_INET6, target) + told
    return ip6(sender, source or target, "ff02::1", body, 58)


def solicit(sender, source, target):
    """A neighbour solicitation that tells the sender's hardware address."""
    body = struct.pack(">BBHI", 135, 0, 0, 0) + socket.inet_pton(socket.AF_INET6, target) + struct.pack(">BB6s", 1, 1, sender)
    return ip6(sender, source, "ff02::1", body, 58)


def router(sender, source, kind=134):
    """A router advertisement, or a redirect (137)."""
    body = struct.pack(">BBHBBHII", kind, 0, 0, 64, 0, 1800, 0, 0) if kind == 134 else \
        struct.pack(">BBHI", kind, 0, 0, 0) + bytes(32)
    return ip6(sender, source, "ff02::1", body, 58)


def claim(sender, held, tags=()):
    """ARP that says: this address is mine."""
    return arp(sender, held, tags)
