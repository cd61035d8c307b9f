"""Early media: what the callee's side plays before the answer is heard, and the answer goes on with it."""

import os
import time

from hwlab import sipp
from hwlab.baresip import Baresip
from hwlab.peer import Call
from hwlab.topology import address
from story import CALLEE_HZ, CALLEE_RTP, CALLER_RTP, pinholes_are_closed

SCENARIOS = f"{os.path.dirname(os.path.abspath(__file__))}/sipp"


def test_a_tone_before_the_answer(gateway, peer_at, talker_at):
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    phone = peer_at("peer", "scripted", port=5070)
    voice, ear = talker_at("ext", CALLER_RTP), talker_at("peer", CALLEE_RTP, CALLEE_HZ)
    call = Call(alice)
    call.start("scripted", call.offer(CALLER_RTP), want=(100,))
    incoming = Call.incoming(phone)
    incoming.reply(183, incoming.offer(CALLEE_RTP))
    early = call.expect(183)
    ear.remote, voice.remote = incoming.invite.sdp_media(), early.sdp_media()
    time.sleep(0.8)
    assert voice.heard().only(CALLEE_HZ, 0.5), voice.heard().says()
    incoming.reply(200, incoming.offer(CALLEE_RTP))
    final = call.expect(200)
    call.established(final)
    phone.expect("ACK")
    assert final.sdp_media() == early.sdp_media()
    time.sleep(0.6)
    assert ear.heard().only(440, 0.4), ear.heard().says()
    call.send("BYE")
    phone.reply(phone.expect("BYE"), 200)
    call.expect(200)
    gateway.wait_idle()
    assert pinholes_are_closed(gateway, gateway.calls(ended=True)[0])


def test_sipp_as_callee_and_baresip_as_caller(lab, gateway):
    """SIPp answers 183 with SDP, echoes media at once and never answers; the phone hears itself."""
    callee = sipp.start(lab, "peer", f"{SCENARIOS}/early.xml", "early", "-p", 5070, "-mp", 6000,
                        "-rtp_echo", "-m", 1)
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    since = alice.dial("scripted", wait=False)
    alice.wait_event("CALL_PROGRESS", since=since)
    time.sleep(2.0)
    streams = [s for call in gateway.calls() for s in call["streams"]]
    alice.hangup(wait=False)
    assert callee.wait(10) == 0, sipp.errors(lab, "early")
    gateway.wait_idle()
    assert len(streams) == 2 and all(s["packets"] > 40 for s in streams), streams
    assert alice.heard().only(440, 0.8), alice.heard().says()
    assert address("peer") not in alice.daemon.text()
