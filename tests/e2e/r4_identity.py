"""Calls to a carrier go out with the caller's identity signed (STIR/SHAKEN, RFC 8224), by the process that keeps keys."""

import base64
import json
import os
import subprocess
import time

import pytest

from hwlab.peer import Call
from hwlab.topology import address
from story import CALLER_RTP

URL = "https://cert.example/sti.pem"
TRUNK = """
trunk carrier {{
    zone = internet
    peer = "udp:{peer}:5060"
    to   = main
    identity-certificate = "{certificate}"
    identity-key = "{key}"
    identity-url = "{url}"
    attest = A
    country-code = 49
    national-prefix = 0
}}
"""
SPC = "DER:30:08:A0:06:16:04:31:32:33:34"  # TNAuthList (RFC 8226 9) of the provider 1234


@pytest.fixture
def pair(lab):
    """A certificate that may sign, and its key."""
    base = f"{lab.workdir}/sti"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", f"{base}.key", "-out", f"{base}.pem", "-subj", "/CN=SHAKEN 1234", "-days", "90",
                    "-addext", f"1.3.6.1.5.5.7.1.26={SPC}"], check=True, capture_output=True)
    os.chmod(f"{base}.key", 0o600)
    return f"{base}.pem", f"{base}.key"


@pytest.fixture
def carrier(peer_at):
    """The provider's SIP server."""
    return peer_at("carrier", "carrier", (address("gw"), 5060))


@pytest.fixture
def gateway(kamailio, gateway_of, pair):
    """The gateway with a trunk whose calls it signs."""
    return gateway_of(more=TRUNK.format(peer=address("carrier"), certificate=pair[0], key=pair[1], url=URL),
                      pbx_more="outbound = carrier")


def call_out(peer_at, gateway, carrier, asserted):
    """alice calls a number; her call and the carrier's view of it."""
    alice = peer_at("desk", "alice", gateway.inside)
    alice.register()
    call = Call(alice)
    if asserted:
        call.extra.append(("P-Asserted-Identity", f"<sip:{asserted}@{alice.domain}>"))
    call.start("4930123456", call.offer(CALLER_RTP))
    return call, Call.incoming(carrier)


def finish(call, incoming):
    """The carrier refuses; everybody is done."""
    incoming.reply(486)
    call.ack_failure(call.expect(486))


def outward(gateway):
    """The call to the carrier, as `calls` shows it."""
    return next(row for row in gateway.calls() if row["to"] == "trunk carrier")


def decoded(part):
    """base64url without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified(lab, certificate, signed, raw):
    """openssl's word on an ES256 signature."""
    def integer(octets):
        octets = octets.lstrip(b"\0") or b"\0"
        octets = (b"\0" if octets[0] & 0x80 else b"") + octets
        return b"\x02" + bytes([len(octets)]) + octets
    body = integer(raw[:32]) + integer(raw[32:])
    base = f"{lab.workdir}/check"
    for name, content in ((".txt", signed), (".sig", b"\x30" + bytes([len(body)]) + body)):
        with open(base + name, "wb") as out:
            out.write(content)
    public = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True,
                            capture_output=True).stdout
    with open(base + ".pub", "wb") as out:
        out.write(public)
    return subprocess.run(["openssl", "dgst", "-sha256", "-verify", base + ".pub", "-signature", base + ".sig",
                           base + ".txt"], capture_output=True, check=False).returncode == 0


def test_a_call_is_signed(lab, gateway, carrier, peer_at, pair):
    call, incoming = call_out(peer_at, gateway, carrier, "030555")
    value = incoming.invite.get("identity")
    token, info = value.split(";", 1)
    head, claims, signature = token.split(".")
    assert info == f'info=<{URL}>;alg=ES256;ppt="shaken"'
    assert json.loads(decoded(head)) == {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": URL}
    said = json.loads(decoded(claims))
    assert (said["attest"], said["orig"], said["dest"]) == ("A", {"tn": "4930555"}, {"tn": ["4930123456"]})
    assert abs(said["iat"] - time.time()) < 60
    assert verified(lab, pair[0], f"{head}.{claims}".encode(), decoded(signature))
    assert not verified(lab, pair[0], f"{head}.x{claims}".encode(), decoded(signature))
    row = outward(gateway)
    shown = row["identity"]
    assert shown == {"state": "signed", "attest": "A", "number": "4930555", "origid": said["origid"]}
    assert "4930555" in gateway.wait_event(reason="identity_signed")["message"]
    assert "signed by us" in gateway.command("explain", row["call"]).stdout
    finish(call, incoming)
    gateway.wait_idle()


def test_what_cannot_be_signed_goes_out_unsigned(gateway, carrier, peer_at):
    """alice is no telephone number."""
    call, incoming = call_out(peer_at, gateway, carrier, None)
    assert incoming.invite.get("identity") == ""
    assert outward(gateway)["identity"]["state"] == "unsigned"
    assert "no telephone number" in gateway.wait_event(reason="identity_unsigned")["message"]
    finish(call, incoming)
    gateway.wait_idle()


def test_the_key_lives_in_one_process(gateway, carrier, peer_at, pair):
    """Neither the process that speaks SIP nor any other has the key's bytes."""
    call, incoming = call_out(peer_at, gateway, carrier, "030555")
    assert incoming.invite.get("identity")
    text = subprocess.run(["openssl", "pkey", "-in", pair[1], "-noout", "-text"], check=True,
                          capture_output=True, text=True).stdout
    lines = text.split("priv:")[1].split("pub:")[0]
    secret = bytes.fromhex("".join(lines.split()).replace(":", ""))[-32:]
    with open(pair[1], encoding="ascii") as source:
        armour = source.read().splitlines()[1].encode()
    for name, pid in gateway.processes().items():
        memory = readable_memory(pid)
        if name == "tls":
            assert secret in memory or secret[::-1] in memory, "the search would find it"
            continue
        for needle in (secret, secret[::-1], armour):
            assert needle not in memory, f"{name} has the key"
    finish(call, incoming)
    gateway.wait_idle()


def readable_memory(pid):
    """All that can be read of a process's memory."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            low, high = (int(x, 16) for x in span.split("-"))
            if "r" not in rights or "[v" in line or high - low > 64 << 20:
                continue
            try:
                mem.seek(low)
                found.append(mem.read(high - low))
            except OSError:
                pass
    return b"\0".join(found)


def test_a_certificate_that_ends_soon(lab, kamailio, gateway_of, pair):
    """It is told, as those of TLS are."""
    subprocess.run(["openssl", "req", "-x509", "-key", pair[1], "-out", pair[0], "-subj", "/CN=SHAKEN 1234", "-days", "9",
                    "-addext", f"1.3.6.1.5.5.7.1.26={SPC}"], check=True, capture_output=True)
    gw = gateway_of(more=TRUNK.format(peer=address("carrier"), certificate=pair[0], key=pair[1], url=URL))
    assert gw.reload(check=False).returncode == 0
    assert "trunk carrier ends in" in gw.wait_event(reason="certificate_expires")["message"]


def test_a_wrong_file_is_named(gateway, pair):
    """check and reload say what is wrong, and the old configuration stays."""
    os.chmod(pair[1], 0o644)
    done = gateway.reload(check=False)
    assert done.returncode != 0
    assert "chmod 600" in done.stdout + done.stderr
    os.chmod(pair[1], 0o600)
    assert gateway.reload(check=False).returncode == 0
