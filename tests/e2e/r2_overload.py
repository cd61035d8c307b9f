"""More comes in than signalling can read: new requests are put off by 503, running calls and memory do not notice."""

import os
import signal
import threading
import time

import pytest

from hwlab.message import Message
from hwlab.proc import wait_until
from story import ScriptedCall

SLOW = 'limits { never-ban = {"203.0.113.66/32"}  signalling-delay = 20ms }'
SMALL = 'limits { never-ban = {"203.0.113.66/32"}  transactions = 256  calls-per-second = 100 }'
STOPPED_S, RUNNING_S = 0.12, 0.02
TABLE = 256


class Slowed:
    """The process gets little of the processor, as on a machine that does more than it can."""

    def __init__(self, pid):
        self.pid, self.over = pid, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.over.is_set():
            os.kill(self.pid, signal.SIGSTOP)
            time.sleep(STOPPED_S)
            os.kill(self.pid, signal.SIGCONT)
            time.sleep(RUNNING_S)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_exc):
        self.over.set()
        self.thread.join()
        os.kill(self.pid, signal.SIGCONT)


def ask(peer, number):
    """A stranger's REGISTER for somebody."""
    peer.send(peer.request("REGISTER", "sip:203.0.113.10", f"over-{number}", 1, f"t{number}",
                           to=f"<sip:user{number}@203.0.113.10>"))


def answers(peer, wait_s=0.3):
    """What came since the last look: status and message."""
    while peer.poll(wait_s):
        pass
    found = [m for m in peer.received if isinstance(m, Message)]
    peer.received.clear()
    peer.unread.clear()
    return found


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as text:
        return next(int(line.split()[1]) for line in text if line.startswith("VmRSS"))


def overload(gateway):
    return gateway.status()["overload"]


@pytest.mark.limit(120)
def test_strangers_wait_while_a_call_goes_on(gateway_of, kamailio, peer_at, talker_at):
    gateway = gateway_of(more=SLOW)
    call = ScriptedCall(gateway, peer_at, talker_at).establish()
    stranger = peer_at("stranger", "mallory", gateway.outside)
    put_off, number = [], 0
    with Slowed(gateway.processes()["signal"]):
        deadline = time.monotonic() + 30
        while len(put_off) < 5 and time.monotonic() < deadline:
            for _ in range(20):
                number += 1
                ask(stranger, number)
            put_off += [m for m in answers(stranger, 0.05) if m.status == 503]
        assert len(put_off) >= 5
        assert all(2 <= int(m.get("retry-after")) < 10 for m in put_off)
        call.hang_up()  # what ends a call passes
    event = gateway.wait_event(event_type="load", reason="overload")
    assert event["tag"] == "r2" and "ms" in event["message"]
    metrics = gateway.api("/metrics")[1].decode()
    assert 'hornwork_refused_total{reason="overload",tag="r2"}' in metrics
    assert "hornwork_overload_level_percent" in metrics and "hornwork_signalling_delay_milliseconds" in metrics
    gateway.wait_event(timeout_s=30.0, event_type="load", reason="overload_over")
    wait_until(lambda: not overload(gateway)["active"], 20.0, "nothing is put off any more")
    assert overload(gateway)["put_off_total"] >= 5

    def heard():
        nonlocal number
        number += 1
        ask(stranger, number)
        return any(m.status in (401, 403, 404) for m in answers(stranger, 1.0))
    wait_until(heard, 20.0, "a stranger is heard again")
    assert "put off" in gateway.command("explain", "203.0.113.66").stdout


@pytest.mark.limit(120)
def test_ten_times_the_table_costs_no_more_memory(gateway_of, kamailio, peer_at, talker_at):
    gateway = gateway_of(more=SMALL)
    call = ScriptedCall(gateway, peer_at, talker_at)
    pid = gateway.processes()["signal"]
    stranger = peer_at("stranger", "mallory", gateway.outside)
    before = rss_kib(pid)
    seen = []
    for number in range(10 * TABLE):
        ask(stranger, number)
        if number % 32 == 31:
            seen += answers(stranger, 0.0)
    seen += answers(stranger, 1.0)
    full = [m for m in seen if m.status == 503]
    assert len(full) > TABLE and all(m.get("retry-after") for m in full)
    assert gateway.status()["transactions"] <= TABLE
    # Half of the table is left to those who are known.
    call.establish()
    call.hang_up()
    assert gateway.processes()["signal"] == pid
    assert rss_kib(pid) - before < 16 * 1024
