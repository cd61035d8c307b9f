"""The demo: two real phones register to a real PBX through the gateway and talk; everything is shown.

alice sits behind a home NAT router on the internet, bob in the voice network. Each plays a tone of
its own and records what it hears. Exit 0 only if each heard the other's tone and nothing else, and
every pinhole is closed; 1 if not; 2 if the demo could not be run.
"""

import os
import sys
import time

from . import topology
from .baresip import Baresip
from .hornwork import ROOT, Hornwork
from .kamailio import Kamailio
from .proc import LabError

TALK_S = 5.0
HEARD_MIN_S = 3.5
ALICE_HZ, BOB_HZ = 440, 620
USAGE = "usage: tools/demo [--keep]"


def heading(text):
    """A line between two parts."""
    print(f"\n== {text}", flush=True)


def table(rows, columns):
    """Rows of dicts as aligned text; a column is (title, key or function)."""
    lines = [[title for title, _ in columns]]
    for row in rows:
        cells = [get(row) if callable(get) else row.get(get) for _, get in columns]
        lines.append(["-" if cell is None else str(cell) for cell in cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def clock(stamp):
    """Time of day with milliseconds of an RFC 3339 stamp; '-' if there is none."""
    return stamp.split("T", 1)[-1].rstrip("Z")[:12] if stamp else None


def show_streams(call):
    """Each stream's packets, loss and jitter."""
    table(call["streams"], [
        ("stream", lambda s: s["direction"].replace("_", " ")), ("zone", "zone"), ("local", "local"),
        ("source", "source"), ("learned", lambda s: "yes" if s["source_learned"] else "no"),
        ("codec", "codec"), ("packets", "packets"), ("lost", "lost"),
        ("jitter ms", lambda s: f"{s['jitter_ms']:.2f}"), ("R", "r_factor"), ("path", "path")])


def show_pinholes(call):
    """Each pinhole with the times of its opening and closing."""
    table(call["pinholes"], [
        ("pinhole", "local"), ("zone", "zone"), ("from", "source"), ("kind", "kind"),
        ("opened", lambda p: clock(p["opened_at"])), ("closed", lambda p: clock(p["closed_at"])),
        ("opened by", "why_opened"), ("closed by", "why_closed")])


def judge_tones(alice, bob):
    """Print what each phone heard; True if it was the other's tone and no other."""
    good = True
    for phone, hertz in ((alice, BOB_HZ), (bob, ALICE_HZ)):
        heard = phone.heard()
        right = heard.only(hertz, HEARD_MIN_S)
        good = good and right
        print(f"  {phone.name} heard {heard.says()}: "
              f"{'right' if right else f'WRONG, expected {hertz} Hz alone'}")
    return good


def judge_pinholes(gateway, call):
    """Print and return whether every pinhole was opened and is closed."""
    left = gateway.status()["pinholes_open"]
    still_open = [p["local"] for p in call["pinholes"] if not p["closed_at"]]
    none_due = not call["answered_at"]  # the first INVITE, which the PBX challenged
    good = left == 0 and not still_open and (none_due or len(call["pinholes"]) > 0)
    print(f"  {len(call['pinholes'])} pinholes opened, {left} still open: "
          f"{'right' if good else 'WRONG'}")
    return good


def talk(alice, bob, gateway):
    """The call itself; returns the gateway's record of it."""
    alice.dial("bob")
    bob.wait_event("CALL_ESTABLISHED")
    print(f"  alice called bob; they talk for {TALK_S:g} s")
    time.sleep(TALK_S)
    alice.hangup()
    bob.wait_event("CALL_CLOSED")
    gateway.wait_idle()
    return gateway.calls(ended=True)


def demo(lab):
    """The whole story in a lab that is up; returns (whether all went well, the gateway)."""
    heading("the lab")
    with open(os.path.join(os.path.dirname(__file__), "demo.conf"), encoding="utf-8") as text:
        config = text.read()
    Kamailio(lab).start()
    gateway = Hornwork(lab, config=config).start()
    print(f"  Kamailio is the PBX; Hornwork runs with {len(config.splitlines())} lines of "
          f"configuration ({gateway.config_path})")
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, ALICE_HZ).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, BOB_HZ).start()
    heading("registrations through the gateway")
    table(gateway.registrations(), [("phone", "aor"), ("by", "phones"), ("from", "source"),
                                    ("transport", "transport"), ("user agent", "user_agent")])
    heading("the call")
    records = talk(alice, bob, gateway)
    for call in records:
        print(gateway.command("trace", call["call"]).stdout.rstrip())
    good = True
    for call in records:
        heading(f"streams of {call['call']}: {call['from']} -> {call['to']}")
        show_streams(call)
        heading(f"pinholes of {call['call']}")
        show_pinholes(call)
        good = judge_pinholes(gateway, call) and good
    heading("the tones")
    good = judge_tones(alice, bob) and good and len(records) > 0
    heading("the demo worked" if good else "the demo FAILED")
    return good, gateway


def how_to_look(lab, gateway):
    """What KEEP=1 says."""
    binary = f"{ROOT}/build/hornwork"
    print(f"""
The lab is still up. Look at it:
  {binary} status --run-dir {gateway.run_dir}
  {binary} calls --all --run-dir {gateway.run_dir}
  {ROOT}/tools/lab shell gw {lab.ident}          (other hosts: {' '.join(topology.HOSTS)})
  logs and recordings: {lab.workdir}
End it:
  {ROOT}/tools/lab down {lab.ident}""")


def main(argv):
    """Exit code of `tools/demo ARGV`."""
    if argv not in ([], ["--keep"]):
        print(USAGE, file=sys.stderr)
        return 2
    keep = bool(argv)
    topology.raise_on_sigterm()
    lab = topology.Lab("demo" if keep else f"demo{os.getpid()}", keep=keep)
    try:
        topology.sweep()
        lab.up()
    except LabError as err:
        print(f"demo: {err}", file=sys.stderr)
        return 2
    stay = False
    try:
        good, gateway = demo(lab)
        stay = keep
        if keep:
            how_to_look(lab, gateway)
        return 0 if good else 1
    except LabError as err:
        print(f"demo: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    finally:
        if not stay:
            lab.down()
