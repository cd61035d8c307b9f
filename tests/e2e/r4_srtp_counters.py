"""Counters of SRTP over a long call (RFC 3711 3.3.1): past the wrap of the sequence number through hold, another
SSRC and another key; and keys that both sides hold, which nothing here opens: the kernel relays them.

The judge is libsrtp2, which refuses what a wrong roll-over counter sealed.
"""

import re
import time

import pytest

from hwlab import asterisk
from hwlab.baresip import Baresip
from hwlab.peer import Call
from hwlab.message import sdp
from hwlab.proc import LabError, wait_until
from hwlab.srtp import Key, SecureTalker, Session
from hwlab.topology import address
from r4_srtp import ALLOW, SOUND_S, SecureCall, crypto, locks, secure
from r4_srtp import secure_call  # noqa: F401 pylint: disable=unused-import
from story import CALLEE_HZ, CALLER_HZ, CALLER_RTP

WRAP = 65536
BOB_HZ = 620


def again(call, body):
    """A re-INVITE of alice's; the answer that she gets."""
    call.caller.send("INVITE", body)
    call.callee.invite = call.phone.expect("INVITE")
    call.callee.reply(200, sdp(call.phone.ip, 6000))
    final = call.caller.expect(200)
    call.caller.ack()
    call.phone.expect("ACK")
    return final


def beyond(call, *talkers):
    """Until these talkers' packets have passed the wrap, and both hear each other there."""
    wait_until(lambda: all(talker.sent > WRAP + 20 for talker in talkers), 20.0, "the sequence numbers wrap")
    call.both_hear()


def test_past_the_wrap(secure_call):
    """alice's counter stands at one through hold and resume; a new SSRC begins at nought; then another key."""
    call = secure_call(first=WRAP - 60)
    call.ring()
    call.answer()
    call.ear.sent = WRAP - 100                      # what we seal wraps too, a little later
    beyond(call, call.voice, call.ear)
    again(call, call.offer(direction="sendonly"))
    again(call, call.offer())
    call.both_hear()
    call.voice.ssrc += 0x1000                       # as after a transfer: another source by the same key
    call.voice.sent = WRAP - 70
    call.both_hear()
    beyond(call, call.voice)
    assert call.voice.refused == 0, "all that was sealed here is proven"
    call.own = Key("AEAD_AES_128_GCM")
    final = again(call, call.offer())
    call.voice.keys(call.own, crypto(final)[1])
    time.sleep(0.2)                                 # what came before alice had the key
    refused = call.voice.refused
    call.both_hear()
    assert call.voice.refused == refused
    call.hang_up()
    call.gateway.wait_idle()


def joined(call, port, talker):
    """A re-INVITE of the PBX's: alice now talks to whoever is at that port. Her answer's keys stay hers."""
    call.callee.send("INVITE", sdp(call.phone.ip, port))
    invite = call.caller.expect("INVITE")
    ours = crypto(call.caller.answer)[1]
    line = re.search(rf"a=crypto:(\d+) {ours.suite} inline:(\S+)", invite.body.decode())
    assert line and Key(ours.suite, line.group(2)).master == ours.master, "our key is the call's"
    call.alice.reply(invite, 200, body=secure(call.alice.ip, CALLER_RTP, call.own.line(line.group(1))))
    final = call.callee.expect(200)
    call.callee.ack()
    call.caller.expect("ACK")
    call.ear.remote, call.ear = None, talker
    talker.remote = final.sdp_media()
    call.voice.remote = invite.sdp_media()


def test_transferred_by_the_pbx(secure_call, talker_at):
    """As a PBX transfers: it joins alice to another phone and back. Each source keeps its own roll-over counter, hers
    stands at one throughout.
    """
    call = secure_call(first=WRAP - 60)
    call.ring()
    call.answer()
    call.phone.remote = call.callee.invite.source
    first = call.ear
    first.sent = WRAP - 100
    beyond(call, call.voice, first)
    second = talker_at("peer", 6100, CALLEE_HZ)
    second.sent = WRAP - 100
    joined(call, 6100, second)
    beyond(call, call.voice, second)
    joined(call, 6000, first)
    call.both_hear()
    assert {ssrc for _, _, _, ssrc, _ in call.voice.got} == {first.ssrc, second.ssrc}
    assert call.voice.refused == 0, "all that was sealed here is proven"
    assert set(call.gateway.status()["clear_bytes"].values()) == {0}
    call.hang_up()
    call.gateway.wait_idle()


def refer(bob, call, consult):
    """bob sends whoever `call` is with to carol: at once, or to where his own call with her is (RFC 3515, 3891)."""
    replaces = ""
    if consult:
        there = consult.to.split(";tag=")[1]
        replaces = f"?Replaces={consult.call_id}%3Bto-tag%3D{there}%3Bfrom-tag%3D{consult.tag}"
    call.send("REFER", extra=[("Refer-To", f"<sip:carol@{bob.domain}{replaces}>"), ("Referred-By", f"<{bob.aor()}>")])
    call.expect(202)
    running = {one.call_id: one for one in (call, consult) if one}
    while True:
        request = bob.expect(("NOTIFY", "BYE"), 10.0)
        bob.reply(request, 200)
        if request.method == "BYE":
            running.pop(request.get("call-id"), None)
        elif "terminated" in request.get("subscription-state"):
            break
    for one in running.values():
        one.send("BYE")
        one.expect((200, 481))


@pytest.fixture
def asterisk_call(lab, gateway_of, peer_at, talker_at):
    """alice (SRTP by libsrtp2), shortly before her sequence number wraps, talks to bob by Asterisk; carol is baresip."""
    try:
        asterisk.chroot()
    except LabError as err:
        pytest.skip(f"Asterisk cannot be had here: {err}")
    asterisk.Asterisk(lab).start()
    gateway = gateway_of(pbx=address("ast"), remote_more=f"srtp = required\n    {ALLOW}")
    carol = Baresip(lab, "carol", "phone", "%s:%d" % gateway.outside, CALLEE_HZ, mediaenc="srtp-mand").start()
    bob, alice = peer_at("desk", "bob", gateway.inside), peer_at("ext", "alice", gateway.outside)
    for phone in (bob, alice):
        phone.register()
    voice, ear = SecureTalker(lab, "ext", CALLER_RTP, CALLER_HZ, first=WRAP - 60), talker_at("desk", 6000, BOB_HZ)
    voice.start()
    own, call = Key(), Call(alice)
    call.start("bob", secure(alice.ip, CALLER_RTP, own.line()), want=(100,))
    bobs = Call.incoming(bob)
    bobs.reply(200, sdp(bob.ip, 6000))
    call.established(call.expect(200))
    bob.expect("ACK")
    voice.keys(own, crypto(call.answer)[1])
    voice.remote, ear.remote = call.answer.sdp_media(), bobs.invite.sdp_media()
    yield gateway, call, voice, bobs, carol
    voice.stop()


@pytest.mark.parametrize("attended", [False, True], ids=["blind", "attended"])
def test_transferred_by_refer(asterisk_call, attended):
    """bob has Asterisk transfer alice to carol, behind the wrap: all goes on under the counter that stands at one."""
    gateway, call, voice, bobs, carol = asterisk_call
    wait_until(lambda: voice.sent > WRAP + 20, 20.0, "the sequence number wraps")
    wait_until(lambda: voice.heard(len(voice.got) - 60).only(BOB_HZ, SOUND_S), 10.0, "alice hears bob")
    consult = None
    if attended:
        consult = Call(bobs.peer)
        got = consult.start("carol", sdp(bobs.peer.ip, 6002), want=(180, 183, 200))
        consult.established(got if got.status == 200 else consult.expect(200, 10.0))
    refer(bobs.peer, bobs, consult)
    wait_until(lambda: voice.heard(len(voice.got) - 60).only(CALLEE_HZ, SOUND_S), 15.0, "alice hears carol")
    time.sleep(1.5)                                 # carol hears alice
    assert voice.refused == 0, "all that was sealed here is proven"
    rows = [row["call"] for row in gateway.calls() if call.call_id in row["call_ids"]]
    text = gateway.command("explain", rows[0], check=False).stdout
    assert "not proven" not in text and "second time" not in text, text
    call.bye()
    carol.wait_event("CALL_CLOSED")
    gateway.wait_idle()
    assert carol.heard().tones_s.get(CALLER_HZ, 0.0) >= SOUND_S, carol.heard().says()


def test_the_same_keys_pass_in_the_kernel(lab, kamailio, gateway_of, peer_at, talker_at):  # pylint: disable=too-many-arguments
    """Both sides take each other's keys: the gateway holds none of use, relays in the kernel, and changes nothing."""
    gateway = gateway_of(remote_more=f"srtp = preferred\n    {ALLOW}", pbx_more=f"srtp = preferred\n    {ALLOW}")
    call = SecureCall(lab, gateway, peer_at, talker_at)
    call.ear.stop()
    call.ear = SecureTalker(lab, "peer", 6000, CALLEE_HZ, first=WRAP - 60)
    call.ear.start()
    call.voice.sent = WRAP - 40
    theirs = Key()
    try:
        call.caller.start("scripted", call.offer(), want=(100,))
        call.callee = Call.incoming(call.phone)
        assert call.own.line().strip().encode() in call.callee.invite.body, call.callee.invite.body
        call.callee.reply(200, secure(call.phone.ip, 6000, theirs.line()))
        final = call.caller.expect(200)
        call.caller.established(final)
        call.phone.expect("ACK")
        assert crypto(final)[1].master == theirs.master
        call.voice.keys(call.own, theirs)
        call.ear.sealing, call.ear.opening = Session(theirs, True), Session(call.own, False)
        call.voice.remote, call.ear.remote = final.sdp_media(), call.callee.invite.sdp_media()
        beyond(call, call.voice, call.ear)
        assert call.voice.refused == call.ear.refused == 0
        record = call.record()
        assert set(locks(record).values()) == {("sdes", "AES_CM_128_HMAC_SHA1_80", True)}, record
        assert {s["path"] for s in record["streams"]} == {"kernel"}, {s["why"] for s in record["streams"]}
        assert set(gateway.status()["clear_bytes"].values()) == {0}
        call.hang_up()
        time.sleep(0.1)
        gateway.wait_idle()
    finally:
        call.voice.stop()
        call.ear.stop()
