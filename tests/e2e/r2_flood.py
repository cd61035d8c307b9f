"""A flood from ever new forged sources beside calls with media: the calls and the phones do not notice."""

import pytest

from hwlab import flood

CALLS, TALK_S = 10, 8.0
RATE, SOURCES, FLOOD_S, WARM_S = 8000, 50000, 6.0, 3.0
PORTS = (5060, 5062)
BOUND = "limits { transactions = 2048 }"    # half of them may be strangers': 1.6 MiB


def in_gateway(gateway):
    """Packets that the gateway's streams took, and those that it refused or missed."""
    streams = [s for call in gateway.calls() for s in call["streams"]]
    assert len(streams) == 2 * CALLS
    return sum(s["packets"] for s in streams), sum(s["refused"] for s in streams)


@pytest.mark.limit(120)
def test_calls_do_not_notice(lab, kamailio, gateway_of):
    gateway = gateway_of(more=BOUND)
    answerer = flood.Answerer(lab)
    phones = [flood.Phone(lab, user, port, gateway.outside) for user, port in zip(("alice", "carol"), PORTS)]
    children = []
    try:
        for phone in phones:
            phone.register()
        calls, plan = flood.set_up(phones[0], answerer, CALLS)
        pids = gateway.processes().values()
        children.append(flood.Flood(lab, gateway.outside, WARM_S, SOURCES, RATE))
        children[-1].result(60)     # tables of fixed size are touched once
        before = flood.rss_kib(pids)
        children.append(flood.Media(lab, plan, TALK_S))
        children.append(flood.Flood(lab, gateway.outside, FLOOD_S, SOURCES, RATE))
        callers = flood.Callers(phones[1:], 0.5)
        media, sent = children[-2].result(60), children[-1].result(60)
        tried, good = callers.result(60)
        took, refused = in_gateway(gateway)
        after = flood.rss_kib(pids)
        print(media, sent, tried, good, took, refused, before, after)
        assert sent["sent"] > 0.5 * RATE * FLOOD_S, "the flood itself was none"
        assert media["sent"] == 2 * CALLS * 50 * TALK_S and media["strange"] == 0
        # What the gateway took it sent on; what never reached it a busy machine's link lost.
        assert refused == 0 and media["received"] == took
        assert media["received"] >= 0.99 * media["sent"]
        assert tried >= 3 and good == tried
        assert after - before < 2048
        assert all(phones[0].hang_up(call) for call in calls)
        dropped = gateway.ask("status")[0]["shield"]["dropped"]
        assert dropped["strangers-limit"] + dropped["registers-limit"] + dropped["not-sip"] > 0.5 * sent["sent"]
    finally:
        for child in children:
            child.stop()
        for phone in phones:
            phone.close()
        answerer.close()
