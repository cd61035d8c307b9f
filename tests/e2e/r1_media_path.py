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
from hwlab.proc import LabError, wait_until
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


def announce(lab, host, mac, ip):
    """A gratuitous ARP (RFC 5227 3)."""
    mine, ip = bytes.fromhex(mac.replace(":", "")), socket.inet_aton(ip)
    arp = b"\0\1\x08\0\6\4\0\1" + mine + ip + bytes(6) + ip
    with netns.inside(lab.ns(host)), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        raw.send(b"\xff" * 6 + mine + b"\x08\x06" + arp)


def change_card(lab, host, mac):
    """Another MAC address, announced as routers do."""
    lab.run(host, ["ip", "link", "set", "eth0", "address", mac])
    announce(lab, host, mac, address(host))


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
        time.sleep(2.5)
        grace = gateway.status()["shield"]["recovery_s"]
    finally:
        lab.run("switch", ["ip", "link", "set", "p-gw", "up"])
    wait_until(lambda: gateway.status()["shield"]["recovery_s"] > grace, FOLLOW_S, "phones may come back at once")
    on_kernel_path(call)
    assert min(call.talk(1.0)) > 40
    call.hang_up()
    gateway.wait_idle()


def hear(call, seconds=1.0):
    """Both sides hear the other one all the time."""
    assert min(call.talk(seconds)) > 40 * seconds, "both sides hear each other"


@pytest.fixture
def second_routers(lab):
    """Two hosts send on what they get, so that each end of the call has a second way."""
    hosts = ("stranger", "ast")
    for host in hosts:
        lab.run(host, ["sysctl", "-qw", "net.ipv4.ip_forward=1"])
    yield
    for host in hosts:
        lab.run(host, ["sysctl", "-qw", "net.ipv4.ip_forward=0"])


def forwarded(lab, host):
    """IPv4 packets that a host has sent on for others."""
    with netns.inside(lab.ns(host)), open("/proc/thread-self/net/snmp", encoding="ascii") as lines:
        rows = [line.split() for line in lines if line.startswith("Ip:")]
    return int(dict(zip(*rows))["ForwDatagrams"])


@pytest.mark.parametrize("end, router", [("ext", "stranger"), ("peer", "ast")],
                         ids=["caller", "callee"])
def test_a_route_may_change(lab, second_routers, gateway, scripted_call, end, router):
    """The peer is reached by another router, then not at all, then directly again."""
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    route = f"{address(end)}/32"
    try:
        lab.run("gw", ["ip", "route", "add", route, "via", address(router)])
        time.sleep(FOLLOW_S)
        on_kernel_path(call)
        before = forwarded(lab, router)
        hear(call)
        assert forwarded(lab, router) - before > 40, "by the second router"
        lab.run("gw", ["ip", "route", "replace", "unreachable", route])
        wait_until(lambda: "there is no route to its destination" in {why for _, why in paths(call)},
                   FOLLOW_S, "no kernel path without a route")
    finally:
        lab.run("gw", ["ip", "route", "del", route], check=False)
    time.sleep(FOLLOW_S)
    on_kernel_path(call)
    before = forwarded(lab, router)
    hear(call)
    assert forwarded(lab, router) == before, "directly again"
    call.hang_up()
    gateway.wait_idle()


def test_an_address_may_go_and_come_back(lab, gateway, scripted_call):
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    mine = address("gw", "eth1") + "/24"
    lab.run("gw", ["ip", "address", "del", mine, "dev", "eth1"])
    try:
        nowhere = ("user", "there is no route to its destination")
        wait_until(lambda: nowhere in paths(call), FOLLOW_S, "no kernel path from nowhere")
    finally:
        lab.run("gw", ["ip", "address", "add", mine, "dev", "eth1"])
    on_kernel_path(call)
    hear(call)
    call.hang_up()
    gateway.wait_idle()


def served(gateway):
    """Interfaces with the program, as `status` tells."""
    return {i["interface"] for i in gateway.status()["media_path"]["interfaces"]}


@pytest.fixture
def made_again(lab):
    """A function that deletes the gateway's interface to the core and makes it anew."""
    def make(meanwhile=lambda: None):
        lab.run("gw", ["ip", "link", "del", "eth1"])
        try:
            meanwhile()
        finally:
            lab.make_again("gw", "eth1")
    return make


def comes_and_goes(gateway, call, made_again):
    """Without the interface `status` and the streams say so; with a new one the call goes on."""
    def gone():
        wait_until(lambda: served(gateway) == {"eth0", "eth2"}, FOLLOW_S, "status says so")
        wait_until(lambda: "user" in {p for p, _ in paths(call)}, FOLLOW_S, "no kernel path")
    on_kernel_path(call)
    assert served(gateway) == {"eth0", "eth1", "eth2"}
    made_again(gone)
    wait_until(lambda: served(gateway) == {"eth0", "eth1", "eth2"}, FOLLOW_S, "attached again")
    on_kernel_path(call)
    hear(call)
    call.hang_up()
    gateway.wait_idle()


def test_an_interface_may_be_made_again(gateway, scripted_call, made_again):
    comes_and_goes(gateway, scripted_call(gateway).establish(), made_again)


def test_a_lesser_interface_may_take_its_place(native, kamailio, gateway_of, scripted_call, made_again):
    """The new one takes no redirected frames of drivers (its far end's GRO is off): all go generic."""
    gateway = gateway_of()
    call = scripted_call(gateway).establish()
    assert {i["mode"] for i in gateway.status()["media_path"]["interfaces"]} == {"native"}
    made_again()
    wait_until(lambda: served(gateway) == {"eth0", "eth1", "eth2"}
               and {i["mode"] for i in gateway.status()["media_path"]["interfaces"]} == {"generic"},
               FOLLOW_S, "all generically")
    on_kernel_path(call)
    hear(call)
    call.hang_up()
    gateway.wait_idle()


def test_a_new_interface_is_guarded_and_shaped(lab, kamailio, gateway_of, made_again):
    """What hangs on the interface itself, queues and rules for frames, comes back with it."""
    gateway = gateway_of()
    gateway.reload(gateway.config.replace("interface = eth1",
                                          "interface = eth1  qos { uplink = 10mbit }"))

    def forged():
        zones = gateway.ask("policy")[0]["zones"]
        return next(z for z in zones if z["name"] == "core")["forged_packets"]

    def shaped():
        return "htb 4857:" in lab.run("gw", ["tc", "qdisc", "show", "dev", "eth1"]).stdout
    assert shaped()
    made_again()
    wait_until(shaped, FOLLOW_S, "the new interface is shaped")
    before = forged()
    announce(lab, "peer", "02:00:00:77:77:77", address("gw", "eth1"))
    wait_until(lambda: forged() == before + 1, FOLLOW_S, "nobody speaks as the gateway")


def test_the_kernel_path_may_be_insisted_on(lab, foreign, kamailio, gateway_of, scripted_call):
    """Where an interface cannot have it, neither a start nor a reload goes through."""
    gateway = gateway_of(more="media { path = kernel }")
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    call.hang_up()
    gateway.wait_idle()
    gateway.reload(gateway.config.replace("path = kernel", "path = user  af-xdp = no"))
    lab.run("gw", ["ip", "link", "set", "eth1", "xdpgeneric", "obj", foreign, "sec", "xdp"])
    try:
        done = gateway.reload(gateway.config.replace("path = user  af-xdp = no", "path = kernel"),
                              check=False)
        assert done.returncode != 0
        assert "eth1 has an XDP program already" in done.stdout + done.stderr
        assert gateway.stop() == 0
        again = Hornwork(lab, config=gateway.config)
        with pytest.raises(LabError):
            again.start()
        assert "eth1 has an XDP program already" in again.daemon.text()
        assert not again.daemon.alive() and not pins(again)
    finally:
        lab.run("gw", ["ip", "link", "set", "eth1", "xdpgeneric", "off"])


def test_metrics_tell_the_paths(kamailio, gateway_of, scripted_call):
    def by_path(gateway):
        lines = gateway.api("/metrics")[1].decode().splitlines()
        return {tuple(line.rsplit(" ", 1)) for line in lines
                if line.startswith("hornwork_flows_open_by_path{")}
    name = 'hornwork_flows_open_by_path{path="%s",why="%s"}'
    gateway = gateway_of(more="media { path = auto }")
    assert by_path(gateway) == {(name % ("kernel", ""), "0")}
    call = scripted_call(gateway).establish()
    on_kernel_path(call)
    flows = str(gateway.status()["pinholes_open"])
    assert by_path(gateway) == {(name % ("kernel", ""), flows)}
    gateway.reload(gateway.config.replace("path = auto", "path = user"))
    wait_until(lambda: by_path(gateway) == {(name % ("kernel", ""), "0"),
                                            (name % ("user", "configured"), flows)},
               FOLLOW_S, "user path")
    call.hang_up()
    gateway.wait_idle()
    assert by_path(gateway) == {(name % ("kernel", ""), "0")}
