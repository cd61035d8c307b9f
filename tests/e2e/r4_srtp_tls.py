"""Keys of SRTP are told over TLS: a real phone's signalling and media both are sealed outside, and not a byte of
media leaves in the clear where policy wants it encrypted."""

import re
import time

from hwlab.baresip import Baresip
from hwlab.capture import Capture
from hwlab.topology import address
from r4_srtp import distinct, locks, payloads
from secure import NAME, TLS_PORT, pki, section  # pylint: disable=unused-import
from story import pinholes_are_closed

PHONES = f'phones safe {{ zone = internet  to = main  listen = {{"tls:{TLS_PORT}"}}  srtp = required }}\n'


def clear_bytes(gateway):
    """What the metric says of each zone, which must be what `status` says."""
    _, text = gateway.api("/metrics")
    text = text.decode() if isinstance(text, bytes) else text
    found = {zone: int(n) for zone, n in re.findall(r'hornwork_clear_bytes_total\{zone="([^"]+)"\} (\d+)', text)}
    assert found == gateway.status()["clear_bytes"]
    return found


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
    assert not outside.fields("sip", "sip.Method"), "signalling in the clear outside"
    sealed = payloads(outside, f"ip.addr == {address('gw')}")
    # As in r4_srtp: 170 uniform bytes have some 124 different values, a tone in G.711 far fewer.
    assert len(sealed) > 200 and min(map(distinct, sealed)) > 95, "media in the clear outside"
    counted = clear_bytes(gateway)
    assert "internet" in counted and set(counted.values()) == {0}, counted
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
