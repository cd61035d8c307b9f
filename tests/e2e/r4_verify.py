"""Calls from a carrier are believed only as their signed identity allows (STIR/SHAKEN, RFC 8224): certificates are fetched
from a real HTTPS server, and the PBX hears the verdict."""

import base64
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from hwlab.peer import Call
from hwlab.pki import Authority
from hwlab.proc import wait_until
from hwlab.topology import address
from story import CALLER_RTP

HTTPS = 8443
SPC = "1.3.6.1.5.5.7.1.26=DER:30:08:A0:06:16:04:31:32:33:34"        # TNAuthList (RFC 8226 9): whatever provider 1234 says
OTHERS = "1.3.6.1.5.5.7.1.26=DER:30:0B:A2:09:16:07:34:39:33:30:37:37:37"            # the number 4930777 alone
# Virtual patches for an Asterisk stop no Identity header that is verified: what is wrong with one is judged by itself.
PBX = "options-ping = 0  product = asterisk"
PBX_OF_OTHERS = "options-ping = 0  product = kamailio"                  # where headers with such URLs may pass unverified
ORIGIN = "123e4567-e89b-12d3-a456-426614174000"
CALLER, CALLED = "4930555", "4930123456"
CONFIG = """
trunk carrier {{
    zone = internet
    peer = "udp:{carrier}:5060"
    to   = main
    identity = {policy}
    country-code = 49
    national-prefix = 0
    {more}
}}
{section}
"""
SECTION = """identity {{
    anchors  = "{anchors}"
    hosts    = {{{hosts}}}
    https-ca = "{ca}"
}}
"""


class CertificateHost:
    """An HTTPS server in the lab that serves what `files` holds: bytes, or a status and a header line."""

    def __init__(self, lab, host, pair, files):
        self.files, self.asked = files, []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.socket = lab.socket(host, socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address(host), HTTPS))
        self.socket.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client):
        with contextlib.suppress(OSError), client:
            client.settimeout(8.0)
            with self.context.wrap_socket(client, server_side=True) as tls:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += tls.recv(4096)
                path = request.split(b" ")[1].decode()
                self.asked.append(path)
                found = self.files.get(path, (404, ""))
                status, line, body = (*found, b"") if isinstance(found, tuple) else (200, "", found)
                tls.sendall(f"HTTP/1.1 {status} X\r\n{line}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def close(self):
        """Stop listening."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def read(path):
    """A file's bytes."""
    with open(path, "rb") as source:
        return source.read()


class Provider:
    """Whoever signs calls: an authority of telephone numbers, its certificates and where they lie."""

    def __init__(self, lab):
        self.lab = lab
        self.host = address("ext")
        self.authority = Authority(f"{lab.workdir}/sti", "sti")
        self.web = Authority(f"{lab.workdir}/web", "web")
        self.pair = self.authority.issue("sp", [], more=[SPC])
        server = self.web.issue("www", [f"IP:{self.host}", "DNS:localhost"])
        self.server = CertificateHost(lab, "ext", server, {"/sp.pem": read(self.pair[0])})

    def url(self, name="sp.pem", host=None):
        """Where a certificate lies."""
        return f"https://{host or self.host}:{HTTPS}/{name}"

    def config(self, policy, hosts=(), more=""):
        """The gateway's additions."""
        listed = ", ".join(f'"{h}"' for h in (self.host, *hosts))
        section = SECTION.format(anchors=self.authority.certificate, ca=self.web.certificate, hosts=listed)
        return CONFIG.format(carrier=address("carrier"), policy=policy, more=more, section=section)

    def identity(self, url=None, key=None, age_s=0, **claims):
        """The value of an Identity header."""
        url = url or self.url()
        claims = {"attest": "A", "dest": {"tn": [CALLED]}, "iat": int(time.time()) - age_s, "orig": {"tn": CALLER},
                  "origid": ORIGIN, **claims}
        head = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": url}
        text = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key or self.pair[1]], input=text.encode(), check=True,
                              capture_output=True)
        return f'{text}.{encoded(raw_signature(done.stdout))};info=<{url}>;alg=ES256;ppt="shaken"'


def encoded(octets):
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def raw_signature(der):
    """r and s of an ECDSA signature as JWS has them (RFC 7518 3.4)."""
    numbers, at = [], 2
    for _ in range(2):
        size = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + size], "big").to_bytes(32, "big"))
        at += 2 + size
    return b"".join(numbers)


@pytest.fixture
def provider(lab):
    """A provider whose certificates lie on the host ext."""
    made = Provider(lab)
    yield made
    made.server.close()


@pytest.fixture
def carrier(peer_at):
    """The provider's SIP server."""
    peer = peer_at("carrier", CALLER, (address("gw"), 5060), domain=address("gw"))
    return peer


@pytest.fixture
def pbx(peer_at):
    """The phone system, by hand: what it gets is what is tested."""
    return peer_at("pbx", "pbx", (address("gw", "eth1"), 5060))


@pytest.fixture
def gateway(gateway_of, provider, pbx):
    """A function that starts the gateway with this policy."""
    return lambda policy, **kwargs: gateway_of(more=provider.config(policy, **kwargs),
                                               pbx_more=PBX_OF_OTHERS if policy == "off" else PBX)


def call_in(carrier, identity=None, number=CALLED):
    """A call from the carrier."""
    call = Call(carrier)
    if identity:
        call.extra.append(("Identity", identity))
    carrier.send(call.invite_raw(f"sip:+{number}@{address('gw')}", call.offer(CALLER_RTP)))
    return call


def refused(call, status, timeout_s=8.0):
    """The call is refused with this."""
    got = call.expect(tuple(range(200, 700)), timeout_s)
    call.ack_failure(got)
    assert got.status == status, got.start
    return got


def passed_on(call, pbx, timeout_s=8.0):
    """The INVITE that the PBX gets; the call ends."""
    incoming = Call.incoming(pbx, timeout_s)
    incoming.reply(486)
    refused(call, 486)
    return incoming.invite


def test_a_signed_call_is_verified(gateway, provider, carrier, pbx):
    gw = gateway("verify")
    call = call_in(carrier, provider.identity())
    incoming = Call.incoming(pbx)
    row = gw.calls()[0]
    assert row["identity"] == {"state": "verified", "attest": "A", "number": CALLER, "origid": ORIGIN}
    assert f"{CALLER} is verified, attestation A" in gw.command("explain", row["call"]).stdout
    assert f"caller's identity verified: {CALLER}, attestation A, origin {ORIGIN}" in gw.command("calls").stdout
    told = gw.wait_event(reason="identity_verified")["message"]
    assert "attestation A" in told and ORIGIN in told
    incoming.reply(486)
    refused(call, 486)
    invite = incoming.invite
    assert f"sip:{CALLER};verstat=TN-Validation-Passed@" in invite.get("from")
    assert invite.get("attestation-info") == "A" and invite.get("origination-id") == ORIGIN
    assert invite.get("identity") == ""
    # The certificate is kept.
    again = passed_on(call_in(carrier, provider.identity(attest="C")), pbx)
    assert again.get("attestation-info") == "C"
    assert provider.server.asked == ["/sp.pem"]
    gw.wait_idle()


def test_who_only_verifies_tells_the_pbx_what_failed(gateway, provider, carrier, pbx):
    gw = gateway("verify")
    invite = passed_on(call_in(carrier), pbx)
    assert ";verstat=No-TN-Validation@" in invite.get("from")
    invite = passed_on(call_in(carrier, provider.identity(orig={"tn": "4930556"})), pbx)
    assert ";verstat=TN-Validation-Failed@" in invite.get("from")
    invite = passed_on(call_in(carrier, provider.identity(provider.url("sp.pem", "192.0.2.77"))), pbx)
    assert ";verstat=No-TN-Validation@" in invite.get("from")
    gw.wait_idle()


def bad_ones(provider):
    """What a call shows, and what it is refused with: status, reason, words of the detail."""
    good = provider.identity()
    text, rest = good.split(";", 1)
    head, claims, signature = text.split(".")
    flipped = ("B" if signature[5] != "B" else "C").join((signature[:5], signature[6:]))
    other, expired = (provider.authority.issue(stem, [], days=days, more=[tn])
                      for stem, days, tn in (("other", 30, OTHERS), ("expired", -1, SPC)))
    plain = provider.authority.issue("plain", [])
    rsa = provider.authority.issue("rsa", [], rsa=True, more=[SPC])
    foreign = Authority(f"{provider.lab.workdir}/foreign", "foreign").issue("sp", [], more=[SPC])
    files = provider.server.files
    for name, pair in (("other", other), ("expired", expired), ("plain", plain), ("rsa", rsa), ("foreign", foreign)):
        files[f"/{name}.pem"] = read(pair[0])
    files["/big.pem"] = b"#" * (1 << 20) + read(provider.pair[0])
    files["/moved.pem"] = (302, f"Location: {provider.url()}\r\n")

    def by(name, key=None):
        return provider.identity(provider.url(f"{name}.pem"), key and key[1])
    return [
        ("none", None, 428, "identity_missing", ""),
        ("other kind", good.replace("shaken", "div"), 428, "identity_missing", ""),
        ("tampered", f"{head}.{claims}.{flipped};{rest}", 438, "identity_signature", ""),
        ("stale", provider.identity(age_s=90), 403, "identity_stale", ""),
        ("of tomorrow", provider.identity(age_s=-90), 403, "identity_stale", ""),
        ("other caller", provider.identity(orig={"tn": "4930556"}), 438, "identity_number", ""),
        ("other called", provider.identity(dest={"tn": ["4930"]}), 438, "identity_number", ""),
        ("no number", provider.identity(orig={"uri": "sip:x"}), 438, "identity_malformed", ""),
        ("wrong host", provider.identity(provider.url(host="192.0.2.77")), 436, "identity_url", "192.0.2.77"),
        ("http", provider.identity(provider.url().replace("https", "http")), 436, "identity_url", ""),
        ("inside", provider.identity(provider.url(host="localhost")), 436, "identity_certificate_away", "inside"),
        ("no such file", by("nothing"), 436, "identity_certificate_away", "200"),
        ("redirected", by("moved"), 436, "identity_certificate_away", "200"),
        ("big", by("big"), 436, "identity_certificate_away", ""),
        ("other number's", by("other", other), 437, "identity_authority", ""),
        ("expired", by("expired", expired), 437, "identity_certificate", "expired"),
        ("no TNAuthList", by("plain", plain), 437, "identity_certificate", "TNAuthList"),
        ("RSA", by("rsa"), 437, "identity_certificate", "P-256"),
        ("foreign", by("foreign", foreign), 437, "identity_certificate", ""),
    ]


def test_what_is_refused(gateway, provider, carrier, pbx):
    gw = gateway("require", hosts=["localhost", "cert.invalid"])
    before = gw.processes()["stir"]
    for name, identity, status, reason, words in bad_ones(provider):
        seen = len(gw.events(reason=reason))
        refused(call_in(carrier, identity), status)
        wait_until(lambda n=seen, r=reason, w=words: any(w in row["message"] for row in gw.events(reason=r)[n:]), 5.0,
                   f"the event of {name}")
    # A name that nobody knows: how soon that is known is the resolver's affair.
    refused(call_in(carrier, provider.identity(provider.url(host="cert.invalid"))), 436)
    # One PASSporT is good for one call.
    identity = provider.identity()
    passed_on(call_in(carrier, identity), pbx)
    refused(call_in(carrier, identity), 438)
    gw.wait_event(reason="identity_replayed")
    assert pbx.silent("INVITE", 0.2), "nothing else reached the PBX"
    assert gw.processes()["stir"] == before, "whoever verifies has lived through all of it"
    gw.wait_idle()


def test_a_server_that_nobody_believes(gateway_of, provider, carrier, pbx, lab):
    """Its certificate leads to no authority of the configuration."""
    del pbx
    stranger = Authority(f"{lab.workdir}/stranger", "stranger")
    provider.web.certificate = stranger.certificate
    gw = gateway_of(more=provider.config("require"), pbx_more=PBX)
    refused(call_in(carrier, provider.identity()), 436)
    gw.wait_event(reason="identity_certificate_away")
    assert provider.server.asked == []


def test_a_dead_host_holds_up_nobody(lab, gateway, provider, carrier, pbx):
    """It takes connections and says nothing: its own calls end in time, others do not wait for it."""
    dead = lab.socket("stranger", socket.AF_INET, socket.SOCK_STREAM)
    with dead:
        dead.bind((address("stranger"), HTTPS))
        dead.listen(64)
        gw = gateway("require", hosts=[address("stranger")])
        passed_on(call_in(carrier, provider.identity()), pbx)
        begun = time.monotonic()
        waiting = [call_in(carrier, provider.identity(provider.url(f"{i}.pem", address("stranger")))) for i in range(10)]
        fresh = read(provider.pair[0])
        provider.server.files["/fresh.pem"] = fresh
        passed_on(call_in(carrier, provider.identity(provider.url("fresh.pem"))), pbx)
        for call in waiting:
            refused(call, 436)
        assert time.monotonic() - begun < 20
        gw.wait_idle()


def test_without_its_process_calls_go_on(gateway, provider, carrier, pbx):
    """It hangs, and then dies: the calls do what the policy says, and another one verifies."""
    gw = gateway("verify")
    pid = gw.processes()["stir"]
    os.kill(pid, signal.SIGSTOP)
    try:
        invite = passed_on(call_in(carrier, provider.identity()), pbx)
        assert ";verstat=No-TN-Validation@" in invite.get("from")
        gw.wait_event(reason="identity_timeout")
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: gw.processes().get("stir") not in (0, pid, None), 10.0, "another process")

    def verified():
        invite = passed_on(call_in(carrier, provider.identity()), pbx)
        return "TN-Validation-Passed" in invite.get("from")
    wait_until(verified, 20.0, "a verified call")
    gw.wait_idle()


def test_it_runs_only_where_a_trunk_wants_it(gateway, provider, carrier, pbx):
    gw = gateway("off")
    assert "stir" not in gw.processes()
    passed_on(call_in(carrier, provider.identity()), pbx)
    gw.reload(gw.config.replace("identity = off", "identity = require"))
    pid = gw.processes()["stir"]
    with open(f"/proc/{pid}/status", encoding="ascii") as source:
        status = dict(line.split(":\t", 1) for line in source if ":\t" in line)
    assert int(status["CapEff"], 16) == 0 and status["Seccomp"].strip() == "2"
    uid = status["Uid"].split()[0]
    assert uid != "0" and [row["uid"] for row in gw.status()["processes"]].count(int(uid)) == 1
    refused(call_in(carrier), 428)
    passed_on(call_in(carrier, provider.identity()), pbx)
    gw.reload(gw.config.replace("identity = require", "identity = off"))
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 5.0, "the end of the process")
    assert "stir" not in gw.processes() and not gw.events(reason="process_ended")
    passed_on(call_in(carrier), pbx)
    gw.wait_idle()


def test_what_hornwork_signs_it_verifies(gateway, provider, carrier, pbx):
    """The PBX calls out by the carrier, which sends the signed call back as another one's."""
    more = (f'identity-certificate = "{provider.pair[0]}"  identity-key = "{provider.pair[1]}"  '
            f'identity-url = "{provider.url()}"  attest = B')
    gw = gateway("require", more=more)
    gw.reload(gw.config.replace("options-ping = 0", "options-ping = 0  outbound = carrier"))
    outward = Call(pbx)
    outward.extra.append(("P-Asserted-Identity", f"<sip:0{CALLER[2:]}@pbx.test>"))
    pbx.send(outward.invite_raw(f"sip:{CALLED}@{address('gw', 'eth1')}", outward.offer(CALLER_RTP)))
    signed = Call.incoming(carrier)
    value = signed.invite.get("identity")
    signed.reply(486)
    outward.ack_failure(outward.expect(486))
    invite = passed_on(call_in(carrier, value), pbx)
    assert invite.get("attestation-info") == "B"
    assert "TN-Validation-Passed" in invite.get("from")
    gw.wait_idle()


def test_a_wrong_file_is_named(gateway, provider, pbx):
    """A reload says what is wrong, and the old configuration stays."""
    del pbx
    gw = gateway("verify")
    good = gw.config
    done = gw.reload(good.replace(provider.authority.certificate, provider.pair[1]), check=False)
    assert done.returncode != 0 and "identity: anchors" in done.stdout + done.stderr
    done = gw.reload(good.replace(provider.web.certificate, "/nowhere"), check=False)
    assert done.returncode != 0 and "https-ca /nowhere cannot be read" in done.stdout + done.stderr
    assert gw.reload(good, check=False).returncode == 0
