"""Checks of the segments and of strangers' signalling, from places within them."""

import pytest

from hwlab.assess import Assessor
from hwlab.topology import address

# The lab's networks are cables; a host that routes between two of them is the flaw.
PHONE = "asset desk { address = 10.20.0.20  kind = phone  packets-per-second = 100 }\n"
EDGE = "asset edge { address = 203.0.113.10  kind = gateway  owner-confirmed = yes }\n"
OPEN = ('zone core {{ interface = eth1  trust = trusted  reaches = {{"voice"}} }}\n'
        'zone voice {{ interface = eth2  trust = trusted  role = {role} }}\n'
        'pbx main {{ zone = core  address = "10.10.0.5:5060" }}\n'
        'phones desk {{ zone = voice  to = main }}\n'
        'console {{ events = "{{events}}" }}\n')


@pytest.fixture
def routed(lab):
    """The gateway's host forwards, so that its rules alone decide."""
    keys = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
    lab.run("gw", ["sysctl", "-qw", *(f"{key}=1" for key in keys)])
    yield
    lab.run("gw", ["sysctl", "-qw", *(f"{key}=0" for key in keys)])


def config(gateway_of, reaches):
    """A gateway whose core zone may reach the voice zone, or not."""
    text = OPEN.format(role="voice")
    return gateway_of(config=text if reaches else text.replace('  reaches = {"voice"}', ""))


@pytest.mark.proves("VL-01")
def test_vl01_voice_from_data(routed, assessor, gateway_of, server_of, phones_of):
    """The core network plays the data segment: a phone's web page is reached from it; then not."""
    phones_of({"sip": {}, "http": {}})
    place = server_of("peer").place("data")
    gateway = config(gateway_of, True)
    bad = assessor.configure(PHONE + place).run(only="VL-01")
    assert bad.verdict("VL-01") == "found", bad.text + bad.stderr
    evidence = " ".join(f["evidence"] for f in bad.open())
    assert "TCP port 5060" in evidence and "its SIP port answers" in evidence
    gateway.reload(gateway.config.replace('  reaches = {"voice"}', ""))
    good = assessor.run(only="VL-01")
    assert {f["change"] for f in good.findings("VL-01")} == {"fixed"}, good.text


@pytest.mark.proves("VL-17")
def test_vl17_voice_from_data_by_ipv6(lab, routed, assessor, gateway_of, server_of, phones_of):
    """The rules hold for IPv4 alone, as of a router that knows no others; then the gateway's hold."""
    six = PHONE.replace(address("desk"), f'"{address("desk", family=6)}"')
    phones_of({"sip": {}, "http": {}}, {"address": address("desk", family=6), "sip": {}})
    place = server_of("peer").place("data").replace(
        f"address = {address('peer')}", f'address = {{"{address("peer")}", "{address("peer", family=6)}"}}')
    lab.run("gw", ["nft", "add table ip lab; add chain ip lab c { type filter hook forward priority 0; "
                   "policy drop; }"])
    bad = assessor.configure(six + place).run(only="VL-17")
    lab.run("gw", ["nft", "delete", "table", "ip", "lab"])
    assert bad.verdict("VL-17") == "found" and bad.code == 1, bad.text + bad.stderr
    evidence = " ".join(f["evidence"] for f in bad.open())
    assert "TCP port 5060" in evidence and "its SIP port answers" in evidence
    config(gateway_of, False)
    good = assessor.run(only="VL-17")
    assert {f["change"] for f in good.findings("VL-17")} == {"fixed"}, good.text


@pytest.mark.proves("VL-02")
def test_vl02_data_from_voice(routed, assessor, gateway_of, server_of):
    """A datagram from a host beside the phones arrives in the core network; then not."""
    places = server_of("desk2").place("voice") + server_of("peer").place("data")
    asset = "asset edge { address = 10.20.0.1  kind = gateway }\n"
    text = OPEN.format(role="core").replace('  reaches = {"voice"}', "").replace(
        "role = core", 'role = core  reaches = {"core"}')
    gateway = gateway_of(config=text)
    bad = assessor.configure(asset + places).run(only="VL-02")
    assert bad.verdict("VL-02") == "found", bad.text + bad.stderr
    gateway.reload(gateway.config.replace('  reaches = {"core"}', ""))
    good = assessor.run(only="VL-02")
    assert {f["change"] for f in good.findings("VL-02")} == {"fixed"}, good.text


@pytest.mark.proves("VL-03")
def test_vl03_management_from_the_data_segment(routed, assessor, gateway_of, server_of, phones_of):
    """Telnet of a phone behind a plain router; then the gateway; an administrator's place is not asked."""
    phones_of({"sip": {}, "telnet": {}})
    place = server_of("peer").place("data")
    only_admins = 'admins = {"10.10.0.0/24"}'
    assert assessor.configure(PHONE + place, only_admins).run(only="VL-03").verdict("VL-03") == "clean"
    bad = assessor.configure(PHONE + place).run(only="VL-03")
    assert bad.verdict("VL-03") == "found" and 23 in [f["port"] for f in bad.open()], bad.text
    config(gateway_of, True)
    good = assessor.run(only="VL-03")
    assert {f["change"] for f in good.findings("VL-03")} == {"fixed"}, good.text


@pytest.mark.proves("GW-12")
def test_gw12_strangers(lab, server_of, assessor, phones_of, gateway_of, kamailio):
    """A PBX at the edge asks a stranger for a password; our gateway refuses him."""
    place = server_of("ext").place("outside")
    asset = "asset edge { address = 203.0.113.66  kind = pbx  owner-confirmed = yes }\n"
    open_pbx = phones_of({"address": address("stranger"),
                          "sip": {"methods": {"INVITE": "407 Proxy Authentication Required"}}},
                         host="stranger")
    bad = assessor.configure(asset + place).run(only="GW-12")
    assert bad.verdict("GW-12") == "found" and "407" in bad.open()[0]["evidence"], bad.text
    open_pbx.stop()
    gateway_of()
    good = assessor.configure(EDGE + place).run(only="GW-12")
    assert good.verdict("GW-12") == "clean", good.text


@pytest.mark.proves("GW-13")
def test_gw13_long_messages(lab, server_of, assessor, gateway_of, kamailio):
    """Fragments are lost on the way in; then they pass."""
    place = server_of("ext").place("outside")
    gateway_of()
    lab.run("gw", ["nft", "add table ip lab; add chain ip lab c { type filter hook prerouting "
                   "priority -450; }; add rule ip lab c ip frag-off & 0x3fff != 0 drop"])
    bad = assessor.configure(EDGE + place).run(only="GW-13")
    lab.run("gw", ["nft", "delete", "table", "ip", "lab"])
    assert bad.verdict("GW-13") == "found", bad.text + bad.stderr
    good = assessor.run(only="GW-13")
    assert {f["change"] for f in good.findings("GW-13")} == {"fixed"}, good.text


@pytest.mark.proves("GW-18")
def test_gw18_malformed(server_of, assessor, phones_of, gateway_of, kamailio):
    """A peer that falls silent after a few; our gateway goes on."""
    place = server_of("ext").place("outside")
    asset = "asset edge { address = 203.0.113.66  kind = pbx  owner-confirmed = yes }\n"
    weak = phones_of({"address": address("stranger"), "sip": {}, "dies_after": 6}, host="stranger")
    bad = assessor.configure(asset + place).run("--intrusive", only="GW-18")
    assert bad.verdict("GW-18") == "found" and "answers no more" in bad.open()[0]["evidence"], bad.text
    weak.stop()
    gateway_of()
    good = Assessor(assessor.lab, "stranger").configure(EDGE + place).run("--intrusive", only="GW-18")
    assert good.verdict("GW-18") == "clean", good.text
