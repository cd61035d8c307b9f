"""Phones are told of the voice VLAN: a real lldpd on the phone's side reads what the gateway's lldpd was told."""

import json
import os
import shutil

import pytest

from hwlab import netns, trunk
from hwlab.hornwork import Hornwork
from hwlab.proc import wait_until

CONFIG = """
pbx main {{ zone = core  address = "{pbx}" }}
phones desk {{ zone = voice  to = main }}
voice-vlan {{ lldpd = "{lldpd}"  {more} }}
console {{ events = "{{events}}" }}
"""

pytestmark = pytest.mark.skipif(not shutil.which("lldpd"), reason="lldpd is not installed")


class Lldpd:
    """One of a host, with a control socket of its own."""

    def __init__(self, lab, host, *words):
        self.lab, self.host, self.words = lab, host, words
        self.socket = f"{lab.workdir}/lldpd-{host}"
        self.daemon = None

    def start(self):
        argv = ["lldpd", "-d", "-u", self.socket, *self.words]
        self.daemon = self.lab.daemon(self.host, argv, f"{self.socket}.log")
        wait_until(lambda: self.ask("show", "chassis") is not None, 15, "lldpd answers")
        return self

    def stop(self):
        self.daemon.stop(timeout_s=10.0)

    def ask(self, *words):
        """What lldpcli prints as JSON; None: it does not answer yet."""
        argv = ["lldpcli", "-u", self.socket, "-f", "json0", *words]
        done = self.lab.run(self.host, argv, check=False)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return None

    def heard(self):
        """The network policies that the first neighbour tells."""
        rows = (self.ask("show", "neighbors", "details") or {}).get("lldp", [{}])[0].get("interface", [])
        policies = [p for row in rows for med in row.get("lldp-med", []) for p in med.get("policy", [])]
        return [{"vid": p["vlan"][0]["vid"] if "vlan" in p else "0", "pcp": p["pcp"][0]["value"],
                 "dscp": p["dscp"][0]["value"]} for p in policies]


@pytest.fixture(name="lab", params=["cables", "trunk"])
def fixture_lab(request):
    """The zones, a gateway's lldpd and a phone's."""
    tagged = request.param == "trunk"
    if tagged and trunk.why_not():
        pytest.skip(trunk.why_not())
    with trunk.TrunkLab(f"l{os.getpid()}{request.param[0]}", tagged) as made:
        port = trunk.TRUNK if tagged else made.links["voice"]
        # on a trunk whoever is at its other end hears it, for LLDP does not pass the switch
        other, there = ("switch", "trunk") if tagged else ("phone", "eth0")
        made.ours = Lldpd(made, "gw", "-M", "4", "-I", port, "-l")
        made.phone = Lldpd(made, other, "-M", "3", "-I", there)
        made.port, made.vlan = port, 110 if tagged else 0
        made.config = lambda more="": made.zone_sections() + CONFIG.format(
            pbx=trunk.address("core"), lldpd=made.ours.socket, more=more)
        yield made


def told(lab):
    return lab.gateway.status()["voice_vlan"]["told"]


def policy(lab, **want):
    """Wait until the phone's lldpd has heard a voice policy with these values."""
    def right():
        rows = lab.phone.heard()
        return rows and all(str(rows[0].get(key)) == str(value) for key, value in want.items())
    try:
        wait_until(right, 20, "the phone hears it")
    except Exception as err:
        raise AssertionError(f"{want}: heard {lab.phone.heard()}") from err


def known_as_phone(lab):
    """The phone's own announcement is in the inventory."""
    rows = lab.gateway.ask("devices")
    return [d for d in rows if "lldp" in d["known_by"]]


@pytest.mark.limit(120)
def test_a_phone_hears_the_voice_vlan(lab):
    """VLAN, priority, DSCP; after a restart of lldpd too; other values after a reload; none at the end."""
    lab.ours.start()
    lab.phone.start()
    lab.gateway = Hornwork(lab, config=lab.config()).start()
    wait_until(lambda: told(lab), 10, "lldpd is told")
    row, = lab.gateway.status()["voice_vlan"]["ports"]
    assert row == {"interface": lab.port, "vlan": lab.vlan, "priority": 5, "dscp": 46, "outcome": "told"}
    lab.gateway.wait_event(event_type="config", reason="voice_vlan_told")
    policy(lab, vid=lab.vlan, pcp=5, dscp=46)
    wait_until(lambda: known_as_phone(lab), 40, "the phone is in the inventory")
    # the administrator starts lldpd again: it has forgotten
    lab.ours.stop()
    lab.gateway.wait_event(event_type="config", reason="voice_vlan_not_told")
    assert not told(lab) and "lldpd is gone" in lab.gateway.command("status").stdout
    lab.ours.start()
    wait_until(lambda: told(lab), 15, "lldpd is told again")
    policy(lab, pcp=5, dscp=46)
    # a reload
    lab.gateway.reload(lab.gateway.config.replace("voice-vlan {", "voice-vlan { priority = 6  dscp = 40 "))
    policy(lab, pcp=6, dscp=40)
    assert "hornwork_voice_vlan_told 1" in lab.gateway.api("/metrics")[1].decode()
    # the process dies
    pid = lab.gateway.processes()["announce"]
    os.kill(pid, 9)
    wait_until(lambda: lab.gateway.processes()["announce"] not in (0, pid), 8, "announce is started again")
    wait_until(lambda: told(lab), 15, "lldpd is told by the next one")
    # and the gateway stops: nothing is defined any more
    assert lab.gateway.stop() == 0
    shown = lab.ours.ask("show", "interfaces", "details")
    med = shown["lldp"][0]["interface"][0]["lldp-med"][0]["policy"]
    assert not [p for p in med if p.get("unknown", [{}])[0].get("value") is False], med


@pytest.mark.parametrize("lab", ["cables"], indirect=True)
def test_without_lldpd_it_is_said(lab):
    """No lldpd, one without LLDP-MED, one that does not speak there: each in words, and the gateway runs."""
    lab.gateway = Hornwork(lab, config=lab.config()).start()
    said = lab.gateway.wait_event(event_type="config", reason="voice_vlan_not_told")["message"]
    assert "No such file" in said and "lldpd -M 4" in said
    assert not told(lab)
    silent = Lldpd(lab, "gw", "-I", lab.port).start()
    wait_until(lambda: "not started with -M 4" in lab.gateway.status()["voice_vlan"]["explain"], 15, "it says why")
    silent.stop()
    elsewhere = Lldpd(lab, "gw", "-M", "4", "-I", "nowhere0").start()
    wait_until(lambda: "does not speak on this interface" in lab.gateway.status()["voice_vlan"]["explain"], 15, "it says why")
    elsewhere.stop()
    lab.ours.start()
    wait_until(lambda: told(lab), 15, "lldpd is told once it is right")
    assert lab.gateway.stop() == 0
