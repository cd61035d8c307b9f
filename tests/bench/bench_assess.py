#!/usr/bin/python3
"""The assessor's whole set of checks on lab phones: how long it takes, and how gentle it is.

One process assesses 200 phones of four models at the default rate. What a phone was sent is read from a
capture. The goals are no more than two packets in whatever second and less than five minutes for the
whole; a phone that was not tested to the end is a failure.
"""

import argparse
import collections
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))

# pylint: disable=wrong-import-position
from hwlab.assess import Assessor, Phones  # noqa: E402
from hwlab.capture import Capture  # noqa: E402
from hwlab.topology import Lab  # noqa: E402

MODELS = 4
TAKES_S_MAX = 300
SECOND_MAX = 2


def most(stamps, span):
    """The most of them within any `span` seconds."""
    times, first, best = sorted(stamps), 0, 0
    for last, when in enumerate(times):
        while times[first] <= when - span:
            first += 1
        best = max(best, last - first + 1)
    return best


def measure(lab, count):
    """The figures of one assessment of so many phones."""
    addresses = [f"10.20.0.{n}" for n in range(30, 30 + count)]
    specs = [{"address": a, "sip": {}, "telnet": {}, "ftp": {}, "http": {"title": "x"},
              "snmp": {"communities": ["public"]}, "agent": f"Labphone L{n % MODELS} 1.0.{n}"}
             for n, a in enumerate(addresses)]
    assessor = Assessor(lab).configure("asset desk { subnet = 10.20.0.0/24  kind = phone }\n")
    with Phones(lab, specs), Capture(lab, "gw", "eth2", "gw-eth2") as capture:
        begin = time.monotonic()
        report = assessor.run("--intrusive", timeout_s=900)
        took = time.monotonic() - begin
    times = collections.defaultdict(list)
    for when, address in capture.fields("ip.dst == 10.20.0.0/24", "frame.time_epoch", "ip.dst"):
        times[address].append(float(when))
    times = {a: times[a] for a in addresses}
    tested = sum(a["state"] == "tested" for a in report.json["assets"] if a["address"] in times)
    return {"phones": count, "tested": tested, "seconds": round(took, 1),
            "checks": len({r["check"] for r in report.json["results"]}),
            "findings": len(report.open()),
            "packets a phone": round(sum(map(len, times.values())) / count),
            "most in 1 s": max(most(t, 1.0) for t in times.values())}


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--phones", type=int, default=200)
    options = parser.parse_args()
    with Lab(f"b{os.getpid()}") as lab:
        row = measure(lab, options.phones)
    for key, value in row.items():
        print(f"  {key:16} {value}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump([row], out)
    if row["seconds"] >= TAKES_S_MAX or row["most in 1 s"] > SECOND_MAX:
        print(f"  goal missed: within {TAKES_S_MAX} s, at most {SECOND_MAX} packets in any second")
    return 0 if row["tested"] == row["phones"] else 1


if __name__ == "__main__":
    sys.exit(main())
