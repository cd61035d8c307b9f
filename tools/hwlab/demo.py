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

TALK_S = 4.0
HEARD_MIN_S = 3.0
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


def judge_tones(one, other):
    """Print what each phone heard; True if it was the other's tone and no other."""
    good = True
    for phone, hertz in ((one, other.tone_hz), (other, one.tone_hz)):
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
    good = left == 0 and not still_open and len(call["pinholes"]) > 0
    print(f"  {len(call['pinholes'])} pinholes opened, {left} still open: "
          f"{'right' if good else 'WRONG'}")
    return good


def talk(caller, callee, gateway):
    """One call; returns the gateway's records of it: from phone to PBX, from PBX to phone.

    The PBX's challenge to the first INVITE is a record too, one without an answer: left out.
    """
    known = {call["call"] for call in gateway.calls(ended=True)}
    since = callee.mark()
    caller.dial(callee.name)
    callee.wait_event("CALL_ESTABLISHED", since=since)
    print(f"  {caller.name} called {callee.name}; they talk for {TALK_S:g} s", flush=True)
    time.sleep(TALK_S)
    caller.hangup()
    callee.wait_event("CALL_CLOSED", since=since)
    gateway.wait_idle()
    return [call for call in gateway.calls(ended=True)
            if call["call"] not in known and call["answered_at"]]


def call_shown(caller, callee, gateway):
    """One call with all that there is to see of it; True if all of it is right."""
    heading(f"{caller.name} calls {callee.name}")
    records = sorted(talk(caller, callee, gateway), key=lambda call: call["started_at"])
    for call in records:
        print(gateway.command("trace", call["call"]).stdout.rstrip())
    good = len(records) > 0
    for call in records:
        heading(f"streams of {call['call']}: {call['from']} -> {call['to']}")
        show_streams(call)
        heading(f"pinholes of {call['call']}")
        show_pinholes(call)
        good = judge_pinholes(gateway, call) and good
    heading(f"the tones, {caller.name} calling {callee.name}")
    return judge_tones(caller, callee) and good


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
    good = call_shown(alice, bob, gateway)
    good = call_shown(bob, alice, gateway) and good
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
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
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
