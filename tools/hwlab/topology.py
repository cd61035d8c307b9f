"""The lab's networks as one table, and the code that makes and removes them.

           internet 203.0.113.0/24, 2001:db8:113::/64
    inet .1   gw .10   home .50   ext .60   stranger .66   carrier .70
                |         |
                |         +-- homelan 192.168.1.0/24 behind NAT: phone .20, phone2 .21
                +-- core  10.10.0.0/24, fd00:10::/64: pbx .5, ast .6, peer .20
                +-- voice 10.20.0.0/24, fd00:20::/64: desk .20, desk2 .21
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile

from . import netns
from .proc import Daemon, LabError, run

STATE_DIR = "/run/hornwork-lab"

# network: IPv4 prefix, IPv6 prefix, namespace that holds its bridge
NETWORKS = {
    "internet": ("203.0.113", "2001:db8:113:", "inet"),
    "homelan": ("192.168.1", "2001:db8:150:", "home"),
    "core": ("10.10.0", "fd00:10:", "switch"),
    "voice": ("10.20.0", "fd00:20:", "switch"),
}

# host: interfaces (name, network, last number of the address), default route (network, number)
HOSTS = {
    "gw": ([("eth0", "internet", 10), ("eth1", "core", 1), ("eth2", "voice", 1)], ("internet", 1)),
    "home": ([("eth0", "internet", 50)], ("internet", 1)),
    "ext": ([("eth0", "internet", 60)], ("internet", 1)),
    "stranger": ([("eth0", "internet", 66)], ("internet", 1)),
    "carrier": ([("eth0", "internet", 70)], ("internet", 1)),
    "phone": ([("eth0", "homelan", 20)], ("homelan", 1)),
    "phone2": ([("eth0", "homelan", 21)], ("homelan", 1)),
    "pbx": ([("eth0", "core", 5)], ("core", 1)),
    "ast": ([("eth0", "core", 6)], ("core", 1)),
    "peer": ([("eth0", "core", 20)], ("core", 1)),
    "desk": ([("eth0", "voice", 20)], ("voice", 1)),
    "desk2": ([("eth0", "voice", 21)], ("voice", 1)),
}

# the namespaces that hold bridges: (network, number of the bridge's own address or None)
BRIDGES = {
    "inet": [("internet", 1)],
    "home": [("homelan", 1)],
    "switch": [("core", None), ("voice", None)],
}

HOME_NAT = """
table ip nat {
  chain post { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
}
table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "br-homelan" accept
    ct state established,related accept
  }
}
"""


def ip4(network, number):
    """IPv4 address of a host number in a network."""
    return f"{NETWORKS[network][0]}.{number}"


def ip6(network, number):
    """IPv6 address of a host number in a network."""
    return f"{NETWORKS[network][1]}:{number}"


def address(host, interface="eth0", family=4):
    """A host's address on one of its interfaces."""
    for name, network, number in HOSTS[host][0]:
        if name == interface:
            return ip4(network, number) if family == 4 else ip6(network, number)
    raise KeyError(f"{host} has no {interface}")


class Lab:
    """All namespaces of one lab. Use as a context manager, or up() and down() by hand.

    keep: the lab shall outlive this process (by-hand use); then nothing is killed with the parent.
    """

    def __init__(self, ident, keep=False, workdir=None):
        self.ident = ident
        self.keep = keep
        self.state = f"{STATE_DIR}/{ident}"
        self.given_workdir = workdir
        self.workdir = workdir
        self.daemons = []

    def ns(self, host):
        """The namespace's name."""
        return f"hw-{self.ident}-{host}"

    # -- life ------------------------------------------------------------------------------

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_exc):
        if not self.keep:
            self.down()

    def up(self):
        """Make everything; on failure nothing stays. Fails if a lab of this name is there."""
        reason = netns.why_not()
        if reason:
            raise LabError(reason)
        self._claim()
        try:
            self._make()
        except BaseException:
            self.down()
            raise

    def _make_workdir(self):
        if self.workdir is None:
            self.workdir = tempfile.mkdtemp(prefix=f"hornwork-lab-{self.ident}-")
            os.chmod(self.workdir, 0o755)
        os.makedirs(self.workdir, exist_ok=True)
        self._write("workdir", self.workdir)

    def _make(self):
        self._make_workdir()
        for host in sorted(set(HOSTS) | set(BRIDGES)):
            run(["ip", "netns", "add", self.ns(host)])
            # No duplicate address detection: addresses are good at once.
            self.run(host, ["sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                            "net.ipv6.conf.default.accept_dad=0"])
            netns.batch(self.ns(host), ["link set lo up"])
        for host, bridges in BRIDGES.items():
            self._make_bridges(host, bridges)
        for host, (links, default) in HOSTS.items():
            self._make_links(host, links, default)
        self._make_routers()

    def down(self):
        """Remove everything, whatever state it is in. May be called twice."""
        for daemon in reversed(self.daemons):
            with contextlib.suppress(Exception):
                daemon.stop(timeout_s=2.0)
        self.daemons.clear()
        remove(self.ident, keep_workdir=self.given_workdir is not None)

    def _claim(self):
        """Take the name: the folder appears with its owner in it, so that no sweep takes it away."""
        os.makedirs(STATE_DIR, exist_ok=True)
        fresh = tempfile.mkdtemp(prefix=".new-", dir=STATE_DIR)
        with open(f"{fresh}/owner", "w", encoding="utf-8") as out:
            out.write("kept" if self.keep else f"{os.getpid()} {_started(os.getpid())}")
        try:
            os.rename(fresh, self.state)
        except OSError:
            shutil.rmtree(fresh)
            raise LabError(f"a lab '{self.ident}' is there already: tools/lab down {self.ident}") \
                from None

    def _write(self, name, text):
        with open(f"{self.state}/{name}", "w", encoding="utf-8") as out:
            out.write(text + "\n")

    # -- making ----------------------------------------------------------------------------

    def _make_bridges(self, host, bridges):
        lines = []
        for network, number in bridges:
            lines += [f"link add br-{network} type bridge", f"link set br-{network} up"]
            if number is not None:
                lines += [f"addr add {ip4(network, number)}/24 dev br-{network}",
                          f"addr add {ip6(network, number)}/64 dev br-{network} nodad"]
        netns.batch(self.ns(host), lines)

    def _make_links(self, host, links, default):
        lines = []
        for name, network, number in links:
            holder = NETWORKS[network][2]
            port = f"p-{host}" if network != "voice" else f"v-{host}"
            run(["ip", "link", "add", name, "netns", self.ns(host), "type", "veth",
                 "peer", "name", port, "netns", self.ns(holder)])
            netns.batch(self.ns(holder), [f"link set {port} master br-{network}",
                                          f"link set {port} up"])
            lines += [f"link set {name} up", f"addr add {ip4(network, number)}/24 dev {name}",
                      f"addr add {ip6(network, number)}/64 dev {name} nodad"]
        if default:
            lines += [f"route add default via {ip4(*default)}", f"route add default via {ip6(*default)}"]
        netns.batch(self.ns(host), lines)

    def make_again(self, host, interface):
        """A host's interface that was deleted, with its addresses; no default route."""
        self._make_links(host, [link for link in HOSTS[host][0] if link[0] == interface], None)

    def _make_routers(self):
        for host in ("inet", "home", "gw"):
            self.run(host, ["sysctl", "-qw", "net.ipv4.ip_forward=1",
                            "net.ipv6.conf.all.forwarding=1"])
        # The internet knows the way to every inside network: only the gateway's rules keep it out.
        netns.batch(self.ns("inet"), [
            f"route add {ip6('homelan', '')}/64 via {address('home', family=6)}",
            f"route add {ip4('core', 0)}/24 via {address('gw')}",
            f"route add {ip4('voice', 0)}/24 via {address('gw')}"])
        done = subprocess.run(netns.command(self.ns("home"), ["nft", "-f", "-"]), input=HOME_NAT,
                              text=True, capture_output=True, timeout=20, check=False)
        if done.returncode != 0:
            raise LabError(f"the home router's nftables rules: {done.stderr}")

    # -- use -------------------------------------------------------------------------------

    def own_path(self, path):
        """Make a folder outside of the work folder that goes away with the lab."""
        with open(f"{self.state}/paths", "a", encoding="utf-8") as out:
            out.write(path + "\n")
        os.makedirs(path, exist_ok=True)

    def run(self, host, argv, **kwargs):
        """Run a command to its end on a host."""
        return run(netns.command(self.ns(host), argv), **kwargs)

    def daemon(self, host, argv, log, **kwargs):
        """Start a process on a host; it ends with the lab at the latest."""
        daemon = Daemon(netns.command(self.ns(host), argv), log, keep=self.keep, **kwargs)
        self.daemons.append(daemon)
        return daemon

    def socket(self, host, family, kind):
        """A socket on a host."""
        return netns.socket_in(self.ns(host), family, kind)


def _started(pid):
    """Start time of a process in clock ticks since boot: with the pid it is unique."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rsplit(b")", 1)[1].split()[19].decode()
    except OSError:
        return "gone"


def remove(ident, keep_workdir=False):
    """Remove a lab by its name: processes in its namespaces, the namespaces, its folders."""
    state = f"{STATE_DIR}/{ident}"
    for name in netns.names(f"hw-{ident}-"):
        netns.remove(name)
    with contextlib.suppress(OSError):
        with open(f"{state}/workdir", encoding="utf-8") as work:
            workdir = work.read().strip()
        if not keep_workdir and os.path.basename(workdir).startswith("hornwork-lab-"):
            shutil.rmtree(workdir, ignore_errors=True)
    with contextlib.suppress(OSError):
        with open(f"{state}/paths", encoding="utf-8") as paths:
            for path in paths.read().splitlines():
                shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(state, ignore_errors=True)


def labs():
    """Name and owner of every lab on this machine: 'kept', 'pid N' or 'stale'."""
    out = {}
    if not os.path.isdir(STATE_DIR):
        return out
    for ident in sorted(n for n in os.listdir(STATE_DIR) if not n.startswith(".")):
        try:
            with open(f"{STATE_DIR}/{ident}/owner", encoding="utf-8") as owner:
                words = owner.read().split()
        except OSError:
            words = []
        if words == ["kept"]:
            out[ident] = "kept"
        elif len(words) == 2 and _started(int(words[0])) == words[1]:
            out[ident] = f"pid {words[0]}"
        else:
            out[ident] = "stale"
    return out


def sweep():
    """Remove labs whose process is gone. Labs of living processes and kept labs stay."""
    gone = [ident for ident, owner in labs().items() if owner == "stale"]
    for ident in gone:
        remove(ident)
    return gone


def raise_on_sigterm():
    """Make SIGINT, SIGTERM and SIGHUP end this process through its context managers."""
    def leave(number, _frame):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    # A shell starts background jobs with SIGINT ignored; a lab is never deaf.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def describe(lab):
    """What `tools/lab up` prints: each host with its namespace and addresses."""
    rows = []
    for host, (links, _default) in HOSTS.items():
        where = ", ".join(f"{name} {ip4(net, num)} {ip6(net, num)}" for name, net, num in links)
        rows.append({"host": host, "namespace": lab.ns(host), "addresses": where})
    return json.dumps(rows, indent=1)
