#!/usr/bin/python3
"""Ways to relay media beside each other, in the same run, under the same generator.

Raw XDP redirect (the limit), Hornwork, kernel forwarding with nftables NAT, rtpengine in user space.
For each number of streams all of them stand at once, each in namespaces of its own, and are measured
in turn: packets per second without loss, CPU time per packet, time in the XDP program, latency.
Generator, gateway and sink share one core in a closed loop; what generator and sink cost by
themselves is measured by the same means and taken off.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "tools"), os.path.join(HERE, "media")]

# pylint: disable=wrong-import-position
import gateways  # noqa: E402
import report  # noqa: E402
from hwlab import netns, topology  # noqa: E402
from hwlab.proc import LabError, run  # noqa: E402

STREAMS = (100, 1000, 4000, 10000)
CHROOT_S = 600
KEYS = ("path", "streams", "packets_per_s", "cpu_ns_per_packet", "program_ns", "p50_us", "p99_us", "lost")
PATHS = ("raw", "kernel", "user", "nft", "rtpengine", "rtpengine-10.5")


def say(text):
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def newest_rtpengine():
    """Folder and version of rtpengine from Debian sid; None and why it cannot be had."""
    done = run([f"{gateways.ROOT}/tools/sid-chroot", "build", "rtpengine"], timeout_s=CHROOT_S, check=False)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1] if done.stderr else "no reason given"
    folder = done.stdout.strip()
    with open(f"{folder}/.hornwork-ready", encoding="utf-8") as ready:
        return folder, ready.read().split()[1]


def ways(workdir):
    """What is measured, by name; `direct` is the rig alone."""
    found = {"direct": gateways.Direct, "raw": gateways.Raw, "kernel": gateways.Gate, "user": gateways.AfXdp,
             "user-sockets": gateways.Sockets, "nft": gateways.Nft}
    folder, version = newest_rtpengine()
    if folder:
        say(f"rtpengine {version} from sid, beside this machine's own")
        found["rtpengine"] = type("Newest", (gateways.Rtpengine,), {"folder": folder})
    else:
        say(f"NO NEWEST RTPENGINE: {version}; Debian 12's stands for it")
    found["rtpengine-10.5"] = gateways.Rtpengine
    return {name: kind(name, workdir) for name, kind in found.items()}


def measure(way, streams, seconds):
    """One run of one way."""
    argv = [f"{gateways.OBJECTS}/media_load", "--rig", way.prefix, "--streams", str(streams), "--objects",
            gateways.OBJECTS, "--seconds", str(seconds), *way.load_arguments()]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise LabError(f"media_load exits {done.returncode} on {way.name}")
    return json.loads(done.stdout)


def measure_all(all_ways, streams, options):
    """{name: [one result per run]}, interleaved."""
    results = {name: [] for name in all_ways}
    for name, way in all_ways.items():
        say(f"{streams} streams: {name} opens them")
        way.start(streams)
    for i in range(options.runs):
        for name, way in all_ways.items():
            results[name].append(measure(way, streams, options.seconds))
        say(f"{streams} streams: run {i + 1} of {options.runs}: " + ", ".join(
            f"{name} {rows[-1]['total_ns']:.0f}" for name, rows in results.items()))
    for way in all_ways.values():
        way.stop()
    return results


def rows_of(results, streams):
    """One row per way; the rig's own cost and delay are taken off within each run."""
    rows = []
    for name, runs in results.items():
        if name == "direct":
            continue
        pairs = list(zip(runs, results["direct"]))
        program = [run["program_ns"] for run in runs if run["program_ns"] >= 0]
        rows.append({
            "path": name, "streams": streams,
            "packets_per_s": round(statistics.median(run["packets_per_s"] for run in runs)),
            "cpu_ns_per_packet": round(statistics.median(run["total_ns"] - rig["total_ns"] for run, rig in pairs), 1),
            "program_ns": round(statistics.median(program), 1) if program else None,
            "p50_us": round(statistics.median(run["p50_ns"] - rig["p50_ns"] for run, rig in pairs) / 1000, 2),
            "p99_us": round(statistics.median(run["p99_ns"] - rig["p50_ns"] for run, rig in pairs) / 1000, 2),
            "lost": round(statistics.median(run["lost"] for run in runs)),
        })
    return rows


def written(rows):
    """The rows as JSON=FILE has them: `user` is the way that `media path = auto` takes."""
    by_path = {}
    for row in rows:
        by_path.setdefault(row["path"], []).append(row)
    by_path.setdefault("user", by_path.get("user-sockets", []))
    by_path.setdefault("rtpengine", by_path["rtpengine-10.5"])
    return [{**{key: row[key] for key in KEYS}, "path": path} for path in PATHS for row in by_path.get(path, [])]


def write_readme(rows):
    """README.md's table and its plot."""
    page = pathlib.Path(gateways.ROOT) / "README.md"
    page.write_text(report.readme(page.read_text(encoding="utf-8"), rows), encoding="utf-8")
    (page.parent / "docs" / "bench-media.svg").write_text(report.plot(rows), encoding="utf-8")


def main():
    """Interleaved runs, medians, table, plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--streams", type=lambda text: [int(n) for n in text.split(",")], default=STREAMS)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measurement")
    parser.add_argument("--only", type=lambda text: text.split(","), help="these ways (direct is always there)")
    parser.add_argument("--json", help="write the rows there")
    parser.add_argument("--details", help="write every run of every way there")
    parser.add_argument("--plot", help="write the plot there (SVG)")
    parser.add_argument("--readme", action="store_true", help="write plot and table into docs and README.md")
    parser.add_argument("--quick", action="store_true", help="one short run of each, for trying")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.seconds, options.streams = 1, 0.2, (100, 1000)
    reason = netns.why_not()
    if reason:
        say(f"bench_media: {reason}")
        return 2
    topology.raise_on_sigterm()
    gateways.sweep()
    rows, details = [], []
    with tempfile.TemporaryDirectory(prefix="hornwork-bench-") as workdir, contextlib.ExitStack() as stack:
        chosen = {name: stack.enter_context(way) for name, way in ways(workdir).items()
                  if not options.only or name in options.only or name == "direct"}
        for streams in options.streams:
            results = measure_all(chosen, streams, options)
            rows += rows_of(results, streams)
            details += [{"path": name, "streams": streams, "runs": runs} for name, runs in results.items()]
    print(report.table(rows))
    for path, content in ((options.json, json.dumps(written(rows), indent=1) + "\n" if options.json else None),
                          (options.details, json.dumps(details, indent=1) + "\n"),
                          (options.plot, report.plot(rows) if options.plot else None)):
        if path:
            with open(path, "w", encoding="utf-8") as out:
                out.write(content)
    if options.readme:
        write_readme(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
