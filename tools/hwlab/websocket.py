"""A WebSocket client that does exactly what a test says, rightly or wrongly."""

import base64
import os
import select
import struct
import time

from .proc import LabError

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def opening(host, protocol="sip", origin=None, more=()):
    """The request that opens a WebSocket; protocol None leaves the header out."""
    lines = ["GET /ws HTTP/1.1", f"Host: {host}", "Upgrade: websocket",
             "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13",
             f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
    lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
    lines += [f"Origin: {origin}"] if origin else []
    return "\r\n".join([*lines, *more, "", ""]).encode()


def frame(payload, opcode=TEXT, fin=True, mask=True):
    """One frame of a client."""
    head = bytes([(0x80 if fin else 0) | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


class WebSocket:
    """Over a connected socket (an SSL one)."""

    def __init__(self, sock, host, protocol="sip", origin=None):
        self.socket = sock
        self.buffer = b""
        sock.sendall(opening(host, protocol, origin))
        self.answer = self._head()

    def _head(self):
        while b"\r\n\r\n" not in self.buffer:
            data = self.socket.recv(4096)
            if not data:
                break
            self.buffer += data
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode()

    @property
    def status(self):
        """Of the answer to the opening request."""
        return int(self.answer.split()[1])

    def send(self, payload, **how):
        """A frame."""
        self.socket.sendall(frame(payload, **how))

    def _take(self):
        """A whole frame of the buffer, or None: (opcode, payload)."""
        if len(self.buffer) < 2:
            return None
        size, at = self.buffer[1] & 0x7f, 2
        if self.buffer[1] & 0x80:
            raise LabError("a server must not mask")
        if size == 126:
            size, at = struct.unpack(">H", self.buffer[2:4])[0], 4
        elif size == 127:
            size, at = struct.unpack(">Q", self.buffer[2:10])[0], 10
        if len(self.buffer) < at + size:
            return None
        opcode, payload = self.buffer[0] & 0x0f, self.buffer[at:at + size]
        self.buffer = self.buffer[at + size:]
        return opcode, payload

    def receive(self, timeout_s=5.0):
        """The next frame, or None when the connection ended."""
        deadline = time.monotonic() + timeout_s
        while True:
            got = self._take()
            if got:
                return got
            left = deadline - time.monotonic()
            if left <= 0:
                raise LabError(f"no frame within {timeout_s:g} s")
            if not self.socket.pending() and not select.select([self.socket], [], [], left)[0]:
                continue
            data = self.socket.recv(65536)
            if not data:
                return None
            self.buffer += data
