"""Keys of SRTP come of a handshake on the media's own ports (DTLS-SRTP): with phones and a PBX that know
it, towards a plain other side; a certificate that was not announced gets nothing through."""

import re
import time

import pytest

from hwlab import asterisk
from hwlab.baresip import Baresip
from hwlab.message import sdp
from hwlab.peer import Call
from hwlab.pki import Authority
from hwlab.proc import LabError, run, wait_until
from hwlab.topology import address
from story import crash

DTLS = "srtp = required\n    key-exchange = dtls"
HEARD_S = 1.0


def converse(caller, callee, gateway, talk_s=4.0, during=None):
    """A call with the handshake's second in it; each hears the other; returns the running call's records."""
    since = callee.mark()
    caller.dial(callee.name, timeout_s=20.0)
    time.sleep(talk_s)
    if during:
        during(gateway)
        time.sleep(1.0)
    calls = gateway.calls()
    caller.hangup()
    callee.wait_event("CALL_CLOSED", since=since)
    gateway.wait_idle()
    for phone, other in ((caller, callee), (callee, caller)):
        heard = phone.heard()
        assert heard.only(other.tone_hz, HEARD_S), f"{phone.name} heard {heard.says()}"
    return calls


def handshakes(calls):
    """What the streams of calls say of their encryption: {(keys, handshake) or None}."""
    return {lock and (lock["keys"], lock.get("handshake"))
            for call in calls for lock in (s["encryption"] for s in call["streams"])}


@pytest.mark.limit(120)
@pytest.mark.parametrize("mux", [False, True])
def test_a_phone_with_dtls(lab, kamailio, gateway_of, mux):
    gateway = gateway_of(remote_more=DTLS)
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440, mux=mux,
                    mediaenc="dtls_srtp").start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    # In one of the calls signal crashes: its successor knows the peer of the handshake that was.
    for caller, callee, during in ((alice, bob, None), (bob, alice, crash if mux else None)):
        assert handshakes(converse(caller, callee, gateway, during=during)) == {None, ("dtls", "up")}


@pytest.mark.limit(150)
def test_asterisk_with_dtls(lab, gateway_of):
    try:
        asterisk.chroot()
    except LabError as err:
        pytest.skip(f"Asterisk cannot be had here: {err}")
    asterisk.Asterisk(lab, media_encryption="dtls\ndtls_auto_generate_cert = yes").start()
    gateway = gateway_of(pbx=address("ast"), pbx_more=DTLS)
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    assert handshakes(converse(alice, bob, gateway)) == {None, ("dtls", "up")}


class Announced:
    """A scripted phone whose description announces one certificate; its handshake may show another."""

    def __init__(self, lab, gateway, peer_at):
        self.lab, self.gateway = lab, gateway
        pki = Authority(f"{lab.workdir}/pki")
        self.announced, self.other = pki.self_signed("announced", ["DNS:x"]), pki.self_signed("other", ["DNS:y"])
        text = run(["openssl", "x509", "-in", self.announced[0], "-noout", "-fingerprint", "-sha256"]).stdout
        self.fingerprint = text.strip().split("=")[1]
        self.alice = peer_at("ext", "alice", gateway.outside)
        self.phone = peer_at("peer", "scripted", port=5070)
        self.alice.register()
        self.caller = Call(self.alice)
        self.callee = self.final = None

    def offer(self):
        """What alice says: she begins the handshake."""
        more = f"a=setup:active\r\na=fingerprint:sha-256 {self.fingerprint}\r\n"
        return sdp(self.alice.ip, 4000, "sendrecv", extra=more).replace(b"RTP/AVP", b"UDP/TLS/RTP/SAVP")

    def establish(self):
        """From INVITE to ACK."""
        self.caller.start("scripted", self.offer(), want=(100,))
        self.callee = Call.incoming(self.phone)
        self.callee.reply(200, self.callee.offer(6000))
        self.final = self.caller.expect(200)
        self.caller.established(self.final)
        self.phone.expect("ACK")
        return self

    def handshake(self, pair):
        """openssl as alice's media; its output."""
        host, port = self.final.sdp_media()
        done = self.lab.run("ext", ["timeout", "6", "openssl", "s_client", "-dtls1_2", "-use_srtp",
                                    "SRTP_AES128_CM_SHA1_80", "-bind", f"{self.alice.ip}:4000",
                                    "-connect", f"{host}:{port}", "-cert", pair[0], "-key", pair[1]],
                            check=False)
        return done.stdout + done.stderr


def test_the_announced_certificate_is_taken(lab, kamailio, gateway_of, peer_at):
    call = Announced(lab, gateway_of(remote_more=DTLS), peer_at).establish()
    body = call.final.body.decode()
    assert "UDP/TLS/RTP/SAVP" in body and "a=setup:passive" in body, body
    assert re.search(r"a=fingerprint:sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}\r\n", body), body
    inside = call.callee.invite.body.decode()
    assert "RTP/AVP" in inside and "fingerprint" not in inside and "setup" not in inside, inside
    said = call.handshake(call.announced)
    assert "SRTP_AES128_CM_SHA1_80" in said, said[-1500:]
    call.gateway.wait_event(reason="dtls_closed")        # openssl closes at once, after it was up


def test_another_certificate_ends_the_call(lab, kamailio, gateway_of, peer_at, talker_at):
    gateway = gateway_of(remote_more=DTLS)
    ear = talker_at("peer", 6000)
    call = Announced(lab, gateway, peer_at).establish()
    mouth = talker_at("ext", 4000)
    mouth.remote = call.final.sdp_media()
    wait_until(lambda: any(s["refused"] for c in gateway.calls() for s in c["streams"]), 10.0, "packets before the keys")
    mouth.stop()
    call.handshake(call.other)
    gateway.wait_event(reason="dtls_fingerprint")
    assert call.phone.expect("BYE") and call.alice.expect("BYE")
    assert ear.got == [], "nothing is forwarded"
    ended = wait_until(lambda: [c for c in gateway.calls(ended=True) if c["state"] == "ended"
                                and c["answered_at"]], 5.0, "the call's record")
    assert "certificate" in gateway.command("explain", ended[0]["call"]).stdout


@pytest.mark.parametrize("offer, reason", [
    (lambda call: sdp(call.alice.ip, 4000, "sendrecv"), "srtp_required"),
    (lambda call: call.offer().replace(b"a=fingerprint:sha-256", b"a=x-none:"), "dtls_no_fingerprint"),
    (lambda call: call.offer().replace(b"setup:active", b"setup:holdconn"), "dtls_setup"),
])
def test_what_cannot_be_proven_is_refused(lab, kamailio, gateway_of, peer_at, offer, reason):
    call = Announced(lab, gateway_of(remote_more=DTLS), peer_at)
    refused = call.caller.start("scripted", offer(call), want=(488, 200))
    assert refused.status == 488 and refused.get("warning"), refused.start
    call.gateway.wait_event(reason=reason)
    assert call.phone.silent("INVITE", 0.5)
