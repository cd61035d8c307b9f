"""What holds at the ports of a bridge that is a zone, or whose VLANs are: told to a lab of bridge.py, on whichever kernel."""

import socket

from .bridge import (address, advert, claim, ether, ip4, ip6, mac, router, solicit, udp)
from .proc import run, wait_until

SLOW_S = 30
SERVER, ROGUE, PHONE2 = mac("server"), mac("rogue"), mac("phone2")


def forged(lab, zone="voice"):
    return lab.zone(zone)["forged_packets"]


def all_dropped(lab, host, *frames, what="forged_packets"):
    """None arrives, each is counted once."""
    before = lab.zone("voice")[what]
    arrived = lab.try_frames(host, *frames)
    assert not any(arrived), arrived
    counted = lab.zone("voice")[what] - before
    assert counted == len(frames), (counted, len(frames))


def all_pass(lab, host, *frames, to="phone"):
    """Each arrives, none is counted."""
    before = forged(lab)
    arrived = lab.try_frames(host, *frames, to=to)
    assert all(arrived), arrived
    assert forged(lab) == before, (forged(lab), before)


def hosts_speak(lab):
    """Honest hosts reach each other across the bridge, and the gateway, IPv4 and IPv6; nothing is counted."""
    before = forged(lab)
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        for host in [h for h in lab.hosts if h in ("phone2", "server", "far")]:
            ear = lab.socket("phone", kind, socket.SOCK_DGRAM)
            ear.bind((address("phone", family), 7000))
            ear.settimeout(SLOW_S)
            mouth = lab.socket(host, kind, socket.SOCK_DGRAM)
            mouth.bind((address(host, family), 7000))
            mouth.settimeout(SLOW_S)
            mouth.sendto(b"question", (address("phone", family), 7000))
            data, who = ear.recvfrom(100)
            ear.sendto(b"answer", who)
            assert (data, mouth.recv(100)) == (b"question", b"answer")
            ear.close()
            mouth.close()
        with lab.socket("phone2", kind, socket.SOCK_STREAM) as sip:
            sip.settimeout(SLOW_S)
            sip.connect((address("voice", family), 5060))
    assert forged(lab) == before


def nobody_is_the_gateway(lab):
    """Its addresses by ARP, neighbour discovery and as a source; the link-local one too, that phones route by."""
    shown = run(["ip", "-n", lab.ns("gw"), "-o", "-6", "addr", "show", "scope", "link"]).stdout
    name = "br0.110" if lab.vlans else "br0"
    own = next(line.split()[3].split("/")[0] for line in shown.splitlines() if line.split()[1].split("@")[0] == name)
    all_dropped(lab, "rogue", claim(ROGUE, address("voice")), advert(ROGUE, address("voice", 6)), advert(ROGUE, own),
                advert(ROGUE, own, source="fe80::66"), solicit(ROGUE, own, "fe80::20"),
                ip4(ROGUE, address("voice"), address("phone"), udp(5060, 5060)),
                ip6(ROGUE, address("voice", 6), address("phone", 6), udp(5060, 5060)))


def nobody_is_another_host(lab):
    """Who spoke first keeps his address, against ARP, advertisements and solicitations of others; he himself goes on."""
    links = {"phone2": "fe80::21"}
    def tells(host, sender, _link):
        held, held6 = address(host), address(host, 6)
        return (claim(sender, held), advert(sender, held6), solicit(sender, held6, "fe80::20"), advert(sender, links[host]))
    all_pass(lab, "phone2", *tells("phone2", PHONE2, "phone2"), advert(PHONE2, address("phone2", 6), option=False))
    all_dropped(lab, "rogue", *tells("phone2", ROGUE, "rogue"), advert(ROGUE, address("phone2", 6), source="fe80::66"))
    all_dropped(lab, "rogue", claim(PHONE2, address("phone2")), advert(PHONE2, address("phone2", 6)))   # from another port
    all_pass(lab, "phone2", *tells("phone2", PHONE2, "phone2"))
    all_pass(lab, "rogue", claim(ROGUE, address("rogue")), advert(ROGUE, address("rogue", 6)))          # as himself
    all_pass(lab, "server", claim(SERVER, address("phone2")))         # where addresses may move


def nobody_is_of_another_zone(lab):
    """Addresses of other zones, told or used as a source."""
    all_dropped(lab, "rogue", claim(ROGUE, address("pbx")), advert(ROGUE, address("pc", 6)),
                ip4(ROGUE, address("pbx"), address("phone"), udp(5060, 5060)),
                ip6(ROGUE, address("pbx", 6), address("phone", 6), udp(5060, 5060)))


def servers_stand_where_they_belong(lab):
    """DHCP, DHCPv6, router advertisements and redirects: of the server at its port, and of nobody else."""
    def tells(sender, four, six, port4=67, port6=547):
        return (ip4(sender, four, "255.255.255.255", udp(port4, 68)), ip6(sender, six, "ff02::1", udp(port6, 546)),
                router(sender, six), router(sender, six, 137))
    all_pass(lab, "server", *tells(SERVER, address("server"), "fe80::2"))
    all_dropped(lab, "rogue", *tells(ROGUE, address("rogue"), "fe80::66"))
    all_dropped(lab, "rogue", *tells(ROGUE, address("server"), "fe80::2"))              # in the server's name
    all_dropped(lab, "rogue", *tells(ROGUE, address("rogue"), "fe80::66", 1067, 1547)[:2])   # from an odd port
    all_dropped(lab, "server", *tells(SERVER, address("rogue"), "fe80::66")[:3])        # another one at its port
    all_pass(lab, "rogue", ip4(ROGUE, "0.0.0.0", "255.255.255.255", udp(68, 67)),       # a client asks
             ip6(ROGUE, "fe80::66", "ff02::1:2", udp(546, 547)), to="server")


def management_is_for_administrators(lab):
    """From port to port as between zones; the gateway's own service with such a port stays reachable."""
    def asks(host, to=None):
        return (ip4(mac(host), address(host), address("phone"), udp(4000, 161), to=to),
                ip6(mac(host), address(host, 6), address("phone", 6), udp(4000, 161), to=to))
    all_dropped(lab, "rogue", *asks("rogue", mac("phone")))
    all_pass(lab, "phone2", asks("phone2", mac("phone"))[0])
    for host, code in (("rogue", 1), ("phone2", 0)):
        done = lab.gateway.command("policy", "--explain", address(host), address("phone"), "udp:161", check=False)
        assert done.returncode == code and "management ports" in done.stdout, done.stdout + done.stderr
    with lab.socket("gw", socket.AF_INET, socket.SOCK_STREAM) as service:
        service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        service.bind((address("voice"), 22))
        service.listen()
        with lab.socket("rogue", socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(SLOW_S)
            sock.connect((address("voice"), 22))


def tags_hide_nothing(lab):
    """A tag of VLAN 0, which is a priority, hides no forgery; a second tag goes nowhere."""
    def tagged(frame, *tags):
        return frame[:12] + b"".join(tags) + frame[12:]
    priority, q, ad = b"\x81\x00\xa0\x00", b"\x81\x00\x00\x6e", b"\x88\xa8\x00\x6e"
    lies = (claim(ROGUE, address("voice")), advert(ROGUE, address("voice", 6)), router(ROGUE, "fe80::66"),
            ip4(ROGUE, address("rogue"), "255.255.255.255", udp(67, 68)))
    all_dropped(lab, "rogue", *[tagged(lie, priority) for lie in lies])
    truth = ip4(ROGUE, address("rogue"), address("phone"), udp(7000, 7000))
    all_pass(lab, "rogue", tagged(truth, priority))
    all_dropped(lab, "rogue", tagged(truth, priority, q), tagged(truth, ad), what="tagged_packets")


def a_reload_keeps_the_guard(lab):
    """Counts go on, and the gateway is known again at once."""
    before = forged(lab)
    lab.gateway.reload()
    assert forged(lab) == before
    nobody_is_the_gateway(lab)


def nothing_is_odd_in_a_listing(lab):
    """An administrator can list it all."""
    shown = run(["ip", "netns", "exec", lab.ns("gw"), "nft", "list", "table", "bridge", "hornwork"]).stdout
    assert "held4" in shown and "counter z" in shown, shown


def links_of_vlans(lab):
    """The gateway has made its links on the bridge, and finds nothing missing there."""
    shown = run(["ip", "-n", lab.ns("gw"), "-o", "link", "show", "type", "vlan"]).stdout
    assert "br0.110@br0" in shown and "br0.120@br0" in shown, shown
    with open(lab.gateway.log, encoding="utf-8") as log:
        assert "warning: zone" not in log.read()


def vlans_are_apart(lab):
    """From VLAN to VLAN of the bridge nothing passes, straight or through the gateway, tagged or not."""
    before = {(p["from"], p["to"]): p["denied_packets"] for p in lab.gateway.ask("policy")[0]["pairs"]}
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        for one, other in (("pc", "phone"), ("phone", "pc")):
            with lab.socket(one, kind, socket.SOCK_DGRAM) as mouth:
                for _ in range(3):
                    mouth.sendto(b"routed", (address(other, family), 7000))
    def counted():
        after = {(p["from"], p["to"]): p["denied_packets"] for p in lab.gateway.ask("policy")[0]["pairs"]}
        return {pair: after[pair] - before[pair] for pair in after if after[pair] != before[pair]}
    want = {("data", "voice"): 6, ("voice", "data"): 6}
    wait_until(lambda: counted() == want, SLOW_S, "both ways are counted")
    straight = ip4(mac("pc"), address("pc"), address("phone"), udp(7000, 7000))
    hop = straight[:12] + b"\x81\x00\x00\x6e" + straight[12:]
    assert lab.try_frames("pc", straight, hop, hop[:12] + b"\x81\x00\x00\x78" + hop[12:], by="rogue") == [False] * 3


def a_tagged_port_is_guarded(lab):
    """Behind a port that carries tags as behind one that does not, on the way to one without and back."""
    far = mac("far")
    all_pass(lab, "phone2", claim(PHONE2, address("phone2")))
    all_pass(lab, "far", claim(far, address("far")), advert(far, address("far", 6)),
             ip4(far, address("far"), address("phone"), udp(7000, 7000)))
    all_pass(lab, "server", ip4(SERVER, address("server"), "255.255.255.255", udp(67, 68)), router(SERVER, "fe80::2"), to="far")
    all_dropped(lab, "far", claim(far, address("voice")), advert(far, address("voice", 6)), claim(far, address("phone2")),
                router(far, "fe80::40"), ip4(far, address("far"), "255.255.255.255", udp(67, 68)),
                ip6(far, "fe80::40", "ff02::1", udp(547, 546)), ip4(far, address("pc"), address("phone"), udp(7, 7)),
                ip4(far, address("far"), address("phone"), udp(4000, 161)))


VLAN_STORIES = (links_of_vlans, vlans_are_apart, hosts_speak, a_tagged_port_is_guarded)
STORIES = (hosts_speak, nobody_is_the_gateway, nobody_is_another_host, nobody_is_of_another_zone,
           servers_stand_where_they_belong, management_is_for_administrators, tags_hide_nothing, nothing_is_odd_in_a_listing,
           a_reload_keeps_the_guard)
