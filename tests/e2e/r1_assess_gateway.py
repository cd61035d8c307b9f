"""Checks of the gateway itself, on a real one."""

import pytest

from hwlab.assess import Assessor
from hwlab.pki import Authority
from hwlab.topology import address

EDGE = 'asset edge { address = 203.0.113.10  kind = gateway  owner-confirmed = yes }\n'


def assess_from(lab, gateway, host, sections=EDGE):
    """An assessor outside of the gateway that knows its configuration."""
    return Assessor(lab, host).configure(sections, gateway=gateway.config)


@pytest.mark.limit(180)
@pytest.mark.proves("GW-01")
def test_gw01_undeclared_ports(lab, gateway_of):
    """A port that some other daemon opened on the gateway and its zone lets through."""
    flawed = gateway_of(config=FLAWED)
    listener = lab.socket("gw", 2, 1)
    listener.setsockopt(1, 2, 1)
    listener.bind((address("gw"), 8080))
    listener.listen(5)
    bad = assess_from(lab, flawed, "stranger").configure(
        EDGE, gateway=flawed.config.replace('"tcp:8080"', '"tcp:2222"')).run(only="GW-01")
    assert bad.code == 1 and [f["port"] for f in bad.open("GW-01")] == [8080]
    listener.close()
    good = Assessor(lab, "stranger")
    report = good.run(only="GW-01")
    assert report.code == 0 and report.verdict("GW-01") == "clean"


@pytest.mark.limit(180)
def test_gw01_browsers_are_declared(lab, kamailio, gateway_of):
    """Secure WebSocket and TLS stand open because phones sections ask for them."""
    certificate, key = Authority(f"{lab.workdir}/pki").issue("gw", ["DNS:sip.lab.test"])
    gateway = gateway_of(more=f"""
        tls {{ certificate = "{certificate}"  key = "{key}" }}
        phones web {{ zone = internet  to = main  listen = {{"wss:8443", "tls:5061"}} }}""")
    report = assess_from(lab, gateway, "stranger").run(only="GW-01")
    assert report.verdict("GW-01") == "clean" and report.code == 0


FLAWED = """zone internet { interface = eth0  services = {"tcp:8080"} }
zone core     { interface = eth1  trust = trusted }
pbx main { zone = core  address = "10.10.0.5:5060"  domain = {"pbx.test"} }
phones remote { zone = internet  listen = {"udp:5060", "tcp:5060"}  to = main }
console { events = "{events}" }
"""


@pytest.mark.proves("DV-20")
def test_dv20_undeclared_phone(lab, kamailio, gateway, remote_phone, desk_phone):
    """Two phones register through the gateway, one of them is declared."""
    edge = EDGE + 'asset desk { subnet = 10.20.0.0/24  kind = phone }\n'
    there = Assessor(lab, "gw").configure(edge, gateway=gateway.config)
    bad = there.run("--target", "edge", "--run-dir", gateway.run_dir, only="DV-20")
    assert bad.code == 1 and "alice" in bad.open("DV-20")[0]["evidence"]
    assert "bob" not in bad.open("DV-20")[0]["evidence"]
    home = 'asset homes { address = 203.0.113.50  kind = phone  owner-confirmed = yes }\n'
    there.configure(edge + home, gateway=gateway.config)
    good = there.run("--target", "edge", "--run-dir", gateway.run_dir, only="DV-20")
    assert good.code == 0 and good.findings("DV-20")[0]["change"] == "fixed"
