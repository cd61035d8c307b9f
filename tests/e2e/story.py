"""Stories that several tests share."""

import json
import os
import signal
import time

from hwlab.peer import Call
from hwlab.proc import wait_until

CALLER_RTP, CALLEE_RTP = 4000, 6000
CALLER_HZ, CALLEE_HZ = 440, 850


class ScriptedCall:
    """alice on the internet (host `caller_at`) calls the scripted phone in the core network.

    The steps are methods, so that a test can do something between them; establish() does all.
    """

    def __init__(self, gateway, peer_at, talker_at, caller_at="ext", transport="udp", register=True,
                 user="alice"):
        self.gateway = gateway
        self.alice = peer_at(caller_at, user, gateway.outside, transport=transport)
        self.phone = peer_at("peer", "scripted", port=5070)
        self.voice = talker_at(caller_at, CALLER_RTP, CALLER_HZ)
        self.ear = talker_at("peer", CALLEE_RTP, CALLEE_HZ)
        self.caller = Call(self.alice)
        self.callee = None
        if register:
            self.alice.register()

    def ring(self):
        """INVITE until it rings."""
        self.caller.start("scripted", self.caller.offer(CALLER_RTP), want=(100,))
        self.callee = Call.incoming(self.phone)
        self.callee.reply(180)
        self.caller.expect(180)

    def answer(self):
        """200 and ACK, then both play their tones."""
        self.callee.reply(200, self.callee.offer(CALLEE_RTP))
        final = self.caller.expect(200)
        self.caller.established(final)
        self.phone.expect("ACK")
        self.voice.remote = final.sdp_media()
        self.ear.remote = self.callee.invite.sdp_media()

    def establish(self, talk_s=0.5):
        """From INVITE to both talking; returns itself."""
        self.ring()
        self.answer()
        self.talk(talk_s)
        return self

    def talk(self, seconds):
        """Let both play; returns the packets that each got meanwhile (caller, callee)."""
        before = len(self.voice.got), len(self.ear.got)
        time.sleep(seconds)
        return len(self.voice.got) - before[0], len(self.ear.got) - before[1]

    def hang_up(self):
        """The caller says BYE, the callee agrees; media stops."""
        self.caller.send("BYE")
        self.phone.reply(self.phone.expect("BYE"), 200)
        self.caller.expect(200)
        self.hush()

    def hush(self):
        """Stop both tones."""
        self.voice.remote = self.ear.remote = None

    def record(self):
        """The gateway's record of this call, running or ended; not that of the challenged INVITE."""
        def find():
            return [call for call in self.gateway.calls(ended=True)
                    if self.caller.call_id in call["call_ids"]]
        found = wait_until(find, 3.0, f"the gateway's record of call {self.caller.call_id}")
        return max(found, key=lambda call: (call["answered_at"] or "", call["started_at"]))


def pinholes_are_closed(gateway, call):
    """True if the ended call's pinholes have both their times, and `status` counts none as open.

    A call that was answered must have had some; one that was only challenged had none.
    """
    record = next(c for c in gateway.calls(ended=True) if c["call"] == call["call"])
    status = gateway.status()
    return ((record["pinholes"] or not record["answered_at"])
            and all(p["opened_at"] and p["closed_at"] for p in record["pinholes"])
            and status["pinholes_open"] == 0
            and status["pinholes_opened_total"] == status["pinholes_closed_total"])


def firewall(lab):
    """The gateway's nftables table as text."""
    return lab.run("gw", ["nft", "list", "table", "inet", "hornwork"]).stdout


def outcome(events, *kinds):
    """The events of these types."""
    return [event for event in events if event.get("event_type") in kinds]


def crash(gateway, how=signal.SIGSEGV, pid=None):
    """Let `signal` die; returns the status that its successor answers with."""
    old = pid or gateway.processes()["signal"]
    os.kill(old, how)

    def answer():
        done = gateway.command("status", "--json", check=False)
        status = json.loads(done.stdout)[0] if done.returncode == 0 else None
        rows = status["processes"] if status else []
        return next((status for r in rows if r["name"] == "signal" and r["pid"] not in (0, old)),
                    None)
    return wait_until(answer, 15.0, "signal is started again and answers")
