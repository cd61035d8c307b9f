"""Voice first: with the uplink full of bulk TCP a call's media loses nothing and waits for nothing."""

import contextlib
import json
import signal
import socket
import time

import pytest

from hwlab.capture import Capture
from hwlab.hornwork import usual_config
from hwlab.topology import address

MODEM_KBIT, UPLINK_KBIT = 24000, 20000     # the line, and what the gateway is told of it
TALK_S = 5
MEDIA = "udp && ip.dst == %s && udp.dstport == %d"
TRIES = 3                                   # a neighbour on this machine may spoil one


def config(qos):
    """The usual one; the core may reach the internet, whose link is shaped or not."""
    text = usual_config()
    shaped = f"qos {{ uplink = {UPLINK_KBIT}kbit  voice-share = 60 }}" if qos else ""
    text = text.replace("zone internet { interface = eth0 }",
                        f"zone internet {{ interface = eth0 {shaped} }}")
    return text.replace("zone core     { interface = eth1 ",
                        "zone core     { interface = eth1 reaches = {internet} ")


@pytest.fixture
def modem(lab):
    """The line behind the gateway: slower than its link, with a queue that nobody manages."""
    netns_tc = ["tc", "qdisc"]
    lab.run("inet", [*netns_tc, "add", "dev", "p-ext", "root", "tbf", "rate", f"{MODEM_KBIT}kbit",
                     "burst", "10kb", "latency", "300ms"])
    yield
    lab.run("inet", [*netns_tc, "del", "dev", "p-ext", "root"])


@contextlib.contextmanager
def bulk(lab):
    """TCP from the core network to the internet, as much as goes."""
    log = f"{lab.workdir}/iperf-{time.monotonic_ns()}"      # an earlier one's "listening" says nothing of ours
    server = lab.daemon("ext", ["iperf3", "-s", "-1", "--forceflush"], f"{log}-s.log")
    server.wait_text("Server listening", 5)
    client = lab.daemon("peer", ["iperf3", "-c", address("ext"), "-t", "60", "-P", "4"],
                        f"{log}-c.log")
    time.sleep(2.0)                         # until the queues are full
    assert client.alive(), client.text()
    yield
    assert client.alive(), "the bulk transfer ended early: " + client.text()[-500:]
    for daemon in (client, server):
        daemon.stop(signal.SIGKILL)


def arrivals(capture, target, port):
    """Time of the first arrival of each RTP sequence number in a capture."""
    out = {}
    rows = capture.fields(MEDIA % (target, port), "frame.time_epoch", "udp.payload")
    for when, payload in rows:
        out.setdefault(int(payload.replace(":", "")[4:8], 16), float(when))
    return out


def measure(lab, call, name):
    """Packets lost between the core network and the caller, and the delays in ms, sorted."""
    port = call.voice.port
    with Capture(lab, "peer", "eth0", f"{name}-in", "udp") as before, \
            Capture(lab, "ext", "eth0", f"{name}-out", "udp") as behind:
        time.sleep(TALK_S)
        time.sleep(0.5)                     # what waits somewhere arrives
    gateway = address("gw", "eth1")
    sent = {}
    for when, payload in before.fields(f"udp && ip.dst == {gateway} && udp.srcport == {call.ear.port}",
                                       "frame.time_epoch", "udp.payload"):
        sent.setdefault(int(payload.replace(":", "")[4:8], 16), float(when))
    got = arrivals(behind, address("ext"), port)
    last = max(sent)
    counted = [n for n in sent if min(got) <= n < last - 50]
    delays = sorted((got[n] - sent[n]) * 1000 for n in counted if n in got)
    return len(counted) - len(delays), delays


def p99(delays):
    """The 99th percentile."""
    return delays[int(len(delays) * 0.99)]


def one_run(lab, gateway_of, scripted_call, qos):
    """(lost, added p99 in ms) of a call beside bulk TCP, over the same call alone."""
    gateway = gateway_of(config=config(qos))
    call = scripted_call(gateway).establish()
    _lost, idle = measure(lab, call, "idle")
    with bulk(lab):
        lost, loaded = measure(lab, call, "loaded")
    call.hang_up()
    gateway.wait_idle()
    gateway.stop()
    for part in (call.voice, call.ear):
        part.stop()
    for part in (call.alice, call.phone):
        part.close()
    print(f"\n{'with' if qos else 'without'} qos: idle p50 {idle[len(idle) // 2]:.2f} p99 {p99(idle):.2f} ms; "
          f"beside bulk TCP p50 {loaded[len(loaded) // 2]:.2f} p99 {p99(loaded):.2f} ms, "
          f"{lost} of {lost + len(loaded)} packets lost")
    return lost, p99(loaded) - p99(idle)


@pytest.mark.limit(150)
@pytest.mark.usefixtures("modem", "kamailio")
def test_a_full_uplink(lab, gateway_of, scripted_call):
    """Measured with and without in the same test, behind the same line."""
    with_qos = []
    for _ in range(TRIES):
        with_qos.append(one_run(lab, gateway_of, scripted_call, True))
        if with_qos[-1][0] == 0 and with_qos[-1][1] < 2.0:
            break
    without = one_run(lab, gateway_of, scripted_call, False)
    best = min(with_qos)
    assert best[0] == 0, "with qos no packet is lost"
    assert best[1] < 2.0, f"with qos the p99 delay grows by less than 2 ms: {with_qos}"
    assert without[1] > 20.0 and without[1] > 10 * best[1], f"without it the call suffers: {without}"


def queues(lab):
    """What tc shows of the gateway's uplink."""
    return json.loads(lab.run("gw", ["tc", "-j", "qdisc", "show", "dev", "eth0"]).stdout)


@pytest.mark.usefixtures("kamailio")
def test_the_queues_come_and_go(lab, gateway_of):
    """With a reload and with the gateway; an administrator's own are left alone."""
    gateway = gateway_of(config=config(True))
    assert any(q["handle"] == "4857:" and q.get("root") for q in queues(lab))
    gateway.reload(config(False).replace("{events}", gateway.events_path))
    assert not any(q["handle"].startswith("48") for q in queues(lab))
    gateway.reload(config(True).replace("{events}", gateway.events_path))
    assert any(q["handle"] == "4857:" for q in queues(lab))
    gateway.stop()
    assert not any(q["handle"].startswith("48") for q in queues(lab))
    lab.run("gw", ["tc", "qdisc", "add", "dev", "eth0", "root", "handle", "7:", "pfifo"])
    try:
        gateway = gateway_of(config=config(True))
        gateway.wait_event(reason="qos_not_in_force")
        gateway.stop()
        assert [q["handle"] for q in queues(lab)] == ["7:"]
    finally:
        lab.run("gw", ["tc", "qdisc", "del", "dev", "eth0", "root"])


@pytest.mark.usefixtures("kamailio")
def test_the_calls_that_fit(gateway_of, peer_at):
    """Calls beyond voice-share of the link are refused with 503, and `explain` says why."""
    from hwlab.peer import Call            # pylint: disable=import-outside-toplevel
    text = config(True).replace(f"uplink = {UPLINK_KBIT}kbit  voice-share = 60",
                                "uplink = 400kbit  voice-share = 50")
    gateway = gateway_of(config=text)
    phone = peer_at("peer", "scripted", port=5070)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    running = []
    for number in range(3):
        call = Call(alice)
        got = call.start("scripted", call.offer(4000 + 2 * number), want=(100, 503))
        if number == 2:
            got = call.expect(503) if got.status == 100 else got
            call.ack_failure(got)
            break
        running.append(Call.incoming(phone))
    bandwidth = gateway.status()["bandwidth"]
    assert bandwidth == [{"zone": "internet", "used_bps": 2 * 91560, "limit_bps": 200000}]
    gateway.wait_event(reason="bandwidth_limit")
    assert "no room" in gateway.command("explain", address("ext")).stdout


@pytest.mark.parametrize("family", [4, 6])
def test_marks_that_are_not_voice(lab, gateway_of, kamailio, family):
    """EF from a zone that is not for voice loses its mark on the way through; the core's keeps it."""
    del kamailio
    text = config(True).replace("zone voice    { interface = eth2  trust = trusted  role = voice }",
                                "zone voice    { interface = eth2  trust = trusted  role = data "
                                "reaches = {internet} }").replace(
        "zone core     { interface = eth1 ", "zone core     { interface = eth1 role = core ")
    gateway = gateway_of(config=text)
    kind, level, hears, marks = (socket.AF_INET, socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS) if family == 4 else \
        (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS)
    ear = lab.socket("ext", kind, socket.SOCK_DGRAM)
    ear.setsockopt(level, hears, 1)
    ear.bind((address("ext", family=family), 7777))
    ear.settimeout(5.0)
    for source, mark, want in (("desk", 46, 0), ("desk", 24, 0), ("desk", 10, 10), ("peer", 46, 46)):
        with lab.socket(source, kind, socket.SOCK_DGRAM) as mouth:
            mouth.setsockopt(level, marks, mark << 2)
            mouth.sendto(b"x", (address("ext", family=family), 7777))
        _data, more, _flags, _from = ear.recvmsg(100, 100)
        assert more[0][2][0] >> 2 == want, source
    ear.close()
    metrics = gateway.api("/metrics")[1].decode()
    assert 'hornwork_remarked_packets_total{zone="voice"} 2' in metrics
