"""TLS under attack and after crashes: floods, memory, processes that die, where the keys are."""

import json
import os
import time

import pytest

from hwlab.proc import wait_until
from secure import NAME, TLS_PORT, ask, client, phone_at, pki, section, secure  # noqa: F401 pylint: disable=unused-import

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
    wait_until(lambda: gateway.status()["tls_connections"] == 1, 8.0, "the new connection alone is counted")


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
