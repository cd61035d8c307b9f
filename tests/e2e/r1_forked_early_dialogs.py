"""A forking PBX: several early dialogs in one call, early media of each, one winner, no remains."""

import time

import pytest

from hwlab.baresip import Baresip
from hwlab.peer import Call
from story import CALLEE_RTP, CALLER_RTP, pinholes_are_closed


@pytest.fixture
def team(gateway, peer_at, talker_at):
    """alice outside; two scripted phones that the PBX rings at once when `team` is called."""
    alice = peer_at("ext", "alice", gateway.outside)
    alice.register()
    return {"alice": alice, "gateway": gateway,
            "phones": [peer_at("peer", "team", port=port) for port in (5070, 5071)],
            "ears": [talker_at("peer", CALLEE_RTP + 2 * i, hz) for i, hz in enumerate((850, 1130))],
            "voice": talker_at("ext", CALLER_RTP, 440)}


def ring(team):
    """Call the team; returns the caller's call and the two callees' calls."""
    call = Call(team["alice"])
    call.start("team", call.offer(CALLER_RTP), want=(100,))
    return call, [Call.incoming(phone) for phone in team["phones"]]


def test_the_second_early_dialog_wins(team):
    call, (first, second) = ring(team)
    first.reply(183, first.offer(CALLEE_RTP))
    one = call.expect(183)
    team["ears"][0].remote = first.invite.sdp_media()
    team["voice"].remote = one.sdp_media()
    time.sleep(0.6)
    assert team["voice"].heard().only(850, 0.4), team["voice"].heard().says()
    second.reply(180)
    two = call.expect(180)
    assert one.tag("to") and two.tag("to") and one.tag("to") != two.tag("to")
    second.reply(200, second.offer(CALLEE_RTP + 2))
    final = call.expect(200)
    assert final.tag("to") == two.tag("to")
    call.established(final)
    second.peer.expect("ACK")
    cancel = first.peer.expect("CANCEL")
    first.peer.reply(cancel, 200)
    first.reply(487)
    team["ears"][0].remote = None
    team["ears"][1].remote = second.invite.sdp_media()
    team["voice"].remote = final.sdp_media()
    time.sleep(0.2)
    since = len(team["voice"].got)
    time.sleep(0.8)
    assert team["voice"].heard(since).only(1130, 0.5), team["voice"].heard(since).says()
    assert team["ears"][1].heard().only(440, 0.5), team["ears"][1].heard().says()
    call.send("BYE")
    second.peer.reply(second.peer.expect("BYE"), 200)
    call.expect(200)
    team["gateway"].wait_idle()
    assert pinholes_are_closed(team["gateway"], team["gateway"].calls(ended=True)[0])


def test_early_media_of_both_then_cancel(team):
    call, callees = ring(team)
    tags = set()
    for number, callee in enumerate(callees):
        callee.reply(183, callee.offer(CALLEE_RTP + 2 * number))
        tags.add(call.expect(183).tag("to"))
    assert len(tags) == 2
    call.cancel()
    for callee in callees:
        callee.peer.reply(callee.peer.expect("CANCEL"), 200)
        callee.reply(487)
    seen = sorted((call.expect((200, 487)).status, call.expect((200, 487)).status))
    assert seen == [200, 487]
    call.ack_failure(next(m for m in team["alice"].received if m.status == 487))
    team["gateway"].wait_idle()


def test_both_answer_at_once(team):
    """Two 200 (RFC 3261 13.2.2.4): the caller keeps one, the gateway leaves no call behind."""
    call, callees = ring(team)
    for number, callee in enumerate(callees):
        callee.reply(200, callee.offer(CALLEE_RTP + 2 * number))
    final = call.expect(200)
    call.established(final)
    spare = None
    deadline = time.monotonic() + 4.0
    ended = 0
    while time.monotonic() < deadline and not ended:
        for message in [m for m in team["alice"].received if m.status == 200
                        and m.method == "INVITE" and m.tag("to") not in ("", final.tag("to"))]:
            spare = spare or message
        if spare:
            other = Call(team["alice"])
            other.call_id, other.tag, other.own = call.call_id, call.tag, call.own
            other.invite, other.cseq = call.invite, call.cseq
            other.established(spare)
            other.send("BYE")
            spare = None
        team["alice"].poll(0.1)
        for callee in callees:
            callee.peer.poll(0.05)
            for message in [m for m in callee.peer.unread if m.method == "BYE" and not m.status]:
                callee.peer.unread.remove(message)
                callee.peer.reply(message, 200)
                ended += 1
    assert ended == 1, "the losing phone was not hung up"
    call.send("BYE")
    deadline = time.monotonic() + 3.0
    while ended < 2 and time.monotonic() < deadline:
        for callee in callees:
            callee.peer.poll(0.05)
            for message in [m for m in callee.peer.unread if m.method == "BYE" and not m.status]:
                callee.peer.unread.remove(message)
                callee.peer.reply(message, 200)
                ended += 1
    assert ended == 2
    team["gateway"].wait_idle()


def test_one_user_with_two_phones(lab, gateway, kamailio):
    """bob has two phones that registered through the gateway: both ring, the one that answers talks."""
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440).start()
    bobs = [Baresip(lab, "bob", host, "%s:%d" % gateway.inside, 620, answer="manual").start()
            for host in ("desk", "desk2")]
    assert len(kamailio.contacts("bob")) == 2
    since = alice.dial("bob", wait=False)
    for bob in bobs:
        bob.wait_event("CALL_INCOMING")
    bobs[1].accept()
    alice.wait_event("CALL_ESTABLISHED", since=since)
    bobs[0].wait_event("CALL_CLOSED")
    time.sleep(2.0)
    alice.hangup()
    bobs[1].wait_event("CALL_CLOSED")
    gateway.wait_idle()
    assert alice.heard().only(620, 1.2), alice.heard().says()
    assert bobs[1].heard().only(440, 1.2), bobs[1].heard().says()
