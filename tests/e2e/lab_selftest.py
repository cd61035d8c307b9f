"""The lab itself: its networks, its peers against each other without the gateway, its judges, its end."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from hwlab import asterisk, netns, rtp, tones, topology
from hwlab.baresip import Baresip
from hwlab.capture import Capture
from hwlab.message import Message, digest
from hwlab.peer import Call
from hwlab.proc import LabError, wait_until

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(tones.__file__)))

HOLD_A_LAB = """
import sys, time
sys.path.insert(0, sys.argv[1])
from hwlab import topology
topology.raise_on_sigterm()
with topology.Lab(sys.argv[2]) as lab:
    lab.daemon("ext", ["sleep", "300"], lab.workdir + "/sleep.log")
    print("up", flush=True)
    time.sleep(60)
"""


def held_lab(name):
    """A process that holds a lab."""
    child = subprocess.Popen([sys.executable, "-c", HOLD_A_LAB, TOOLS, name],
                             stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "up\n"
    assert netns.names(f"hw-{name}-")
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_lab_leaves_nothing(number):
    name = f"self{os.getpid()}i{number}"
    child = held_lab(name)
    sleeper = wait_until(lambda: netns.pids(f"hw-{name}-ext"), 10.0, "the lab's process runs")
    child.send_signal(number)
    child.wait(10)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in sleeper)
    assert netns.names(f"hw-{name}-") == []
    assert name not in topology.labs()


def test_a_killed_lab_is_swept():
    name = f"self{os.getpid()}k"
    child = held_lab(name)
    child.kill()
    child.wait(10)
    assert topology.labs()[name] == "stale"
    assert name in topology.sweep()
    assert netns.names(f"hw-{name}-") == []


def test_sweep_leaves_a_living_lab_alone(namespaces):
    assert topology.labs()[namespaces.ident] == f"pid {os.getpid()}"
    assert namespaces.ident not in topology.sweep()


def test_the_home_router_hides_the_phone(lab, talker_at):
    outside, phone = talker_at("ext", 7000), talker_at("phone", 7001)
    phone.send_one((outside.ip, 7000))
    time.sleep(0.2)
    source = outside.got[0][1]
    assert source[0] == topology.address("home")
    outside.send_one(source)
    outside.send_one((source[0], 7001 if source[1] != 7001 else 7002))
    time.sleep(0.2)
    assert len(phone.got) == 1


@pytest.mark.parametrize("host, target", [("phone", "ext"), ("ext", "gw"), ("desk", "desk2"),
                                          ("peer", "pbx")])
def test_every_network_speaks_ipv6(talker_at, host, target):
    sender, receiver = talker_at(host, 7000, family=6), talker_at(target, 7000, family=6)
    sender.send_one((receiver.ip, 7000))
    time.sleep(0.2)
    assert [packet[1] for packet in receiver.got] == [(sender.ip, 7000)]


@pytest.mark.parametrize("name, parts, good", [
    ("the right tone", [(440, 30)], True),
    ("another tone", [(620, 30)], False),
    ("silence", [(None, 30)], False),
    ("too short", [(440, 8), (None, 20)], False),
    ("a moment of another tone", [(440, 30), (850, 2)], False),
    ("the right tone after silence", [(None, 10), (440, 25)], True),
])
def test_the_judge_of_tones(name, parts, good):
    payloads = []
    for tone, frames in [(tone, count * 5) for tone, count in parts]:
        period = rtp.frames_of(tone) if tone else [b"\xff" * rtp.FRAME]
        payloads += [period[i % len(period)] for i in range(frames)]
    heard = rtp.heard_in(payloads)
    assert heard.only(440, 2.0) == good, f"{name}: {heard.says()}"


def test_the_judge_hears_a_tone_under_another():
    first, second = rtp.frames_of(440), rtp.frames_of(620)
    mix = [[(9 * rtp.LINEAR[a] + 2 * rtp.LINEAR[b]) // 11 for a, b in zip(one, two)]
           for one, two in zip(first, second)]
    assert tones.classify([s for frame in mix for s in frame]) == "mixed"


def test_digest_is_that_of_rfc_2617():
    challenge = ('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
                 'opaque="5ccc069c403ebaf9f0171e9517f40e41"')
    value = digest(challenge, "GET", "/dir/index.html", "Mufasa", "Circle Of Life")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in value


def test_messages_are_read_as_sent():
    message = Message(b"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b\r\n"
                      b"m: \"x, y\" <sip:a@b;lr>;q=1\r\nt: <sip:c@d>;tag=9\r\nCSeq: 7 INVITE\r\n\r\n"
                      b"c=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n")
    assert message.status == 200 and message.method == "INVITE" and message.cseq() == 7
    assert len(message.all("via")) == 2 and message.contact_uri() == "sip:a@b;lr"
    assert message.tag("to") == "9" and message.sdp_media() == ("10.0.0.1", 4000)


def converse(lab, pbx, hosts):
    """Two phones registered at the PBX itself call each other and hear each other's tone."""
    alice = Baresip(lab, "alice", hosts[0], f"{pbx.ip}:5060", 440).start()
    bob = Baresip(lab, "bob", hosts[1], f"{pbx.ip}:5060", 620).start()
    assert len(pbx.contacts("alice")) == 1 and len(pbx.contacts("bob")) == 1
    alice.dial("bob")
    time.sleep(2.5)
    alice.hangup()
    bob.wait_event("CALL_CLOSED")
    assert alice.heard().only(620, 1.5), alice.heard().says()
    assert bob.heard().only(440, 1.5), bob.heard().says()


def test_kamailio_lets_two_phones_talk(lab, kamailio):
    converse(lab, kamailio, ("peer", "ast"))


def test_kamailio_wants_the_right_password(lab, kamailio, peer_at):
    peer = peer_at("peer", "alice", (kamailio.ip, 5060))
    assert peer.register().status == 200
    peer.send(peer.request("REGISTER", "sip:pbx.test", "once", 1, "t", extra=[
        ("Authorization", digest('Digest realm="pbx.test", nonce="x"', "REGISTER", "sip:pbx.test",
                                 "alice", "wrong"))]))
    assert peer.expect((200, 401)).status == 401


def test_asterisk_22_lets_two_phones_talk(lab):
    try:
        asterisk.chroot()
    except LabError as err:
        pytest.skip(f"Asterisk cannot be had here: {err}")
    pbx = asterisk.Asterisk(lab).start()
    assert pbx.version().startswith("22.")
    converse(lab, pbx, ("peer", "pbx"))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_scripted_peers_call_each_other_through_kamailio(lab, kamailio, peer_at, talker_at, transport):
    alice = peer_at("ast", "alice", (kamailio.ip, 5060), transport=transport)
    callee = peer_at("peer", "scripted", port=5070)
    voice, ear = talker_at("ast", 4000, 440), talker_at("peer", 4000, 850)
    call = Call(alice)
    call.start("scripted", call.offer(4000), want=(100,))
    answered = Call.incoming(callee)
    answered.reply(180)
    assert call.expect(180).tag("to") == answered.tag
    answered.reply(200, answered.offer(4000))
    call.established(call.expect(200))
    callee.expect("ACK")
    voice.remote = answered.invite.sdp_media() and (ear.ip, 4000)
    time.sleep(0.6)
    assert ear.heard().only(440, 0.4), ear.heard().says()
    call.send("BYE")
    callee.reply(callee.expect("BYE"), 200)
    call.expect(200)


def test_captures_are_judged_by_tshark(lab, talker_at):
    first, second = talker_at("ext", 4000), talker_at("gw", 4000)
    first.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xB8)
    with Capture(lab, "gw", "eth0", "outside") as capture:
        first.remote = ("203.0.113.10", second.port)
        time.sleep(0.5)
        first.remote = None
        time.sleep(0.1)
    assert capture.count("udp.dstport == 4000 && ip.dsfield.dscp == 46") == first.sent == len(second.got)
