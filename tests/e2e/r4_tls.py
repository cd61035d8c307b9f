"""SIP over TLS: who connects, what is shown, what is refused, and what a reload leaves alone."""

import os
import ssl
import time

import pytest

from hwlab.baresip import Baresip
from hwlab.linphone import Linphone
from hwlab.peer import Call
from hwlab.proc import wait_until
from secure import NAME, TLS_PORT, ask, client, phone_at, pki, section, secure  # noqa: F401 pylint: disable=unused-import


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_phone_connects(secure, pki, phone_at, version):
    gateway = secure()
    phone = phone_at(gateway, "ext", "alice", client(pki, version=version))
    assert ask(phone)
    assert phone.socket.cipher()[0].split("-")[0].startswith(("TLS_", "ECDHE"))


def openssl(lab, host, *more, port=TLS_PORT, sends="Q\n"):
    """`openssl s_client` against the gateway; its output."""
    script = f'printf "%b" "{sends}" | timeout 8 openssl s_client -connect 203.0.113.10:{port} {" ".join(more)} 2>&1'
    return lab.run(host, ["sh", "-c", script], check=False).stdout


@pytest.mark.parametrize("offer, agreed", [
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    ("-tls1_3", "TLS_AES_128_GCM_SHA256"),
    ("-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", None),
    ("-tls1_1 -cipher ALL:@SECLEVEL=0", None),
], ids=["gcm", "chacha", "1.3-128", "1.3", "1.3-256", "cbc", "1.1"])
def test_suites(lab, secure, offer, agreed):
    gateway = secure()
    said = openssl(lab, "ext", offer)
    if agreed:
        assert f"Cipher is {agreed}" in said, said[-800:]
    else:
        assert "Cipher is (NONE)" in said, said[-800:]
        assert gateway.wait_event(reason="tls_handshake")["tag"] == "r4"
        assert "TLS handshake failed" in gateway.command("explain", "203.0.113.60").stdout


def test_the_oldest_version(lab, secure):
    secure(tls_more='min-version = "1.3"')
    assert "Cipher is (NONE)" in openssl(lab, "ext", "-tls1_2")
    assert "Cipher is TLS_AES" in openssl(lab, "ext")


def test_a_certificate_for_each_name(lab, pki, gateway_of):
    pairs = [pki.issue("first", ["DNS:first.test"]), pki.issue("second", ["DNS:second.test"]),
             pki.issue("wild", ["DNS:*.wild.test"]), pki.issue("rsa", ["DNS:first.test"], rsa=True)]
    gateway_of(more=section(pairs) +
               f'phones safe {{ zone = internet  to = main  listen = "tls:{TLS_PORT}" }}')
    for asked, subject in (("first.test", "first"), ("SECOND.test", "second"), ("a.wild.test", "wild"),
                           ("a.b.wild.test", "first"), ("nobody.test", "first")):
        assert f"subject=CN = {subject}" in openssl(lab, "ext", f"-servername {asked}"), asked
    assert "subject=CN = first" in openssl(lab, "ext", "-noservername")
    # A client that knows RSA alone gets the other certificate of that name.
    assert "subject=CN = rsa" in openssl(lab, "ext", "-servername first.test -tls1_2 "
                                         "-cipher ECDHE-RSA-AES128-GCM-SHA256")


def test_a_stapled_response(lab, pki, gateway_of):
    pair = pki.issue("gw", [f"DNS:{NAME}"])
    gateway_of(more=section([pair], f'ocsp = "{pki.ocsp("gw")}"') +
               f'phones safe {{ zone = internet  to = main  listen = "tls:{TLS_PORT}" }}')
    said = openssl(lab, "ext", "-status")
    assert "OCSP Response Status: successful" in said and "Cert Status: good" in said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(lab, secure, pki, version):
    gateway = secure()
    context, session = client(pki, version=version), None
    for number in range(5):
        sock = lab.socket("ext", 2, 1)
        sock.connect((gateway.outside[0], TLS_PORT))
        with context.wrap_socket(sock, server_hostname=NAME, session=session) as secured:
            assert secured.session_reused is (number > 0)
            secured.sendall(b"\r\n\r\n")
            assert secured.recv(10) == b"\r\n"
            session = secured.session
    wait_until(lambda: b"hornwork_tls_resumed_total 4" in gateway.api("/metrics")[1], 3.0, "counted")
    # A reload may change who is trusted: tickets of before open nothing.
    gateway.reload()
    sock = lab.socket("ext", 2, 1)
    sock.connect((gateway.outside[0], TLS_PORT))
    with context.wrap_socket(sock, server_hostname=NAME, session=session) as secured:
        assert secured.session_reused is False


# ---- what a reload leaves alone ----

def serial(peer):
    """Serial number of the certificate that the gateway showed."""
    return peer.socket.getpeercert()["serialNumber"]


def test_renewed_while_connected(secure, pki, phone_at):
    gateway = secure()
    before = phone_at(gateway, "ext", "alice", client(pki))
    before.register()
    pki.issue("gw", [f"DNS:{NAME}"])         # the same files with another certificate
    gateway.reload()
    assert ask(before, 2)
    assert [r["connected"] for r in gateway.registrations()] == [True]
    after = phone_at(gateway, "ext", "carol", client(pki))
    assert ask(after, 3) and serial(after) != serial(before)


def test_a_wrong_certificate_changes_nothing(secure, pki, phone_at):
    gateway = secure()
    phone = phone_at(gateway, "ext", "alice", client(pki))
    path = f"{pki.folder}/gw.key"
    other = pki.issue("other", ["DNS:other.test"])[1]
    for text, complaint in ((open(other, "rb").read(), "does not belong to the certificate"),
                            (b"nonsense", "holds no private key")):
        with open(path, "wb") as out:
            out.write(text)
        done = gateway.reload(check=False)
        assert done.returncode == 1 and complaint in done.stderr + done.stdout, done
        assert f"{gateway.config_path}:" in done.stderr + done.stdout
    pki.issue("gw", [f"DNS:{NAME}"])
    os.chmod(path, 0o644)
    done = gateway.reload(check=False)
    assert done.returncode == 1 and "chmod 600" in done.stderr + done.stdout
    assert ask(phone, 2) and ask(phone_at(gateway, "ext", "carol", client(pki)), 3)


@pytest.mark.parametrize("days, name", [(10, "certificate_expires"), (30, "certificate_expires"), (31, None),
                                        (-1, "certificate_expired")], ids=["10", "30", "31", "over"])
def test_certificates_that_end(lab, pki, gateway_of, days, name):
    pair = pki.issue("old", [f"DNS:{NAME}"], days=days)
    gateway = gateway_of(more=section([pair]) +
                         f'phones safe {{ zone = internet  to = main  listen = "tls:{TLS_PORT}" }}')
    if name is None:
        assert gateway.status()["certificates"][0]["days_left"] == 30   # and some hours
        time.sleep(0.5)
        assert not [e for e in gateway.events(event_type="config") if "certificate" in str(e.get("reason"))]
        return
    event = gateway.wait_event(reason=name)
    assert event["severity"] == ("warning" if days > 0 else "critical") and "old" in event["message"]
    shown = gateway.status()["certificates"]
    assert [c["subject"] for c in shown] == ["old"] and shown[0]["days_left"] in (days - 1, 0)
    assert b"hornwork_certificate_expiry_seconds{" in gateway.api("/metrics")[1]


# ---- phones ----

def test_a_call_between_two_worlds(secure, pki, lab):
    """A phone by TLS behind a home router, one by UDP inside: audio both ways, and a lock."""
    gateway = secure()
    where = f"{gateway.outside[0]}:{TLS_PORT}"
    alice = Baresip(lab, "alice", "phone", where, 440, transport="tls").start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    assert {r["user"]: r["transport"] for r in gateway.registrations()} == {"alice": "tls", "bob": "udp"}
    for caller, callee in ((alice, bob), (bob, alice)):
        since = callee.mark()
        caller.dial(callee.name)
        time.sleep(2.5)
        row = next(c for c in gateway.calls() if c["state"] == "established"
                   and any(s["transport"] == "tls" for s in c["signalling"]))
        lock = next(s for s in row["signalling"] if s["transport"] == "tls")
        assert lock["secure"] and lock["tls"]["version"] == "TLSv1.3" and lock["tls"]["cipher"]
        assert "[locked]" in gateway.command("calls").stdout
        assert "tls" in gateway.command("trace", row["call"]).stdout
        caller.hangup()
        callee.wait_event("CALL_CLOSED", since=since)
        gateway.wait_idle()
        for phone, other in ((caller, callee), (callee, caller)):
            assert phone.heard().only(other.tone_hz, 1.5), f"{phone.name}: {phone.heard().says()}"


def test_linphone_calls(secure, pki, lab):
    """linphone verifies our certificate; it registers by TLS and its call is heard."""
    gateway = secure()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620).start()
    phone = Linphone(lab, "alice", "ext", gateway.outside[0], TLS_PORT, pki.certificate, 440).start()
    wait_until(lambda: any(r["user"] == "alice" and r["transport"] == "tls"
                           for r in gateway.registrations()), 20.0, "linphone registers")
    phone.call("sip:bob@pbx.test")
    bob.wait_event("CALL_ESTABLISHED", 15.0)
    time.sleep(3.0)
    assert any(s["transport"] == "tls" and s["secure"] for c in gateway.calls()
               for s in c["signalling"])
    phone.hang_up()
    bob.wait_event("CALL_CLOSED", 10.0)
    assert bob.heard().only(440, 1.0), bob.heard().says()
    phone.stop()


def test_a_phone_that_loses_its_connection(secure, pki, phone_at, peer_at):
    gateway = secure()
    alice = phone_at(gateway, "ext", "alice", client(pki))
    alice.register()
    contact = gateway.registrations()[0]["contact"]
    assert "transport=tls" in contact
    alice.close()
    wait_until(lambda: [r["connected"] for r in gateway.registrations()] == [False], 5.0, "noticed")
    caller = peer_at("desk", "bob", gateway.inside)
    caller.register()
    call = Call(caller)
    call.start("alice", call.offer(4000), want=(480, 503))
    assert gateway.wait_event(reason="flow_closed")
    again = phone_at(gateway, "ext", "alice", client(pki))
    again.register()
    call = Call(caller)
    call.start("alice", call.offer(4000), want=(100, 180))
    assert again.expect("INVITE")
