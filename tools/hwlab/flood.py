"""A flood from forged sources beside calls with media: what `make bench-flood` and the tests share.

Phones on host `ext` register and call `load`, which this module answers on host `peer`; both ends of
the media, and the flood from host `stranger`, are programs of tests/bench/flood.
"""

import json
import os
import subprocess
import threading
import time

from . import netns
from .hornwork import ROOT
from .message import sdp
from .peer import Call, Peer
from .proc import LabError
from .topology import address

PROGRAMS = f"{ROOT}/build/tests/bench/flood"
ANSWER_PORT = 5090          # where the lab's PBX sends calls for `load`
CALLER_RTP, CALLEE_RTP = 20000, 30000
T1_S, TRIES = 0.5, 7        # RFC 3261 17.1.1.2: as a phone repeats over UDP


class Answerer(threading.Thread):
    """Takes each call at once, each with a media port of its own; repeats answers for repeated requests."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.peer = Peer(lab, "peer", "load", port=ANSWER_PORT)
        self.calls = {}         # Call-ID: (own media port, where the caller's media comes from)
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            if not self.peer.poll(0.2):
                continue
            while self.peer.unread:
                self._answer(self.peer.unread.pop(0))
            self.peer.received.clear()

    def _answer(self, message):
        if message.status or message.method == "ACK":
            return
        name = message.get("call-id")
        routes = [("Record-Route", value) for value in message.all("record-route")]
        if message.method != "INVITE":
            self.peer.reply(message, 200, tag=f"load-{name}")
            return
        if name not in self.calls:
            self.calls[name] = (CALLEE_RTP + 2 * len(self.calls), message.sdp_media())
        self.peer.reply(message, 200, tag=f"load-{name}", extra=routes, body=sdp(self.peer.ip, self.calls[name][0]))

    def newest(self):
        """(own media port, the other side) of the call that came last."""
        return next(reversed(self.calls.values()))

    def close(self):
        """No call is answered any more."""
        self.over.set()
        self.join()
        self.peer.close()


class Phone:
    """A registered phone that repeats what is not answered, as phones do."""

    def __init__(self, lab, user, port, target):
        self.peer = Peer(lab, "ext", user, target, port=port)

    def close(self):
        """The phone is gone."""
        self.peer.close()

    def _ask(self, raw, call_id, cseq):
        """The final answer to a request, or None."""
        wait_s = T1_S
        for _ in range(TRIES):
            self.peer.send(raw)
            deadline = time.monotonic() + wait_s
            while (left := deadline - time.monotonic()) > 0:
                self.peer.poll(left)
                found = [m for m in self.peer.unread if m.get("call-id") == call_id]
                self.peer.unread.clear()
                self.peer.received.clear()
                for m in found:
                    if m.status and m.status >= 200 and m.get("cseq").split()[0] == str(cseq):
                        return m
                if found:               # a provisional answer stops an INVITE's repetitions
                    deadline = time.monotonic() + 16.0
            wait_s = min(2 * wait_s, 4.0)
        return None

    def register(self):
        """Register with digest, or LabError."""
        uri, extra = f"sip:{self.peer.domain}", [("Expires", "600")]
        call_id = f"reg-{self.peer.user}-{time.monotonic_ns()}"
        for cseq in (1, 2):
            raw = self.peer.request("REGISTER", uri, call_id, cseq, "reg", to=f"<{self.peer.aor()}>", extra=extra)
            final = self._ask(raw, call_id, cseq)
            if final is None or final.status not in (401, 407):
                break
            # pylint: disable-next=protected-access
            extra = extra[:1] + [self.peer._credentials(final, "REGISTER", uri)]
        if final is None or final.status != 200:
            raise LabError(f"{self.peer.user} cannot register: {final.start if final else 'no answer'}")

    def call(self, port):
        """A Call that is up (its .answer is the 200), or None; its media is at `port`."""
        call, uri = Call(self.peer), f"sip:load@{self.peer.domain}"
        for cseq in (1, 2):
            final = self._ask(call.invite_raw(uri, call.offer(port)), call.call_id, cseq)
            if final is None or final.status not in (401, 407):
                break
            call.ack_failure(final)
            # pylint: disable-next=protected-access
            call.extra.append(self.peer._credentials(final, "INVITE", uri))
        if final is None or final.status != 200:
            return None
        call.established(final)
        return call

    def hang_up(self, call):
        """BYE; True if it was answered."""
        call.cseq += 1
        # pylint: disable-next=protected-access
        raw = call._in_dialog("BYE", call.cseq)
        final = self._ask(raw, call.call_id, call.cseq)
        return final is not None and final.status == 200


class Media:
    """Both ends of the media of calls, in one process of its own."""

    def __init__(self, lab, plan, seconds):
        text = "".join(f"{a} {to[0]}:{to[1]} {b} {back[0]}:{back[1]}\n" for a, to, b, back in plan)
        argv = [f"{PROGRAMS}/flood_media", f"/run/netns/{lab.ns('ext')}", address("ext"),
                f"/run/netns/{lab.ns('peer')}", address("peer"), f"{seconds:g}"]
        # pylint: disable-next=consider-using-with
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.child.stdin.write(text)
        self.child.stdin.close()

    def result(self, timeout_s):
        """What it counted."""
        try:
            self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise LabError("the media did not end in time") from None
        text = self.child.stdout.read()
        self.child.stdout.close()
        if self.child.returncode:
            raise LabError(f"flood_media ends with {self.child.returncode}")
        return json.loads(text)

    def stop(self):
        """End it, whatever it does."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()


class Flood:
    """The flood itself, from host `stranger`."""

    def __init__(self, lab, target, seconds, sources=200000, rate=0, cpu=None, nice=10):
        argv = ["nice", "-n", str(nice), f"{PROGRAMS}/flood_send", target[0], str(target[1]), "--seconds", f"{seconds:g}",
                "--sources", str(sources), "--rate", str(rate)]
        argv += ["--cpu", str(cpu)] if cpu is not None else []
        # pylint: disable-next=consider-using-with
        self.child = subprocess.Popen(netns.command(lab.ns("stranger"), argv), stdout=subprocess.PIPE, text=True)

    def result(self, timeout_s):
        """What it sent: packets, seconds, CPU time."""
        try:
            text, _ = self.child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.stop()
            raise LabError("the flood did not end in time") from None
        if self.child.returncode:
            raise LabError(f"flood_send ends with {self.child.returncode}")
        return json.loads(text)

    def stop(self):
        """End it, whatever it does."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()


def set_up(phone, answerer, count, pause_s=0.1):
    """So many calls of a phone: (their Calls, the plan for Media)."""
    calls, plan = [], []
    for i in range(count):
        port = CALLER_RTP + 2 * i
        call = phone.call(port)
        if call is None:
            raise LabError(f"call {i + 1} of {count} did not come about")
        own, caller_at = answerer.newest()
        plan.append((port, call.answer.sdp_media(), own, caller_at))
        calls.append(call)
        time.sleep(pause_s)
    return calls, plan


class Callers(threading.Thread):
    """Registered phones that go on calling until they are told to stop: one short call after another."""

    def __init__(self, phones, pause_s):
        super().__init__(daemon=True)
        self.phones, self.pause_s = phones, pause_s
        self.tried = self.good = 0
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            phone = self.phones[self.tried % len(self.phones)]
            self.tried += 1
            call = phone.call(CALLER_RTP + 2000 + 2 * (self.tried % 1000))
            self.good += call is not None and phone.hang_up(call)
            self.over.wait(self.pause_s)

    def result(self, timeout_s):
        """(tried, good) once the last one has ended."""
        self.over.set()
        self.join(timeout_s)
        if self.is_alive():
            raise LabError("a call did not end in time")
        return self.tried, self.good


def rss_kib(pids):
    """Resident memory of processes together; those that are gone count nothing."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as text:
                total += sum(int(line.split()[1]) for line in text if line.startswith("VmRSS"))
        except OSError:
            continue
    return total


def programs_are_there():
    """Whether the build has made the programs."""
    return all(os.access(f"{PROGRAMS}/{name}", os.X_OK) for name in ("flood_send", "flood_media"))


__all__ = ["Answerer", "Callers", "Flood", "Media", "Phone", "programs_are_there", "rss_kib", "set_up"]
