#!/usr/bin/python3
"""What a stock kernel does for the gateway that the test machine's kernel may not: VLAN links of its own making with
priorities in their tags, bridges that filter VLANs, CAKE, ESP. Runs in the guest that boot.py starts.

Prints "ok NAME" or "FAILED NAME: why" for each story.
"""

import json
import pathlib
import socket
import struct
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
# pylint: disable=wrong-import-position
from hwlab import bridge, bridge_stories, netns, trunk
from hwlab.hornwork import Hornwork
from hwlab.peer import Call, Peer
from hwlab.proc import LabError, run, wait_until
from hwlab.rtp import Talker
from hwlab.strongswan import Site

SLOW_S = 30         # an emulated processor on a busy machine
SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 263, 8, 1 << 4
PCP_MEDIA, PCP_SIGNALLING = 5, 3
DSCP_EF = 46
OFFICE_LINK = "desks"           # made by the administrator
CONFIG = """
pbx main {{ zone = core  address = "{pbx}" }}
phones desk {{ zone = voice  to = main }}
console {{ events = "{{events}}" }}
"""
MORE = {"internet": "qos { uplink = 20mbit }", "core": 'reaches = {"internet", "voice udp:7000"}'}


OURS, THEIRS = "10.1.9.1", "10.2.0.2"           # the ends within the tunnel
SUBNETS = ("10.2.0.0/24", "10.1.9.0/24,10.10.0.0/24")        # as the other site sees it
# What comes out of the kernel's ESP comes from eth0 too: only the kernel's word tells it from what is in the clear.
TUNNEL = """
zone internet {{ interface = eth0  role = wan  address = {near} }}
zone core {{ interface = {core}  role = core  trust = trusted  address = {gate}  reaches = "branch udp:7000" }}
pbx main {{ zone = core  address = "{pbx}"  outbound = hq }}
console {{ events = "{{events}}" }}
tunnel branch {{
    zone          = internet
    remote        = {site}
    local-subnet  = {{"10.1.9.0/24", "10.10.0.0/24"}}
    remote-subnet = "10.2.0.0/24"
    charon        = "{charon}"
    psk-file      = "{secret}"
}}
zone branch {{ interface = eth0  role = data  address = {ours}  tunnel = branch  reaches = "core udp:7001" }}
trunk hq {{ zone = branch  peer = "udp:{theirs}:5060"  to = main  tunnel = branch }}
"""


class KernelTrunkLab(trunk.TrunkLab):
    """The switch is a bridge of the kernel that filters VLANs; the gateway makes its links itself, but for one that is
    there under a name of its own."""

    def __init__(self, ident):
        super().__init__(ident, tagged=True, kernel_links=True)
        self.links["office"] = OFFICE_LINK

    def _make_zone(self, zone):
        if zone == "office":
            netns.batch(self.ns("gw"), [f"link add link {trunk.TRUNK} name {OFFICE_LINK} type vlan id {trunk.ZONES[zone][0]}",
                                        f"link set {OFFICE_LINK} up",
                                        f"addr add {trunk.address(zone, gateway=True)}/24 dev {OFFICE_LINK}",
                                        f"addr add {trunk.address(zone, 6, gateway=True)}/64 dev {OFFICE_LINK} nodad"])
        super()._make_zone(zone)

    def _start_switch(self):
        netns.batch(self.ns("switch"), ["link add br0 type bridge vlan_filtering 1 vlan_default_pvid 0",
                                        "link set br0 up"])

    def _port(self, name, setting):
        netns.batch(self.ns("switch"), [f"link set {name} master br0"])
        kind, value = setting.split("=")
        for vlan in value.split(","):
            words = ["pvid", "untagged"] if kind == "tag" else []
            self.run("switch", ["bridge", "vlan", "add", "dev", name, "vid", vlan, *words])


def link(lab, name):
    rows = json.loads(run(["ip", "-n", lab.ns("gw"), "-d", "-j", "link", "show", name]).stdout)
    return rows[0]["linkinfo"]


def the_program_loads(lab):
    """The verifier of this kernel, which is Debian's, takes the kernel path's program."""
    status = lab.gateway.status()
    assert not [n for n in status["notices"] if "kernel path" in n], status["notices"]


def links_are_made(lab):
    """802.1Q links with the zones' addresses, and which priority is written into their tags."""
    for zone, row in trunk.ZONES.items():
        if not row[0]:
            continue
        about = link(lab, lab.links[zone])
        assert about["info_kind"] == "vlan", about
        assert about["info_data"]["protocol"] == "802.1Q" and about["info_data"]["id"] == row[0], about
        assert about["info_data"].get("egress_qos"), about
        shown = run(["ip", "-n", lab.ns("gw"), "-o", "addr", "show", "dev", lab.links[zone]]).stdout
        assert f"{row[1]}.1/" in shown and f"{row[2]}:1/" in shown, shown


def matrix(lab):
    """What a line admits arrives, what none admits is dropped and counted, IPv4 and IPv6."""
    def counts():
        rows = lab.gateway.ask("policy")[0]["pairs"]
        return {(p["from"], p["to"]): p["denied_packets"] for p in rows}
    before = counts()
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        ear = lab.socket("phone", kind, socket.SOCK_DGRAM)
        ear.bind((trunk.address("voice", family), 7000))
        ear.settimeout(SLOW_S)
        for zone in ("data", "office", "internet", "core"):     # the one that is admitted last
            mouth = lab.socket(trunk.host_of(zone), kind, socket.SOCK_DGRAM)
            mouth.bind((trunk.address(zone, family), 7100))
            for _ in range(3):
                mouth.sendto(zone.encode(), (trunk.address("voice", family), 7000))
            mouth.close()
        assert ear.recv(100) == b"core"
        ear.close()
    after = counts()
    for zone in ("data", "office", "internet"):
        assert after[zone, "voice"] - before[zone, "voice"] == 6, (zone, before, after)


class TagEar:
    """What comes in at the switch's end of the trunk: (VLAN, priority, UDP source port) of each datagram."""

    def __init__(self, lab):
        with netns.inside(lab.ns("switch")):
            self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.raw.bind(("trunk", 3))
        self.raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.raw.setblocking(False)

    def drain(self):
        out = []
        while True:
            try:
                data, control, _flags, at = self.raw.recvmsg(2000, 200)
            except BlockingIOError:
                return out
            if at[2] == 4 or data[12:14] != b"\x08\x00" or data[23] != 17:     # what the switch itself sends
                continue
            status, _len, _snap, _mac, _net, tci, _type = struct.unpack("IIIHHHH", control[0][2][:20])
            tag = tci if status & TP_STATUS_VLAN_VALID else 0
            out.append((tag & 0xfff, tag >> 13, struct.unpack("!H", data[34:36])[0]))


def register(alice, main):
    """The phone registers at the phone system, which asks for no password."""
    uri = f"sip:{alice.domain}"
    alice.send(alice.request("REGISTER", uri, "register-1", 1, "r", to=f"<{alice.aor()}>", extra=[("Expires", "300")]))
    asked = main.expect("REGISTER", timeout_s=SLOW_S)
    main.reply(asked, 200, extra=[("Contact", f"{asked.get('contact')};expires=300")])
    alice.expect(200, timeout_s=SLOW_S)


def call(lab, phone, pbx, gate):
    """A call from the voice zone to the phone system until both hear each other; the paths that its media took."""
    with Peer(lab, "phone", "alice", (gate, 5060), own=phone) as alice, Peer(lab, "pbx", "main", own=pbx) as main, \
            Talker(lab, "phone", 4000, 440, own=phone) as voice, Talker(lab, "pbx", 6000, 850, own=pbx) as far:
        register(alice, main)
        caller = Call(alice)
        alice.send(caller.invite_raw(f"sip:bob@{alice.domain}", caller.offer(4000)))
        callee = Call.incoming(main, timeout_s=SLOW_S)
        callee.reply(200, callee.offer(6000))
        final = caller.expect(200, timeout_s=SLOW_S)
        caller.established(final)
        main.expect("ACK", timeout_s=SLOW_S)
        voice.remote, far.remote = final.sdp_media(), callee.invite.sdp_media()
        wait_until(lambda: len(voice.got) > 20 and len(far.got) > 20, SLOW_S, "both hear each other")
        paths = {s["path"] for s in lab.gateway.calls()[0]["streams"]}
        voice.remote = far.remote = None
        caller.send("BYE")
        main.reply(main.expect("BYE", timeout_s=SLOW_S), 200)
        caller.expect(200, timeout_s=SLOW_S)
    return paths


def call_with_priorities(lab):
    """A call from the voice VLAN to the core VLAN; both sides' tags have 5 on media and 3 on signalling, on either path."""
    text = lab.gateway.config
    for path in ("kernel", "user"):
        lab.gateway.reload(text + ("media { path = user }\n" if path == "user" else ""))
        ear = TagEar(lab)
        took = call(lab, trunk.address("voice"), trunk.address("core"), trunk.address("voice", gateway=True))
        assert took == {path}, took
        seen = ear.drain()
        for vlan in (110, 130):
            media = {pcp for v, pcp, port in seen if v == vlan and 16384 <= port <= 32767}
            signalling = {pcp for v, pcp, port in seen if v == vlan and port == 5060}
            assert media == {PCP_MEDIA} and signalling == {PCP_SIGNALLING}, (path, vlan, media, signalling)
    lab.gateway.reload(text)


def queues(lab):
    """HTB with a fair queue of the kernel's for what is no voice."""
    shown = run(["ip", "netns", "exec", lab.ns("gw"), "tc", "qdisc", "show", "dev", "eth0"]).stdout
    assert "qdisc htb" in shown and "qdisc cake" in shown, shown


def hopping(lab):
    """Tags at an access port go no further than the switch; two tags on the trunk no further than the gateway."""
    ear = lab.socket("phone", socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind((trunk.address("voice"), 7000))
    ear.setblocking(False)
    def tagged():
        return sum(z["tagged_packets"] for z in lab.gateway.ask("policy")[0]["zones"])
    before = tagged()
    data = struct.pack("!HHHH", 7100, 7000, 11, 0) + b"hop"
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0,
                       socket.inet_aton(trunk.address("core")), socket.inet_aton(trunk.address("voice")))
    end = struct.pack("!HHHHH", 0x8100, 130, 0x8100, 110, 0x0800) + head + data
    for host, device in (("pc", "eth0"), ("switch", "trunk")):
        with netns.inside(lab.ns(host)), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind((device, 0))
            for _ in range(5):
                raw.send(b"\xff" * 6 + b"\x02\0\0\0\0\x01" + end)
    wait_until(lambda: tagged() - before == 5, SLOW_S, "those on the trunk are counted, the others never came")
    found = wait_until(lambda: [k for k in lab.gateway.ask("leaks") if k["reason"] == "leak_double_tag"], SLOW_S, "a leak")
    assert found[0]["vlans"] == [130, 110], found
    try:
        raise AssertionError(ear.recv(100))
    except BlockingIOError:
        ear.close()


def a_reload_takes_links_away(lab):
    """A zone that is gone takes its link along; the others stay, and the queues follow."""
    text = lab.gateway.config
    head, rest = text.split("zone data", 1)
    lab.gateway.reload(head + rest[rest.index("\n}\n") + 3:])
    names = run(["ip", "-n", lab.ns("gw"), "-o", "link", "show"]).stdout
    assert lab.links["data"] not in names and lab.links["voice"] in names, names


def the_end_leaves_nothing(lab):
    """Links, queues and tables go with the gateway."""
    assert lab.gateway.stop() == 0, "exit code"
    names = run(["ip", "-n", lab.ns("gw"), "-o", "link", "show"]).stdout
    assert f"{trunk.TRUNK}." not in names, names
    assert not link(lab, OFFICE_LINK)["info_data"].get("egress_qos"), "another's link is as it was"
    shown = run(["ip", "netns", "exec", lab.ns("gw"), "tc", "qdisc", "show", "dev", "eth0"]).stdout
    assert "htb" not in shown, shown
    assert "hornwork" not in run(["ip", "netns", "exec", lab.ns("gw"), "nft", "list", "tables"]).stdout


class WireEar:
    """What either end of the cable to the internet sent: (protocol, UDP destination port, DSCP, source)."""

    def __init__(self, lab):
        self.raws = []
        for host in ("gw", host_of_internet()):
            with netns.inside(lab.ns(host)):
                self.raws.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
            self.raws[-1].bind(("eth0", 3))
            self.raws[-1].setblocking(False)

    def drain(self):
        out = []
        for raw in self.raws:
            while True:
                try:
                    data, at = raw.recvfrom(2000)
                except BlockingIOError:
                    break
                if at[2] != socket.PACKET_OUTGOING or data[12:14] != b"\x08\x00":
                    continue
                port = struct.unpack("!H", data[36:38])[0] if data[23] == 17 else 0
                out.append((data[23], port, data[15] >> 2, socket.inet_ntoa(data[26:30])))
        return out


def host_of_internet():
    return trunk.host_of("internet")


def tunnel(lab, ours, site):
    """The gateway with a tunnel over the kernel's ESP, and the other site's charon; until it is up."""
    far, near = host_of_internet(), trunk.address("internet", gateway=True)
    for host, own, net, via in (("gw", OURS, "10.2.0.0/24", trunk.address("internet")), (far, THEIRS, "10.1.9.0/24", near)):
        netns.batch(lab.ns(host), [f"addr add {own}/32 dev lo", f"route add {net} via {via}"])
    secret = pathlib.Path(lab.workdir) / "branch.secret"
    secret.write_text("kJ2c7Zs0eQ5tYw8mVx1bNa4dRf6hUg3p\n", encoding="ascii")
    secret.chmod(0o600)
    ours.start()
    site.connect(trunk.address("internet"), near, ("auth = psk", "auth = psk",
                 f'  ike-1 {{ secret = "{secret.read_text(encoding="ascii").strip()}" }}'), SUBNETS).start()
    link_of_core = f"{trunk.TRUNK}  vlan = {trunk.ZONES['core'][0]}"
    text = TUNNEL.format(site=trunk.address("internet"), charon=ours.vici, secret=secret, ours=OURS, theirs=THEIRS,
                         near=near, core=link_of_core, gate=trunk.address("core", gateway=True), pbx=trunk.address("core"))
    lab.gateway.reload(text.replace("{events}", lab.gateway.events_path))
    wait_until(lambda: lab.gateway.status()["tunnels"][0]["state"] == "up", 2 * SLOW_S, "the tunnel is up", 0.5)


class Said:
    """What is said and heard between the core's host, the other site's and the open network."""

    def __init__(self, lab):
        self.lab, self.pbx = lab, trunk.address("core")
        self.ears = {}
        for host, own in (("pbx", self.pbx), (host_of_internet(), THEIRS)):
            for port in (7000, 7001):
                self.ears[own, port] = ear = lab.socket(host, socket.AF_INET, socket.SOCK_DGRAM)
                ear.bind((own, port))
                ear.settimeout(SLOW_S)

    def say(self, host, own, to, words, times=3):
        mouth = self.lab.socket(host, socket.AF_INET, socket.SOCK_DGRAM)
        mouth.bind((own, 0))
        for _ in range(times):
            mouth.sendto(words, to)
        mouth.close()

    def forge(self, to, words):
        """From the other site's address, on the wire as it is."""
        data = struct.pack("!HHHH", 7100, to[1], 8 + len(words), 0) + words
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0, socket.inet_aton(THEIRS),
                           socket.inet_aton(to[0]))
        total = sum(struct.unpack("!10H", head))
        total = (total & 0xffff) + (total >> 16)
        head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + head[12:]
        near = json.loads(run(["ip", "-n", self.lab.ns("gw"), "-j", "link", "show", "eth0"]).stdout)[0]["address"]
        with netns.inside(self.lab.ns(host_of_internet())), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("eth0", 0))
            for _ in range(3):
                raw.send(bytes.fromhex(near.replace(":", "")) + b"\x02\0\0\0\0\x01\x08\0" + head + data)


def roles_beside_the_tunnel(lab):
    """The matrix tells what came out of the kernel's ESP from what came by the same interface in the clear."""
    def counts():
        policy = lab.gateway.ask("policy")[0]
        shut = sum(t["stopped_in"] for t in lab.gateway.status()["tunnels"])
        return {(p["from"], p["to"]): p["denied_packets"] for p in policy["pairs"]} | {"outside": shut}
    far, said, before = host_of_internet(), Said(lab), counts()
    said.say(far, trunk.address("internet"), (said.pbx, 7001), b"clear")       # in the clear, for a port of the tunnel's
    said.forge((said.pbx, 7001), b"forged")
    said.say(far, THEIRS, (said.pbx, 7000), b"not from there")
    said.say("pbx", said.pbx, (THEIRS, 7001), b"not from here")
    said.say("pbx", said.pbx, (trunk.address("internet"), 7000), b"not to the open network")
    said.say(far, THEIRS, (said.pbx, 7001), b"from the branch", 1)
    said.say("pbx", said.pbx, (THEIRS, 7000), b"to the branch", 1)
    assert said.ears[said.pbx, 7001].recv(100) == b"from the branch"
    assert said.ears[THEIRS, 7000].recv(100) == b"to the branch"
    after = counts()
    grown = {pair: after[pair] - before[pair] for pair in after if after[pair] != before[pair]}
    assert grown == {("internet", "core"): 3, ("branch", "core"): 3, ("core", "branch"): 3, ("core", "internet"): 3,
                     "outside": 3}, grown
    for ear in said.ears.values():
        ear.setblocking(False)
        try:
            raise AssertionError(ear.recv(100))
        except BlockingIOError:
            pass
    leaks = [k for k in lab.gateway.ask("leaks") if "branch" in json.dumps(k) or THEIRS in json.dumps(k)]
    assert not leaks, leaks
    return said


def tunnel_by_the_kernels_esp(lab):
    """A call to the other site goes through ESP of the kernel's alone, marked as media is, and not while it is down."""
    ours, site = Site(lab, "gw", "a", kernel=True), Site(lab, host_of_internet(), "b", kernel=True)
    before = lab.gateway.config
    tunnel(lab, ours, site)
    states = run(["ip", "netns", "exec", lab.ns("gw"), "ip", "xfrm", "state"]).stdout
    assert "proto esp" in states and "mode tunnel" in states, states
    wire = WireEar(lab)
    gate, pbx = (trunk.address("core", gateway=True), 5060), trunk.address("core")
    with Peer(lab, "pbx", "main", gate, own=pbx) as main, Peer(lab, host_of_internet(), "hq", (OURS, 5060), own=THEIRS) as hq, \
            Talker(lab, "pbx", 6000, 440, own=pbx) as near, Talker(lab, host_of_internet(), 4000, 850, own=THEIRS) as far:
        caller = Call(main)
        main.send(caller.invite_raw(f"sip:4930123456@{gate[0]}", caller.offer(6000)))
        callee = Call.incoming(hq, timeout_s=SLOW_S)
        callee.reply(200, callee.offer(4000))
        final = caller.expect(200, timeout_s=SLOW_S)
        caller.established(final)
        hq.expect("ACK", timeout_s=SLOW_S)
        near.remote, far.remote = final.sdp_media(), callee.invite.sdp_media()
        wait_until(lambda: len(near.got) > 20 and len(far.got) > 20, SLOW_S, "both hear each other")
        sent = wire.drain()
        said = roles_beside_the_tunnel(lab)
        through = wire.drain()
        site.kill()
        for spi in ("state", "policy"):
            lab.run(host_of_internet(), ["ip", "xfrm", spi, "flush"])
        far.got.clear()
        wait_until(lambda: lab.gateway.status()["tunnels"][0]["state"] != "up", 2 * SLOW_S, "the tunnel is down", 0.5)
        wire.drain()
        for _ in range(10):
            said.say("pbx", said.pbx, (THEIRS, 7000), b"to nobody", 1)
            time.sleep(0.2)
        silent = wire.drain()
        near.remote = far.remote = None
    esp = [row for row in sent if row[0] == 50 or (row[0] == 17 and row[1] == 4500)]
    assert len(esp) > 40, len(esp)
    assert not [row for row in sent if row[3] in (OURS, THEIRS)], sent[:20]
    assert not [row for row in through if row[3] in (OURS, said.pbx) or (row[3] == THEIRS and row[1] != 7001)], through[:20]
    assert sum(row[2] == DSCP_EF for row in esp if row[3] == trunk.address("internet", gateway=True)) > 15, esp[:40]
    assert not [row for row in silent if row[3] in (OURS, said.pbx)], silent[:20]
    ours.daemon.stop()
    lab.gateway.reload(before)


STORIES = (the_program_loads, links_are_made, matrix, queues, call_with_priorities, hopping, tunnel_by_the_kernels_esp,
           a_reload_takes_links_away, the_end_leaves_nothing)


def call_across_the_bridge(lab):
    """From a port of the bridge's voice VLAN to the core."""
    paths = call(lab, bridge.address("phone"), bridge.address("pbx"), bridge.address("voice"))
    print("media took the", " and ".join(sorted(map(str, paths))), "path", flush=True)
    assert lab.zone("voice")["forged_packets"] == 0


def the_bridge_stays(lab):
    """Links and tables go with the gateway, the bridge with its VLANs stays as it was."""
    assert lab.gateway.stop() == 0
    names = lab.run("gw", ["ip", "-o", "link", "show"]).stdout
    assert "br0." not in names and "br0" in names, names
    assert "hornwork" not in lab.run("gw", ["nft", "list", "tables"]).stdout
    assert "110" in lab.run("gw", ["bridge", "vlan", "show", "dev", "br0"]).stdout
    assert lab.try_frames("rogue", bridge.claim(bridge.mac("rogue"), bridge.address("voice"))) == [True]


BRIDGE_STORIES = (call_across_the_bridge, *bridge_stories.VLAN_STORIES, *bridge_stories.STORIES, the_bridge_stays)


def tell(lab, stories):
    """Runs the stories on a lab whose gateway is made; how many failed."""
    failed = 0
    try:
        lab.gateway.start(ready_s=4 * SLOW_S)
    except LabError as err:
        print(f"FAILED the gateway starts: {err}")
        return 1
    for story in stories:
        began = time.monotonic()
        try:
            story(lab)
            print(f"ok {story.__name__} ({time.monotonic() - began:.0f} s)", flush=True)
        except Exception as err:        # pylint: disable=broad-except
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED {story.__name__}: {err}", flush=True)
    if failed:
        print(pathlib.Path(lab.gateway.log).read_text(encoding="utf-8", errors="replace")[-3000:])
    return failed


def main():
    with KernelTrunkLab("q") as lab:
        lab.gateway = Hornwork(lab, config=lab.zone_sections(MORE) + CONFIG.format(pbx=trunk.address("core")))
        failed = tell(lab, STORIES)
    with bridge.BridgeLab("b", vlans=True) as lab:
        lab.gateway = Hornwork(lab, config=lab.config())
        failed += tell(lab, BRIDGE_STORIES)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
