"""Media ports answer only while their call lives, and only to the source that the signalling justifies."""

import time

from story import CALLEE_RTP, firewall, pinholes_are_closed

WAIT_S = 0.4


def arrives(sender, target, ear, count=5):
    """How many of a few packets sent to a port reach the callee's port."""
    before = len(ear.got)
    for _ in range(count):
        sender.send_one(target)
    time.sleep(WAIT_S)
    return sum(1 for packet in ear.got[before:] if packet[3] == sender.ssrc)


def test_closed_before_open_during_closed_after(lab, gateway, scripted_call, talker_at):
    call = scripted_call(gateway)
    sender = talker_at("ext", 4444, 1570)
    call.ring()
    offered = call.callee.invite.sdp_media()
    call.answer()
    port = call.voice.remote
    call.hush()
    time.sleep(WAIT_S)
    assert arrives(call.voice, port, call.ear) == 5
    assert str(port[1]) in firewall(lab) and str(offered[1]) in firewall(lab)
    call.hang_up()
    gateway.wait_idle()
    assert arrives(call.voice, port, call.ear) == 0
    assert arrives(sender, port, call.ear) == 0
    table = firewall(lab)
    assert str(port[1]) not in table and str(offered[1]) not in table


def test_no_port_of_the_range_answers_without_a_call(gateway, talker_at):
    sender = talker_at("ext", 4000)
    before = gateway.status()
    for port in range(16384, 16484):
        sender.send_one((gateway.outside[0], port))
    time.sleep(WAIT_S)
    assert sender.got == []
    assert gateway.status()["pinholes_opened_total"] == before["pinholes_opened_total"] == 0


def test_the_wrong_source_is_dropped(gateway, scripted_call, talker_at):
    """Another host, and another port of the right host once the right one is known."""
    call = scripted_call(gateway).establish()
    stranger, sibling = talker_at("stranger", 4000, 1130), talker_at("ext", 4002, 1570)
    target = call.voice.remote
    assert arrives(stranger, target, call.ear) == 0
    assert arrives(sibling, target, call.ear) == 0
    mark = len(call.ear.got)
    call.talk(0.5)
    assert call.ear.heard(mark).only(440, 0.3), call.ear.heard(mark).says()
    assert stranger.got == [] and sibling.got == [], "audio bled to a foreign address"
    call.hang_up()
    gateway.wait_idle()


def test_who_sends_from_elsewhere_is_told_of(kamailio, gateway_of, scripted_call, talker_at):
    """A few packets are a probe, many an injection; RTCP of a stranger is named too. Who may send is not."""
    gateway = gateway_of(more="media { path = kernel }")
    call = scripted_call(gateway).establish()
    stranger = talker_at("stranger", 4000, 1130)
    target = call.voice.remote
    call.talk(0.5)
    assert arrives(stranger, target, call.ear, 4) == 0
    probe = gateway.wait_event(event_type="alert", reason="rtp_bleed", timeout_s=20)
    record = call.record()
    assert probe["call"] == record["call"] and probe["proto"] == "rtp", probe
    assert "packets from other addresses, 0 from other ports" in str(probe), probe
    assert arrives(stranger, target, call.ear, 40) == 0
    injected = gateway.wait_event(event_type="alert", reason="rtp_injection", timeout_s=20)
    assert injected["call"] == record["call"], injected
    assert arrives(stranger, (target[0], target[1] + 1), call.ear, 4) == 0
    assert gateway.wait_event(event_type="alert", reason="rtcp_bleed", timeout_s=20)["proto"] == "rtcp"
    assert len(gateway.events(event_type="alert", call=record["call"])) == 3
    call.hang_up()
    gateway.wait_idle()


def test_a_stranger_who_is_first_learns_nothing(gateway, scripted_call, talker_at):
    """RTP bleed (CVE-2025-53399): who sends first to the port is not who gets the audio."""
    call = scripted_call(gateway)
    stranger = talker_at("stranger", 4000, 1130)
    call.ring()
    call.callee.reply(200, call.callee.offer(CALLEE_RTP))
    final = call.caller.expect(200)
    stranger.remote = final.sdp_media()
    time.sleep(0.3)
    call.caller.established(final)
    call.phone.expect("ACK")
    call.ear.remote = call.callee.invite.sdp_media()
    time.sleep(0.3)
    call.voice.remote = final.sdp_media()
    time.sleep(0.6)
    assert stranger.got == []
    assert {packet[3] for packet in call.ear.got} == {call.voice.ssrc}
    assert call.voice.heard().only(850, 0.3), call.voice.heard().says()
    stranger.remote = None
    refused = sum(s["refused"] for s in call.record()["streams"])
    drops = gateway.command("explain", "203.0.113.66").stdout
    assert refused > 0 or "203.0.113.66" in drops
    call.hang_up()
    gateway.wait_idle()


def test_openings_and_closings_are_events(gateway, scripted_call):
    call = scripted_call(gateway).establish()
    record = call.record()
    assert gateway.status()["pinholes_open"] == len(record["pinholes"]) >= 2
    call.hang_up()
    gateway.wait_idle()
    record = call.record()
    assert pinholes_are_closed(gateway, record)
    for action, word in (("open", "why_opened"), ("close", "why_closed")):
        events = gateway.events(event_type="flow", action=action, call=record["call"])
        assert {e["local"] for e in events} == {p["local"] for p in record["pinholes"]}
        for event in events:
            assert event["zone"] in ("internet", "core") and event["proto"] in ("rtp", "rtcp")
            assert event["timestamp"] and event["why"] and event["source"]
        assert all(p[word] for p in record["pinholes"])
    for zone in ("internet", "core"):
        assert any(p["zone"] == zone and p["kind"] == "rtp" for p in record["pinholes"])


def test_ports_lie_in_the_configured_range(kamailio, gateway_of, scripted_call):
    gateway = gateway_of(more='media { ports = "40000-40099" }')
    call = scripted_call(gateway).establish()
    ports = [int(p["local"].rsplit(":", 1)[1]) for p in call.record()["pinholes"]]
    assert ports and all(40000 <= port <= 40099 for port in ports)
    call.hang_up()
    gateway.wait_idle()


def test_a_stopped_gateway_leaves_no_rule(lab, gateway, scripted_call):
    scripted_call(gateway).establish()
    assert gateway.stop() == 0
    assert "hornwork" not in lab.run("gw", ["nft", "list", "tables"]).stdout
