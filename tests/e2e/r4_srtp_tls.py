"""Keys of SRTP are told over TLS: a real phone's signalling and media both are sealed outside, and not a byte of
media leaves in the clear where policy wants it encrypted."""

import re
import time

import pytest

from hwlab import asterisk
from hwlab.baresip import Baresip
from hwlab.capture import Capture
from hwlab.linphone import Linphone
from hwlab.proc import LabError, wait_until
from hwlab.topology import address
from r4_srtp import distinct, locks, payloads
from secure import NAME, TLS_PORT, pki, section  # pylint: disable=unused-import
from story import pinholes_are_closed

PHONES = f'phones safe {{ zone = internet  to = main  listen = {{"tls:{TLS_PORT}"}}  srtp = required }}\n'
ASTERISK = """
zone internet { interface = eth0 }
zone core     { interface = eth1  trust = trusted  cleartext = deny }
zone voice    { interface = eth2  trust = trusted  role = voice }
pbx main      { zone = core  address = "tls:PBX:5061"  domain = {"pbx.test"}  listen = "tls:5061"  srtp = required }
phones remote { zone = internet  listen = "udp:5060"  to = main }
phones desk   { zone = voice  listen = "udp:5060"  to = main }
console       { events = "{events}" }
"""


def clear_bytes(gateway):
    """What the metric says of each zone, which must be what `status` says."""
    _, text = gateway.api("/metrics")
    text = text.decode() if isinstance(text, bytes) else text
    found = {zone: int(n) for zone, n in re.findall(r'hornwork_clear_bytes_total\{zone="([^"]+)"\} (\d+)', text)}
    assert found == gateway.status()["clear_bytes"]
    return found


def audio(capture, display_filter):
    """Payloads of 20 ms of G.711 and a tag; an SRTCP packet is shorter.

    As in r4_srtp: 170 uniform bytes have some 124 different values, a tone in G.711 far fewer.
    """
    return [payload for payload in payloads(capture, display_filter) if len(payload) >= 160]


def sealed_outside(gateway, outside):
    """What the wire and the gateway say after a call: neither signalling nor media in the clear outside."""
    assert not outside.fields("sip", "sip.Method"), "signalling in the clear outside"
    sealed = audio(outside, f"ip.addr == {address('gw')}")
    assert len(sealed) > 150 and min(map(distinct, sealed)) > 95, "media in the clear outside"
    counted = clear_bytes(gateway)
    assert "internet" in counted and set(counted.values()) == {0}, counted


def test_sdes_over_tls(lab, kamailio, gateway_of, pki):  # pylint: disable=redefined-outer-name
    """baresip over TLS with SDES outside, a plain phone inside, calls both ways."""
    gateway = gateway_of(more=section([pki.issue("gw", [f"DNS:{NAME}"])]) + PHONES)
    alice = Baresip(lab, "alice", "phone", f"{gateway.outside[0]}:{TLS_PORT}", 440, transport="tls",
                    mediaenc="srtp-mand").start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    with Capture(lab, "gw", "eth0", "outside", "udp or tcp") as outside:
        for caller, callee in ((alice, bob), (bob, alice)):
            since = callee.mark()
            caller.dial(callee.name)
            time.sleep(2.5)
            rows = gateway.calls()
            caller.hangup()
            callee.wait_event("CALL_CLOSED", since=since)
            gateway.wait_idle()
            for phone, other in ((caller, callee), (callee, caller)):
                heard = phone.heard()
                assert heard.only(other.tone_hz, 1.5), f"{phone.name} heard {heard.says()}"
            kinds = {lock for row in rows for lock in locks(row).values()}
            assert any(lock and lock[0] == "sdes" and not lock[2] for lock in kinds), kinds
            assert any(side["secure"] and side["tls"] for row in rows for side in row["signalling"])
    sealed_outside(gateway, outside)
    assert not gateway.events(reason="srtp_keys_exposed")
    assert all(pinholes_are_closed(gateway, row) for row in gateway.calls(ended=True))


def test_plain_media_over_tls_is_refused(lab, kamailio, gateway_of, pki):  # pylint: disable=redefined-outer-name
    """TLS for the signalling is no leave for media in the clear: 488, and bob hears of nothing."""
    gateway = gateway_of(more=section([pki.issue("gw", [f"DNS:{NAME}"])]) + PHONES)
    alice = Baresip(lab, "alice", "phone", f"{gateway.outside[0]}:{TLS_PORT}", 440, transport="tls").start()
    Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    since = alice.dial("bob", wait=False)
    event = alice.wait_event("CALL_CLOSED", since=since)
    assert "488" in event["param"], event
    assert gateway.wait_event(event_type="refused", reason="srtp_required")
    assert all(row["to"] != "phones desk" for row in gateway.calls(ended=True)), "bob hears of nothing"
    gateway.wait_idle()
    assert set(clear_bytes(gateway).values()) == {0}


@pytest.mark.parametrize("mediaenc, keys", [("srtp", "sdes"), ("dtls", "dtls")], ids=["sdes", "dtls"])
def test_linphone(lab, kamailio, gateway_of, pki, mediaenc, keys):  # pylint: disable=redefined-outer-name,too-many-arguments
    """linphone, which takes no call in the clear, calls a plain phone; each hears the other."""
    gateway = gateway_of(more=section([pki.issue("gw", [f"DNS:{NAME}"])]) + PHONES)
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    alice = Linphone(lab, "alice", "ext", gateway.outside[0], TLS_PORT, pki.certificate, 440,
                     mediaenc=mediaenc).start()
    wait_until(lambda: gateway.registrations() and all(r["connected"] for r in gateway.registrations()
                                                       if r["user"] == "alice"), 20.0, "linphone registers")
    with Capture(lab, "ext", "eth0", "outside", "udp or tcp") as outside:
        alice.call("sip:bob@pbx.test")
        bob.wait_event("CALL_ESTABLISHED", timeout_s=15.0)
        time.sleep(4.0)
        kinds = {lock and (lock["keys"], lock["end_to_end"])
                 for row in gateway.calls() for lock in (s["encryption"] for s in row["streams"])}
        alice.hang_up()
        bob.wait_event("CALL_CLOSED", timeout_s=10.0)
        gateway.wait_idle()
    assert kinds == {None, (keys, False)}, kinds
    alice.stop()
    for phone, tone_hz in ((bob, 440), (alice, 620)):
        assert phone.heard().only(tone_hz, 1.5), phone.heard().says()
    sealed_outside(gateway, outside)


@pytest.mark.limit(120)
def test_asterisk(lab, gateway_of, pki):  # pylint: disable=redefined-outer-name
    """Asterisk 22 tells SDES keys over TLS alone, proven by its certificate; a plain phone outside, another inside."""
    try:
        asterisk.chroot()
    except LabError as err:
        pytest.skip(f"Asterisk cannot be had here: {err}")
    ours = pki.issue("gw", [f"IP:{address('gw', 'eth1')}", f"IP:{address('gw')}"])
    theirs = pki.issue("pbx", [f"IP:{address('ast')}"])
    asterisk.Asterisk(lab, media_encryption="sdes", tls=(*theirs, pki.certificate)).start()
    gateway = gateway_of(config=section([ours], f'ca = "{pki.certificate}"') + ASTERISK.replace("PBX", address("ast")))
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    with Capture(lab, "ast", "eth0", "core", "udp or tcp") as core:
        for caller, callee in ((alice, bob), (bob, alice)):
            since = callee.mark()
            caller.dial(callee.name)
            time.sleep(2.5)
            rows = gateway.calls()
            caller.hangup()
            callee.wait_event("CALL_CLOSED", since=since)
            gateway.wait_idle()
            for phone, other in ((caller, callee), (callee, caller)):
                assert phone.heard().only(other.tone_hz, 1.5), f"{phone.name} heard {phone.heard().says()}"
            kinds = {(s["zone"] == "core", lock and lock["keys"]) for row in rows for s in row["streams"]
                     for lock in (s["encryption"],)}
            assert kinds == {(True, "sdes"), (False, None)}, kinds
            tls = [s["tls"] for row in rows for s in row["signalling"] if s["transport"] == "tls"]
            assert tls and all(t["verified"] and t["certificate"] == "pbx" for t in tls), tls
    assert not core.fields("sip", "sip.Method"), "signalling in the clear towards the PBX"
    sealed = audio(core, f"ip.addr == {address('ast')}")
    assert len(sealed) > 200 and min(map(distinct, sealed)) > 95, "media in the clear towards the PBX"
    assert set(clear_bytes(gateway).values()) == {0}
    assert not gateway.events(reason="srtp_keys_exposed")
