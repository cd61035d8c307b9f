"""A small SIP relay with media on host `gw`, with flaws by option: what the gateway must not be.

It stands between place outside and place inside: REGISTER gets 200, calls from outside go to the
phone inside. Without a flaw it admits RTP from the negotiated address and port alone and closes at
BYE. Flaws: `any-source` (takes media from anybody), `latch` (sends to whom it heard last), `keeps`
(its ports stay open after BYE), `any-payload` (takes what is no RTP), `any-size` (takes RTP of any size),
`rtcp-bleed` (as latch, for RTCP alone), `latch-pause` (as latch, once a side was silent for half a second), `echo` (the first and
the last media port answer without a call), `opens-late` (after 1.5 s), `late` (media comes 200 ms later), `jitters`
(every other packet does, by 100 ms), `loses` (every tenth packet), `drowns` (loses media and calls
while it is asked more than it can answer). It knows no limit of calls and none of silence.
Run: python3 -m hwlab.flawedrelay --outside IP --inside IP --phone IP:PORT [--flaw NAME ...]
"""

import argparse
import heapq
import itertools
import re
import select
import socket
import time

FIRST_PORT, LAST_PORT = 16384, 32767
RTP_BYTES_MAX = 1472        # of one frame of Ethernet
SIDES = ("outside", "inside")


class Media:
    """A pair of ports on both sides; what one hears the other sends on."""

    def __init__(self, relay, number):
        self.relay, self.sockets, self.targets = relay, {}, {}
        self.open, self.born, self.heard = True, time.monotonic(), {}
        for side in SIDES:
            for offset in (0, 1):
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sock.bind((relay.own[side], FIRST_PORT + 4 * number + offset))
                self.sockets[side, offset] = sock

    def negotiated(self, side, address):
        """Where this side's SDP wants its media."""
        for offset in (0, 1):
            self.targets[side, offset] = (address[0], address[1] + offset)

    def port(self, side):
        """The port for an SDP."""
        return self.sockets[side, 0].getsockname()[1]

    def admits(self, side, offset, data, source):
        """Whether a datagram may pass."""
        flaws = self.relay.flaws
        if not self.open and "keeps" not in flaws:
            return False
        known = source == self.targets.get((side, offset))
        rtp = len(data) >= 8 and data[0] >> 6 == 2 and (offset or data[1] & 127 == 0)
        rtp = rtp and (len(data) <= RTP_BYTES_MAX or "any-size" in flaws)
        rtcp_free = "rtcp-bleed" in flaws and offset
        if "opens-late" in flaws and time.monotonic() < self.born + 1.5:
            return False
        if known:
            self.heard[side, offset] = time.monotonic()
        elif "latch-pause" in flaws and time.monotonic() > self.heard.get((side, offset), 1e9) + 0.5:
            self.targets[side, offset] = source
            return rtp
        return (known or rtcp_free or bool({"any-source", "latch"} & flaws)) and \
            (rtp or "any-payload" in flaws)

    def receive(self, side, offset):
        """Read one datagram, and pass it on if it may."""
        data, source = self.sockets[side, offset].recvfrom(4096)
        if not self.admits(side, offset, data, source):
            return
        if "latch" in self.relay.flaws or ("rtcp-bleed" in self.relay.flaws and offset):
            self.targets[side, offset] = source
        other = SIDES[1 - SIDES.index(side)]
        target = self.targets.get((other, offset))
        if target:
            self.relay.pass_on(self.sockets[other, offset], data, target)


class Relay:
    """The signalling: one call after the other."""

    def __init__(self, own, phone, flaws):
        self.own, self.phone, self.flaws = own, phone, flaws
        self.sip = {}
        for side in SIDES:
            self.sip[side] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sip[side].bind((own[side], 5060))
        self.peers = {"outside": None, "inside": phone}
        self.medias = []
        self.held, self.order, self.counts = [], itertools.count(), {}
        self.asked = []
        self.echoes = []
        for port in (FIRST_PORT, LAST_PORT) if "echo" in flaws else ():
            self.echoes.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self.echoes[-1].bind((own["outside"], port))

    def pass_on(self, sock, data, target):
        """Send media on, as well as this relay does it."""
        nth = self.counts[sock] = self.counts.get(sock, 0) + 1
        if ("loses" in self.flaws and nth % 10 == 0) or self.drowned():
            return
        wait = 0.2 * ("late" in self.flaws) + 0.1 * ("jitters" in self.flaws and nth % 2)
        heapq.heappush(self.held, (time.monotonic() + wait, next(self.order), sock, data, target))
        self.send_due()

    def drowned(self):
        """Whether it was asked twenty times within the last second."""
        self.asked = self.asked[-20:]
        return "drowns" in self.flaws and len(self.asked) == 20 and \
            self.asked[0] > time.monotonic() - 1

    def send_due(self):
        """What was held long enough; seconds until there is more, or None."""
        while self.held and self.held[0][0] <= time.monotonic():
            _, _, sock, data, target = heapq.heappop(self.held)
            sock.sendto(data, target)
        return max(0, self.held[0][0] - time.monotonic()) if self.held else None

    def run(self):
        """For ever."""
        print("flawedrelay: ready", flush=True)
        while True:
            sockets = {self.sip[side]: (self, side, None) for side in SIDES}
            for media in self.medias:
                sockets.update({s: (media, *key) for key, s in media.sockets.items()})
            sockets.update({s: (None, None, None) for s in self.echoes})
            for sock in select.select(list(sockets), [], [], self.send_due())[0]:
                owner, side, offset = sockets[sock]
                if owner is None:
                    data, source = sock.recvfrom(2048)
                    sock.sendto(data, source)
                elif owner is self:
                    self.message(side)
                else:
                    owner.receive(side, offset)

    def message(self, side):
        """A SIP message from one side: answered, or sent on to the other."""
        data, source = self.sip[side].recvfrom(8192)
        text = data.decode()
        if text.startswith("INVITE"):
            if self.drowned():
                return
            self.peers["outside"] = source
        if text.startswith(("REGISTER", "OPTIONS")):
            self.asked.append(time.monotonic())
            self.sip[side].sendto(answer(text), source)
            return
        other = SIDES[1 - SIDES.index(side)]
        if text.startswith("INVITE"):
            self.medias.append(Media(self, len(self.medias)))
        if text.startswith("BYE"):
            self.medias[-1].open = False
        text = self.through(text, side, other)
        self.sip[other].sendto(text.encode(), self.peers[other])

    def through(self, text, side, other):
        """The message as the other side gets it: this relay's Via, Contact and media."""
        head, body = text.split("\r\n\r\n", 1)
        mine = f"Via: SIP/2.0/UDP {self.own[other]}:5060;branch=z9hG4bKrelay"
        lines = head.split("\r\n")
        if text.startswith("SIP/2.0"):
            vias = [i for i, line in enumerate(lines) if line.startswith("Via:")]
            del lines[vias[0]]
        else:
            branch = re.search(r"branch=z9hG4bK(\w+)", head).group(1)
            lines.insert(1, mine + branch)
        lines = [re.sub(r"@[\d.]+:\d+", f"@{self.own[other]}:5060", line)
                 if line.startswith("Contact:") else line for line in lines]
        if "m=audio" in body:
            address = re.search(r"c=IN IP4 (\S+)", body).group(1)
            port = int(re.search(r"m=audio (\d+)", body).group(1))
            media = self.medias[-1]
            media.negotiated(side, (address, port))
            body = body.replace(address, self.own[other]).replace(
                f"m=audio {port}", f"m=audio {media.port(other)}")
        lines = [f"Content-Length: {len(body)}" if line.startswith("Content-Length") else line
                 for line in lines]
        return "\r\n".join(lines) + "\r\n\r\n" + body


def answer(text):
    """200 to a request."""
    keep = [line for line in text.split("\r\n")
            if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq", "Contact", "Expires")]
    return ("\r\n".join(["SIP/2.0 200 OK", *keep, "Content-Length: 0"]) + "\r\n\r\n").encode()


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outside", required=True)
    parser.add_argument("--inside", required=True)
    parser.add_argument("--phone", required=True)
    parser.add_argument("--flaw", action="append", default=[])
    args = parser.parse_args()
    address, port = args.phone.split(":")
    Relay({"outside": args.outside, "inside": args.inside}, (address, int(port)),
          set(args.flaw)).run()


if __name__ == "__main__":
    main()
