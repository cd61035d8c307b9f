#!/usr/bin/python3
"""A flood beside calls: Hornwork, and Kamailio with pike and rtpengine, in the same run.

INVITE, REGISTER and garbage from 200,000 forged sources, as fast as one core sends them, while calls
with media run and registered phones make new ones. The delay is that from the sending process to the
kernel at the far end, links and all: more than what the gateway adds. Then what one dropped packet
costs: the program's own time for the shield and for one that drops without looking, and the CPU time of
all that a packet makes do beyond that, for the shield, nftables and pike.
"""

import argparse
import contextlib
import glob
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))

# pylint: disable=wrong-import-position
from hwlab import flood, topology  # noqa: E402
from hwlab.hornwork import Hornwork  # noqa: E402
from hwlab.kamailio import Kamailio  # noqa: E402
from hwlab.proc import LabError, wait_until  # noqa: E402
from hwlab.topology import Lab, address  # noqa: E402

USERS = (("alice", 5060), ("carol", 5062), ("dave", 5064), ("bob", 5066))
LIMITS = "limits { transactions = 4096  calls = 1000 }"
# For the costs: hardly anything gets through, so that it is drops that are measured.
CLOSED = "limits { per-source-pps = 50  per-network-pps = 100  strangers-pps = 100 }"
TARGET = (address("gw"), 5060)
TARGET_S = 1.5          # of one measurement of the drop's cost
ROUNDS = 3
FLOOD_CPU = 1           # of two: the gateway has the other one, and what is left of this
COST_SOURCES = {"1,000 sources": 1000, "200,000 sources": 200000}

KAMAILIO = """
debug=-1
log_stderror=no
maxbuffer=4194304
children=2
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
mhomed=yes
listen=udp:{outside}:5060
listen=udp:{inside}:5060
mpath="{modules}/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "sanity.so"
loadmodule "pike.so"
loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:22222")
modparam("pike", "sampling_time_unit", 2)
modparam("pike", "reqs_density_per_unit", 100)
modparam("pike", "remove_latency", 4)
request_route {{
    if (src_ip != {pbx} && !pike_check_req()) {{ drop; exit; }}
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (!sanity_check("1511", "7")) exit;
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{
            if (is_method("BYE")) rtpengine_delete();
            t_relay();
            exit;
        }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    t_check_trans();
    if (is_method("INVITE")) {{
        record_route();
        if (has_body("application/sdp")) {{
            rtpengine_offer("replace-origin replace-session-connection ICE=remove direction=out direction=in");
            t_on_reply("ANSWER");
        }}
    }}
    $du = "sip:{pbx}:5060";
    if (!t_relay()) sl_reply_error();
    exit;
}}
onreply_route[ANSWER] {{
    if (has_body("application/sdp")) rtpengine_answer("replace-origin replace-session-connection ICE=remove");
}}
"""

NFTABLES = """
table netdev hwflood {
  set sources { type ipv4_addr; size 65536; flags dynamic, timeout; timeout 10s; }
  chain in {
    type filter hook ingress device "eth0" priority -400; policy accept;
    udp dport 5060 update @sources { ip saddr limit rate over 50/second } drop
    udp dport 5060 limit rate over 100/second drop
  }
}
"""


def children_of(pid):
    """A process and all that came from it."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as text:
        return [pid] + [p for child in text.read().split() for p in children_of(int(child))]


def cpu_ns(pids):
    """CPU time of all threads of these processes."""
    total = 0
    for path in (p for pid in pids for p in glob.glob(f"/proc/{pid}/task/*/schedstat")):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as text:
            total += int(text.read().split()[0])
    return total


def softirq_pids():
    """The kernel's threads that do what interrupts leave over."""
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as text:
            if text.read().startswith("ksoftirqd/"):
                found.append(int(path.split("/")[2]))
    return found


# ---- the two gateways ----

class Ours:
    """Hornwork in front of the lab's PBX."""

    name = "hornwork"

    def __init__(self, lab, limits=LIMITS):
        self.gateway = Hornwork(lab, more=limits).start()

    def pids(self):
        """Its processes."""
        return children_of(self.gateway.daemon.pid)

    def says(self):
        """What it dropped, and what its streams lost and refused."""
        status = self.gateway.status()
        streams = [s for call in self.gateway.calls() for s in call["streams"]]
        return {"shield": status["shield"]["dropped"], "stream_packets": sum(s["packets"] for s in streams),
                "stream_refused": sum(s["refused"] for s in streams)}

    def stop(self):
        """Stop it."""
        self.gateway.stop()


class Theirs:
    """Kamailio with pike, and rtpengine, in the same place."""

    name = "kamailio"

    def __init__(self, lab):
        path = f"{lab.workdir}/edge.cfg"
        with open(path, "w", encoding="utf-8") as out:
            out.write(KAMAILIO.format(outside=address("gw"), inside=address("gw", "eth1"), pbx=address("pbx"),
                                      modules=glob.glob("/usr/lib/*/kamailio/modules")[0]))
        self.rtpengine = lab.daemon("gw", [
            "rtpengine", "--foreground", "--table=-1", f"--interface=out/{address('gw')}",
            f"--interface=in/{address('gw', 'eth1')}", "--listen-ng=127.0.0.1:22222", "--port-min=20000",
            "--port-max=60000", "--log-level=2", "--log-stderr"], f"{lab.workdir}/rtpengine.log")
        self.kamailio = lab.daemon("gw", ["kamailio", "-f", path, "-x", "fm", "-X", "fm", "-m", "256", "-M", "16",
                                          "-DD", "-E", "-Y", lab.workdir], f"{lab.workdir}/edge.log")
        wait_until(lambda: len(lab.run("gw", ["ss", "-Hlun"]).stdout.splitlines()) >= 3, 15,
                   "Kamailio and rtpengine listen")

    def pids(self):
        """Their processes."""
        return children_of(self.kamailio.pid) + children_of(self.rtpengine.pid)

    def says(self):
        """Nothing that could be compared."""
        return {}

    def stop(self):
        """Stop both."""
        self.kamailio.stop()
        self.rtpengine.stop()


# ---- calls under a flood ----

def talk(lab, plan, seconds, during=None):
    """Media for so long; `during` is started a second later and waited for."""
    media = flood.Media(lab, plan, seconds)
    try:
        time.sleep(1.0)
        got = during() if during else None
        return media.result(seconds + 60), got
    finally:
        media.stop()


def under_flood(lab, gateway, args):
    """The row of one gateway."""
    answerer = flood.Answerer(lab)
    phones = [flood.Phone(lab, user, port, TARGET) for user, port in USERS]
    running = []
    try:
        for phone in phones:
            phone.register()
        _, plan = flood.set_up(phones[0], answerer, args.calls)
        quiet, _ = talk(lab, plan, 3.0)
        before = gateway.says()
        start_kib = flood.rss_kib(gateway.pids())
        running.append(flood.Callers(phones[1:], 0.5))

        def hit():
            running.append(flood.Flood(lab, TARGET, args.seconds, cpu=FLOOD_CPU))
            return running[-1].result(args.seconds + 60)
        media, sent = talk(lab, plan, args.seconds + 3.0, hit)
        tried, good = running[0].result(240)
        end_kib = flood.rss_kib(gateway.pids())
        after = gateway.says()
        row = {"gateway": gateway.name, "flood_packets": sent["sent"],
               "flood_pps": round(sent["sent"] / sent["seconds"]), "rtp_sent": media["sent"],
               "rtp_lost": media["sent"] - media["received"], "p50_added_us": media["p50_us"],
               "p99_added_us": media["p99_us"], "p99_quiet_us": quiet["p99_us"],
               "calls_tried": tried, "calls_ok": good, "rss_start_kib": start_kib, "rss_end_kib": end_kib}
        if after:
            took = after["stream_packets"] - before["stream_packets"]
            row["rtp_lost_in_gateway"] = took - media["received"] + after["stream_refused"] - before["stream_refused"]
            row["dropped"] = {k: v - before["shield"][k] for k, v in after["shield"].items()}
        return row
    finally:
        for phone in phones:
            phone.close()
        answerer.close()


# ---- what a drop costs ----

def cost_of_flood(lab, sources, pids):
    """CPU time of a packet: generator, what the kernel does for it, and these processes."""
    softirq, known = softirq_pids(), pids()
    before = cpu_ns(softirq) + cpu_ns(known)
    sent = flood.Flood(lab, TARGET, TARGET_S, sources, cpu=FLOOD_CPU, nice=0).result(TARGET_S + 30)
    time.sleep(0.3)
    used = sent["cpu_ns"] + cpu_ns(softirq) + cpu_ns(known) - before
    return used / max(sent["sent"], 1)


@contextlib.contextmanager
def bare_drop(lab):
    """A program at the gateway's outside that drops all and looks at nothing."""
    lab.run("gw", ["ip", "link", "set", "dev", "eth0", "xdpdrv", "obj", f"{flood.PROGRAMS}/drop.bpf.o", "sec", "xdp"])
    try:
        yield list
    finally:
        lab.run("gw", ["ip", "link", "set", "dev", "eth0", "xdpdrv", "off"], check=False)


@contextlib.contextmanager
def by_nftables(lab):
    """An ingress chain with a limit for each source."""
    path = f"{lab.workdir}/flood.nft"
    with open(path, "w", encoding="utf-8") as out:
        out.write(NFTABLES)
    lab.run("gw", ["nft", "-f", path])
    try:
        yield list
    finally:
        lab.run("gw", ["nft", "delete", "table", "netdev", "hwflood"], check=False)


@contextlib.contextmanager
def by(gateway_class, lab):
    """A whole gateway."""
    gateway = gateway_class(lab)
    try:
        yield gateway.pids
    finally:
        gateway.stop()


def program_of(lab):
    """Time and runs of the XDP program at the gateway's outside since it was loaded."""
    links = json.loads(lab.run("gw", ["ip", "-j", "link", "show", "dev", "eth0"]).stdout)
    ident = links[0]["xdp"]["prog"]["id"]
    program = json.loads(lab.run("gw", ["bpftool", "-j", "prog", "show", "id", str(ident)]).stdout)
    return program.get("run_time_ns", 0), program.get("run_cnt", 0)


@contextlib.contextmanager
def stop_watch():
    """The kernel measures each run of a BPF program; it costs time itself."""
    path = "/proc/sys/kernel/bpf_stats_enabled"
    with open(path, encoding="ascii") as text:
        was = text.read()
    with open(path, "w", encoding="ascii") as out:
        out.write("1")
    try:
        yield
    finally:
        with open(path, "w", encoding="ascii") as out:
            out.write(was)


def program_ns(lab, sources):
    """Time of one run of the program under a flood."""
    with stop_watch():
        before = program_of(lab)
        flood.Flood(lab, TARGET, TARGET_S, sources, cpu=FLOOD_CPU, nice=0).result(TARGET_S + 30)
        after = program_of(lab)
    return (after[0] - before[0]) / max(after[1] - before[1], 1)


def note(least, way, name, value):
    """Of several rounds the least counts: others use the machine too."""
    least.setdefault(way, {})
    least[way][name] = min(value, least[way].get(name, value))


def drop_costs(lab):
    """({way: {sources: ns of the program}}, {way: {sources: ns of CPU beyond the bare drop}})."""
    ways = {"bare": bare_drop, "shield": lambda at: by(lambda x: Ours(x, CLOSED), at), "nftables": by_nftables,
            "pike": lambda at: by(Theirs, at)}
    programs, least = {}, {}
    for _ in range(ROUNDS):
        for way, make in ways.items():
            with make(lab) as pids:
                for name, sources in COST_SOURCES.items():
                    note(least, way, name, cost_of_flood(lab, sources, pids))
                    if way in ("bare", "shield"):
                        note(programs, way, name, program_ns(lab, sources))
    beyond = {way: {name: round(max(0.0, cost - least["bare"][name])) for name, cost in costs.items()}
              for way, costs in least.items() if way != "bare"}
    return {way: {name: round(ns) for name, ns in found.items()} for way, found in programs.items()}, beyond


# ---- the whole ----

def show(rows, programs, costs):
    """The table."""
    keys = ("flood_pps", "rtp_sent", "rtp_lost", "p99_quiet_us", "p99_added_us", "calls_tried", "calls_ok",
            "rss_start_kib", "rss_end_kib")
    print(f"  {'':20}" + "".join(f"{row['gateway']:>14}" for row in rows))
    for key in keys:
        print(f"  {key:20}" + "".join(f"{row[key]:>14}" for row in rows))
    for row in rows:
        if "dropped" in row:
            print("  dropped by the shield: " + ", ".join(f"{k} {v}" for k, v in row["dropped"].items() if v))
            print(f"  packets that {row['gateway']} took and did not send on: {row['rtp_lost_in_gateway']}")
    for title, found in (("ns of the program for a dropped packet:", programs),
                         ("ns of CPU for a dropped packet beyond a bare drop:", costs)):
        print(f"  {title}")
        for way, figures in found.items():
            print(f"    {way:18}" + ", ".join(f"{name}: {ns}" for name, ns in figures.items()))


def main():
    """Both gateways, then the costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of flood")
    parser.add_argument("--calls", type=int, default=100, help="with media")
    parser.add_argument("--json", help="write the result there")
    args = parser.parse_args()
    topology.raise_on_sigterm()
    rows = []
    with Lab(f"flood{os.getpid()}") as lab:
        pbx = Kamailio(lab).start()
        for make in (Ours, Theirs):
            gateway = make(lab)
            try:
                rows.append(under_flood(lab, gateway, args))
            finally:
                gateway.stop()
            pbx.stop()
            pbx.start()
        programs, costs = drop_costs(lab)
    show(rows, programs, costs)
    ours, theirs = rows
    most = max(programs["shield"], key=programs["shield"].get)
    ours.update(drop_ns=programs["shield"][most], drop_program_ns=programs, drop_cpu_ns=costs)
    theirs["drop_ns"] = max(costs["pike"].values())
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump([{**ours, "kamailio": theirs}, theirs], out, indent=1)
    if ours["calls_ok"] != ours["calls_tried"] or ours["rtp_lost_in_gateway"]:
        print("  Hornwork lost what it must not lose")
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as err:
        sys.exit(f"bench_flood: {err}")
