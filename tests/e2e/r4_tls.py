"""SIP over TLS: who connects, what is shown, what is refused, and what a reload leaves alone."""

import json
import os
import ssl
import time

import pytest

from hwlab.baresip import Baresip
from hwlab.linphone import Linphone
from hwlab.peer import Call, Peer
from hwlab.pki import Authority
from hwlab.proc import LabError, wait_until

NAME = "sip.lab.test"
TLS_PORT = 5061


@pytest.fixture
def pki(lab):
    """A certificate authority of this test's own."""
    return Authority(f"{lab.workdir}/pki")


def section(certificates, more=""):
    """Section tls with these (certificate, key) pairs."""
    files = ", ".join(f'"{c}"' for c, _ in certificates)
    keys = ", ".join(f'"{k}"' for _, k in certificates)
    return f"tls {{ certificate = {{{files}}}  key = {{{keys}}}  {more} }}\n"


@pytest.fixture
def secure(gateway_of, pki, kamailio):
    """The usual gateway, that listens for phones by TLS too."""
    def start(more="", tls_more="", **kwargs):
        pair = pki.issue("gw", [f"DNS:{NAME}"])
        return gateway_of(more=section([pair], tls_more) + "phones safe { zone = internet  to = main "
                          f' listen = {{"tls:{TLS_PORT}"}} }}\n' + more, **kwargs)
    return start


def client(pki=None, certificate=None, version=None):
    """An SSL context that verifies the gateway by the authority (or not at all without one)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if pki:
        context.load_verify_locations(pki.certificate)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture
def phone_at(peer_at):
    """A function that makes a scripted phone over TLS."""
    def make(gateway, host, user, context, name=NAME, port=0):
        return peer_at(host, user, (gateway.outside[0], TLS_PORT), port=port, transport="tls",
                       tls=context, server_name=name)
    return make


def ask(peer, number=1):
    """OPTIONS to the gateway itself; its answer."""
    peer.send(peer.request("OPTIONS", "sip:203.0.113.10", f"tls-{number}-{peer.port}", 1, "t"))
    return peer.expect(200)


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


@pytest.mark.parametrize("days, name", [(10, "certificate_expires"), (-1, "certificate_expired")])
def test_certificates_that_end(lab, pki, gateway_of, days, name):
    pair = pki.issue("old", [f"DNS:{NAME}"], days=days)
    gateway = gateway_of(more=section([pair]) +
                         f'phones safe {{ zone = internet  to = main  listen = "tls:{TLS_PORT}" }}')
    event = gateway.wait_event(reason=name)
    assert event["severity"] == ("warning" if days > 0 else "critical") and "old" in event["message"]
    shown = gateway.status()["certificates"]
    assert [c["subject"] for c in shown] == ["old"] and shown[0]["days_left"] in (9, 10, 0)
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


# ---- peers that prove themselves ----

TRUNK = """
trunk carrier {{
    zone   = internet
    peer   = "tls:203.0.113.70:5061"
    to     = main
    {more}
}}
"""
GOOD = ["IP:203.0.113.70", "URI:sip:carrier.test"]


@pytest.fixture
def trunk(secure, pki):
    """A gateway with a trunk over TLS."""
    def start(more=""):
        return secure(more=TRUNK.format(more=more), tls_more=f'ca = "{pki.certificate}"',
                      pbx_more="outbound = carrier")
    return start


def bad_pair(pki, kind, lab):
    """A certificate of the kind that must not be believed."""
    if kind == "expired":
        return pki.issue("expired", GOOD, days=-1)
    if kind == "self-signed":
        return pki.self_signed("self", GOOD)
    if kind == "stranger":
        return Authority(f"{lab.workdir}/other", "other").issue("stranger", GOOD)
    return pki.issue("wrong", ["DNS:evil.test", "IP:203.0.113.71", "DNS:*.113.70"],
                     common="203.0.113.70")


BAD = [("wrong-name", "tls_certificate_name"), ("expired", "tls_certificate_expired"),
       ("self-signed", "tls_certificate_untrusted"), ("stranger", "tls_certificate_untrusted")]


def server(pair):
    """An SSL context of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


def test_out_over_the_trunk(lab, trunk, pki, peer_at, request):
    gateway = trunk()
    carrier = Peer.listening(lab, "carrier", "carrier", TLS_PORT, server(pki.issue("carrier", GOOD)))
    request.addfinalizer(carrier.close)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    for number in (1, 2):                    # the second one takes the same connection
        call = Call(alice)
        call.start(f"49301{number}", call.offer(4000), want=(100,))
        if number == 1:
            carrier.accept()
        incoming = Call.incoming(carrier)
        assert incoming.invite.get("via").startswith("SIP/2.0/TLS 203.0.113.10:5061")
        incoming.reply(486)
        call.expect(486)
    assert b"hornwork_tls_dialled_total 1" in wait_until(
        lambda: [m for m in [gateway.api("/metrics")[1]] if b"tls_dialled_total 1" in m], 3.0,
        "counted")[0]


@pytest.mark.parametrize("kind, reason", BAD)
def test_a_server_that_proves_nothing(lab, trunk, pki, peer_at, request, kind, reason):
    gateway = trunk()
    carrier = Peer.listening(lab, "carrier", "carrier", TLS_PORT, server(bad_pair(pki, kind, lab)))
    request.addfinalizer(carrier.close)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    call = Call(alice)
    call.start("49301", call.offer(4000), want=(100,))
    with pytest.raises((ssl.SSLError, OSError, LabError)):
        carrier.accept()
        carrier.socket.settimeout(3.0)
        if carrier.socket.recv(1) == b"":
            raise LabError("closed without a byte of SIP")
    call.expect((500, 503))                  # the PBX's own way to say so
    event = gateway.wait_event(reason=reason)
    assert event["tag"] == "r4" and not carrier.received
    assert reason in {e["reason"] for e in gateway.events(event_type="refused")}
    assert "certificate" in gateway.command("explain", "203.0.113.70").stdout


def test_not_verified_by_wish(lab, trunk, pki, peer_at, request):
    gateway = trunk("verify = no")
    carrier = Peer.listening(lab, "carrier", "carrier", TLS_PORT, server(pki.self_signed("s", GOOD)))
    request.addfinalizer(carrier.close)
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    call = Call(alice)
    call.start("49301", call.offer(4000), want=(100,))
    carrier.accept()
    assert Call.incoming(carrier)


def invite_in(peer):
    """The carrier calls bob."""
    peer.user, peer.domain = "4989555", "carrier.test"
    call = Call(peer)
    peer.send(call.invite_raw("sip:bob@203.0.113.10", call.offer(4000)))
    return call


def test_in_from_the_trunk(trunk, pki, phone_at, peer_at):
    """A peer is its certificate: from its own address, and from any other."""
    gateway = trunk()
    pair = pki.issue("carrier", GOOD)
    bob = peer_at("desk", "bob", gateway.inside)
    bob.register()
    for host in ("carrier", "stranger"):
        peer = phone_at(gateway, host, "carrier", client(pki, pair), name=NAME)
        call = invite_in(peer)
        ringing = Call.incoming(bob)
        ringing.reply(180)
        call.expect(180)
        row = next(c for c in gateway.calls() if c["from"] == "trunk carrier")
        lock = next(s for s in row["signalling"] if s["side"] == "caller")
        assert lock["tls"]["verified"] and lock["tls"]["certificate"] == "carrier"
        ringing.reply(486)
        call.expect(486)
        gateway.wait_idle()
        peer.close()


@pytest.mark.parametrize("kind", ["none", *(kind for kind, _ in BAD)])
def test_in_from_somebody_at_its_address(trunk, pki, phone_at, peer_at, lab, kind):
    gateway = trunk()
    bob = peer_at("desk", "bob", gateway.inside)
    bob.register()
    pair = None if kind == "none" else bad_pair(pki, kind, lab)
    peer = phone_at(gateway, "carrier", "carrier", client(pki, pair), name=NAME)
    invite_in(peer).expect(403)
    assert gateway.wait_event(reason="tls_peer_unproven")["src_ip"] == "203.0.113.70"
    assert bob.silent("INVITE", 0.5)


def test_in_clear_from_its_address(trunk, peer_at):
    gateway = trunk()
    bob = peer_at("desk", "bob", gateway.inside)
    bob.register()
    peer = peer_at("carrier", "carrier", gateway.outside)
    invite_in(peer).expect(403)
    assert gateway.wait_event(reason="tls_peer_clear")["src_ip"] == "203.0.113.70"
    assert bob.silent("INVITE", 0.5)


# ---- floods, deaths, secrets ----

@pytest.mark.limit(120)
def test_a_flood_of_handshakes(lab, secure, pki, phone_at, peer_at):
    """Strangers pay for their handshakes themselves: phones are answered meanwhile."""
    gateway = secure()
    tls = phone_at(gateway, "ext", "alice", client(pki))
    udp = peer_at("ext", "carol", gateway.outside)
    quiet = [timed(tls, n) for n in range(20)]
    script = ("import socket,ssl,threading,time\n"
              "def go():\n"
              " c=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname=False; c.verify_mode=ssl.CERT_NONE\n"
              " end=time.time()+8\n"
              " while time.time()<end:\n"
              "  try:\n"
              "   s=socket.create_connection(('203.0.113.10',5061),2)\n"
              "   if threading.get_ident()%2: c.wrap_socket(s).close()\n"
              "   else: time.sleep(0.01); s.close()\n"
              "  except OSError: time.sleep(0.001)\n"
              "for _ in range(8): threading.Thread(target=go).start()\n")
    flood = lab.daemon("stranger", ["nice", "/usr/bin/python3", "-c", script], f"{lab.workdir}/flood.log")
    time.sleep(1.0)
    under = [timed(peer, 100 + n) for n in range(60) for peer in (tls, udp)]
    assert gateway.wait_event(reason="tls_limit")["src_ip"] == "203.0.113.66"
    flood.stop()
    assert max(under) < 2.0, (quiet, under)
    said = gateway.api("/metrics")[1].decode()
    limited = int(next(l for l in said.splitlines() if l.startswith("hornwork_tls_limited_total ")).split()[1])
    assert limited > 100
    assert "handshakes" in gateway.command("explain", "203.0.113.66").stdout


def timed(peer, number):
    """Seconds until OPTIONS is answered."""
    began = time.monotonic()
    ask(peer, number)
    return time.monotonic() - began


def test_who_begins_and_says_nothing(lab, secure, pki, phone_at):
    gateway = secure()
    held = [lab.socket("stranger", 2, 1) for _ in range(80)]
    for sock in held:
        sock.connect((gateway.outside[0], TLS_PORT))
    assert gateway.wait_event(reason="tls_limit")["src_ip"] == "203.0.113.66"
    assert ask(phone_at(gateway, "ext", "alice", client(pki)))
    assert gateway.wait_event(15.0, reason="tls_handshake")["src_ip"] == "203.0.113.66"
    for sock in held:
        sock.close()


def resident(gateway, *names):
    """Resident memory of these processes in bytes."""
    pids = gateway.processes()
    total = 0
    for name in names:
        with open(f"/proc/{pids[name]}/smaps_rollup", encoding="ascii") as text:
            total += sum(int(l.split()[1]) for l in text if l.startswith("Pss:"))
    return total * 1024


@pytest.mark.limit(120)
def test_memory_of_an_idle_connection(lab, secure, pki):
    gateway = secure(more='limits { never-ban = {"203.0.113.60"} }')
    context = client(pki)
    made = []

    def connect(count):
        for _ in range(count):
            sock = lab.socket("ext", 2, 1)
            sock.connect((gateway.outside[0], TLS_PORT))
            secured = context.wrap_socket(sock, server_hostname=NAME)
            secured.sendall(b"\r\n\r\n")
            assert secured.recv(4) == b"\r\n"
            made.append(secured)
    connect(100)
    before = resident(gateway, "tls", "signal")
    connect(500)
    each = (resident(gateway, "tls", "signal") - before) / 500
    print(f"{each / 1024:.1f} KiB for each idle connection")
    for sock in made:
        sock.close()
    assert each < 40 * 1024, each
    wait_until(lambda: gateway.status()["tls_connections"] == 0, 8.0, "all are gone")


@pytest.mark.parametrize("who", ["tls", "signal"])
def test_phones_come_back(secure, pki, phone_at, who):
    gateway = secure()
    alice = phone_at(gateway, "ext", "alice", client(pki))
    alice.register()
    pid = gateway.processes()[who]
    os.kill(pid, 9)
    alice.socket.settimeout(5.0)
    assert alice.socket.recv(100) == b""
    wait_until(lambda: _alive(gateway, who, pid), 8.0, "started again")
    again = phone_at(gateway, "ext", "alice", client(pki))
    again.register()
    assert gateway.status()["tls_connections"] <= 1


def _alive(gateway, who, old):
    done = gateway.command("status", "--json", check=False)
    if done.returncode != 0:
        return False
    row = next(r for r in json.loads(done.stdout)[0]["processes"] if r["name"] == who)
    return row["pid"] not in (0, old)


def memory_of(pid):
    """All writable memory of a process."""
    parts = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("rw-p") or "[vvar" in line:
                continue
            first, last = (int(x, 16) for x in span.split("-"))
            if last - first > 64 << 20:     # address space that nobody uses
                continue
            try:
                mem.seek(first)
                parts.append(mem.read(last - first))
            except (OSError, OverflowError, ValueError):
                continue
    return b"".join(parts)


def test_keys_are_where_they_must_be(lab, secure, pki, phone_at):
    """The private key's bytes are in the memory of hw-tls, locked, and in no other process."""
    gateway = secure()
    assert ask(phone_at(gateway, "ext", "alice", client(pki)))
    text = lab.run("gw", ["openssl", "pkey", "-in", f"{pki.folder}/gw.key", "-noout", "-text"]).stdout
    octets = text.split("priv:")[1].split("pub:")[0].split()
    scalar = bytes.fromhex("".join(octets).replace(":", ""))[-32:]
    with open(f"{pki.folder}/gw.key", "rb") as key:
        pem = key.read().splitlines()[1][:40]
    found = set()
    for name, pid in gateway.processes().items():
        memory = memory_of(pid)
        assert len(memory) > 100000, name
        if scalar in memory or scalar[::-1] in memory:
            found.add(name)
        assert pem not in memory, f"{name} holds the key's file"
    assert found == {"tls"}, found
    with open(f"/proc/{gateway.processes()['tls']}/status", encoding="ascii") as status:
        rows = dict(l.split(":\t", 1) for l in status if ":\t" in l)
    assert int(rows["VmLck"].split()[0]) >= 1024
    with open(f"/proc/{gateway.processes()['tls']}/limits", encoding="ascii") as limits:
        assert "Max core file size        0 " in limits.read()
