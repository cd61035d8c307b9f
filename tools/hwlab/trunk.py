"""A gateway between five zones, once on cables of their own and once on one VLAN trunk.

    internet  eth0       203.0.113.0/24   2001:db8:113::/64   inet .60
    core      VLAN 130   10.10.0.0/24     fd00:10::/64        pbx .5
    voice     VLAN 110   10.20.0.0/24     fd00:20::/64        phone .20
    data      VLAN 120   10.30.0.0/24     fd00:30::/64        pc .20
    office    VLAN 140   10.99.0.0/24     fd00:99::/64        admin .7

On the trunk a VLAN-aware switch in user space (Open vSwitch) has an access port for each host, and
the gateway's links are made by the kernel or, where it has no 802.1Q, by two small tc programs.
"""

import contextlib
import json
import os

from . import netns, topology
from .proc import LabError, run, wait_until

ROOT = os.path.dirname(os.path.abspath(__file__))
TRUNK = "eth1"

# zone: VLAN (0 = never tagged), IPv4 and IPv6 prefix, role, host, its number, interface without trunk
ZONES = {
    "internet": (0, "203.0.113", "2001:db8:113:", "wan", "inet", 60, "eth0"),
    "core": (130, "10.10.0", "fd00:10:", "core", "pbx", 5, "eth3"),
    "voice": (110, "10.20.0", "fd00:20:", "voice", "phone", 20, "eth4"),
    "data": (120, "10.30.0", "fd00:30:", "data", "pc", 20, "eth5"),
    "office": (140, "10.99.0", "fd00:99:", "management", "admin", 7, "eth6"),
}
GATEWAY = 1


def address(zone, family=4, gateway=False):
    """Of the zone's host, or of the gateway in it."""
    _vlan, four, six, _role, _host, number, _link = ZONES[zone]
    number = GATEWAY if gateway else number
    return f"{four}.{number}" if family == 4 else f"{six}:{number}"


def host_of(zone):
    """The host that stands in a zone."""
    return ZONES[zone][4]


class TrunkLab(topology.Lab):
    """See above; `tagged` says which of the two. The links of the gateway are in .links by zone."""

    def __init__(self, ident, tagged, kernel_links=False):
        super().__init__(ident)
        self.tagged = tagged
        self.kernel_links = kernel_links        # leave the links to the gateway
        self.links = {zone: (f"{TRUNK}.{row[0]}" if tagged and row[0] else row[6])
                      for zone, row in ZONES.items()}
        self.ovs = None

    def _make(self):
        self._make_workdir()
        hosts = ["gw", "switch"] + [host_of(zone) for zone in ZONES]
        for host in hosts:
            run(["ip", "netns", "add", self.ns(host)])
            self.run(host, ["sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                            "net.ipv6.conf.default.accept_dad=0"])
            netns.batch(self.ns(host), ["link set lo up"])
        self.run("gw", ["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                        "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"])
        if self.tagged:
            self._start_switch()
            self._cable("gw", TRUNK, "switch", "trunk")
            self._port("trunk", "trunks=" + ",".join(str(r[0]) for r in ZONES.values() if r[0]))
            if not self.kernel_links:
                self._emulate_links()
        for zone in ZONES:
            self._make_zone(zone)

    def _cable(self, host, name, other, other_name):
        run(["ip", "link", "add", name, "netns", self.ns(host), "type", "veth", "peer", "name",
             other_name, "netns", self.ns(other)])
        for where, link in ((host, name), (other, other_name)):
            netns.batch(self.ns(where), [f"link set {link} up"])
            self.run(where, ["ethtool", "-K", link, "tx", "off", "tso", "off", "gso", "off",
                             "txvlan", "off", "rxvlan", "off"], check=False)

    def _make_zone(self, zone):
        vlan, four, six, _role, host, number, link = ZONES[zone]
        if self.tagged and vlan:
            self._cable(host, "eth0", "switch", f"p-{host}")
            self._port(f"p-{host}", f"tag={vlan}")
        else:
            self._cable(host, "eth0", "gw", link)
        if not (self.kernel_links and vlan and self.tagged):
            netns.batch(self.ns("gw"), [
                f"addr add {four}.{GATEWAY}/24 dev {self.links[zone]}",
                f"addr add {six}:{GATEWAY}/64 dev {self.links[zone]} nodad"])
        netns.batch(self.ns(host), [
            f"addr add {four}.{number}/24 dev eth0", f"addr add {six}:{number}/64 dev eth0 nodad",
            f"route add default via {four}.{GATEWAY}", f"route add default via {six}:{GATEWAY}"])

    # -- the switch ------------------------------------------------------------------------

    def _ovs_env(self):
        return {**os.environ, "OVS_RUNDIR": self.ovs, "OVS_LOGDIR": self.ovs, "OVS_DBDIR": self.ovs,
                "OVS_SYSCONFDIR": self.ovs}

    def _vsctl(self, *words):
        run(["ovs-vsctl", f"--db=unix:{self.ovs}/db.sock", "--timeout=10", *words],
            env=self._ovs_env())

    def _start_switch(self):
        self.ovs = f"{self.workdir}/ovs"
        os.makedirs(self.ovs, exist_ok=True)
        run(["ovsdb-tool", "create", f"{self.ovs}/conf.db",
             "/usr/share/openvswitch/vswitch.ovsschema"])
        self.switch_daemons = [
            self.daemon("switch", ["ovsdb-server", f"{self.ovs}/conf.db",
                                   f"--remote=punix:{self.ovs}/db.sock",
                                   f"--unixctl={self.ovs}/db.ctl"],
                        f"{self.ovs}/db.out", env=self._ovs_env())]
        wait_until(lambda: os.path.exists(f"{self.ovs}/db.sock"), 10, "the switch's database")
        self._vsctl("--no-wait", "init")
        self.switch_daemons.append(
            self.daemon("switch", ["ovs-vswitchd", f"unix:{self.ovs}/db.sock",
                                   f"--unixctl={self.ovs}/switch.ctl"],
                        f"{self.ovs}/switch.out", env=self._ovs_env()))
        self._vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev",
                    "fail-mode=standalone")

    def _port(self, name, setting):
        self._vsctl("add-port", "br0", name, setting)

    # -- links without 802.1Q in the kernel ------------------------------------------------

    def _index(self, name):
        rows = json.loads(run(["ip", "-n", self.ns("gw"), "-j", "link", "show", name]).stdout)
        return rows[0]["ifindex"]

    def _compile(self, name, *defines):
        path = f"{self.workdir}/{name}.o"
        run(["clang", "-O2", "-g", "-target", "bpf", "-mcpu=v3", "-I/usr/include/x86_64-linux-gnu",
             *[f"-D{d}" for d in defines], "-c", f"{ROOT}/vlan.bpf.c", "-o", path])
        return path

    def _attach(self, link, program):
        self.run("gw", ["tc", "qdisc", "add", "dev", link, "clsact"])
        self.run("gw", ["tc", "filter", "add", "dev", link, "ingress", "bpf", "da", "obj", program,
                        "sec", "tc"])

    def _emulate_links(self):
        table = ""
        for zone, row in ZONES.items():
            if not row[0]:
                continue
            link, far = self.links[zone], f"far{row[0]}"
            netns.batch(self.ns("gw"), [f"link add {link} type veth peer name {far}",
                                        f"link set {link} up", f"link set {far} up"])
            for end in (link, far):
                self.run("gw", ["ethtool", "-K", end, "tx", "off", "tso", "off", "gso", "off"],
                         check=False)
            self._attach(far, self._compile(f"link{row[0]}", f"TRUNK={self._index(TRUNK)}",
                                            f"VLAN={row[0]}"))
            table += f"X({row[0]}, {self._index(far)}) "
        self._attach(TRUNK, self._compile("trunk", f"VLANS={table}"))

    # -- configuration ---------------------------------------------------------------------

    def zone_sections(self, more=None):
        """The zones as configuration; `more` has additions by zone."""
        text = ""
        for zone, (vlan, four, six, role, _host, _number, link) in ZONES.items():
            where = f"interface = {TRUNK}  vlan = {vlan}" if self.tagged and vlan \
                else f"interface = {link}"
            trust = "trusted" if role in ("core", "management") else "untrusted"
            subnets = "" if role == "wan" else f'subnets = {{"{four}.0/24", "{six}:/64"}}'
            text += (f'zone {zone} {{ {where}  role = {role}  trust = {trust}  {subnets}\n'
                     f'    address = {{{four}.{GATEWAY}, "{six}:{GATEWAY}"}}\n'
                     f'    {(more or {}).get(zone, "")}\n}}\n')
        return text


def why_not():
    """None, or why the tagged lab cannot be made here."""
    for tool in ("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "clang", "tc"):
        with contextlib.suppress(LabError, FileNotFoundError):
            run(["which", tool])
            continue
        return f"{tool} is not installed"
    return None
