"""Media of a call takes the kernel path where it can, says so, and survives whatever dies or changes."""

import glob
import json
import os
import signal
import socket
import time

import pytest

from hwlab import netns
from hwlab.hornwork import Hornwork
from hwlab.proc import wait_until
from hwlab.topology import address
from story import pinholes_are_closed

GATEWAY_LINKS = (("inet", "p-gw"), ("switch", "p-gw"), ("switch", "v-gw"))
FOLLOW_S = 1.5          # changes are followed within a second; and some for the machine


def paths(call):
    """Path and reason of each stream of a call."""
    return {(s["path"], s["why"]) for s in call.record()["streams"]}


def on_kernel_path(call):
    """Wait until every stream of the call is on the kernel path."""
    wait_until(lambda: {path for path, _ in paths(call)} == {"kernel"}, FOLLOW_S,
               "all streams on the kernel path")


def missing(talker, since):
    """Sequence numbers that never came among the packets from the since-th on."""
    numbers = [packet[2] for packet in talker.got[since:]]
    return sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers)) if numbers else ["all"]


def pins(gateway):
    """What is pinned for this gateway."""
    return glob.glob("/sys/fs/bpf/hornwork" + gateway.run_dir.replace("/", "-").replace(".", "-"))


@pytest.fixture
def native(lab):
    """The far ends of the gateway's links take redirected frames: their GRO is on."""
    for host, port in GATEWAY_LINKS:
        lab.run(host, ["ethtool", "-K", port, "gro", "on"])
    yield
    for host, port in GATEWAY_LINKS:
        lab.run(host, ["ethtool", "-K", port, "gro", "off"])


def explained(gateway, call, path, why=""):
    """`explain` names the path of each stream, in words and among the facts."""
    number = call.record()["call"]
    text = gateway.command("explain", number).stdout
    facts = json.loads(gateway.command("explain", number, "--json").stdout)[0]["facts"]
    for side in ("caller", "callee"):
        fact = f"the audio stream from the {side} takes the {path} path{why}"
        assert f"  - {fact}\n" in text and fact in facts, text


def relay(gateway, scripted_call, mode):
    """A call over the kernel path: nothing lost, everything counted, all closed at the end."""
    said = gateway.status()["media_path"]
    assert said["path"] == "kernel" and said["why"] == ""
    assert {i["mode"] for i in said["interfaces"]} == {mode}
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    marks = len(call.voice.got), len(call.ear.got)
    heard = call.talk(2.0)
    assert min(heard) > 80, heard
    call.hush()
    time.sleep(0.2)
    assert not missing(call.voice, marks[0]) and not missing(call.ear, marks[1])
    streams = {s["direction"]: s for s in call.record()["streams"] if s["media"] == "audio"}
    assert streams["from_caller"]["packets"] == call.voice.sent
    assert streams["from_callee"]["packets"] == call.ear.sent
    assert call.ear.heard(marks[1]).only(440, 1.0) and call.voice.heard(marks[0]).only(850, 1.0)
    text = gateway.command("calls").stdout
    assert "kernel path" in text
    explained(gateway, call, "kernel")
    call.hang_up()
    gateway.wait_idle()
    text = gateway.command("explain", call.record()["call"]).stdout
    assert "the audio stream from the caller took the kernel path" in text, text
    assert pinholes_are_closed(gateway, call.record())


def test_generically(gateway, scripted_call):
    relay(gateway, scripted_call, "generic")
    assert pins(gateway)
    assert gateway.stop() == 0
    assert not pins(gateway), "a clean stop leaves nothing pinned"


def test_natively(native, kamailio, gateway_of, scripted_call):
    relay(gateway_of(), scripted_call, "native")


def test_in_user_space_if_so_configured(lab, kamailio, gateway_of, scripted_call):
    gateway = gateway_of(more="media { path = user  af-xdp = no }")
    call = scripted_call(gateway).establish()
    assert paths(call) == {("user", "media { path = user }")}
    explained(gateway, call, "user", ": media { path = user }")
    assert "xdp" not in lab.run("gw", ["ip", "link", "show", "eth0"]).stdout
    assert min(call.talk(1.0)) > 40
    call.hang_up()
    gateway.wait_idle()


def test_a_reload_changes_the_path_of_running_calls(lab, kamailio, gateway_of, scripted_call):
    gateway = gateway_of(more="media { path = auto }")
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    marks = len(call.voice.got), len(call.ear.got)
    gateway.reload(gateway.config.replace("path = auto", "path = user"))
    wait_until(lambda: {p for p, _ in paths(call)} == {"user"}, FOLLOW_S, "user path")
    assert min(call.talk(1.0)) > 40
    gateway.reload(gateway.config.replace("path = user", "path = auto"))
    on_kernel_path(call)
    assert min(call.talk(1.0)) > 40
    call.hush()
    time.sleep(0.2)
    assert not missing(call.voice, marks[0]) and not missing(call.ear, marks[1])
    call.hang_up()
    gateway.wait_idle()


@pytest.mark.parametrize("name", ["signal", "media"])
def test_no_packet_is_lost_when_a_process_is_killed(gateway, scripted_call, name):
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    marks = len(call.voice.got), len(call.ear.got)
    call.talk(0.5)
    old = gateway.processes()[name]
    assert old > 0, f"{name} runs"
    os.kill(old, signal.SIGKILL)
    call.talk(2.0)
    call.hush()
    time.sleep(0.2)
    assert not missing(call.voice, marks[0]) and not missing(call.ear, marks[1])
    assert min(len(call.voice.got) - marks[0], len(call.ear.got) - marks[1]) > 100


@pytest.mark.limit(90)
def test_audio_outlives_the_warden(lab, kamailio, gateway_of, scripted_call):
    """The whole gateway is killed and started again: the audio never stops."""
    first = gateway_of(more="media { idle-timeout = 2s }")
    call = scripted_call(first).establish()
    on_kernel_path(call)
    marks = len(call.voice.got), len(call.ear.got)
    call.talk(0.5)
    before = first.status()
    os.kill(first.processes()["warden"], signal.SIGKILL)
    call.talk(1.5)
    assert pins(first)
    second = Hornwork(lab, config=first.config).start()
    call.talk(1.5)
    status = second.status()
    assert status["pinholes_open"] == before["pinholes_open"] == status["pinholes_opened_total"]
    assert any("of a warden that was killed" in n for n in status["notices"]), status["notices"]
    call.hush()
    time.sleep(0.2)
    assert not missing(call.voice, marks[0]) and not missing(call.ear, marks[1])
    assert min(len(call.voice.got) - marks[0], len(call.ear.got) - marks[1]) > 150
    wait_until(lambda: second.status()["pinholes_open"] == 0, 10.0, "the orphaned pinholes close")
    status = second.status()
    assert status["pinholes_opened_total"] == status["pinholes_closed_total"]
    assert second.stop() == 0 and not pins(second)


LIBXDP = """
import ctypes, socket, sys
xdp, ifindex = ctypes.CDLL("libxdp.so.1"), socket.if_nametoindex("eth0")
xdp.xdp_program__open_file.restype = xdp.xdp_multiprog__get_from_ifindex.restype = ctypes.c_void_p
if sys.argv[1] == "detach":
    sys.exit(xdp.xdp_multiprog__detach(ctypes.c_void_p(xdp.xdp_multiprog__get_from_ifindex(ifindex))))
program = xdp.xdp_program__open_file(sys.argv[1].encode(), b"xdp", None)
sys.exit(-xdp.xdp_program__attach(ctypes.c_void_p(program), ifindex, 2, 0))      # 2: XDP_MODE_SKB
"""


@pytest.fixture
def foreign(lab):
    """A small program that lets everything pass."""
    source, program = f"{lab.workdir}/pass.c", f"{lab.workdir}/pass.o"
    with open(source, "w", encoding="ascii") as out:
        out.write('__attribute__((section("xdp"), used)) int passer(void *ctx) { return 2; }\n'
                  'char _license[] __attribute__((section("license"), used)) = "GPL";\n')
    lab.run("gw", ["clang", "-O2", "-g", "-target", "bpf", "-c", source, "-o", program])
    return program


def left_alone(lab, gateway_of, scripted_call):
    """Who was there first stays; the gateway says so, and the call takes the user path."""
    before = attached(lab)
    gateway = gateway_of()
    said = gateway.status()["media_path"]
    assert "eth0 has an XDP program already" in said["why"], said
    call = scripted_call(gateway).establish()
    assert {p for p, _ in paths(call)} >= {"user"}
    assert min(call.talk(1.0)) > 40
    call.hang_up()
    gateway.wait_idle()
    assert gateway.stop() == 0
    assert attached(lab) == before


def attached(lab):
    """The number of the program on the gateway's interface."""
    return json.loads(lab.run("gw", ["ip", "-j", "-d", "link", "show", "eth0"]).stdout)[0]["xdp"]["prog"]["id"]


def test_another_program_is_left_alone(lab, foreign, kamailio, gateway_of, scripted_call):
    lab.run("gw", ["ip", "link", "set", "eth0", "xdpgeneric", "obj", foreign, "sec", "xdp"])
    try:
        left_alone(lab, gateway_of, scripted_call)
    finally:
        lab.run("gw", ["ip", "link", "set", "eth0", "xdpgeneric", "off"])


def test_a_program_of_libxdp_is_left_alone(lab, foreign, kamailio, gateway_of, scripted_call):
    """Behind libxdp's dispatcher where the kernel has extensions, alone where it has none."""
    lab.run("gw", ["/usr/bin/python3", "-c", LIBXDP, foreign])
    try:
        left_alone(lab, gateway_of, scripted_call)
    finally:
        lab.run("gw", ["/usr/bin/python3", "-c", LIBXDP, "detach"])


def change_card(lab, host, mac):
    """Another MAC address, announced by a gratuitous ARP as routers do (RFC 5227 3)."""
    lab.run(host, ["ip", "link", "set", "eth0", "address", mac])
    mine, ip = bytes.fromhex(mac.replace(":", "")), socket.inet_aton(address(host))
    arp = b"\0\1\x08\0\6\4\0\1" + mine + ip + bytes(6) + ip
    with netns.inside(lab.ns(host)), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        raw.send(b"\xff" * 6 + mine + b"\x08\x06" + arp)


def test_a_neighbour_may_change_its_card(lab, gateway, scripted_call):
    """Another MAC address (a router that failed over): followed, without a word from anybody."""
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    old = lab.run("peer", ["cat", "/sys/class/net/eth0/address"]).stdout.strip()
    try:
        change_card(lab, "peer", "02:00:00:77:77:77")
        time.sleep(FOLLOW_S)
        assert min(call.talk(1.0)) > 40
        on_kernel_path(call)
    finally:
        change_card(lab, "peer", old)
    call.hang_up()
    gateway.wait_idle()


def test_an_interface_may_go_down_and_up(lab, gateway, scripted_call):
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    lab.run("switch", ["ip", "link", "set", "p-gw", "down"])
    try:
        down = ("user", "the interface to its destination is down")
        wait_until(lambda: down in paths(call), FOLLOW_S, "no kernel path over a dead link")
    finally:
        lab.run("switch", ["ip", "link", "set", "p-gw", "up"])
    on_kernel_path(call)
    assert min(call.talk(1.0)) > 40
    call.hang_up()
    gateway.wait_idle()
