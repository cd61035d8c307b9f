#!/usr/bin/python3
"""CPU time that one whole call costs: Hornwork beside Kamailio with rtpengine, in the same run.

SIPp on the outside calls SIPp on the inside through each of them in turn: INVITE with SDP, 200 with
SDP, ACK, BYE; two-way media ports are opened and closed for each call. What counts is the CPU time
of all processes of the gateway (its kernel work on their behalf included), divided by the calls.
"""

import argparse
import csv
import glob
import json
import os
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))

# pylint: disable=wrong-import-position
from hwlab import topology  # noqa: E402
from hwlab.hornwork import Hornwork  # noqa: E402
from hwlab.proc import wait_until  # noqa: E402
from hwlab.topology import Lab, address  # noqa: E402

HORNWORK = """
zone internet {{ interface = eth0 }}
zone core     {{ interface = eth1  trust = trusted }}
pbx main      {{ zone = core  address = "{uas}:5060" }}
trunk load    {{ zone = internet  peer = "{uac}:5060"  to = main }}
limits        {{ per-source-pps = 0 }}
"""

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
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:22222")
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
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
        rtpengine_offer("replace-origin replace-session-connection ICE=remove direction=out direction=in");
        t_on_reply("ANSWER");
    }}
    $du = "sip:{uas}:5060";
    if (!t_relay()) sl_reply_error();
    exit;
}}
onreply_route[ANSWER] {{
    if (has_body("application/sdp")) rtpengine_answer("replace-origin replace-session-connection ICE=remove");
}}
"""


def family(root_pids):
    """These processes and all their descendants: {pid: CPU time in ticks, ended children included}."""
    children, ticks, found = {}, {}, {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="latin-1") as f:
                rest = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        pid = int(path.split("/")[2])
        ticks[pid] = sum(int(x) for x in rest[11:15])
        children.setdefault(int(rest[1]), []).append(pid)
    todo = list(root_pids)
    while todo:
        pid = todo.pop()
        found[pid] = ticks.get(pid, 0)
        todo += children.get(pid, [])
    return found


def cpu_seconds(root_pids):
    """CPU time of these processes and all their descendants, ended children included."""
    return sum(family(root_pids).values()) / os.sysconf("SC_CLK_TCK")


class Load:
    """SIPp on both sides."""

    def __init__(self, lab, workdir):
        self.lab, self.workdir = lab, workdir

    def run(self, rate, calls, name):
        """Make the calls; returns (successful, failed)."""
        uas = self.lab.daemon("peer", ["sipp", "-sf", f"{HERE}/calls_uas.xml", "-i", address("peer"),
                                       "-p", "5060", "-mp", "7000", "-nostdin",
                                       "-buff_size", "4194304"], f"{self.workdir}/{name}-uas.log")
        stats = f"{self.workdir}/{name}.csv"
        try:
            uac = self.lab.daemon("ext", [
                "sipp", "-sf", f"{HERE}/calls_uac.xml", "-i", address("ext"), "-p", "5060",
                "-mp", "6000", f"{address('gw')}:5060", "-s", "bob", "-r", str(rate), "-m", str(calls),
                "-l", "20000", "-nostdin", "-buff_size", "4194304", "-timeout", "90",
                "-trace_stat", "-fd", "1", "-stf", stats], f"{self.workdir}/{name}-uac.log")
            uac.wait(120)
        finally:
            uas.stop()
        with open(stats, encoding="utf-8") as f:
            row = list(csv.DictReader(f, delimiter=";"))[-1]
        os.unlink(stats)
        return int(row["SuccessfulCall(C)"]), int(row["FailedCall(C)"])


def hornwork_run(lab, load, args, name):
    """One run through Hornwork: microseconds of CPU per call and the counts."""
    config = HORNWORK.format(uas=address("peer"), uac=address("ext"))
    gateway = Hornwork(lab, config=config).start()
    try:
        before = cpu_seconds([gateway.daemon.pid])
        good, bad = load.run(args.rate, args.calls, name)
        used = cpu_seconds([gateway.daemon.pid]) - before
    finally:
        gateway.stop()
    return {"us_per_call": used * 1e6 / max(good, 1), "calls_ok": good, "calls_failed": bad}


def kamailio_run(lab, load, args, name):
    """The same through Kamailio with rtpengine."""
    path = f"{load.workdir}/kamailio.cfg"
    with open(path, "w", encoding="utf-8") as out:
        out.write(KAMAILIO.format(outside=address("gw"), inside=address("gw", "eth1"),
                                  uas=address("peer")))
    rtpengine = lab.daemon("gw", [
        "rtpengine", "--foreground", "--table=-1", f"--interface=out/{address('gw')}",
        f"--interface=in/{address('gw', 'eth1')}", "--listen-ng=127.0.0.1:22222", "--port-min=20000",
        "--port-max=60000", "--log-level=2", "--log-stderr"], f"{load.workdir}/rtpengine.log")
    kamailio = lab.daemon("gw", ["kamailio", "-f", path, "-x", "fm", "-X", "fm", "-m", "512",
                                 "-M", "32", "-DD", "-E", "-Y", load.workdir],
                          f"{load.workdir}/kamailio.log")
    try:
        wait_until(lambda: len(lab.run("gw", ["ss", "-Hlun"]).stdout.splitlines()) >= 3, 15,
                   "Kamailio and rtpengine listen")
        pids = [kamailio.pid, rtpengine.pid]
        before = cpu_seconds(pids)
        good, bad = load.run(args.rate, args.calls, name)
        used = cpu_seconds(pids) - before
    finally:
        kamailio.stop()
        rtpengine.stop()
    return {"us_per_call": used * 1e6 / max(good, 1), "calls_ok": good, "calls_failed": bad}


def median(runs):
    """The run list as one row."""
    return {"us_per_call": round(statistics.median(r["us_per_call"] for r in runs), 1),
            "us_per_call_min": round(min(r["us_per_call"] for r in runs), 1),
            "us_per_call_max": round(max(r["us_per_call"] for r in runs), 1),
            "calls_ok": sum(r["calls_ok"] for r in runs),
            "calls_failed": sum(r["calls_failed"] for r in runs), "runs": len(runs)}


def main():
    """Interleaved runs, medians, the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rate", type=int, default=300, help="calls per second")
    parser.add_argument("--calls", type=int, default=1500, help="calls in one run")
    parser.add_argument("--json", help="write the rows there")
    args = parser.parse_args()
    topology.raise_on_sigterm()
    results = {"hornwork": [], "kamailio+rtpengine": []}
    with tempfile.TemporaryDirectory(prefix="hornwork-bench-") as workdir, \
            Lab(f"bench{os.getpid()}") as lab:
        os.chmod(workdir, 0o755)
        load = Load(lab, workdir)
        for i in range(args.runs):
            print(f"run {i + 1} of {args.runs}", file=sys.stderr)
            results["hornwork"].append(hornwork_run(lab, load, args, f"h{i}"))
            results["kamailio+rtpengine"].append(kamailio_run(lab, load, args, f"k{i}"))
    rows = [{"gateway": name, **median(runs)} for name, runs in results.items()]
    for row in rows:
        print(f"{row['gateway']:20} {row['us_per_call']:8.1f} us CPU per call "
              f"({row['us_per_call_min']} to {row['us_per_call_max']}), "
              f"{row['calls_ok']} calls good, {row['calls_failed']} failed")
    ratio = rows[1]["us_per_call"] / max(rows[0]["us_per_call"], 0.1)
    print(f"a call costs Kamailio with rtpengine {ratio:.1f} times what it costs Hornwork")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=1)
    return 1 if any(r["calls_failed"] for r in rows[:1]) else 0


if __name__ == "__main__":
    sys.exit(main())
