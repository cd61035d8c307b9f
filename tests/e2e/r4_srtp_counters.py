"""Counters of SRTP over a long call (RFC 3711 3.3.1): past the wrap of the sequence number through hold, another
SSRC and another key; and keys that both sides hold, which nothing here opens: the kernel relays them.

The judge is libsrtp2, which refuses what a wrong roll-over counter sealed.
"""

import time

from hwlab.peer import Call
from hwlab.message import sdp
from hwlab.proc import wait_until
from hwlab.srtp import Key, SecureTalker, Session
from r4_srtp import ALLOW, SecureCall, crypto, locks, secure
from r4_srtp import secure_call  # noqa: F401 pylint: disable=unused-import
from story import CALLEE_HZ

WRAP = 65536


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
