"""200 calls at once with media: the gateway loses no packet that the sender did not lose."""

import os
import random
import time

import pytest

from hwlab import sipp

HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = 200
PER_SECOND = 25
MEDIA_S = 12                # longer than it takes to set all calls up
TALK_S = MEDIA_S + 2        # BYE comes when the media has ended, so that no packet meets a closed port
FRAMES = MEDIA_S * 50

MORE = "limits { per-source-pps = 5000  calls-per-second = 1000 }"


def scenario(lab):
    """The caller's scenario with an audio file of its own."""
    audio = f"{lab.workdir}/load.raw"
    with open(audio, "wb") as out:
        out.write(random.Random(1).randbytes(MEDIA_S * 8000))
    path = f"{lab.workdir}/load_caller.xml"
    with open(f"{HERE}/sipp/load_caller.xml", encoding="utf-8") as text, \
            open(path, "w", encoding="utf-8") as out:
        out.write(text.read().replace("@FILE@", audio).replace("@TALK_MS@", str(TALK_S * 1000)))
    return path


COUNTERS = {
    "ext": {"sent": ("output", "udp sport 20000"), "got": ("input", "udp dport 20000")},
    "peer": {"sent": ("output", "udp sport 6000"), "got": ("input", "udp dport 6000")},
    "gw": {"in_caller": ("prerouting", 'iifname "eth0" udp dport 16384-32767'),
           "out_callee": ("output", 'oifname "eth1" udp sport 16384-32767'),
           "in_callee": ("prerouting", 'iifname "eth1" udp dport 16384-32767'),
           "out_caller": ("output", 'oifname "eth0" udp sport 16384-32767')},
}


@pytest.fixture
def counters(lab):
    """Exact packet counts at each station; a function that reads them."""
    for host, rules in COUNTERS.items():
        sipp.count(lab, host, rules)
    yield lambda: {host: sipp.counted(lab, host) for host in COUNTERS}
    for host in COUNTERS:
        sipp.stop_counting(lab, host)


def run_calls(lab, gateway):
    """All calls from the first INVITE to the last BYE; returns how many ran at once."""
    callee = sipp.start(lab, "peer", f"{HERE}/sipp/load_callee.xml", "callee", "-p", 5090,
                        "-mp", 6000, "-rtp_echo", "-rtp_buffsize", 4194304, "-m", CALLS)
    caller = sipp.start(lab, "ext", scenario(lab), "caller", "-p", 5060, "-m", CALLS, "-l", CALLS,
                        "-r", PER_SECOND, "-mp", 20000, "-timeout", 90, "%s:%d" % gateway.outside)
    most = 0
    while caller.alive():
        most = max(most, gateway.status()["calls"])
        time.sleep(0.5)
    assert caller.wait(1) == 0, sipp.errors(lab, "caller")[-2000:] + caller.text()[-2000:]
    assert callee.wait(10) == 0, sipp.errors(lab, "callee")[-2000:]
    gateway.wait_idle(10.0)
    time.sleep(0.5)
    return most


def dropped(lab, gateway):
    """Where the gateway's host dropped packets, for the eyes of who has to find out."""
    words = lab.run("gw", ["cat", "/proc/net/snmp"]).stdout.split("Udp: ")[1:3]
    sockets = dict(zip(words[0].split(), words[1].split()))
    metrics = [line for line in gateway.api("/metrics")[1].decode().splitlines()
               if "packets_total{" in line]
    streams = [stream for call in gateway.calls(ended=True) for stream in call["streams"]]
    return {"refused": sum(stream["refused"] for stream in streams), "streams": len(streams),
            "sockets": {k: v for k, v in sockets.items() if "Err" in k or k == "NoPorts"},
            "gateway": metrics}


@pytest.mark.alone
@pytest.mark.limit(150)
def test_no_packet_is_lost(lab, kamailio, gateway_of, peer_at, counters):
    gateway = gateway_of(more=MORE)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register(expires=600)
    alice.close()
    assert run_calls(lab, gateway) == CALLS
    packets = counters()
    where = dropped(lab, gateway)
    print(packets, where, sep="\n")
    ext, peer, gate = packets["ext"], packets["peer"], packets["gw"]
    assert ext["sent"] >= 0.95 * CALLS * FRAMES, "SIPp itself did not send what it should"
    assert peer["sent"] >= 0.95 * CALLS * FRAMES, "SIPp itself did not echo what it should"
    assert gate["out_callee"] == gate["in_caller"], f"lost towards the callee: {where}"
    assert gate["out_caller"] == gate["in_callee"], f"lost towards the caller: {where}"
    # Between the namespaces a busy machine may drop some (its kernel's backlog); not many.
    wire = (ext["sent"] - gate["in_caller"] + gate["out_callee"] - peer["got"]
            + peer["sent"] - gate["in_callee"] + gate["out_caller"] - ext["got"])
    assert 0 <= wire <= 0.001 * (ext["sent"] + peer["sent"])
    check_records(gateway, packets)


def check_records(gateway, packets):
    """The gateway's own numbers say the same: what a stream lacks was lost before it."""
    status = gateway.status()
    assert status["calls_total"] >= CALLS
    assert status["pinholes_opened_total"] == status["pinholes_closed_total"] >= 2 * CALLS
    streams = [stream for call in gateway.calls(ended=True) for stream in call["streams"]]
    assert len(streams) >= 2 and all(s["refused"] == 0 for s in streams)
    before = {"from_caller": packets["ext"]["sent"] - packets["gw"]["in_caller"],
              # SIPp's echo drops what its socket cannot hold
              "from_callee": packets["ext"]["sent"] - packets["gw"]["in_callee"]}
    for direction, lost in before.items():
        assert sum(s["lost"] for s in streams if s["direction"] == direction) <= lost
