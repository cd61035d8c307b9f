"""Phones are told of the voice VLAN by CDP, where that is asked for: a receiver and tshark judge what the gateway sends."""

import json
import os
import shutil
import socket
import time

import pytest

from hwlab import frames, netns, trunk
from hwlab.capture import Capture
from hwlab.hornwork import Hornwork
from hwlab.proc import wait_until

CONFIG = """
pbx main {{ zone = core  address = "{pbx}" }}
phones desk {{ zone = voice  to = main }}
voice-vlan {{ {keys} }}
console {{ events = "{{events}}" }}
"""
ONLY_CDP = "lldp = no  cdp = yes"
PHONE = bytes.fromhex("0200000041aa")
PHONE_SAYS = (PHONE, 0x90, (5, b"sip88xx.14-2-1"), (6, b"IP Phone 8841"))
TO_CDP = "ether dst 01:00:0c:cc:cc:cc"


@pytest.fixture(name="lab", params=["cables", "trunk"])
def fixture_lab(request):
    """The zones; the phone's side is where CDP arrives, which passes no switch."""
    tagged = request.param == "trunk"
    if tagged and trunk.why_not():
        pytest.skip(trunk.why_not())
    with trunk.TrunkLab(f"d{os.getpid()}{request.param[0]}", tagged) as made:
        made.port = trunk.TRUNK if tagged else made.links["voice"]
        made.there = ("switch", "trunk") if tagged else ("phone", "eth0")
        made.vlan = 110 if tagged else 4095          # 4095: voice goes without a tag
        made.config = lambda keys=ONLY_CDP: made.zone_sections() + CONFIG.format(pbx=trunk.address("core"), keys=keys)
        yield made


def neighbours(lab):
    """What a real receiver of CDP knows."""
    host, _ = lab.there
    done = lab.run(host, ["lldpcli", "-u", lab.receiver, "-f", "json0", "show", "neighbors"], check=False)
    try:
        return json.loads(done.stdout)["lldp"][0].get("interface", [])
    except (json.JSONDecodeError, LookupError):
        return []


def receive(lab):
    """Start lldpd as a receiver of CDP."""
    host, link = lab.there
    lab.receiver = f"{lab.workdir}/receiver"
    lab.daemon(host, ["lldpd", "-d", "-c", "-r", "-u", lab.receiver, "-I", link], f"{lab.receiver}.log")
    wait_until(lambda: os.path.exists(lab.receiver), 10, "lldpd is up")


def speak(lab, count=1):
    """A phone announces itself."""
    host, link = lab.there
    with netns.inside(lab.ns(host)), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((link, 0))
        for _ in range(count):
            raw.send(frames.cdp(*PHONE_SAYS))


def frames_sent(lab):
    """The gateway's own count."""
    name = "hornwork_cdp_frames_sent_total "
    text = lab.gateway.api("/metrics")[1].decode()
    return next(int(line[len(name):]) for line in text.splitlines() if line.startswith(name))


def from_gateway(capture, ttl):
    """VLANs that its frames with this time to live tell."""
    rows = capture.fields(f"cdp && cdp.ttl == {ttl} && eth.src != {PHONE.hex(':')}", "cdp.voice_vlan")
    return [row[0] for row in rows]


@pytest.mark.skipif(not shutil.which("lldpd"), reason="lldpd is not installed")
@pytest.mark.limit(120)
def test_a_receiver_hears_the_voice_vlan(lab):
    """Told at the start, at once when a phone speaks, and taken back when it is out of the configuration."""
    receive(lab)
    with Capture(lab, *lab.there, "cdp", TO_CDP) as capture:
        lab.gateway = Hornwork(lab, config=lab.config()).start()
        row, = wait_until(lambda: neighbours(lab), 20, "lldpd knows the gateway")
        assert row["name"] == lab.there[1] and row["via"].startswith("CDP"), row
        chassis = row["chassis"][0]
        assert chassis["name"][0]["value"] == socket.gethostname()[:64]
        assert row["port"][0]["descr"][0]["value"] == lab.port
        assert lab.gateway.status()["voice_vlan_cdp"] == [{"interface": lab.port, "vlan": lab.vlan % 4095, "told": True}]
        assert f"phones on {lab.port} are told by CDP" in lab.gateway.command("status").stdout
        before = frames_sent(lab)

        def answered():
            speak(lab)
            return frames_sent(lab) > before
        wait_until(answered, 20, "a phone that speaks is answered", step_s=1.0)
        phone, = [d for d in lab.gateway.ask("devices") if d["mac"] == PHONE.hex(":")]
        assert (phone["model"], phone["firmware"], phone["known_by"]) == ("IP Phone 8841", "sip88xx.14-2-1", ["cdp"])
        lab.gateway.reload(lab.gateway.config.replace("cdp = yes", "cdp = no"))
        wait_until(lambda: not neighbours(lab), 20, "lldpd has forgotten the gateway")
        assert lab.gateway.status()["voice_vlan_cdp"] == []
        speak(lab)
        count = frames_sent(lab)
        time.sleep(2.5)
        assert frames_sent(lab) == count
        assert lab.gateway.stop() == 0
    told = from_gateway(capture, 180)
    assert len(told) >= 2 and set(told) == {str(lab.vlan)}
    assert from_gateway(capture, 1) == [""] and from_gateway(capture, 0) == [""]
    wrong = capture.fields(f"eth.src != {PHONE.hex(':')} && (!cdp || cdp.checksum.status != 1 || _ws.malformed || "
                           "_ws.expert.severity >= 6291456)", "frame.number")
    assert not wrong
    said = capture.fields("cdp.ttl == 180", "cdp.deviceid", "cdp.portid", "cdp.capabilities.router", "cdp.platform",
                          "cdp.software_version")[0]
    assert said[:4] == [socket.gethostname()[:64], lab.port, "1", "Hornwork"]
    assert not any(letter.isdigit() for letter in said[4]), "which version runs is nobody's business"


@pytest.mark.parametrize("lab", ["cables"], indirect=True)
def test_a_flood_is_answered_in_bounds_and_a_stop_withdraws(lab):
    with Capture(lab, *lab.there, "cdp", TO_CDP) as capture:
        lab.gateway = Hornwork(lab, config=lab.config()).start()
        begun, before = time.monotonic(), frames_sent(lab)
        for _ in range(50):
            speak(lab, 50)
            time.sleep(0.1)
        took = time.monotonic() - begun
        sent = frames_sent(lab) - before
        assert 1 <= sent <= took / 4 + 1, (sent, took)
        assert lab.gateway.stop() == 0
    assert from_gateway(capture, 0) == [""]


@pytest.mark.parametrize("lab", ["cables"], indirect=True)
def test_only_where_it_is_asked_for(lab):
    """Without the key no frame of CDP leaves, and on other zones' links none does with it."""
    with Capture(lab, *lab.there, "without", TO_CDP) as capture:
        lab.gateway = Hornwork(lab, config=lab.config("lldp = no  cdp = no")).start()
        speak(lab)
        wait_until(lambda: lab.gateway.ask("devices"), 10, "the phone was heard")
        time.sleep(1.5)
        with Capture(lab, trunk.host_of("data"), "eth0", "data", TO_CDP) as other:
            lab.gateway.reload(lab.gateway.config.replace("cdp = no", "cdp = yes"))
            wait_until(lambda: frames_sent(lab) > 0, 10, "phones are told")
            assert lab.gateway.stop() == 0
    rows = capture.fields("cdp && cdp.ttl == 180", "eth.src", "frame.time_epoch")
    assert rows[0][0] == PHONE.hex(":") and len(rows) >= 2
    assert other.count("cdp") == 0
