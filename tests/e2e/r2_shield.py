"""The shield in front of the stack: a flood from ever new addresses is held, registered phones do not notice."""

import json
import socket
import struct
import time

import pytest

from hwlab import netns
from hwlab.topology import address

STRANGER = address("stranger")
FORGED = 12000
BATCH = 200


def shield(gateway):
    """What `status` says of it."""
    return json.loads(gateway.command("status", "--json").stdout)[0]["shield"]


def eventually(what, timeout_s=20.0):
    """True as soon as what() is, within the time."""
    deadline = time.monotonic() + timeout_s
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def forged(source, text, target):
    """An IPv4 packet with a datagram from an address that is not ours; the kernel fills the header's sum in."""
    data = struct.pack("!HHHH", 5060, target[1], 8 + len(text), 0) + text
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 0, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source), socket.inet_aton(target[0]))
    return head + data


def flood(lab, target, count, text):
    """So many packets, each from another address."""
    with netns.inside(lab.ns("stranger")), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for i in range(count):
            source = f"{60 + i % 97}.{i // 97 % 251}.{i % 251}.{1 + i % 250}"
            raw.sendto(forged(source, text, target), (target[0], 0))
            if i % BATCH == BATCH - 1:
                time.sleep(0.002)  # a ring of the link's takes 256


def served(gateway):
    """The program stands before the outside."""
    status = json.loads(gateway.command("status", "--json").stdout)[0]
    return any(row["mode"] != "none" for row in status["media_path"]["interfaces"])


@pytest.mark.limit(120)
def test_a_flood_from_forged_addresses_does_not_reach_registered_phones(lab, gateway, kamailio, peer_at):
    assert served(gateway)
    alice = peer_at("phone", "alice", gateway.outside)
    alice.register()
    assert eventually(lambda: shield(gateway)["known"]["registered_flows"] >= 1)
    before = shield(gateway)
    flood(lab, gateway.outside, FORGED,
          b"INVITE sip:100@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 60.0.0.1;branch=z9hG4bKx\r\n\r\n")
    alice.register()
    after = shield(gateway)
    assert after["dropped"]["strangers-limit"] > before["dropped"]["strangers-limit"]
    assert after["passed"]["registered"] > before["passed"]["registered"]
    assert after["dropped"]["phone-limit"] == 0
    metrics = gateway.command("metrics", check=False)
    if metrics.returncode == 0:
        assert 'hornwork_shield_dropped_packets_total{reason="strangers-limit"}' in metrics.stdout


def test_what_is_no_sip_is_dropped(lab, gateway, kamailio):
    flood(lab, gateway.outside, 2000, b"\x80\xff\x17nothing that a phone says")
    dropped = shield(gateway)["dropped"]
    assert dropped["not-sip"] > 0 and dropped["strangers-limit"] == 0


def test_bans_are_in_the_driver(lab, gateway, kamailio, peer_at):
    stranger = peer_at("stranger", "mallory", gateway.outside)
    gateway.command("bans", "add", STRANGER)

    def held():
        stranger.send(b"INVITE sip:100@203.0.113.10 SIP/2.0\r\n\r\n")
        return shield(gateway)["dropped"]["banned"] > 0
    assert eventually(held)
    told = gateway.command("explain", STRANGER).stdout
    assert "the shield dropped" in told and "it is banned" in told and "from port 5060" in told
    about = [row for row in gateway.ask("explain", STRANGER) if row["kind"] == "shield"]
    assert len(about) == 1 and about[0]["why"] == "banned" and about[0]["dropped"] >= 1 and about[0]["port"] == 5060
    assert not [row for row in gateway.ask("explain", address("ext")) if row["kind"] == "shield"]
    gateway.command("bans", "lift", STRANGER)

    def through():
        before = shield(gateway)["passed"]["stranger"]
        stranger.send(b"\r\n\r\n")
        return eventually(lambda: shield(gateway)["passed"]["stranger"] > before, 0.3)
    assert eventually(through)


def known_to_rules(lab):
    """Flows with trust in the table."""
    text = lab.run("gw", ["nft", "-j", "list", "set", "inet", "hornwork", "trusted4"]).stdout
    return sum(len(row["set"].get("elem", [])) for row in json.loads(text)["nftables"] if "set" in row)


def test_without_the_program_nftables_does_it(lab, gateway_of, kamailio, peer_at):
    gateway = gateway_of(more="media { path = user  af-xdp = no }")
    assert not served(gateway) and shield(gateway)["by"] == "nftables"
    alice = peer_at("phone", "alice", gateway.outside)
    alice.register()
    before = shield(gateway)["dropped"]
    flood(lab, gateway.outside, FORGED,
          b"INVITE sip:100@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 60.0.0.1;branch=z9hG4bKx\r\n\r\n")
    alice.register()
    after = shield(gateway)["dropped"]
    assert after["strangers-limit"] + after["network-limit"] > before["strangers-limit"] + before["network-limit"]
    assert after["phone-limit"] == 0
    assert 'hornwork_shield_dropped_packets_total{reason="strangers-limit"}' in gateway.api("/metrics")[1].decode()
    gateway.reload()        # the rules begin anew; who is registered is told to them again
    assert eventually(lambda: known_to_rules(lab) >= 1)
