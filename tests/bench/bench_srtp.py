#!/usr/bin/python3
"""RTP to SRTP, SRTP to RTP, and SRTP to SRTP of another suite: Hornwork beside rtpengine in the same run,
under the same generator, and beside what the bare cipher costs by itself (openssl speed).

What comes in sealed was sealed before the run began: the generator takes it from a pool. Each stream
starts shortly before its sequence number wraps. Of one suite rtpengine would pass SRTP through under the
same key; so SRTP that comes in one suite goes on in another. All ways stand at once, each in namespaces of its own, and are measured in turn, interleaved. Generator,
gateway and sink share one core in a closed loop; what generator and sink cost by themselves is measured
by the same means and taken off. 172 bytes of RTP (20 ms of G.711) each.
"""

import argparse
import base64
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
# Directions: what comes in, what goes out.
DIRECTIONS = {"rtp-srtp": (False, True), "srtp-srtp": (True, True), "srtp-rtp": (True, False)}
KEYS = ("suite", "path", "cpu_ns_per_packet", "packets_per_s", "direction")
RTP_BYTES, HEAD_BYTES, ROC_BYTES = 172, 12, 4
TAGS = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4, "AEAD_AES_128_GCM": 16, "AEAD_AES_256_GCM": 16}
MASTERS = {"AES_CM_128_HMAC_SHA1_80": 30, "AES_CM_128_HMAC_SHA1_32": 30, "AEAD_AES_128_GCM": 28,
           "AEAD_AES_256_GCM": 44}
OTHERS = {"AES_CM_128_HMAC_SHA1_80": "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM": "AEAD_AES_256_GCM",
          "AEAD_AES_256_GCM": "AEAD_AES_128_GCM"}
FIRST_ROUND = 65500     # sequence number of each stream's first packet
GOAL = 1 / 6
# What openssl speed is asked for: (arguments, bytes of one packet that they work on).
CIPHERS = {
    "AES_CM_128_HMAC_SHA1_80": ((("-evp", "aes-128-ctr"), RTP_BYTES - HEAD_BYTES),
                                (("-hmac", "sha1"), RTP_BYTES + ROC_BYTES)),
    "AES_CM_128_HMAC_SHA1_32": ((("-evp", "aes-128-ctr"), RTP_BYTES - HEAD_BYTES),
                                (("-hmac", "sha1"), RTP_BYTES + ROC_BYTES)),
    "AEAD_AES_128_GCM": ((("-evp", "aes-128-gcm"), RTP_BYTES - HEAD_BYTES),),
    "AEAD_AES_256_GCM": ((("-evp", "aes-256-gcm"), RTP_BYTES - HEAD_BYTES),),
}


def suites_of(suite, direction):
    """The suites of what comes and of what goes; None for plain."""
    comes, goes = DIRECTIONS[direction]
    return suite if comes else None, (OTHERS[suite] if comes else suite) if goes else None


class OneWay:
    """Load from the client alone; sequence numbers go on from run to run."""

    before, comes, goes = 0, None, None     # suites

    def load_arguments(self):
        sealed = ["--sealed", self.comes] if self.comes else []
        return [*super().load_arguments(), "--one-way", "--before", str(self.before), *sealed]

    def suites(self):
        """Options of media_gate."""
        return [word for option, suite in (("--open", self.comes), ("--seal", self.goes)) if suite
                for word in (option, suite)]


class Direct(OneWay, gateways.Direct):
    """The rig alone."""


class SealingGate(OneWay, gateways.AfXdp):
    """Hornwork's user path, opening and sealing what the client sends."""

    def start(self, streams):
        share = gateways.SHARE if self.path == "sockets" else streams
        for first in range(0, streams, share):
            daemon = self.in_gw([f"{gateways.OBJECTS}/media_gate", "--first", str(first), "--streams",
                                 str(min(share, streams - first)), "--path", self.path, *self.suites()],
                                f"gate{first}.log")
            daemon.wait_text("ready", gateways.READY_S)


class SealingSockets(SealingGate):
    """The same over ordinary sockets, where the kernel path's program is not."""
    path = "sockets"


class SealingRtpengine(OneWay, gateways.Rtpengine):
    """rtpengine, told to speak RTP/SAVP with SDES where the direction asks for it."""

    @staticmethod
    def _sdp(address, port, suite, number, tag="1"):
        """With the key of that number, as sealed.c has it."""
        text = gateways.sdp(address, port)
        if not suite:
            return text
        key = base64.b64encode(number.to_bytes(4, "little").ljust(MASTERS[suite], b"\0")).decode()
        return text.replace("RTP/AVP", "RTP/SAVP") + f"a=crypto:{tag} {suite} inline:{key}\r\n"

    def _call(self, sock, i):
        base = {"call-id": f"bench-{i}", "from-tag": f"from-{i}", "replace": ["origin", "session-connection"],
                "ICE": "remove"}
        offer = gateways.ask(sock, {**base, "command": "offer", "direction": ["a", "b"], "DTLS": "off",
                                    "transport-protocol": "RTP/SAVP" if self.goes else "RTP/AVP",
                                    "sdp": self._sdp(gateways.CLIENT, gateways.CLIENT_PORT + 2 * i, self.comes, i)})
        tag = re.search(rf"a=crypto:(\d+) {self.goes} inline:".encode(), offer) if self.goes else None
        if self.goes and not tag:
            raise LabError(f"rtpengine offers no {self.goes}: {offer[:900]!r}")
        answer = gateways.ask(sock, {**base, "command": "answer", "to-tag": f"to-{i}",
                                     "sdp": self._sdp(gateways.SERVER, gateways.SERVER_PORT + 2 * i, self.goes,
                                                      i | 1 << 31, tag.group(1).decode() if tag else "")})
        return f"{gateways.audio_port(answer)} {gateways.audio_port(offer)}"


def ways(workdir, suite, direction, folder):
    """What is measured for one suite and direction."""
    short = f"{SUITES.index(suite)}{list(DIRECTIONS).index(direction)}"
    comes, goes = suites_of(suite, direction)
    kinds = {"direct": Direct, "hornwork": SealingGate, "sockets": SealingSockets, "rtpengine": SealingRtpengine}
    made = {}
    for name, kind in kinds.items():
        kind = type(kind.__name__, (kind,), {"folder": folder, "comes": comes, "goes": goes})
        made[name] = kind(f"{name[:4]}{short}", workdir)
    return made


def cipher(suite, direction, seconds):
    """ns that the library's cipher alone costs for one packet, opened, sealed or both."""
    total = 0.0
    for arguments, size in (work for one in suites_of(suite, direction) if one for work in CIPHERS[one]):
        text = run(["openssl", "speed", "-mr", "-seconds", str(seconds), "-bytes", str(size), *arguments],
                   timeout_s=60).stdout
        rate = [line for line in text.splitlines() if line.startswith("+F:")][-1].split(":")[-1]
        total += size / float(rate) * 1e9
    return total


def check_bytes(name, way, row):
    """What came out must be as long as it is when the gateway has opened or sealed it."""
    want = RTP_BYTES + TAGS.get(way.comes if name == "direct" else way.goes, 0)
    if row["rtp_bytes"] != want or row["strange"]:
        raise LabError(f"{name}: packets of {row['rtp_bytes']} bytes instead of {want}, {row['strange']} strange ones")


def measure_suite(suite, direction, options, folder, workdir):
    """Rows of one suite and direction."""
    alone = []
    with contextlib.ExitStack() as stack:
        chosen = {name: stack.enter_context(way)
                  for name, way in ways(workdir, suite, direction, folder).items()}
        results = {name: [] for name in chosen}
        for way in chosen.values():
            way.start(options.streams)
            way.before = FIRST_ROUND * options.streams
        for i in range(options.runs):
            for name, way in chosen.items():
                row = measure(way, options.streams, options.seconds)
                check_bytes(name, way, row)
                way.before = row["before"]
                results[name].append(row)
            alone.append(cipher(suite, direction, 1))
            say(f"{suite} {direction}: run {i + 1} of {options.runs}: "
                + ", ".join(f"{name} {rows[-1]['total_ns']:.0f}" for name, rows in results.items())
                + f", cipher {alone[-1]:.0f}")
    rows = []
    for name in ("hornwork", "sockets", "rtpengine"):
        pairs = zip(results[name], results["direct"])
        rows.append({"suite": suite, "direction": direction, "path": name,
                     "cpu_ns_per_packet": round(statistics.median(r["total_ns"] - d["total_ns"] for r, d in pairs), 1),
                     "packets_per_s": round(statistics.median(r["packets_per_s"] for r in results[name]))})
    ns = statistics.median(alone)
    rows.append({"suite": suite, "direction": direction, "path": "cipher", "cpu_ns_per_packet": round(ns, 1),
                 "packets_per_s": round(1e9 / ns)})
    return rows


def main():
    """Interleaved runs, medians, table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measurement")
    parser.add_argument("--suites", type=lambda text: text.split(","), default=SUITES)
    parser.add_argument("--directions", type=lambda text: text.split(","), default=DIRECTIONS)
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
            for direction in options.directions:
                rows += measure_suite(suite, direction, options, folder, workdir)
    print(f"{'suite':26} {'direction':10} {'path':10} {'CPU ns':>9} {'packets/s':>10}   "
          f"of rtpengine's CPU (goal {GOAL:.3f})")
    for row in rows:
        theirs = next(r for r in rows if r["path"] == "rtpengine"
                      and all(r[key] == row[key] for key in ("suite", "direction")))
        print(f"{row['suite']:26} {row['direction']:10} {row['path']:10} {row['cpu_ns_per_packet']:>9,.0f} "
              f"{row['packets_per_s']:>10,} "
              f"  {row['cpu_ns_per_packet'] / theirs['cpu_ns_per_packet']:.3f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            out.write(json.dumps([{key: row[key] for key in KEYS} for row in rows
                                  if row["path"] != "sockets"], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
