"""IPsec tunnels whatever their terms: over and for IPv6, begun by the other side alone, changed by a reload."""

import os
import re
import time

import pytest

from hwlab import netns
from hwlab.capture import Capture
from hwlab.pki import Authority
from hwlab.proc import wait_until
from hwlab.strongswan import Site
from hwlab.topology import address
from r4_tunnel import (GATE, OURS, SECRET, SITE, SUBNETS, THEIRS, UP_S, Talk, certified, outside_is_clean, psk,
                       state, wait_up)
from r4_tunnel import inner, sites, tunnel_of  # noqa: F401 pylint: disable=unused-import

# (address of ours, of theirs, networks as the other site sees them) inside, by family
INSIDE = {4: (OURS, THEIRS, SUBNETS),
          6: ("fd01:9::1", "fd02::2", ("fd02::/64", "fd01:9::/64"))}

TUNNEL = """
tunnel branch {{
    zone          = internet
    remote        = "{site}"
    local-subnet  = "{near}"
    remote-subnet = "{far}"
    device        = ipsec0
    charon        = "{charon}"
    psk-file      = "{secret}"
}}
zone branch {{ interface = ipsec0  address = "{ours}"  tunnel = branch }}
trunk hq {{
    zone   = branch
    peer   = "udp:{peer}:5060"
    to     = main
    tunnel = branch
}}
"""


def secret_file(lab, text=SECRET):
    """A file with the tunnel's secret; its path."""
    path = f"{lab.workdir}/branch.secret"
    with open(path, "w", encoding="utf-8") as out:
        out.write(text + "\n")
    os.chmod(path, 0o600)
    return path


@pytest.fixture
def way(lab):
    """A function that makes the addresses inside, and a way to them that is no tunnel."""
    undo = []

    def make(outer, inside):
        ours, theirs, (far, near) = INSIDE[inside]
        bits = 128 if inside == 6 else 32
        for host, own, network, other in (("gw", ours, far, "carrier"), ("carrier", theirs, near, "gw")):
            # of the other family there is no next hop: the interface must do
            via = f"via {address(other, family=outer)}" if outer == inside else "dev eth0"
            for verb in ("addr", "route"):
                words = f"{own}/{bits} dev lo" if verb == "addr" else f"{network} {via}"
                netns.batch(lab.ns(host), [f"{verb} add {words}"])
                undo.append((host, f"{verb} del {words}"))
    yield make
    for host, words in reversed(undo):
        netns.batch(lab.ns(host), [words])


@pytest.mark.parametrize("outer, inside", [(6, 6), (6, 4), (4, 6)], ids=["6-in-6", "4-in-6", "6-in-4"])
def test_ipv6(lab, kamailio, gateway_of, peer_at, talker_at, way, outer, inside):  # pylint: disable=too-many-arguments
    ours, theirs, subnets = INSIDE[inside]
    gate, other = address("gw", family=outer), address("carrier", family=outer)
    way(outer, inside)
    ends = Site(lab, "gw", "a").start(), Site(lab, "carrier", "b")
    ends[1].connect(other, gate, psk(), subnets).start()
    with Capture(lab, "inet", "br-internet", "wire") as capture:
        gateway = gateway_of(pbx_more="outbound = hq", more=TUNNEL.format(
            site=other, near=subnets[1], far=subnets[0], charon=ends[0].vici,
            secret=secret_file(lab), ours=ours, peer=f"[{theirs}]" if inside == 6 else theirs))
        wait_up(gateway)
        talk = Talk(gateway, peer_at, talker_at, ours=ours, theirs=theirs, family=inside).establish()
        assert talk.heard_both_ways()
        ends[1].kill()                          # and closed without it, in this family too
        stopped = state(gateway)["stopped_out"]
        ends[0].kill()
        wait_until(lambda: state(gateway)["stopped_out"] > stopped + 20, 20.0, "packets are stopped")
    assert state(gateway)["remote"] == other
    version = {4: "ip", 6: "ipv6"}
    assert capture.count(f"{version[inside]}.src == {ours} && !icmp && !icmpv6") == 0
    assert capture.count("sip") == 0
    assert capture.count(f"{version[outer]}.src == {gate} && udp.port == 4500") > 50
    assert capture.count(f"{version[outer]}.src == {gate} && {version[outer]}.dst == {other} && !icmpv6 && "
                         "!(udp.port == 500 || udp.port == 4500)") == 0


# Requests to begin an IKE SA (RFC 7296: exchange IKE_SA_INIT, not a response) do not reach the other site.
DEAF = """table inet deaf { chain begun { type filter hook input priority 0; policy accept;
udp dport { 500, 4500 } @th,208,8 34 @th,216,8 & 0x20 == 0 counter drop; }; }"""


@pytest.mark.limit(90)
def test_only_the_other_site_can_begin(lab, sites, tunnel_of, peer_at, talker_at):
    """What we begin never arrives; what the other site begins comes up, carries a call, and stays."""
    sites[1].start()
    lab.run("carrier", ["nft", DEAF])
    try:
        gateway = tunnel_of()
        wait_until(lambda: "retransmit 1 " in sites[0].text(), UP_S, "an attempt of ours is under way", 0.1)
        assert state(gateway)["times_up"] == 0
        sites[1].swanctl("--initiate", "--child", "voice", "--timeout", "10")
        wait_up(gateway)
        talk = Talk(gateway, peer_at, talker_at).establish()
        assert talk.heard_both_ways()
        # The attempt of ours is given up; the tunnel is up none the less.
        told = len(gateway.events(event_type="tunnel"))
        wait_until(lambda: "giving up" in sites[0].text(), UP_S, "it is given up")
        time.sleep(4.0)             # longer than the gateway waits between looks
        shown = state(gateway)
        assert (shown["state"], shown["times_up"], shown["reason"]) == ("up", 1, ""), shown
        assert len(gateway.events(event_type="tunnel")) == told, gateway.events(event_type="tunnel")[told:]
        assert "deaf" in lab.run("carrier", ["nft", "list", "ruleset"]).stdout
        assert " packets 0 " not in lab.run("carrier", ["nft", "list", "table", "inet", "deaf"]).stdout
        # Ended from there it is begun by us in vain, and comes back when the other site begins again.
        sites[1].swanctl("--terminate", "--ike", "site")
        gateway.wait_event(timeout_s=20.0, reason="tunnel_down")
        with Capture(lab, "inet", "br-internet", "wire") as capture:
            time.sleep(1.0)
        outside_is_clean(capture)
        sites[1].swanctl("--initiate", "--child", "voice", "--timeout", "10")
        wait_until(lambda: state(gateway)["times_up"] == 2, UP_S, "the tunnel is back", 0.2)
        wait_until(talk.heard_both_ways, 20.0, "both hear each other again")
    finally:
        lab.run("carrier", ["nft", "delete table inet deaf"])


def left_of_ours(site):
    """What charon has that we told it: text of its connections and SAs, number of secrets, number of keys."""
    said = site.swanctl("--list-conns").stdout + site.swanctl("--list-sas").stdout
    shared, keys = site.secrets()
    return "hornwork" in said, len(shared), len(keys)


@pytest.mark.limit(120)
def test_a_reload_changes_its_terms(lab, sites, tunnel_of, peer_at, talker_at):
    """Another secret, other networks, certificates: a call goes on through each, and nothing passes outside."""
    sites[1].start()
    gateway = tunnel_of()
    wait_up(gateway)
    talk = Talk(gateway, peer_at, talker_at).establish()
    assert talk.heard_both_ways()
    assert left_of_ours(sites[0]) == (True, 1, 0)
    authority = Authority(f"{lab.workdir}/pki")
    gate, site = authority.issue("gate", ["DNS:gate.test"]), authority.issue("site", ["DNS:site.test"])
    secret, ups = "another secret of the two sites", 1
    with Capture(lab, "inet", "br-internet", "wire") as capture:
        def take(text):
            nonlocal ups
            assert gateway.reload(text).returncode == 0
            ups += 1
            wait_until(lambda: state(gateway)["times_up"] >= ups and state(gateway)["state"] == "up", UP_S,
                       "the tunnel is up by the new terms", 0.2)
            ups = state(gateway)["times_up"]
            wait_until(talk.heard_both_ways, 20.0, "both hear each other")

        sites[1].connect(SITE, GATE, psk(secret), SUBNETS).load()
        secret_file(lab, secret)
        take(None)
        sites[1].connect(SITE, GATE, psk(secret), ("10.2.0.0/25", SUBNETS[1])).load()
        take(gateway.config.replace('"10.2.0.0/24"', '"10.2.0.0/25"'))
        assert "10.2.0.0/25" in sites[0].swanctl("--list-sas").stdout
        certified(lab, sites[1], site, authority)
        sites[1].connection = sites[1].connection.replace(f"local_ts = {SUBNETS[0]}", "local_ts = 10.2.0.0/25")
        sites[1].load()
        take(re.sub(r"psk-file = .*", f'certificate = "{gate[0]}"  key = "{gate[1]}"  ca = "{authority.certificate}"\n'
                    'local-id = "gate.test"  remote-id = "site.test"', gateway.config))
        assert state(gateway)["remote_id"] == "site.test"
        # What has been replaced is not left with charon.
        assert left_of_ours(sites[0]) == (True, 0, 1)
        renewed = authority.issue("renewed", ["DNS:gate.test"])
        take(gateway.config.replace(gate[0], renewed[0]).replace(gate[1], renewed[1]))
        wait_until(lambda: left_of_ours(sites[0]) == (True, 0, 1), 5.0, "the old key is gone")
        # By another socket it is another charon, which it is not: ended there, begun here.
        os.symlink(sites[0].vici, f"{lab.workdir}/other.vici")
        assert gateway.reload(gateway.config.replace(sites[0].vici, f"{lab.workdir}/other.vici")).returncode == 0
        wait_up(gateway)
        wait_until(talk.heard_both_ways, 20.0, "both hear each other")
        assert left_of_ours(sites[0]) == (True, 0, 1) and state(gateway)["times_up"] == 1
    outside_is_clean(capture)
    # Without the section all of it is gone, whatever charon was told before.
    talk.call.send("BYE")
    text = re.sub(r"tunnel branch \{.*?\n\}\n", "", gateway.config, flags=re.S)
    text = re.sub(r"trunk hq \{.*?\n\}\n", "", text, flags=re.S).replace("outbound = hq", "")
    text = re.sub(r"zone branch .*\n", "", text)
    assert gateway.reload(text).returncode == 0
    assert left_of_ours(sites[0]) == (False, 0, 0)
