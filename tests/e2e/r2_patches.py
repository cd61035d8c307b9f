"""Virtual patches: attacks on known flaws never reach the PBX, their harmless neighbours do."""

import json
import os
import re
import time

import pytest

from hwlab.assess import Assessor
from hwlab.hornwork import binary
from hwlab.message import build
from hwlab.peer import token
from hwlab.proc import run, wait_until
from hwlab.topology import address

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUIET_S = 0.5

MORE = """
trunk carrier {{ zone = internet  peer = "udp:%s:5060"  to = main }}
limits {{ per-source-pps = 0  never-ban = {{"%s", "%s"}} }}
{more}
""" % (address("carrier"), address("carrier"), address("stranger"))

OWN = """
patch own-subject {
    about = "a Subject that a machine of ours does not bear"
    action = reject 406
    match = Subject ~ /boom/
    attack
    | INVITE sip:a@b SIP/2.0
    | Subject: boom
    |
    neighbour
    | INVITE sip:a@b SIP/2.0
    | Subject: lunch
    |
}
"""


def unescape(line):
    """A line of a proof as bytes; hornwork-rules(5)."""
    joined = line.endswith("\\c")
    line = line[:-2] if joined else line
    line = re.sub(r"\\\{(\d+):([^}]*)\}", lambda m: m.group(2) * int(m.group(1)), line)
    plain = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", "L": "\\L"}
    line = re.sub(r"\\(x[0-9a-fA-F]{2}|.)",
                  lambda m: plain.get(m.group(1)) or chr(int(m.group(1)[1:], 16)), line)
    return line + ("" if joined else "\r\n")


def proofs():
    """Of each shipped rule: name, CVEs, attacks and neighbours as bytes."""
    rules = {}
    for name in sorted(os.listdir(f"{ROOT}/rules")):
        if not name.endswith(".conf"):
            continue
        rule = part = None
        for line in open(f"{ROOT}/rules/{name}", encoding="utf-8"):
            line = line.lstrip().rstrip("\n")
            if line.startswith("patch "):
                rule = rules.setdefault(line.split()[1], {"cve": "", "attack": [], "neighbour": []})
            elif line.startswith("cve = "):
                rule["cve"] = line[6:]
            elif line in ("attack", "neighbour"):
                part = rule[line]
                part.append("")
            elif line.startswith("|"):
                part[-1] += unescape(line[2:] if line.startswith("| ") else line[1:])
    for rule in rules.values():
        for kind in ("attack", "neighbour"):
            rule[kind] = [whole(text) for text in rule[kind]]
    return rules


def whole(text):
    """With its Content-Length, as bytes."""
    body = text.partition("\r\n\r\n")[2]
    return text.replace("\\L", f"{len(body):05d}").encode("latin-1")


RULES = proofs()
# One of each product and kind of match: a count, a pattern on head, on a header and on the body, a
# number, a part that is absent.
CHOSEN = ["asterisk-accept-values", "asterisk-space-before-colon", "asterisk-nul-byte",
          "asterisk-sdp-bad-address", "asterisk-session-expires", "asterisk-identity-malformed",
          "freeswitch-candidate-component", "sofia-url-percent", "kamailio-two-to",
          "kamailio-long-tag", "opensips-content-length", "pjsip-via-overflow",
          "pjsip-multipart", "linksys-from-ff"]


@pytest.fixture
def pbx(peer_at):
    """A PBX that does nothing of itself, but shows what it gets."""
    return peer_at("pbx", "pbx", (address("gw", "eth1"), 5060))


@pytest.fixture
def gateway_with(pbx, gateway_of):
    """A function that starts the gateway before that PBX and a carrier."""
    def start(more="", pbx_more=""):
        return gateway_of(more=MORE.format(more=more), pbx_more=pbx_more)
    return start


@pytest.fixture
def carrier(peer_at):
    """Where attacks come from: a peer from whom calls may come without a password."""
    return peer_at("carrier", "carrier", (address("gw", "eth0"), 5060))


def sent_anew(raw):
    """The message as one of its own dialog and transaction."""
    mark = token().encode()
    raw = re.sub(rb"(?im)^(Call-ID: ).*?(\r\n)", rb"\g<1>" + mark + rb"\g<2>", raw)
    return raw.replace(b"branch=z9hG4bKa1", b"branch=z9hG4bK" + mark).replace(b"tag=f1", b"tag=" + mark)


def arrived(pbx, methods=("INVITE", "SUBSCRIBE", "MESSAGE", "REGISTER")):
    """Requests that the PBX got so far, pings of the gateway itself aside."""
    while pbx.poll(0.0):
        pass
    return [m for m in pbx.received if m.method in methods]


def patch(gateway, name):
    """The row of `hornwork patches --json`."""
    return next(row for row in json.loads(gateway.command("patches", "--json").stdout)
                if row["rule"] == name)


def told(gateway, reason, *words):
    """Whether an event has that reason and these words in it."""
    lines = [json.dumps(row) for row in gateway.events()]
    return any(f'"{reason}"' in line and all(word in line for word in words) for line in lines)


def invite(peer, subject=None):
    """A good INVITE of a trunk."""
    rows = [("Via", peer.via()), ("Max-Forwards", "70"), ("From", f"<sip:100@pbx.test>;tag={token()}"),
            ("To", "<sip:200@pbx.test>"), ("Call-ID", token()), ("CSeq", "1 INVITE"),
            ("Contact", peer.contact())]
    return build("INVITE sip:200@pbx.test SIP/2.0", rows + ([("Subject", subject)] if subject else []))


@pytest.mark.limit(120)
def test_attacks_never_arrive(gateway_with, pbx, carrier):
    """All requests among the shipped attacks; the neighbours of those that are calls arrive."""
    gateway = gateway_with()
    for name in CHOSEN:
        rule = RULES[name]
        for raw in rule["attack"]:
            carrier.send(sent_anew(raw))
        wait_until(lambda: patch(gateway, name)["hits"] >= len(rule["attack"]), 5.0, f"hits of {name}")
        wait_until(lambda: told(gateway, "virtual_patch", name, rule["cve"].split(",")[0]), 5.0,
                   f"an event of {name}")
    time.sleep(QUIET_S)
    assert not arrived(pbx), [m.start for m in arrived(pbx)]
    explained = gateway.command("explain", address("carrier")).stdout
    assert "virtual patch" in explained and CHOSEN[0] in explained, explained
    for name in ("asterisk-identity-url", "asterisk-session-expires", "pjsip-via-overflow"):
        before = len(arrived(pbx))
        carrier.send(sent_anew(RULES[name]["neighbour"][0]))
        wait_until(lambda: len(arrived(pbx)) > before, 5.0, f"the neighbour of {name} at the PBX")


def test_answer_and_product(gateway_with, pbx, carrier):
    """The rule's status answers; rules of other products rest where the product is told."""
    gateway = gateway_with(pbx_more="product = asterisk")
    carrier.send(sent_anew(RULES["asterisk-session-expires"]["attack"][0]))
    assert carrier.expect(400).status == 400
    carrier.send(sent_anew(RULES["asterisk-history-info-tel"]["attack"][0]))
    wait_until(lambda: patch(gateway, "asterisk-history-info-tel")["hits"] == 1, 5.0,
               "a rule for right SIP acts where its product is told")
    carrier.send(sent_anew(RULES["freeswitch-candidate-component"]["attack"][0]))
    wait_until(lambda: arrived(pbx), 5.0, "what hurts FreeSWITCH alone at an Asterisk")
    assert patch(gateway, "freeswitch-candidate-component")["hits"] == 0


def test_over_tcp(gateway_with, pbx, peer_at):
    """The same over a stream; the connection lives on."""
    gateway = gateway_with()
    phone = peer_at("stranger", "mallory", gateway.outside, port=0, transport="tcp")
    raw = RULES["asterisk-accept-values"]["attack"][1].replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    phone.send(sent_anew(raw))
    assert phone.expect(400).status == 400
    phone.send(sent_anew(raw))
    assert phone.expect(400).status == 400
    assert patch(gateway, "asterisk-accept-values")["hits"] == 2
    assert not arrived(pbx)


def test_observe_off_and_own_rules(lab, gateway_with, pbx, carrier):
    """Modes, files of one's own, a reload that keeps counts, and one with a broken rule that changes nothing."""
    own = f"{lab.workdir}/own.conf"
    with open(own, "w", encoding="utf-8") as out:
        out.write(OWN)
    section = 'patches {{ files = "%s"  off = {{CVE-2018-7284}}  mode = {mode} }}' % own
    gateway = gateway_with(more=section.format(mode="observe"))
    assert patch(gateway, "asterisk-accept-values")["mode"] == "off"
    carrier.send(invite(carrier, "boom"))
    wait_until(lambda: arrived(pbx), 5.0, "an observed message at the PBX")
    assert patch(gateway, "own-subject")["hits"] == 1 and patch(gateway, "own-subject")["mode"] == "observe"
    wait_until(lambda: told(gateway, "virtual_patch_seen", "own-subject"), 5.0, "an event")

    text = gateway.config
    gateway.reload(text.replace("mode = observe", "mode = enforce"))
    carrier.send(invite(carrier, "boom"))
    assert carrier.expect(406).status == 406
    assert patch(gateway, "own-subject")["hits"] == 2, "counts outlive a reload"

    with open(own, "w", encoding="utf-8") as out:
        out.write(OWN.replace("/boom/", "/boum/"))
    done = gateway.reload(check=False)
    assert done.returncode == 1 and f"{own}:" in done.stderr and "does not fit its attack" in done.stderr
    carrier.send(invite(carrier, "boom"))
    assert carrier.expect(406).status == 406, "the old rules stand"
    checked = run([binary(), "check", gateway.config_path], check=False)
    assert checked.returncode == 1 and re.search(rf"{own}:\d+: own-subject does not fit its attack",
                                                 checked.stdout), checked.stdout


def test_three_attacks_are_a_ban(pbx, peer_at, gateway_of):
    """Who attacks known flaws is kept out with that reason."""
    gateway = gateway_of()
    mallory = peer_at("stranger", "mallory", gateway.outside)
    for _ in range(3):
        mallory.send(sent_anew(RULES["asterisk-nul-byte"]["attack"][0]))
    rows = wait_until(lambda: json.loads(gateway.command("bans", "--json").stdout), 5.0, "a ban")
    assert rows[0]["who"] == address("stranger") and rows[0]["reason"] == "ban_exploit"


CLOSED = """zone internet {{ interface = eth0 }}
zone core     {{ interface = eth1  trust = trusted }}
pbx main {{ zone = core  address = "%s:5060"  domain = {{"pbx.test"}} }}
phones remote {{ zone = internet  to = main }}
trunk carrier {{ zone = internet  peer = "udp:%s:5060"  to = main }}
limits {{ per-source-pps = 0  never-ban = {{"%s"}} }}
console {{ events = "{{events}}" }}
patches {{ mode = observe }}
assess {{ state = "{state}" }}
asset main {{ address = %s  kind = pbx }}
""" % (address("pbx"), address("carrier"), address("carrier"), address("pbx"))


@pytest.mark.limit(120)
def test_closed_loop(lab, gateway_of, phones_of, peer_at):
    """A CVE that the assessor finds is shielded by its rule, which then acts although others observe."""
    real = phones_of({"sip": {}, "agent": "Asterisk PBX 18.24.2"}, host="pbx")
    gateway = gateway_of(config=CLOSED.format(state=f"{lab.workdir}/state"))
    there = Assessor(lab, "gw")
    there.config_path = gateway.config_path
    first = there.run("--run-dir", gateway.run_dir, only="PX-02")
    by_cve = {f["cve"]: f for f in first.open("PX-02")}
    finding = by_cve["CVE-2024-42491"]
    assert 'patch = {"CVE-2024-42491"}' in finding["shield"], finding
    unknown = [f for f in by_cve.values() if not f["shield"]]
    assert unknown, "no rule, no promise"
    real.stop()

    pbx = peer_at("pbx", "pbx", (address("gw", "eth1"), 5060))
    carrier = peer_at("carrier", "carrier", gateway.outside)
    raw = RULES["asterisk-host-dot-one"]["attack"][1].replace(b"OPTIONS sip:[.1]", b"INVITE sip:200@pbx.test")
    raw = raw.replace(b"1 OPTIONS", b"1 INVITE").replace(b"<sip:200@pbx.example>", b'<sip:200@pbx.test>;x="sip:.1"')
    carrier.send(sent_anew(raw))
    wait_until(lambda: arrived(pbx), 5.0, "an observed message at the PBX")
    before = len(arrived(pbx))

    done = gateway.command("shield", finding["id"], "-c", gateway.config_path)
    assert "the gateway has taken it over" in done.stdout
    row = patch(gateway, "asterisk-host-dot-one")
    assert row["shield"] and row["mode"] == "reject" and row["hits"] == 1
    carrier.send(sent_anew(raw))
    assert carrier.expect(400).status == 400
    gateway.command("unshield", finding["id"], "-c", gateway.config_path)
    assert patch(gateway, "asterisk-host-dot-one")["mode"] == "observe"
    assert {m.get("call-id") for m in arrived(pbx)} and before
