#!/usr/bin/python3
"""RTP in, SRTP out: Hornwork beside rtpengine in the same run, under the same generator, and beside what
the bare cipher costs by itself (openssl speed).

All ways stand at once, each in namespaces of its own, and are measured in turn, interleaved. Generator,
gateway and sink share one core in a closed loop; what generator and sink cost by themselves is measured
by the same means and taken off. 172 bytes of RTP (20 ms of G.711) each.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "tools"), os.path.join(HERE, "media"), HERE]

# pylint: disable=wrong-import-position
import gateways  # noqa: E402
from bench_media import measure, newest_rtpengine, say  # noqa: E402
from hwlab import netns, topology  # noqa: E402
from hwlab.proc import LabError, run  # noqa: E402

SUITES = ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM")
KEYS = ("suite", "path", "cpu_ns_per_packet", "packets_per_s")
RTP_BYTES, HEAD_BYTES, ROC_BYTES = 172, 12, 4
GOAL = 1 / 6
# What openssl speed is asked for: (arguments, bytes of one packet that they work on).
CIPHERS = {
    "AES_CM_128_HMAC_SHA1_80": ((("-evp", "aes-128-ctr"), RTP_BYTES - HEAD_BYTES),
                                (("-hmac", "sha1"), RTP_BYTES + ROC_BYTES)),
    "AEAD_AES_128_GCM": ((("-evp", "aes-128-gcm"), RTP_BYTES - HEAD_BYTES),),
    "AEAD_AES_256_GCM": ((("-evp", "aes-256-gcm"), RTP_BYTES - HEAD_BYTES),),
}


class OneWay:
    """Load from the client alone; sequence numbers go on from run to run."""

    before = 0

    def load_arguments(self):
        return [*super().load_arguments(), "--one-way", "--before", str(self.before)]


class Direct(OneWay, gateways.Direct):
    """The rig alone."""


class SealingGate(OneWay, gateways.AfXdp):
    """Hornwork's user path, sealing what the client sends."""

    def start(self, streams):
        share = gateways.SHARE if self.path == "sockets" else streams
        for first in range(0, streams, share):
            daemon = self.in_gw([f"{gateways.OBJECTS}/media_gate", "--first", str(first), "--streams",
                                 str(min(share, streams - first)), "--path", self.path, "--srtp", self.suite],
                                f"gate{first}.log")
            daemon.wait_text("ready", gateways.READY_S)


class SealingSockets(SealingGate):
    """The same over ordinary sockets, where the kernel path's program is not."""
    path = "sockets"


class SealingRtpengine(OneWay, gateways.Rtpengine):
    """rtpengine, told to speak RTP/SAVP with SDES towards the server."""

    def _call(self, sock, i):
        base = {"call-id": f"bench-{i}", "from-tag": f"from-{i}", "replace": ["origin", "session-connection"],
                "ICE": "remove"}
        offer = gateways.ask(sock, {**base, "command": "offer", "direction": ["a", "b"],
                                    "transport-protocol": "RTP/SAVP", "DTLS": "off",
                                    "sdp": gateways.sdp(gateways.CLIENT, gateways.CLIENT_PORT + 2 * i)})
        line = re.search(rf"a=crypto:(\d+) {self.suite} inline:([^\s|]+)".encode(), offer)
        if not line:
            raise LabError(f"rtpengine offers no {self.suite}: {offer[:600]!r}")
        secure = gateways.sdp(gateways.SERVER, gateways.SERVER_PORT + 2 * i).replace("RTP/AVP", "RTP/SAVP")
        secure += f"a=crypto:{line.group(1).decode()} {self.suite} inline:{line.group(2).decode()}\r\n"
        answer = gateways.ask(sock, {**base, "command": "answer", "to-tag": f"to-{i}", "sdp": secure})
        return f"{gateways.audio_port(answer)} {gateways.audio_port(offer)}"


def ways(workdir, suite, folder):
    """What is measured for one suite."""
    short = str(SUITES.index(suite))
    kinds = {"direct": Direct, "hornwork": SealingGate, "sockets": SealingSockets, "rtpengine": SealingRtpengine}
    made = {}
    for name, kind in kinds.items():
        kind = type(kind.__name__, (kind,), {"suite": suite, "folder": folder})
        made[name] = kind(f"{name[:4]}{short}", workdir)
    return made


def cipher(suite, seconds):
    """ns that the library's cipher alone costs for one packet."""
    total = 0.0
    for arguments, size in CIPHERS[suite]:
        text = run(["openssl", "speed", "-mr", "-seconds", str(seconds), "-bytes", str(size), *arguments],
                   timeout_s=60).stdout
        rate = [line for line in text.splitlines() if line.startswith("+F:")][-1].split(":")[-1]
        total += size / float(rate) * 1e9
    return total


def measure_suite(suite, options, folder, workdir):
    """Rows of one suite."""
    alone = []
    with contextlib.ExitStack() as stack:
        chosen = {name: stack.enter_context(way) for name, way in ways(workdir, suite, folder).items()}
        results = {name: [] for name in chosen}
        for way in chosen.values():
            way.start(options.streams)
        for i in range(options.runs):
            for name, way in chosen.items():
                row = measure(way, options.streams, options.seconds)
                way.before = row["before"]
                results[name].append(row)
            alone.append(cipher(suite, 1))
            say(f"{suite}: run {i + 1} of {options.runs}: "
                + ", ".join(f"{name} {rows[-1]['total_ns']:.0f}" for name, rows in results.items())
                + f", cipher {alone[-1]:.0f}")
    rows = []
    for name in ("hornwork", "sockets", "rtpengine"):
        pairs = zip(results[name], results["direct"])
        rows.append({"suite": suite, "path": name,
                     "cpu_ns_per_packet": round(statistics.median(r["total_ns"] - d["total_ns"] for r, d in pairs), 1),
                     "packets_per_s": round(statistics.median(r["packets_per_s"] for r in results[name]))})
    ns = statistics.median(alone)
    rows.append({"suite": suite, "path": "cipher", "cpu_ns_per_packet": round(ns, 1), "packets_per_s": round(1e9 / ns)})
    return rows


def main():
    """Interleaved runs, medians, table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measurement")
    parser.add_argument("--suites", type=lambda text: text.split(","), default=SUITES)
    parser.add_argument("--json", help="write the rows there")
    parser.add_argument("--quick", action="store_true", help="one short run of each, for trying")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.seconds, options.streams = 1, 0.2, 100
    reason = netns.why_not()
    if reason:
        say(f"bench_srtp: {reason}")
        return 2
    topology.raise_on_sigterm()
    gateways.sweep()
    folder, version = newest_rtpengine()
    say(f"rtpengine {version} from sid" if folder else f"NO NEWEST RTPENGINE: {version}; Debian 12's stands for it")
    rows = []
    with tempfile.TemporaryDirectory(prefix="hornwork-bench-") as workdir:
        for suite in options.suites:
            rows += measure_suite(suite, options, folder, workdir)
    print(f"{'suite':26} {'path':10} {'CPU ns':>9} {'packets/s':>10}   of rtpengine's CPU (goal {GOAL:.3f})")
    for row in rows:
        theirs = next(r for r in rows if r["suite"] == row["suite"] and r["path"] == "rtpengine")
        print(f"{row['suite']:26} {row['path']:10} {row['cpu_ns_per_packet']:>9,.0f} {row['packets_per_s']:>10,} "
              f"  {row['cpu_ns_per_packet'] / theirs['cpu_ns_per_packet']:.3f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            out.write(json.dumps([{key: row[key] for key in KEYS} for row in rows
                                  if row["path"] != "sockets"], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
