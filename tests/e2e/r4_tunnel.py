"""IPsec tunnels between sites: a call goes through one or not at all, and the tunnel comes back.

The kernel of test machines may have no ESP: both sites use charon's own in user space (ipsec0).
"""

import os
import socket
import time

import pytest

from hwlab import netns
from hwlab.capture import Capture
from hwlab.peer import Call
from hwlab.pki import Authority
from hwlab.proc import wait_until
from hwlab.strongswan import Site
from hwlab.topology import address
from story import CALLEE_RTP, CALLER_RTP

OURS, THEIRS = "10.1.9.1", "10.2.0.2"
SUBNETS = ("10.2.0.0/24", "10.1.9.0/24")          # as the other site sees it
SECRET = "kJ2c7Zs0eQ5tYw8mVx1bNa4dRf6hUg3p"
GATE, SITE = address("gw"), address("carrier")
UP_S = 30.0

TUNNEL = """
tunnel branch {{
    zone          = internet
    remote        = {site}
    local-subnet  = "10.1.9.0/24"
    remote-subnet = "10.2.0.0/24"
    {device}
    charon        = "{charon}"
    {proof}
}}
zone branch {{ interface = {interface}  address = {ours}  tunnel = branch }}
trunk hq {{
    zone   = branch
    peer   = "udp:{theirs}:5060"
    to     = main
    tunnel = branch
}}
"""


def psk(secret=SECRET):
    """The other site's proofs by a secret."""
    return ("auth = psk", "auth = psk", f'  ike-1 {{ secret = "{secret}" }}')


@pytest.fixture
def inner(lab):
    """The addresses inside, on lo of both gateways, and a way to them that is no tunnel."""
    rows = (("gw", OURS), ("carrier", THEIRS))
    for host, own in rows:
        netns.batch(lab.ns(host), [f"addr add {own}/32 dev lo"])
    netns.batch(lab.ns("gw"), [f"route add {SUBNETS[0]} via {SITE}"])
    netns.batch(lab.ns("carrier"), [f"route add {SUBNETS[1]} via {GATE}"])
    yield
    netns.batch(lab.ns("gw"), [f"route del {SUBNETS[0]} via {SITE}"])
    netns.batch(lab.ns("carrier"), [f"route del {SUBNETS[1]} via {GATE}"])
    for host, own in rows:
        netns.batch(lab.ns(host), [f"addr del {own}/32 dev lo"])


@pytest.fixture
def sites(lab, inner):                              # pylint: disable=unused-argument
    """charon of the gateway's host, which knows nothing, and the other site's."""
    gate, site = Site(lab, "gw", "a").start(), Site(lab, "carrier", "b")
    site.connect(SITE, GATE, psk(), SUBNETS)
    return gate, site


@pytest.fixture
def tunnel_of(lab, kamailio, gateway_of, sites):    # pylint: disable=unused-argument
    """A function that starts the gateway with the tunnel; `proof` are its lines about secrets."""
    def start(proof=None, kernel=False):
        path = f"{lab.workdir}/branch.secret"
        with open(path, "w", encoding="utf-8") as out:
            out.write(SECRET + "\n")
        os.chmod(path, 0o600)
        more = TUNNEL.format(site=SITE, charon=sites[0].vici, ours=OURS, theirs=THEIRS,
                             proof=proof or f'psk-file = "{path}"',
                             interface="eth0" if kernel else "ipsec0",
                             device="" if kernel else "device = ipsec0")
        return gateway_of(more=more, pbx_more="outbound = hq")
    return start


def state(gateway):
    """The tunnel as `status` shows it."""
    return gateway.status()["tunnels"][0]


def wait_up(gateway):
    """Until the tunnel is up."""
    wait_until(lambda: state(gateway)["state"] == "up", UP_S, "the tunnel is up", 0.2)


def probe(lab, count=3):
    """Packets in either direction that would go through the tunnel, from each end's own address."""
    for host, own, other in (("gw", OURS, THEIRS), ("carrier", THEIRS, OURS)):
        with lab.socket(host, socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((own, 0))
            for _ in range(count):
                try:
                    sock.sendto(b"must not be read", (other, 5060))
                except OSError:
                    pass                            # the firewall says so
                time.sleep(0.02)


INSIDE = f"(ip.addr == {OURS} || ip.addr == {THEIRS}) && !icmp"


def outside_is_clean(capture, sent_by=GATE):
    """Nothing that belongs inside was on the wire, sent by the gateway; all else was IKE and ESP."""
    assert capture.count(f"(ip.src == {OURS} || ip.dst == {THEIRS}) && !icmp") == 0
    assert capture.count(f"ip.src == {sent_by} && ip.dst == {SITE} && !(udp.port == 500 || "
                         "udp.port == 4500)") == 0


class Talk:
    """A call from a phone in the voice network to the other site, both talking."""

    def __init__(self, gateway, peer_at, talker_at, ours=OURS, theirs=THEIRS, family=4):
        self.gateway = gateway
        self.alice = peer_at("desk", "alice", gateway.inside)
        self.alice.register()
        self.hq = peer_at("carrier", "hq", (ours, 5060), own=theirs, family=family)
        self.voice = talker_at("desk", CALLER_RTP, 440)
        self.ear = talker_at("carrier", CALLEE_RTP, 850, family=family, own=theirs)
        self.call = Call(self.alice)
        self.incoming = None

    def establish(self):
        """From INVITE to both talking."""
        self.call.start("4930123456", self.call.offer(CALLER_RTP), want=(100,))
        self.incoming = Call.incoming(self.hq)
        self.incoming.reply(180)
        self.incoming.reply(200, self.incoming.offer(CALLEE_RTP))
        self.call.established(self.call.expect(200))
        self.hq.expect("ACK")
        self.voice.remote = self.call.answer.sdp_media()
        self.ear.remote = self.incoming.invite.sdp_media()
        return self

    def heard_both_ways(self, seconds=1.0):
        """From now on."""
        self.voice.got.clear()
        self.ear.got.clear()
        time.sleep(seconds)
        return self.ear.heard().only(440, 0.5) and self.voice.heard().only(850, 0.5)


def test_a_call_goes_through_the_tunnel(lab, sites, tunnel_of, peer_at, talker_at):
    sites[1].start()
    with Capture(lab, "inet", "br-internet", "wire") as capture:
        gateway = tunnel_of()
        wait_up(gateway)
        talk = Talk(gateway, peer_at, talker_at).establish()
        assert talk.heard_both_ways()
        streams = [s for c in gateway.calls() for s in c["streams"]]
        assert streams and all(s["path"] == "user" for s in streams)
    assert capture.count(INSIDE) == 0 and capture.count("sip || rtp") == 0
    assert capture.count("udp.port == 4500") > 80
    outside_is_clean(capture)
    shown = state(gateway)
    assert shown["reason"] == "" and shown["esp"] == "AES_GCM_16-256", shown
    assert "CURVE_25519" in shown["ike"] and shown["remote_id"] == SITE
    wait_until(lambda: state(gateway)["bytes_in"] > 4000 < state(gateway)["bytes_out"], 10.0,
               "figures of the tunnel")
    assert gateway.wait_event(reason="tunnel_up")["tag"] == "r4"
    assert "tunnel branch to " + SITE + " is up" in gateway.command("explain", "branch").stdout
    assert "tunnel branch" in gateway.command("status").stdout
    assert b'hornwork_tunnel_up{tunnel="branch"} 1' in gateway.api("/metrics")[1]


@pytest.mark.parametrize("kernel", [False, True], ids=["charons-esp", "kernels-esp"])
def test_nothing_passes_before_it_is_up(lab, tunnel_of, peer_at, kernel):
    """From the start on, with a route that would lead past the tunnel, and nobody at the other end."""
    with Capture(lab, "inet", "br-internet", "wire") as capture:
        gateway = tunnel_of(kernel=kernel)
        probe(lab)
        alice = peer_at("desk", "alice", gateway.inside)
        alice.register()
        call = Call(alice)
        call.start("4930123456", call.offer(CALLER_RTP), want=(100, 408, 480, 500, 503))
        time.sleep(1.0)
    outside_is_clean(capture)
    # What the other site sent in the clear was on the wire, and was not taken.
    assert capture.count(f"ip.src == {THEIRS} && ip.dst == {OURS}") == 3
    shown = state(gateway)
    assert shown["state"] == "down" and shown["stopped_out"] >= 4 and shown["stopped_in"] == 3, shown
    assert not gateway.events(event_type="sip", src_ip=THEIRS)
    assert b'stopped_packets_total{tunnel="branch",direction="in"} 3' in gateway.api("/metrics")[1]
    # Without the gateway's rules the same packets do pass outside: the captures can tell.
    assert gateway.stop() == 0
    with Capture(lab, "inet", "br-internet", "open") as capture:
        probe(lab)
    assert capture.count(f"ip.src == {OURS} && ip.dst == {THEIRS} && udp.dstport == 5060") >= 3


@pytest.mark.limit(150)
@pytest.mark.parametrize("dies", ["ours", "theirs"])
def test_closed_while_charon_is_dead_and_back_by_itself(lab, sites, tunnel_of, peer_at, talker_at,
                                                        dies):
    """A call runs; charon is killed; nothing of the call is on the wire; the call is heard again."""
    victim = sites[0 if dies == "ours" else 1]
    sites[1].start()
    gateway = tunnel_of()
    wait_up(gateway)
    talk = Talk(gateway, peer_at, talker_at).establish()
    assert talk.heard_both_ways()
    with Capture(lab, "inet", "br-internet", "wire") as capture:
        victim.kill()
        time.sleep(2.0)
        probe(lab)
        reason = "tunnel_no_charon" if dies == "ours" else "tunnel_silent"
        gateway.wait_event(timeout_s=60.0, reason=reason)
        assert "nothing passes outside of it" in gateway.command("explain", "branch").stdout
    outside_is_clean(capture)
    if dies == "ours":          # the phone talks all the time: its packets were stopped
        assert state(gateway)["state"] == "no-charon" and state(gateway)["stopped_out"] > 50
    victim.start()
    wait_until(lambda: state(gateway)["state"] == "up" and state(gateway)["times_up"] == 2, 90.0,
               "the tunnel is back", 0.3)
    wait_until(talk.heard_both_ways, 20.0, "both hear each other again")
    assert len(gateway.events(reason="tunnel_up")) == 2


def test_the_administrator_ends_it(lab, sites, tunnel_of):
    """`swanctl --terminate` at either end: it comes back; his own connections are left alone."""
    sites[1].start()
    gateway = tunnel_of()
    wait_up(gateway)
    sites[1].swanctl("--terminate", "--ike", "site")
    gateway.wait_event(timeout_s=20.0, reason="tunnel_down")
    wait_until(lambda: state(gateway)["times_up"] == 2, UP_S, "the tunnel is back", 0.2)
    wait_up(gateway)
    before = state(gateway)["times_up"]
    assert gateway.reload().returncode == 0          # nothing changed: it stays up
    assert state(gateway)["times_up"] == before and state(gateway)["state"] == "up"
    assert gateway.stop() == 0
    said = sites[0].swanctl("--list-conns").stdout + sites[0].swanctl("--list-sas").stdout
    assert "hornwork" not in said, said


@pytest.mark.parametrize("change, reason", [
    ({"proofs": psk("another secret that is long enough")}, ("tunnel_rejected", "tunnel_secret")),
    ({"ike": "aes128-sha1-modp1024"}, ("tunnel_proposal",)),
    ({"esp": "aes128-sha1-modp1024"}, ("tunnel_proposal",)),
    ({"subnets": ("10.77.0.0/24", "10.1.9.0/24")}, ("tunnel_subnets",)),
], ids=["secret", "ike", "esp", "subnets"])
@pytest.mark.parametrize("begins", ["ours", "theirs"])
def test_refused(lab, sites, tunnel_of, change, reason, begins):
    """Whoever begins: it does not come up, the reason is told, and nothing passes."""
    want = {"proofs": psk(), "subnets": SUBNETS, **change}
    sites[1].connect(SITE, GATE, **want)
    if begins == "ours":
        sites[1].start()
    gateway = tunnel_of()
    if begins == "theirs":
        sites[1].start()
        sites[1].swanctl("--initiate", "--child", "voice", "--timeout", "5", check=False)
    event = wait_until(lambda: [e for e in gateway.events(event_type="tunnel")
                                if e["reason"] in reason], 20.0, f"an event {reason}")[0]
    assert event["severity"] == "critical" and event["src_ip"] == SITE
    with Capture(lab, "inet", "br-internet", "wire") as capture:
        probe(lab)
    outside_is_clean(capture)
    assert state(gateway)["state"] == "down" and state(gateway)["times_up"] == 0
    assert "is not up" in gateway.command("explain", "branch").stdout


@pytest.fixture
def pki(lab):
    """The authority of both sites."""
    return Authority(f"{lab.workdir}/pki")


def certified(lab, site, pair, authority):
    """The other site proves itself by this certificate."""
    site.connect(SITE, GATE, ("auth = pubkey\n certs = site.pem\n id = site.test",
                              "auth = pubkey\n id = gate.test\n cacerts = ca.pem", ""), SUBNETS,
                 files={"x509/site.pem": pair[0], "private/site.key": pair[1],
                        "x509ca/ca.pem": authority.certificate})
    return lab


@pytest.mark.parametrize("kind, reason", [
    ("good", None), ("expired", ("tunnel_certificate",)), ("other-authority", ("tunnel_certificate",)),
    ("other-name", ("tunnel_identity", "tunnel_certificate", "tunnel_rejected"))])
def test_certificates(lab, pki, sites, tunnel_of, kind, reason):
    other = Authority(f"{lab.workdir}/other", "other")
    gate = pki.issue("gate", ["DNS:gate.test"])
    pair = {"good": lambda: pki.issue("site", ["DNS:site.test"]),
            "expired": lambda: pki.issue("site", ["DNS:site.test"], days=-1),
            "other-authority": lambda: other.issue("site", ["DNS:site.test"]),
            "other-name": lambda: pki.issue("site", ["DNS:site.test", "DNS:elsewhere.test"])}[kind]()
    certified(lab, sites[1], pair, pki)
    sites[1].start()
    name = "hq.test" if kind == "other-name" else "site.test"
    gateway = tunnel_of(f'certificate = "{gate[0]}"  key = "{gate[1]}"  ca = "{pki.certificate}"\n'
                        f'local-id = "gate.test"  remote-id = "{name}"')
    if reason is None:
        wait_up(gateway)
        assert state(gateway)["remote_id"] == "site.test"
        return
    wait_until(lambda: [e for e in gateway.events(event_type="tunnel") if e["reason"] in reason],
               20.0, f"an event {reason}; " + sites[0].text()[-1500:])
    assert state(gateway)["times_up"] == 0
