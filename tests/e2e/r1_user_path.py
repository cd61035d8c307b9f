"""Media in user space: the same calls over AF_XDP sockets and over ordinary ones; the death of the relay is hardly heard."""

import os
import signal
import subprocess
import time

import pytest

from hwlab import netns
from hwlab.proc import LabError, wait_until
from story import pinholes_are_closed

# Frames of AF_XDP lie in locked memory, whose limit a second gateway beside this one would use up.
pytestmark = pytest.mark.alone

GAP_S = 0.2
NO_STACK = """table inet hw-no-stack {
  chain input { type filter hook input priority -500; udp dport 16384-32767 drop; }
}
"""


def relayed_by(gateway, sockets):
    """Wait until media takes this kind of sockets."""
    seen = {}

    def as_wished():
        seen.update(gateway.status()["user_path"])
        return seen["sockets"] == sockets

    try:
        wait_until(as_wished, 20.0, f"{sockets} sockets")
    except LabError as error:
        raise LabError(f"{error}: {seen}") from None


@pytest.fixture(params=["af-xdp", "ordinary"])
def way(request, kamailio, gateway_of):
    """(gateway whose media goes through user space, kind of sockets)"""
    sockets = request.param
    gateway = gateway_of(more=f"media {{ path = user  af-xdp = {'yes' if sockets == 'af-xdp' else 'no'} }}")
    relayed_by(gateway, sockets)
    return gateway, sockets


def test_a_call_is_heard_both_ways_and_closed(way, scripted_call):
    gateway, _sockets = way
    call = scripted_call(gateway).establish()
    marks = len(call.voice.got), len(call.ear.got)
    call.talk(1.0)
    assert call.ear.heard(marks[1]).only(440, 0.7), call.ear.heard(marks[1]).says()
    assert call.voice.heard(marks[0]).only(850, 0.7), call.voice.heard(marks[0]).says()
    streams = call.record()["streams"]
    assert streams and all(s["path"] == "user" and s["why"] == "media { path = user }" for s in streams), streams
    assert {s["lost"] for s in streams} == {0} and any(s["packets"] > 40 for s in streams), streams
    call.hang_up()
    gateway.wait_idle()
    assert pinholes_are_closed(gateway, call.record())


@pytest.fixture
def no_stack(lab):
    """A function after which media no longer comes through the gateway's stack."""
    def shut():
        subprocess.run(netns.command(lab.ns("gw"), ["nft", "-f", "-"]), input=NO_STACK, text=True, check=True, timeout=10)
    yield shut
    lab.run("gw", ["nft", "delete", "table", "inet", "hw-no-stack"], check=False)


def test_af_xdp_passes_by_the_stack_and_sockets_do_not(way, scripted_call, no_stack):
    gateway, sockets = way
    call = scripted_call(gateway).establish()
    no_stack()
    to_caller, to_callee = call.talk(1.0)
    if sockets == "af-xdp":
        assert min(to_caller, to_callee) >= 40, (to_caller, to_callee)
    else:
        assert max(to_caller, to_callee) <= 5, (to_caller, to_callee)
    call.hang_up()


def longest_gap_s(talker, since):
    """Between two packets that it got."""
    times = [packet[0] for packet in talker.got[since:]]
    return max(later - sooner for sooner, later in zip(times, times[1:]))


@pytest.mark.limit(90)
def test_killed_media_is_a_short_gap(way, scripted_call):
    gateway, sockets = way
    call = scripted_call(gateway).establish()
    marks = len(call.voice.got), len(call.ear.got)
    os.kill(gateway.processes()["media"], signal.SIGKILL)
    call.talk(3.0)
    gaps = longest_gap_s(call.voice, marks[0]), longest_gap_s(call.ear, marks[1])
    assert max(gaps) < GAP_S, gaps
    assert call.ear.heard(marks[1]).tones_s.get(440, 0.0) >= 2.0, call.ear.heard(marks[1]).says()
    relayed_by(gateway, sockets)
    mark = len(call.ear.got)
    call.talk(0.5)
    assert call.ear.heard(mark).only(440, 0.3), call.ear.heard(mark).says()
    call.hang_up()
    gateway.wait_idle()
    assert pinholes_are_closed(gateway, call.record())


def test_a_reload_changes_the_sockets_of_running_calls(kamailio, gateway_of, scripted_call):
    gateway = gateway_of(more="media { path = user }")
    relayed_by(gateway, "af-xdp")
    call = scripted_call(gateway).establish()
    usual = gateway.config
    for setting, sockets in (("no", "ordinary"), ("yes", "af-xdp")):
        mark = len(call.ear.got)
        gateway.reload(usual.replace("path = user", f"path = user  af-xdp = {setting}"))
        relayed_by(gateway, sockets)
        call.talk(1.0)
        assert longest_gap_s(call.ear, mark) < GAP_S
    call.hang_up()
    time.sleep(0.1)
