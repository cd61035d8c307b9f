"""PBXs that are spoken to by TLS, each side proven by its certificate: Asterisk 22, Kamailio."""

import time

import pytest

from hwlab import asterisk
from hwlab.baresip import Baresip
from hwlab.kamailio import Kamailio
from hwlab.proc import LabError
from hwlab.topology import address
from secure import TLS_PORT, pki, section  # noqa: F401 pylint: disable=unused-import

CONFIG = """
zone internet {{ interface = eth0 }}
zone core     {{ interface = eth1  trust = trusted }}
zone voice    {{ interface = eth2  trust = trusted  role = voice }}
pbx main      {{ zone = core  address = "tls:{pbx}:5061"  domain = {{"pbx.test"}}  listen = "tls:5061" }}
phones remote {{ zone = internet  listen = {{"udp:5060", "tls:5061"}}  to = main }}
phones desk   {{ zone = voice  listen = "udp:5060"  to = main }}
console       {{ events = "{{events}}" }}
"""


def start(lab, gateway_of, pki, where, make):
    """The gateway in front of a PBX at this address, which `make` starts with its certificate."""
    ours = pki.issue("gw", [f"IP:{address('gw', 'eth1')}", f"IP:{address('gw')}"])
    theirs = pki.issue("pbx", [f"IP:{where}"])
    pbx = make((*theirs, pki.certificate))
    text = CONFIG.format(pbx=where).replace("{{", "{").replace("}}", "}")
    return pbx, gateway_of(config=section([ours], f'ca = "{pki.certificate}"') + text)


def calls(lab, gateway):
    """alice by TLS from outside, bob by UDP inside: both ways, with audio and a lock to the PBX."""
    alice = Baresip(lab, "alice", "phone", f"{gateway.outside[0]}:{TLS_PORT}", 440, transport="tls").start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    for caller, callee in ((alice, bob), (bob, alice)):
        since = callee.mark()
        caller.dial(callee.name)
        time.sleep(2.5)
        locks = [s for c in gateway.calls() for s in c["signalling"] if s["transport"] == "tls" and s["tls"]]
        assert any(s["tls"]["verified"] and s["tls"]["certificate"] == "pbx" for s in locks), locks
        caller.hangup()
        callee.wait_event("CALL_CLOSED", since=since)
        gateway.wait_idle()
        for phone, other in ((caller, callee), (callee, caller)):
            assert phone.heard().only(other.tone_hz, 1.2), f"{phone.name}: {phone.heard().says()}"
    return alice, bob


@pytest.mark.limit(120)
def test_asterisk(lab, gateway_of, pki):
    try:
        asterisk.chroot()
    except LabError as err:
        pytest.skip(f"Asterisk cannot be had here: {err}")
    pbx, gateway = start(lab, gateway_of, pki, address("ast"),
                         lambda tls: asterisk.Asterisk(lab, tls=tls).start())
    calls(lab, gateway)
    assert pbx.contacts("alice")[0].startswith("sip:hw-")
    # The certificates are renewed while both are connected; the PBX notices nothing.
    pki.issue("gw", [f"IP:{address('gw', 'eth1')}", f"IP:{address('gw')}"])
    gateway.reload()
    assert not gateway.status()["pbxs_silent"]


@pytest.mark.limit(120)
def test_kamailio(lab, gateway_of, pki):
    pbx, gateway = start(lab, gateway_of, pki, address("pbx"), lambda tls: Kamailio(lab, tls=tls).start())
    calls(lab, gateway)
    assert "transport=tls" in pbx.contacts("bob")[0]
    # Neither of them opens a connection for each request: what one made the other uses too.
    assert gateway.status()["tls_connections"] <= 4


@pytest.mark.limit(90)
def test_a_pbx_that_is_not_the_pbx(lab, gateway_of, pki, peer_at):
    """With another's certificate nobody gets a registration past the gateway."""
    other = pki.issue("other", ["IP:10.10.0.77"])
    _, gateway = start(lab, gateway_of, pki, address("pbx"),
                       lambda tls: Kamailio(lab, tls=(*other, tls[2])).start())
    phone = peer_at("ext", "alice", gateway.outside)
    with pytest.raises(LabError, match="REGISTER got SIP/2.0 503"):
        phone.register()
    assert gateway.wait_event(reason="tls_certificate_name")["src_ip"] == address("pbx")
