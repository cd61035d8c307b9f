"""Scanners and guessers are kept out for a reason; a registered phone behind the same address goes on."""

import json
import re
import time

import pytest

from hwlab.message import build
from hwlab.peer import token
from hwlab.topology import address

STRANGER = address("stranger")
HOME = address("home")
SCAN_S = 40


def options(peer, uri="sip:203.0.113.10", agent="Phone 1.0", user="mallory"):
    """A good OPTIONS."""
    return build(f"OPTIONS {uri} SIP/2.0",
                 [("Via", peer.via()), ("Max-Forwards", "70"), ("From", f"<sip:{user}@pbx.test>;tag=m"),
                  ("To", f"<{uri}>"), ("Call-ID", token()), ("CSeq", "1 OPTIONS"),
                  ("Contact", peer.contact()), ("User-Agent", agent)])


def bans(gateway):
    """The bans as `hornwork bans --json` has them, by whom."""
    return {row["who"]: row for row in json.loads(gateway.command("bans", "--json").stdout)}


def firewall(lab):
    """Addresses in the firewall's sets."""
    text = "".join(lab.run("gw", ["nft", "list", "set", "inet", "hornwork", name]).stdout
                   for name in ("ban4", "ban6"))
    return set(re.findall(r"\d+\.\d+\.\d+\.\d+(?:/\d+)?", text))


def eventually(what, timeout_s=5.0):
    """True as soon as what() is, within the time."""
    deadline = time.monotonic() + timeout_s
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def signal_of(gateway):
    """The signal process' pid, None while it is being started."""
    done = gateway.command("status", "--json", check=False)
    rows = json.loads(done.stdout)[0]["processes"] if done.returncode == 0 else []
    return next((row["pid"] for row in rows if row["name"] == "signal"), None)


def tool(lab, host, *words):
    """A tool of SIPVicious on a host: what it says, in one text."""
    done = lab.run(host, ["timeout", str(SCAN_S), *words], check=False)
    return done.stdout + done.stderr


@pytest.mark.limit(120)
def test_svmap_finds_nothing(lab, gateway, kamailio):
    said = tool(lab, "stranger", "svmap", "-x", STRANGER, "203.0.113.10")
    assert "203.0.113.10" not in said.split("+-")[-1] and "found nothing" in said, said
    assert bans(gateway)[STRANGER]["reason"] == "ban_scan"
    assert eventually(lambda: STRANGER in firewall(lab))
    explained = gateway.command("explain", STRANGER).stdout
    assert "scans for phone systems" in explained, explained


@pytest.mark.limit(120)
def test_svwar_finds_no_user(lab, gateway, kamailio):
    said = tool(lab, "stranger", "svwar", "-x", STRANGER, "-e100-120", "203.0.113.10")
    assert not re.search(r"\| *1[0-2][0-9] *\|", said), said
    assert bans(gateway)[STRANGER]["reason"] == "ban_scan"


@pytest.mark.limit(120)
def test_svcrack_gets_no_account_and_a_phone_beside_it_goes_on(lab, gateway, kamailio, peer_at):
    alice = peer_at("phone", "alice", gateway.outside)
    alice.register()
    said = tool(lab, "phone2", "svcrack", "-x", address("phone2"), "-ubob", "-r1000-1040",
                "203.0.113.10")
    assert not re.search(r"\| *bob *\|", said), said
    kept = [who for who in bans(gateway) if who.startswith(HOME)]
    assert kept and all(":" in who for who in kept), "its flow alone"
    assert HOME not in firewall(lab)
    alice.register()
    event = gateway.wait_event(event_type="ban", reason="ban_scan")
    assert event["src_ip"] == HOME


def test_wrong_passwords_are_counted_not_challenges(lab, gateway, kamailio, peer_at):
    guesser = peer_at("stranger", "bob", gateway.outside)
    for n in range(5):
        cseq, call_id = 10 * n + 1, token()
        raw = guesser.request("REGISTER", "sip:pbx.test", call_id, cseq, "t", to=f"<{guesser.aor()}>",
                              extra=[("Expires", "60")])
        guesser.send(raw)
        challenge = guesser.expect(401)
        nonce = re.search(r'nonce="([^"]*)"', challenge.get("www-authenticate")).group(1)
        wrong = (f'Digest username="bob", realm="pbx.test", nonce="{nonce}", uri="sip:pbx.test", '
                 f'response="{n:032x}", qop=auth, nc=00000001, cnonce="c{n}"')
        guesser.send(guesser.request("REGISTER", "sip:pbx.test", call_id, cseq + 1, "t",
                                     to=f"<{guesser.aor()}>",
                                     extra=[("Expires", "60"), ("Authorization", wrong)]))
        guesser.expect((401, 403))
    assert eventually(lambda: bans(gateway).get(STRANGER, {}).get("reason") == "ban_guess")
    assert guesser.silent((200, 401, 403), 0.5)
    guesser.send(options(guesser))
    assert guesser.silent((200, 403), 0.5)


def test_by_hand(lab, gateway, kamailio, peer_at):
    assert gateway.command("bans").stdout == "nobody is kept out\n"
    assert "is kept out" in gateway.command("bans", "add", STRANGER, "--for", "1h", "--note",
                                            "called at night").stdout
    row = bans(gateway)[STRANGER]
    assert row["reason"] == "ban_by_hand" and 3590 < row["expires_s"] <= 3600
    assert row["note"] == "called at night" and row["registered_phones_too"]
    assert eventually(lambda: STRANGER in firewall(lab))
    peer = peer_at("stranger", "bob", gateway.outside)
    peer.send(options(peer, agent="x"))
    assert peer.silent((200, 403), 0.5)
    assert "let in again" in gateway.command("bans", "lift", STRANGER).stdout
    assert eventually(lambda: STRANGER not in firewall(lab))
    peer.register()
    gateway.command("bans", "add", "203.0.113.0/24")
    assert eventually(lambda: "203.0.113.0/24" in firewall(lab))
    gateway.command("bans", "lift", "203.0.113.0/24")
    for words, status in ((("add", "nonsense"), 2), (("add", "203.0.113.0/24", "--for", "soon"), 2),
                          (("lift", "203.0.113.9"), 1)):
        assert gateway.command("bans", *words, check=False).returncode == status


def test_whom_the_configuration_names_is_never_kept_out(lab, kamailio, gateway_of, peer_at):
    gateway = gateway_of(more='limits { never-ban = {"203.0.113.66"} }')
    gateway.command("bans", "add", STRANGER)
    gateway.command("bans", "add", "10.10.0.0/24")
    peer = peer_at("stranger", "alice", gateway.outside)
    peer.send(options(peer, agent="friendly-scanner"))
    peer.expect(200)
    peer.register()
    time.sleep(0.5)
    assert firewall(lab) == set()


def test_bans_outlive_the_process_that_decided_them(lab, gateway, kamailio, peer_at):
    peer = peer_at("stranger", "mallory", gateway.outside)
    peer.send(options(peer, agent="friendly-scanner"))
    assert eventually(lambda: STRANGER in bans(gateway))
    before = gateway.processes()["signal"]
    lab.run("gw", ["kill", "-9", str(before)])
    assert eventually(lambda: signal_of(gateway) not in (None, before), 10.0)
    assert STRANGER in bans(gateway)
    gateway.reload()
    assert eventually(lambda: STRANGER in firewall(lab))


def test_a_stranger_is_told_of_no_user(gateway, kamailio, peer_at):
    peer = peer_at("stranger", "alice", gateway.outside)
    peer.send(options(peer, "sip:100@203.0.113.10"))
    assert peer.silent(tuple(range(100, 700)), 0.5)
    assert gateway.wait_event(event_type="refused", reason="stranger_options")
    peer.send(options(peer))
    peer.expect(200)
    peer.register()
    peer.send(options(peer, "sip:bob@203.0.113.10"))
    peer.expect(tuple(range(200, 700)))
