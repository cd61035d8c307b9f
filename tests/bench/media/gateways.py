"""The ways to relay that are measured beside each other, each in namespaces of its own."""

import contextlib
import os
import random
import re
import resource
import socket
import subprocess

from hwlab import netns
from hwlab.proc import Daemon, LabError, run, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
OBJECTS = f"{ROOT}/build/tests/bench/media"

# As in load.h.
CLIENT, OUTSIDE, INSIDE, SERVER = "10.1.0.2", "10.1.0.1", "10.2.0.1", "10.2.0.2"
CLIENT_PORT, SERVER_PORT = 20000, 40000
MAC = {"client": "02:00:00:00:01:02", "out0": "02:00:00:00:01:01",
       "in0": "02:00:00:00:02:01", "server": "02:00:00:00:02:02"}
READY_S = 30
NG_PORT = 22222
FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
SHARE = min((FILES - 500) // 4, 1 << 20)    # streams of one process, at four sockets each
PREFIX = "hw-bm"


def sweep():
    """Remove the namespaces of runs that were killed."""
    for name in netns.names(PREFIX):
        owner = re.match(rf"{PREFIX}(\d+)-", name)
        if owner and not os.path.exists(f"/proc/{owner.group(1)}"):
            netns.remove(name)


class Way:
    """One way: namespaces client, gw, server; a gateway in the middle. For use as a context."""

    load_options = ()

    def __init__(self, name, workdir):
        self.name, self.workdir = name, workdir
        self.prefix = f"{PREFIX}{os.getpid()}-{name}"
        self.daemons = []

    def ns(self, host):
        """The namespace of client, gw or server."""
        return f"{self.prefix}-{host}"

    def __enter__(self):
        try:
            self._networks()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_exc):
        self.remove()

    def remove(self):
        """End everything, whatever state it is in."""
        self.stop()
        for host in ("client", "gw", "server"):
            netns.remove(self.ns(host))

    def _networks(self):
        for host in ("client", "gw", "server"):
            run(["ip", "netns", "add", self.ns(host)])
            run(netns.command(self.ns(host), ["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]))
        for host, device, net in (("client", "out0", "10.1.0"), ("server", "in0", "10.2.0")):
            run(["ip", "link", "add", "eth0", "netns", self.ns(host), "address", MAC[host], "type", "veth",
                 "peer", "name", device, "netns", self.ns("gw"), "address", MAC[device]])
            netns.batch(self.ns(host), [
                f"addr add {net}.2/24 dev eth0", "link set eth0 up", f"route add default via {net}.1",
                f"neigh replace {net}.1 lladdr {MAC[device]} dev eth0 nud permanent"])
            netns.batch(self.ns("gw"), [
                "link set lo up", f"addr add {net}.1/24 dev {device}", f"link set {device} up",
                f"neigh replace {net}.2 lladdr {MAC[host]} dev {device} nud permanent"])
            # Redirected frames need a peer with NAPI; partial checksums must not come in by XDP.
            run(netns.command(self.ns(host), ["ethtool", "-K", "eth0", "gro", "on", "tx", "off"]))
            run(netns.command(self.ns("gw"), ["ethtool", "-K", device, "gro", "on"]))

    def in_gw(self, argv, log=None, **kwargs):
        """A command in the gateway's namespace; with a log, a daemon on the first core."""
        argv = netns.command(self.ns("gw"), argv)
        if log is None:
            return run(argv, **kwargs)
        daemon = Daemon(["taskset", "-c", "0", *argv], f"{self.workdir}/{self.name}-{log}",
                        own_session=False)      # or the generator's low priority means nothing
        self.daemons.append(daemon)
        return daemon

    def start(self, streams):
        """Open so many streams; LabError if it cannot."""

    def stop(self):
        """Close them."""
        for daemon in self.daemons:
            with contextlib.suppress(Exception):
                daemon.stop()
        self.daemons.clear()

    def load_arguments(self):
        """Arguments of media_load that this way needs."""
        pids = [pid for daemon in self.daemons for pid in ("--pid", str(daemon.pid))]
        return [*self.load_options, *pids]


class Direct(Way):
    """No gateway: what the rig costs by itself."""
    load_options = ("--direct",)


class Raw(Way):
    """Raw XDP redirect, the limit."""
    load_options = ("--raw",)


class Nft(Way):
    """Kernel forwarding with nftables NAT, an element for each stream and direction."""

    def start(self, streams):
        elements = [[], []]
        for i in range(streams):
            client, server = CLIENT_PORT + 2 * i, SERVER_PORT + 2 * i
            elements[0].append(f"{OUTSIDE} . {client} : {SERVER} . {server}")
            elements[1].append(f"{CLIENT} . {client} : {INSIDE} . {server}")
        kind = "type ipv4_addr . inet_service : ipv4_addr . inet_service"
        rules = f"""table ip nat {{
            map to {{ {kind}; elements = {{ {", ".join(elements[0])} }} }}
            map from {{ {kind}; elements = {{ {", ".join(elements[1])} }} }}
            chain pre {{ type nat hook prerouting priority dstnat; dnat ip to ip daddr . udp dport map @to; }}
            chain post {{ type nat hook postrouting priority srcnat; snat ip to ip saddr . udp sport map @from; }}
        }}"""
        self.in_gw(["sysctl", "-qw", "net.ipv4.ip_forward=1"])
        subprocess.run(netns.command(self.ns("gw"), ["nft", "-f", "-"]), input=rules, text=True, check=True, timeout=60)

    def stop(self):
        with contextlib.suppress(LabError):
            self.in_gw(["nft", "flush", "ruleset"])
        super().stop()


class Gate(Way):
    """Hornwork's flow table and packet path, without the signalling that would fill the table."""

    path = "kernel"

    def start(self, streams):
        share = SHARE if self.path == "sockets" else streams
        for first in range(0, streams, share):
            daemon = self.in_gw([f"{OBJECTS}/media_gate", "--first", str(first), "--streams",
                                 str(min(share, streams - first)), "--path", self.path], f"gate{first}.log")
            daemon.wait_text("ready", READY_S)


class Sockets(Gate):
    """The user path over ordinary sockets."""
    path = "sockets"


class AfXdp(Gate):
    """The user path over AF_XDP sockets."""
    path = "xdp"


class Rtpengine(Way):
    """rtpengine in user space, one thread, calls set up by offer and answer. As many processes as
    the limit of open files asks for.
    """

    folder = None       # of the chroot it lies in; None: this machine's own

    def start(self, streams):
        parts = range(0, streams, SHARE)
        width = 55000 // len(parts) // 2 * 2
        with open(self._ports(), "w", encoding="ascii") as out:
            for number, first in enumerate(parts):
                self._process(number, 10000 + number * width, width)
                self._calls(number, range(first, min(first + SHARE, streams)), out)

    def _process(self, number, port, width):
        control = NG_PORT + number
        argv = ["rtpengine", "--foreground", "--table=-1", f"--interface=a/{OUTSIDE}", f"--interface=b/{INSIDE}",
                f"--listen-ng=127.0.0.1:{control}", f"--port-min={port}", f"--port-max={port + width - 1}",
                "--config-file=none", "--num-threads=1", "--log-level=3", "--log-stderr", "--timeout=3600", "--silent-timeout=3600"]
        if self.folder:
            script = 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
            argv = ["unshare", "--mount", "sh", "-c", script, self.folder, *argv]
        daemon = self.in_gw(argv, f"rtpengine{number}.log")
        wait_until(lambda: not daemon.alive() or f":{control} " in self.in_gw(["ss", "-Hlun"]).stdout, READY_S,
                   "rtpengine listens")
        if not daemon.alive():
            raise LabError(f"rtpengine: {daemon.text()[-500:]}")

    def _calls(self, number, streams, out):
        with netns.socket_in(self.ns("gw"), socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", NG_PORT + number))
            sock.settimeout(5)
            for i in streams:
                out.write(f"{i} {self._call(sock, i)}\n")

    def _ports(self):
        return f"{self.workdir}/{self.name}.ports"

    @staticmethod
    def _call(sock, i):
        """Ports outside and inside of one call."""
        base = {"call-id": f"bench-{i}", "from-tag": f"from-{i}", "replace": ["origin", "session-connection"],
                "ICE": "remove"}
        offer = ask(sock, {**base, "command": "offer", "direction": ["a", "b"], "sdp": sdp(CLIENT, CLIENT_PORT + 2 * i)})
        answer = ask(sock, {**base, "command": "answer", "to-tag": f"to-{i}", "sdp": sdp(SERVER, SERVER_PORT + 2 * i)})
        return f"{audio_port(answer)} {audio_port(offer)}"

    def load_arguments(self):
        return [*super().load_arguments(), "--ports", self._ports()]


def sdp(address, port):
    """G.711 at an address."""
    return (f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n")


def audio_port(answer):
    """The port in rtpengine's answer."""
    found = re.search(rb"m=audio (\d+)", answer)
    if b"6:result2:ok" not in answer or not found:
        raise LabError(f"rtpengine: {answer[:300]!r}")
    return int(found.group(1))


def bencode(value):
    """Text, lists and dictionaries as rtpengine's ng protocol writes them."""
    if isinstance(value, str):
        return b"%d:%s" % (len(value.encode()), value.encode())
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def ask(sock, command):
    """One exchange of the ng protocol."""
    cookie = b"%x" % random.getrandbits(48)
    sock.send(cookie + b" " + bencode(command))
    while True:
        got, _, answer = sock.recv(65536).partition(b" ")
        if got == cookie:
            return answer
