#!/usr/bin/python3
"""Captures of attacks, read by `hornwork watch` and by Suricata 8 from Debian sid: what each names, what it misses.

Suricata reads each capture twice: with the rules that its package ships, none of which is about SIP, and with four of
ours beside them (suricata-sip.rules), so that it has something to say. The captures are those of
tests/unit/main/test_watch_attack.py, and the third-party ones of the test data where these are there.
"""

import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = os.environ.get("HORNWORK_BINARY", str(ROOT / "build" / "hornwork"))
sys.path.insert(0, str(ROOT / "tests" / "unit" / "main"))
sys.argv.insert(1, BINARY)  # for the tests' own command line, which takes it away again

# pylint: disable=wrong-import-position
import capture  # noqa: E402
import test_watch  # noqa: E402
import test_watch_attack as attack  # noqa: E402

READ_S = 120
BUILD_S = 900
SHIPPED = "/etc/suricata/rules"


def everywhere(n):
    """One of many sources."""
    return (f"198.18.{n % 30}.{n % 60 + 1}", 5060)


def made():
    """[(name, packets, whether it is an attack)]"""
    stranger, pbx = attack.STRANGER, attack.PBX
    scan = attack.ask("OPTIONS", "100", 1, "User-Agent: friendly-scanner\r\n")
    flaw = attack.ask("INVITE", "100", 1).replace(b"Contact: <sip:u@192.0.2.1>\r\n", b"")
    bot = "User-Agent: Bot\r\n"
    forged = [(5 + n, capture.udp(stranger, test_watch.CALLEE, test_watch.request("BYE", 10 + n, to_tag="b")))
              for n in range(4)]
    ordinary = test_watch.signalling() + test_watch.media()
    return [
        ("a scanner that names itself", [(n, capture.udp(stranger, pbx, scan)) for n in range(4)], True),
        ("names asked for, unknown", sum((attack.exchange(n / 10, "REGISTER", str(100 + n), n + 1, 404)
                                          for n in range(40)), []), True),
        ("names asked for, challenged", sum((attack.exchange(n / 10, "REGISTER", str(100 + n), n + 1, 401)
                                             for n in range(40)), []), True),
        ("passwords guessed", sum((attack.guess(n, "100", 10 * n + 1) for n in range(10)), []), True),
        ("one account guessed from everywhere", sum((attack.guess(n, "100", 10 * n + 1, who=everywhere(n))
                                                     for n in range(12)), []), True),
        ("INVITEs of one source, 300 a second", [(n / 300, capture.udp(stranger, pbx, attack.ask("INVITE", "100", n + 1)))
                                                 for n in range(2400)], True),
        ("INVITEs of 60 sources, two each", [(n / 6, capture.udp(everywhere(n), pbx,
                                                                 attack.ask("INVITE", str(100 + n), n + 1, bot)))
                                             for n in range(120)], True),
        ("a known flaw (CVE-2017-17850)", [(n, capture.udp(stranger, pbx, flaw)) for n in range(3)], True),
        ("BYEs forged into a call", test_watch.signalling()[:4] + forged, True),
        ("garbage at the SIP port", [(n / 10, capture.udp(stranger, pbx, b"GARBAGE %d SIP/2.0\r\n\r\n" % n))
                                     for n in range(70)], True),
        ("an ordinary call", ordinary, False),
        ("a mistyped password", attack.guess(0, "100", 1) + attack.guess(5, "100", 11) +
         attack.guess(9, "100", 21, 200), False),
    ]


def captures(folder):
    """[(name, path, whether it is an attack)]"""
    found = []
    for n, (name, packets, hostile) in enumerate(made()):
        path = folder / f"made-{n}.pcap"
        path.write_bytes(capture.capture(sorted(packets, key=lambda p: p[0])))
        found.append((name, path, hostile))
    third = attack.data_folder("attack")
    found += [(path.stem, path, True) for path in sorted(third.rglob("*.pcap"))] if third else []
    return found


def hornwork(path):
    """({reason: times}, seconds)"""
    begin = time.monotonic()
    done = subprocess.run([BINARY, "watch", "-r", str(path), "--events"], capture_output=True, text=True,
                          timeout=READ_S, check=True)
    took = time.monotonic() - begin
    return collections.Counter(json.loads(line)["reason"] for line in done.stdout.splitlines()), took


class Suricata:
    """Suricata in its folder."""

    def __init__(self):
        tool = str(ROOT / "tools" / "sid-chroot")
        done = subprocess.run([tool, "build", "suricata"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=BUILD_S, check=False)
        if done.returncode:
            raise LookupError(done.stderr.strip())
        self.root = pathlib.Path(done.stdout.strip())
        self.version = (self.root / ".hornwork-ready").read_text().split()[1]
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="hw-ids-", dir=self.root / "tmp"))

    def close(self):
        """Leaves nothing in the folder."""
        shutil.rmtree(self.work)

    def rules(self, more):
        """The shipped rules in one file, with ours behind them or not."""
        files = sorted((self.root / SHIPPED.lstrip("/")).glob("*.rules"))
        text = "\n".join(f.read_text() for f in files)
        path = self.work / ("more.rules" if more else "shipped.rules")
        path.write_text(text + ((HERE / "suricata-sip.rules").read_text() if more else ""))
        return path

    def inside(self, path):
        """A path as the folder's own processes see it."""
        return "/" + str(path.relative_to(self.root))

    def read(self, path, more):
        """({what it names: times}, seconds); seconds include its start."""
        mine = self.work / "capture.pcap"
        log = self.work / "log"
        shutil.copy(path, mine)
        log.mkdir()
        begin = time.monotonic()
        done = subprocess.run(["chroot", str(self.root), "suricata", "-r", self.inside(mine), "-l", self.inside(log), "-S",
                               self.inside(self.rules(more)), "-k", "none", "--runmode", "single",
                               "--set", "app-layer.protocols.sip.enabled=yes"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=READ_S, check=False)
        took = time.monotonic() - begin
        if done.returncode:
            raise SystemExit(f"bench_ids: suricata exits {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        wrong = [line for line in (log / "suricata.log").read_text().splitlines() if "error parsing signature" in line and "sid:1000" in line]
        if wrong:
            raise SystemExit(f"bench_ids: {wrong[0]}")
        named = collections.Counter()
        for line in (log / "eve.json").read_text().splitlines():
            event = json.loads(line)
            if event["event_type"] == "alert":
                named[event["alert"]["signature"]] += 1
            elif event["event_type"] == "anomaly":
                named[event["anomaly"].get("event", "anomaly")] += 1
        shutil.rmtree(log)
        # Captures where the card was to compute the sums, and made ones, have none: that names no attack.
        return collections.Counter({what: n for what, n in named.items() if "invalid checksum" not in what}), took


def words(named):
    """"a 3, b 1", the most frequent first."""
    return ", ".join(f"{what} {n}" for what, n in named.most_common(3)) or "-"


def measure(folder, suricata):
    """A row for each capture."""
    rows = []
    for name, path, hostile in captures(folder):
        ours, our_s = hornwork(path)
        shipped, shipped_s = suricata.read(path, False)
        more, _ = suricata.read(path, True)
        rows.append({"capture": name, "attack": hostile, "hornwork": dict(ours), "suricata_shipped": dict(shipped),
                     "suricata_four_rules": dict(more), "hornwork_s": round(our_s, 3),
                     "suricata_s": round(shipped_s, 3)})
        print(f"  {name[:38]:38}  {words(ours)}\n{'':40}  shipped: {words(shipped)}\n{'':40}  and four rules: {words(more)}",
              flush=True)
    return rows


def write(path, rows):
    """The rows to a file, if one is wanted."""
    if path:
        pathlib.Path(path).write_text(json.dumps(rows), encoding="utf-8")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    options = parser.parse_args()
    try:
        suricata = Suricata()
    except LookupError as why:
        print(f"  not measured: there is no Suricata 8 here: {why}")
        write(options.json, [])
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="hw-ids-") as folder:
            rows = measure(pathlib.Path(folder), suricata)
    finally:
        suricata.close()
    hostile = [row for row in rows if row["attack"]]
    print(f"  Suricata {suricata.version}; of {len(hostile)} captures of attacks are named by")
    for key in ("hornwork", "suricata_shipped", "suricata_four_rules"):
        named = sum(bool(row[key]) for row in hostile)
        wrong = sum(bool(row[key]) for row in rows if not row["attack"])
        print(f"    {key.replace('_', ' '):22} {named:2}, and {wrong} of {len(rows) - len(hostile)} that are none")
    write(options.json, rows)
    missed = [row["capture"] for row in hostile if not row["hornwork"]]
    if missed:
        print("  missed by hornwork: " + ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
