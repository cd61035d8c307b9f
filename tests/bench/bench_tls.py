#!/usr/bin/python3
"""TLS handshakes and idle connections: Hornwork beside Kamailio, in the same run.

Several `openssl s_time` make connections as fast as they can: full handshakes with an ECDSA and an
RSA certificate, and resumed ones. What counts is the CPU time of all processes of the gateway for
one handshake; handshakes per second show what two cores give beside the load itself. Kamailio 5.6 with
OpenSSL 3 dies when several of its processes shake hands at once, so it has one for that.

The memory of an idle connection is what all processes of the gateway have more of it in RAM (PSS) for each
of some hundred connections that said and got one keep-alive.
"""

import argparse
import contextlib
import json
import os
import re
import socket
import ssl
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
from bench_calls import cpu_seconds, family  # noqa: E402
from hwlab import topology  # noqa: E402
from hwlab.hornwork import Hornwork  # noqa: E402
from hwlab.pki import Authority  # noqa: E402
from hwlab.proc import LabError, wait_until  # noqa: E402
from hwlab.topology import Lab, address  # noqa: E402

CLIENTS = 3
WARM, IDLE = 100, 500       # connections
GOAL_KIB = 40
MODES = {"ecdsa": ("ecdsa", ["-new", "-tls1_3"]), "rsa": ("rsa", ["-new", "-tls1_3"]),
         "resumed": ("ecdsa", ["-reuse", "-tls1_2"])}

HORNWORK = """
tls           {{ certificate = "{cert}"  key = "{key}" }}
zone internet {{ interface = eth0 }}
zone core     {{ interface = eth1  trust = trusted }}
pbx main      {{ zone = core  address = "{pbx}:5060"  options-ping = 0 }}
phones load   {{ zone = internet  to = main  listen = "tls:5061" }}
limits        {{ never-ban = {{"{client}"}} }}
"""

KAMAILIO = """
debug=-1
log_stderror=no
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
tcp_max_connections=16384
tls_max_connections=16384
listen=tls:{outside}:5061
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tls.so"
loadmodule "sl.so"
modparam("tls", "config", "{tls}")
request_route {{ sl_send_reply("200", "OK"); exit; }}
"""

KAMAILIO_TLS = """[server:default]
method = TLSv1.2+
certificate = {cert}
private_key = {key}
verify_certificate = no
require_certificate = no
"""


def hammer(lab, mode, seconds, workdir):
    """The load; returns how many connections were made."""
    argv = ["openssl", "s_time", "-connect", f"{address('gw')}:5061", "-time", str(seconds), *MODES[mode][1]]
    clients = [lab.daemon("ext", argv, f"{workdir}/client{n}.log") for n in range(CLIENTS)]
    made = 0
    for client in clients:
        client.wait(seconds + 30)
        found = re.findall(r"(\d+) connections in \d+ real seconds", client.text())
        made += int(found[-1]) if found else 0
    for n in range(CLIENTS):
        os.unlink(f"{workdir}/client{n}.log")
    return made


def figures(pids, made, before, seconds):
    """A run's row."""
    used = cpu_seconds(pids) - before
    return {"us_per_handshake": used * 1e6 / max(made, 1), "per_s": made / seconds, "made": made}


def listens(lab):
    """True once somebody listens on the port."""
    return ":5061" in lab.run("gw", ["ss", "-Hltn"]).stdout


@contextlib.contextmanager
def hornwork(lab, pair, _workdir):
    """Hornwork's pid while it runs."""
    config = HORNWORK.format(cert=pair[0], key=pair[1], pbx=address("pbx"), client=address("ext"))
    gateway = Hornwork(lab, config=config).start()
    try:
        yield gateway.daemon.pid
    finally:
        gateway.stop()


@contextlib.contextmanager
def kamailio(lab, pair, workdir):
    """Kamailio's pid while it runs."""
    for name, text in (("kamailio.cfg", KAMAILIO.format(outside=address("gw"), tls=f"{workdir}/tls.cfg")),
                       ("tls.cfg", KAMAILIO_TLS.format(cert=pair[0], key=pair[1]))):
        with open(f"{workdir}/{name}", "w", encoding="utf-8") as out:
            out.write(text)
    daemon = lab.daemon("gw", ["kamailio", "-f", f"{workdir}/kamailio.cfg", "-m", "512", "-M", "32", "-DD",
                               "-E", "-Y", workdir], f"{workdir}/kamailio.log")
    try:
        wait_until(lambda: listens(lab), 15, "Kamailio listens")
        yield daemon.pid
    finally:
        daemon.stop()


GATEWAYS = {"hornwork": hornwork, "kamailio": kamailio}


def handshakes_run(lab, name, pair, mode, seconds, workdir):
    """One run of one gateway."""
    with GATEWAYS[name](lab, pair, workdir) as pid:
        before = cpu_seconds([pid])
        made = hammer(lab, mode, seconds, workdir)
        return figures([pid], made, before, seconds)


def resident(pid):
    """Bytes in RAM of a process and its descendants; what they share counts once."""
    total = 0
    for one in family([pid]):
        with contextlib.suppress(OSError), open(f"/proc/{one}/smaps_rollup", encoding="ascii") as text:
            total += sum(int(line.split()[1]) * 1024 for line in text if line.startswith("Pss:"))
    return total


def connect(lab, context, count):
    """So many connections that said and got a keep-alive (RFC 5626 3.5.1)."""
    made = []
    for _ in range(count):
        sock = lab.socket("ext", socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(10.0)
        sock.connect((address("gw"), 5061))
        made.append(context.wrap_socket(sock))
        made[-1].sendall(b"\r\n\r\n")
        if made[-1].recv(4) != b"\r\n":
            raise LabError("a keep-alive was not answered")
    return made


def idle_run(lab, name, pair, workdir):
    """KiB for each idle connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with GATEWAYS[name](lab, pair, workdir) as pid, contextlib.ExitStack() as held:
        for sock in connect(lab, context, WARM):
            held.enter_context(sock)
        before = resident(pid)
        for sock in connect(lab, context, IDLE):
            held.enter_context(sock)
        return (resident(pid) - before) / IDLE / 1024


def row_of(who, mode, runs):
    """The median of the runs."""
    return {"gateway": who, "mode": mode,
            "us_cpu_per_handshake": round(statistics.median(r["us_per_handshake"] for r in runs), 1),
            "handshakes_per_s": round(statistics.median(r["per_s"] for r in runs), 1),
            "handshakes": sum(r["made"] for r in runs), "runs": len(runs)}


def main():
    """Interleaved runs, medians, the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of one run")
    parser.add_argument("--quick", action="store_true", help="one short run of each")
    parser.add_argument("--json", help="write the rows there")
    args = parser.parse_args()
    if args.quick:
        args.runs, args.seconds = 1, 2
    topology.raise_on_sigterm()
    results = {(mode, name): [] for mode in MODES for name in GATEWAYS}
    idle = {name: [] for name in GATEWAYS}
    with tempfile.TemporaryDirectory(prefix="hornwork-bench-") as workdir, \
            Lab(f"bench{os.getpid()}") as lab:
        os.chmod(workdir, 0o755)
        pki = Authority(f"{workdir}/pki")
        pairs = {"ecdsa": pki.issue("ecdsa", ["DNS:bench.test"]),
                 "rsa": pki.issue("rsa", ["DNS:bench.test"], rsa=True)}
        for i in range(args.runs):
            print(f"run {i + 1} of {args.runs}", file=sys.stderr)
            for mode, (kind, _) in MODES.items():
                for name in GATEWAYS:
                    results[mode, name].append(handshakes_run(lab, name, pairs[kind], mode, args.seconds, workdir))
            for name in GATEWAYS:
                idle[name].append(idle_run(lab, name, pairs["ecdsa"], workdir))
    rows = [row_of(name, mode, runs) for (mode, name), runs in results.items()]
    for row in rows:
        print(f"{row['mode']:8} {row['gateway']:9} {row['us_cpu_per_handshake']:8.1f} us CPU, "
              f"{row['handshakes_per_s']:8.1f} handshakes/s")
    for mode in MODES:
        ours, theirs = (next(r for r in rows if r["mode"] == mode and r["gateway"] == name) for name in GATEWAYS)
        print(f"{mode}: Kamailio takes {theirs['us_cpu_per_handshake'] / max(ours['us_cpu_per_handshake'], 0.1):.2f} "
              f"times the CPU of Hornwork")
    kib = {name: round(statistics.median(runs), 1) for name, runs in idle.items()}
    for name in GATEWAYS:
        print(f"idle     {name:9} {kib[name]:8.1f} KiB for each connection (goal {GOAL_KIB})")
    print(f"idle: Kamailio takes {kib['kamailio'] / max(kib['hornwork'], 0.1):.2f} times the memory of Hornwork")
    rows += [{"gateway": name, "mode": "idle", "kib_per_connection": kib[name], "connections": IDLE,
              "runs": len(idle[name])} for name in GATEWAYS]
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=1)
    return 1 if any(row.get("handshakes") == 0 for row in rows if row["gateway"] == "hornwork") else 0


if __name__ == "__main__":
    sys.exit(main())
