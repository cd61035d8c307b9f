"""Checks of encryption: each finds the flaw on a flawed peer and is silent on a mended one."""

import time
import os

import pytest

from hwlab import fakeapi
from hwlab.assess import certificate
from hwlab.pki import Authority
from hwlab.message import sdp
from hwlab.peer import Call
from hwlab.srtp import Key
from hwlab.strongswan import Charon

PBX = "asset main { address = 10.10.0.5  kind = pbx  domain = pbx.test }\n"
PHONE = "asset desk { address = 10.20.0.20  kind = phone  packets-per-second = 100 }\n"
SANS = ["DNS:pbx.test"]


@pytest.fixture
def pki(lab):
    """An authority of the test's own."""
    return Authority(f"{lab.workdir}/pki")


def tls(pair, **more):
    """A PBX that speaks SIP over TLS with this certificate."""
    return {"sip": {}, "tls": {"cert": pair[0], "key": pair[1], **more}}


def both(assessor, phones_of, check, flawed, mended, asset=PBX, gateway="", host="pbx", words=()):
    """The flawed one's report; on the mended one the finding must be called fixed."""
    peer = phones_of(flawed, host=host)
    bad = assessor.configure(asset, gateway=gateway).run(*words, only=check)
    assert bad.verdict(check) == "found" and bad.code == 1, bad.text
    peer.stop()
    peer = phones_of(mended, host=host)
    good = assessor.run(*words, only=check)
    assert {f["change"] for f in good.findings(check)} == {"fixed"} and good.code == 0, good.text
    peer.stop()
    return bad


@pytest.mark.proves("EN-01")
def test_en01_no_tls(assessor, phones_of, pki):
    """Port 5061 closed; then a server there."""
    bad = both(assessor, phones_of, "EN-01", {"sip": {}}, tls(pki.issue("a", SANS)))
    assert "is closed" in bad.open()[0]["evidence"]


@pytest.mark.proves("EN-02")
def test_en02_clear_sip_outside(lab, assessor, server_of, phones_of, gateway_of, kamailio):
    """The gateway listens in clear outside; then it does not."""
    place = server_of("ext").place("outside")
    asset = "asset edge { address = 203.0.113.10  kind = gateway  owner-confirmed = yes }\n" + place
    gateway = gateway_of()
    bad = assessor.configure(asset).run(only="EN-02")
    assert bad.verdict("EN-02") == "found", bad.text + bad.stderr
    assert "OPTIONS by UDP" in bad.open()[0]["evidence"]
    assert "TCP port 5060" in bad.open()[0]["evidence"]
    gateway.reload(gateway.config.replace('{"udp:5060", "tcp:5060"}', '{"udp:5080"}', 1))
    good = assessor.run(only="EN-02")
    assert good.findings("EN-02")[0]["change"] == "fixed", good.text


@pytest.mark.proves("EN-03")
def test_en03_old_tls(assessor, phones_of, pki):
    """TLS 1.0 and 1.1."""
    pair = pki.issue("a", SANS)
    bad = both(assessor, phones_of, "EN-03", tls(pair, min="TLSv1", ciphers="ALL:@SECLEVEL=0"),
               tls(pair))
    assert "TLSv1 is accepted" in bad.open()[0]["evidence"]
    assert "TLSv1.1 is accepted" in bad.open()[0]["evidence"]


@pytest.mark.proves("EN-04")
def test_en04_weak_ciphers(assessor, phones_of, pki):
    """No forward secrecy."""
    pair = pki.issue("a", SANS, rsa=True)
    bad = both(assessor, phones_of, "EN-04",
               tls(pair, max="TLSv1_2", ciphers="AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"),
               tls(pair, ciphers="ECDHE+AESGCM"))
    assert "no forward secrecy: AES128-SHA" in bad.open()[0]["evidence"]


@pytest.mark.parametrize("days, words, severity", [(10, "expires in 9 days", "medium"),
                                                   (-1, "expired", "high")])
@pytest.mark.proves("EN-05")
def test_en05_expiry(assessor, phones_of, pki, days, words, severity):
    """Soon, and already."""
    soon = pki.issue("a", SANS, days=days)
    time.sleep(1.1)  # whole days are told: within its first second ten are left, later nine
    bad = both(assessor, phones_of, "EN-05", tls(soon), tls(pki.issue("b", SANS)))
    assert words in bad.open()[0]["evidence"]
    assert bad.open()[0]["severity"] == severity


@pytest.mark.proves("EN-06")
def test_en06_wrong_name(assessor, phones_of, pki):
    """Another name, and a wildcard that RFC 5922 does not know; then a SIP URI."""
    bad = both(assessor, phones_of, "EN-06", tls(pki.issue("a", ["DNS:*.test", "DNS:other.test"])),
               tls(pki.issue("b", ["URI:sip:pbx.test"])))
    assert "pbx.test" in bad.open()[0]["evidence"]


@pytest.mark.proves("EN-07")
def test_en07_untrusted(assessor, phones_of, pki):
    """Self-signed; then by the authority that the configuration names."""
    both(assessor, phones_of, "EN-07", tls(pki.self_signed("a", SANS)), tls(pki.issue("b", SANS)),
         gateway=f'tls {{ certificate = "{pki.certificate}"  key = "{pki.key}"  ca = "{pki.certificate}" }}\n')


@pytest.mark.proves("EN-08")
def test_en08_weak_key(lab, assessor, phones_of, pki):
    """RSA with 1024 bits."""
    weak = certificate(lab.workdir, "weak", bits=1024)
    bad = both(assessor, phones_of, "EN-08", tls(weak, ciphers="DEFAULT:@SECLEVEL=0"),
               tls(pki.issue("b", SANS)))
    assert "1024 bits" in bad.open()[0]["evidence"]


@pytest.mark.proves("EN-09")
def test_en09_any_client(assessor, phones_of, pki):
    """Nobody is asked; then clients of the authority alone."""
    pair = pki.issue("a", SANS)
    asset = "asset main { address = 10.10.0.5  kind = pbx  mutual-tls = yes }\n"
    bad = both(assessor, phones_of, "EN-09", tls(pair), tls(pair, client_ca=pki.certificate),
               asset=asset)
    assert "without a certificate" in bad.open()[0]["evidence"]


CLEAR, SECURE = {"profiles": ["RTP/AVP"]}, {"profiles": ["RTP/SAVP"]}


@pytest.mark.proves("EN-12")
def test_en12_srtp_not_offered(assessor, phones_of):
    """RTP/SAVP gets 488; then it rings."""
    both(assessor, phones_of, "EN-12", {"sip": {"media": CLEAR}}, {"sip": {"media": SECURE}},
         asset=PHONE, host="desk")


@pytest.mark.proves("EN-13")
def test_en13_srtp_not_required(assessor, phones_of):
    """RTP/AVP rings; then it gets 488."""
    both(assessor, phones_of, "EN-13", {"sip": {"media": CLEAR}}, {"sip": {"media": SECURE}},
         asset=PHONE, host="desk")


@pytest.mark.proves("EN-15")
def test_en15_weak_suite(assessor, phones_of):
    """The short tag is taken; then the long one."""
    answer = {**SECURE, "answer": True}
    both(assessor, phones_of, "EN-15",
         {"sip": {"media": {**answer, "suite": "AES_CM_128_HMAC_SHA1_32"}}},
         {"sip": {"media": {**answer, "suite": "AES_CM_128_HMAC_SHA1_80"}}},
         asset=PHONE, host="desk")


SWAN = "#!/bin/sh\ncase $1 in --list-conns) printf '{0}';; --list-sas) printf '{1}';; esac\n"
CONNS = "branch: IKEv2, no reauthentication\\n  local: %%any\\nother: IKEv2\\n"


@pytest.mark.proves("EN-19")
def test_en19_tunnel_down(assessor, server_of, phones_of):
    """One of two tunnels is up; then both."""
    phones_of({"sip": {}}, host="pbx")
    one = "branch: #1, ESTABLISHED, IKEv2, ab_i* cd_r\\n"
    server = server_of(files={"/usr/sbin/swanctl": SWAN.format(CONNS, one)})
    bad = assessor.configure(server.asset("edge", kind="network")).run(only="EN-19")
    assert [f["evidence"] for f in bad.open("EN-19")] == ["tunnel other is configured and not up"], \
        bad.text
    server.stop()
    server_of(files={"/usr/sbin/swanctl": SWAN.format(CONNS, one + one.replace("branch", "other"))})
    assessor.forget_host_keys()
    assert assessor.run(only="EN-19").findings("EN-19")[0]["change"] == "fixed"


@pytest.mark.proves("EN-20")
def test_en20_weak_ike(lab, assessor, phones_of):
    """A real strongSwan that takes a group of 1024 bits; then one with strong proposals alone."""
    phones_of({"sip": {}}, host="pbx")
    asset = "asset edge { address = 10.10.0.5  kind = network }\n"
    with Charon(lab, "pbx", "aes128-sha1-modp1024,aes256gcm16-prfsha384-ecp384"):
        bad = assessor.configure(asset).run(only="EN-20")
        assert bad.verdict("EN-20") == "found", bad.text
        assert "AES-128, SHA-1, a group of 1024 bits" in bad.open()[0]["evidence"]
        assert "3DES" not in bad.open()[0]["evidence"]
    with Charon(lab, "pbx", "aes256gcm16-prfsha384-ecp384"):
        assert assessor.run(only="EN-20").findings("EN-20")[0]["change"] == "fixed"


EDGE = "asset edge { address = 203.0.113.10  kind = gateway  owner-confirmed = yes }\n"


@pytest.mark.limit(180)
@pytest.mark.proves("EN-21")
def test_en21_clear_voice_in_an_untrusted_zone(assessor, gateway, kamailio, scripted_call):
    """A call in clear from the internet; before it, nothing is to be said."""
    assessor.configure(EDGE, gateway=gateway.config)
    words = ("--run-dir", gateway.run_dir)
    assert assessor.run(*words, only="EN-21").verdict("EN-21") == "clean"
    scripted_call(gateway).establish()
    bad = assessor.run(*words, "--only", "EN-14", "--only", "EN-17", only="EN-21")
    assert bad.verdict("EN-21") == "found", bad.text
    assert "voice in clear in zone internet, signalling too" in bad.open()[0]["evidence"]
    assert "zone core" not in bad.open()[0]["evidence"]
    assert bad.verdict("EN-17") == "clean", "nothing says encrypted"
    assert bad.verdict("EN-14") == "clean", "no keys were sent"


@pytest.mark.proves("EN-14")
def test_en14_keys_in_clear(assessor, kamailio, gateway_of, peer_at):
    """SDES over UDP, where the configuration lets it; a new gateway has seen no such call."""
    gateway = gateway_of(remote_more="srtp = required\n    sdes-cleartext = allow")
    alice, phone = peer_at("ext", "alice", gateway.outside), peer_at("peer", "scripted", port=5070)
    alice.register()
    call = Call(alice)
    offer = sdp(alice.ip, 4000, "sendrecv", extra=Key("AES_CM_128_HMAC_SHA1_80").line())
    call.start("scripted", offer.replace(b"RTP/AVP", b"RTP/SAVP"), want=(100,))
    callee = Call.incoming(phone)
    callee.reply(200, callee.offer(6000))
    call.established(call.expect(200))
    assessor.configure(EDGE, gateway=gateway.config)
    bad = assessor.run("--run-dir", gateway.run_dir, only="EN-14")
    assert bad.verdict("EN-14") == "found", bad.text
    assert "crossed zone internet in signalling without TLS" in bad.open()[0]["evidence"]
    call.send("BYE")
    gateway.stop()
    gateway.start()
    good = assessor.run("--run-dir", gateway.run_dir, only="EN-14")
    assert good.findings("EN-14")[0]["change"] == "fixed", good.text


@pytest.mark.proves("EN-17")
def test_en17_clear_media(lab, assessor):
    """What the gateway counted in clear where policy says encrypted."""
    run_dir = f"{lab.workdir}/run"
    os.makedirs(run_dir)
    assessor.configure("asset edge { address = 10.20.0.1  kind = gateway }\n")
    for seen, verdict in ((1720, "found"), (0, "clean")):
        server = fakeapi.serve(f"{run_dir}/control.sock",
                               {"/v1/status": [{"clear_bytes": {"internet": seen, "core": 0}}]})
        report = assessor.run("--run-dir", run_dir, only="EN-17")
        server.shutdown()
        server.server_close()
        os.remove(f"{run_dir}/control.sock")
        assert report.verdict("EN-17") == verdict, report.text
        if seen:
            assert "1720 bytes of media were in clear in zone internet" in report.open()[0]["evidence"]
    assert report.findings("EN-17")[0]["change"] == "fixed"
