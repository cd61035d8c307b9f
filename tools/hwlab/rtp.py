"""RTP for scripted peers and for captures: talk a tone, keep what arrives, decode G.711."""

import itertools
import math
import socket
import struct
import threading
import time

from . import tones
from .topology import address

_ssrc = itertools.count(0x48570001)
FRAME = 160                 # samples in 20 ms
FRAME_S = 0.02


def _ulaw(sample):
    """G.711 mu-law byte of a 16-bit sample."""
    sign = 0x80 if sample < 0 else 0
    value = min(abs(sample), 32635) + 132
    exponent = max(0, value.bit_length() - 8)
    return ~(sign | exponent << 4 | (value >> (exponent + 3)) & 0x0F) & 0xFF


def _linear(byte):
    """16-bit sample of a G.711 mu-law byte."""
    byte = ~byte & 0xFF
    value = (((byte & 0x0F) << 3) + 132 << (byte >> 4 & 7)) - 132
    return -value if byte & 0x80 else value


LINEAR = tuple(_linear(b) for b in range(256))


def frames_of(tone_hz):
    """Five 20 ms frames (100 ms, a whole number of periods) of a tone in mu-law."""
    codes = bytes(_ulaw(round(tones.AMPLITUDE * math.sin(2 * math.pi * tone_hz * i / tones.RATE_HZ)))
                  for i in range(5 * FRAME))
    return [codes[i:i + FRAME] for i in range(0, len(codes), FRAME)]


def heard_in(payloads):
    """Spectral summary of mu-law payloads in order."""
    samples = [LINEAR[b] for payload in payloads for b in payload]
    size = tones.WINDOW
    return tones.summary([tones.classify(samples[i:i + size])
                          for i in range(0, len(samples) - size + 1, size)])


class Talker(threading.Thread):
    """A UDP port that plays a tone to `remote` (if set) and keeps every packet that arrives.

    .got has (time, source, sequence number, ssrc, payload). Sequence numbers start at 1.
    """

    def __init__(self, lab, host, port, tone_hz=440, family=4, own=None):
        super().__init__(daemon=True)
        kind = socket.AF_INET6 if family == 6 else socket.AF_INET
        self.socket = lab.socket(host, kind, socket.SOCK_DGRAM)
        self.ip = own or address(host, family=family)
        self.socket.bind((self.ip, port))
        self.port = self.socket.getsockname()[1]
        self.remote = None
        self.sent = 0
        self.got = []
        self.ssrc = next(_ssrc)
        self._frames = frames_of(tone_hz)
        self._over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exc):
        self.stop()

    def stop(self):
        """End the thread and close the port."""
        self._over.set()
        self.join(2.0)
        self.socket.close()

    def packet(self, number):
        """Bytes of the number-th packet."""
        head = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * FRAME & 0xFFFFFFFF, self.ssrc)
        return head + self._frames[number % len(self._frames)]

    def taken(self, data):
        """What a datagram that came holds; None for what is not to be kept."""
        return data

    def send_one(self, remote=None):
        """Send the next packet now."""
        self.sent += 1
        try:
            self.socket.sendto(self.packet(self.sent), remote or self.remote)
        except OSError:
            pass                    # an ICMP refusal of an earlier packet: the far port is closed

    def run(self):
        due = time.monotonic()
        while not self._over.is_set():
            now = time.monotonic()
            if now >= due:
                if self.remote:
                    self.send_one()
                due = max(due + FRAME_S, now - FRAME_S)
            self.socket.settimeout(max(0.001, due - time.monotonic()))
            try:
                data, source = self.socket.recvfrom(2048)
            except (TimeoutError, BlockingIOError):
                continue
            except OSError:
                continue
            data = self.taken(data)
            if data and len(data) >= 12 and data[0] >> 6 == 2:
                number, _stamp, ssrc = struct.unpack("!HII", data[2:12])
                self.got.append((time.monotonic(), source[:2], number, ssrc, data[12:]))

    def heard(self, since=0):
        """What the packets from the since-th on sound like."""
        return heard_in([packet[4] for packet in self.got[since:]])
