"""A scripted SIP peer: sends exactly what a test says and shows exactly what came back.

It has no machine of its own: no retransmissions, no automatic answers (but ACK for failures where
`Call` does it). That is what tests of lost messages, forked dialogs and odd peers need.
"""

import itertools
import select
import socket
import time

from .kamailio import DOMAIN, PASSWORDS
from .message import Message, build, digest, frames, sdp, uri_of
from .proc import LabError
from .topology import address

_count = itertools.count(1)


def token():
    """A text that no other peer of this run uses."""
    return f"{next(_count)}x{time.monotonic_ns() % 10**9:x}"


class Peer:
    """One socket with a SIP conversation on it.

    remote: (address, port) that messages go to by default. transport tcp and tls connect at once;
    tls: an ssl.SSLContext, and the name that the server is asked for.
    own: an address of the host that is not in the lab's table.
    """

    def __init__(self, lab, host, user, remote=None, port=5060, transport="udp", family=4,
                 domain=DOMAIN, tls=None, server_name=None, own=None):
        self.user, self.remote, self.transport = user, remote, transport
        self.domain = domain
        self.ip = own or address(host, family=family)
        self.received = []
        self.unread = []
        self.listener = self.tls = None
        self._buffer = b""
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = lab.socket(host, socket.AF_INET6 if family == 6 else socket.AF_INET, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((self.ip, port))
        if transport in ("tcp", "tls"):
            self.socket.settimeout(5.0)
            self.socket.connect(remote)
        if transport == "tls":
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self.port = self.socket.getsockname()[1]
        self.host_port = f"[{self.ip}]:{self.port}" if family == 6 else f"{self.ip}:{self.port}"

    @classmethod
    def listening(cls, lab, host, user, port, tls):
        """A peer that waits for a connection over TLS; `accept` takes it."""
        self = cls(lab, host, user, port=0)
        self.socket.close()
        self.listener = lab.socket(host, socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.ip, port))
        self.listener.listen(8)
        self.listener.settimeout(8.0)
        self.transport, self.port, self.tls = "tls", port, tls
        self.host_port = f"{self.ip}:{port}"
        self.socket = self.listener
        return self

    def accept(self):
        """Take a connection and shake hands; raises ssl.SSLError or OSError when that fails."""
        sock, self.remote = self.listener.accept()
        sock.settimeout(8.0)
        self.socket = self.tls.wrap_socket(sock, server_side=True)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        """Close the socket."""
        self.socket.close()
        if self.listener is not None:
            self.listener.close()

    def aor(self):
        """Its address of record."""
        return f"sip:{self.user}@{self.domain}"

    def contact(self):
        """Its Contact."""
        more = f";transport={self.transport}" if self.transport != "udp" else ""
        return f"<sip:{self.user}@{self.host_port}{more}>"

    # -- the wire --------------------------------------------------------------------------

    def send(self, raw, to=None):
        """Send bytes as they are."""
        if self.transport == "udp":
            self.socket.sendto(raw, to or self.remote)
        else:
            self.socket.sendall(raw)

    def poll(self, timeout_s):
        """Read once; True if something came. Messages go to .received and .unread."""
        pending = self.transport == "tls" and self.socket.pending()
        if not pending and not select.select([self.socket], [], [], max(0.0, timeout_s))[0]:
            return False
        if self.transport == "udp":
            data, source = self.socket.recvfrom(65535)
            whole = [data] if data.strip() else []
        else:
            data, source = self.socket.recv(65535), self.remote
            if not data:
                raise LabError(f"{self.user}: the connection was closed")
            whole, self._buffer = frames(self._buffer + data)
        for raw in whole:
            message = Message(raw, source)
            self.received.append(message)
            self.unread.append(message)
        return True

    def expect(self, what, timeout_s=5.0, call_id=None):
        """The next message that matches: a method, a status, or a tuple of these.

        Messages before it that do not match are passed over; they stay in .received.
        """
        wanted = what if isinstance(what, tuple) else (what,)
        deadline = time.monotonic() + timeout_s
        while True:
            while self.unread:
                message = self.unread.pop(0)
                kind = message.status if message.status else message.method
                if kind in wanted and call_id in (None, message.get("call-id")):
                    return message
            left = deadline - time.monotonic()
            if left <= 0:
                raise LabError(f"{self.user}: no {what} within {timeout_s:g} s; it got "
                               f"{[m.start for m in self.received[-12:]]}")
            self.poll(left)

    def silent(self, what, for_s):
        """True if nothing that matches comes within for_s."""
        try:
            self.expect(what, for_s)
        except LabError:
            return True
        return False

    # -- messages --------------------------------------------------------------------------

    def via(self, branch=None):
        """A Via of this peer with a fresh branch."""
        return (f"SIP/2.0/{self.transport.upper()} {self.host_port};rport;"
                f"branch={branch or 'z9hG4bK' + token()}")

    def request(self, method, uri, call_id, cseq, tag, to=None, extra=(), body=b"", via=None):
        """Bytes of a request outside of any dialog (or with a To that has a tag)."""
        headers = [("Via", via or self.via()), ("Max-Forwards", "70"),
                   ("From", f"<{self.aor()}>;tag={tag}"), ("To", to or f"<{uri}>"),
                   ("Call-ID", call_id), ("CSeq", f"{cseq} {method}"),
                   ("Contact", self.contact()), *extra]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return build(f"{method} {uri} SIP/2.0", headers, body)

    def reply(self, request, status, reason="", tag="", body=b"", extra=(), to=None):
        """Answer a request."""
        headers = [("Via", v) for v in request.all("via")]
        headers += [("Record-Route", v) for v in request.all("record-route")]
        to_value = request.get("to")
        if tag and not request.tag("to"):
            to_value += f";tag={tag}"
        headers += [("From", request.get("from")), ("To", to_value),
                    ("Call-ID", request.get("call-id")), ("CSeq", request.get("cseq"))]
        if 101 <= status < 300:
            headers.append(("Contact", self.contact()))
        headers += list(extra)
        if body:
            headers.append(("Content-Type", "application/sdp"))
        raw = build(f"SIP/2.0 {status} {reason or 'Reply'}", headers, body)
        self.send(raw, to or request.source)
        return raw

    def _credentials(self, refusal, method, uri):
        name = "proxy-authenticate" if refusal.status == 407 else "www-authenticate"
        value = digest(refusal.get(name), method, uri, self.user, PASSWORDS[self.user])
        return ("Proxy-Authorization" if refusal.status == 407 else "Authorization", value)

    def register(self, expires=300, contact=None):
        """Register with digest; returns the 200. Any other end is an error."""
        uri, call_id, tag = f"sip:{self.domain}", token(), token()
        extra = [("Expires", str(expires))]
        reply = None
        for cseq in (1, 2):
            raw = self.request("REGISTER", uri, call_id, cseq, tag, to=f"<{self.aor()}>", extra=extra)
            if contact:
                raw = raw.replace(self.contact().encode(), contact.encode(), 1)
            self.send(raw)
            reply = self.expect((200, 401, 407, 403, 404, 408, 480, 500, 503), call_id=call_id)
            if reply.status not in (401, 407):
                break
            extra = extra[:1] + [self._credentials(reply, "REGISTER", uri)]
        if reply.status != 200:
            raise LabError(f"{self.user}: REGISTER got {reply.start}")
        return reply


class Call:
    """One call of a scripted peer, as caller or as callee. Steps are taken by the test."""

    def __init__(self, peer):
        self.peer = peer
        self.call_id, self.tag = token(), token()
        self.cseq = 0
        self.target = self.to = self.invite = self.answer = None
        self.own = f"<{peer.aor()}>;tag={self.tag}"
        self.routes = []
        self.extra = []

    # -- as caller -------------------------------------------------------------------------

    def invite_raw(self, uri, body, extra=()):
        """Bytes of the next INVITE of this call; .invite remembers it parsed."""
        self.cseq += 1
        self.target, self.to = uri, f"<{uri}>"
        raw = self.peer.request("INVITE", uri, self.call_id, self.cseq, self.tag,
                                extra=[*self.extra, *extra], body=body)
        self.invite = Message(raw)
        return raw

    def start(self, uri, body, want=(100, 180, 183, 200), timeout_s=5.0):
        """Send INVITE, answer a challenge, return the first message of `want`."""
        uri = uri if ":" in uri else f"sip:{uri}@{self.peer.domain}"
        self.peer.send(self.invite_raw(uri, body))
        ends = tuple(code for code in (401, 407) if code not in want)
        got = self.expect(want + ends, timeout_s, skip=100)
        if got.status in ends:
            self.ack_failure(got)
            # pylint: disable-next=protected-access
            self.extra.append(self.peer._credentials(got, "INVITE", uri))
            self.peer.send(self.invite_raw(uri, body))
            got = self.expect(want, timeout_s)
        return got

    def expect(self, want, timeout_s=5.0, skip=None):
        """The next response or request of this call."""
        want = want if isinstance(want, tuple) else (want,)
        return self.peer.expect(tuple(w for w in want if w != skip), timeout_s, self.call_id)

    def ack_failure(self, final):
        """ACK for a non-2xx final response (same branch, RFC 3261 17.1.1.3)."""
        headers = [("Via", self.invite.get("via")), ("Max-Forwards", "70"),
                   ("From", self.invite.get("from")), ("To", final.get("to")),
                   ("Call-ID", self.call_id), ("CSeq", f"{self.invite.cseq()} ACK")]
        self.peer.send(build(f"ACK {self.invite.uri} SIP/2.0", headers))

    def cancel(self):
        """CANCEL the INVITE (same branch)."""
        headers = [("Via", self.invite.get("via")), ("Max-Forwards", "70"),
                   ("From", self.invite.get("from")), ("To", self.invite.get("to")),
                   ("Call-ID", self.call_id), ("CSeq", f"{self.invite.cseq()} CANCEL")]
        self.peer.send(build(f"CANCEL {self.invite.uri} SIP/2.0", headers))

    def established(self, final):
        """Take the dialog's state from a 200 and acknowledge it."""
        self.answer = final
        self.to = final.get("to")
        self.target = final.contact_uri() or self.target
        self.routes = [uri_of(r) for r in reversed(final.all("record-route"))]
        self.ack()

    def ack(self, body=b""):
        """ACK for a 2xx."""
        self.peer.send(self._in_dialog("ACK", self.invite.cseq(), body=body))

    # -- as callee -------------------------------------------------------------------------

    @classmethod
    def incoming(cls, peer, timeout_s=5.0):
        """Wait for an INVITE; the call is not answered yet."""
        invite = peer.expect("INVITE", timeout_s)
        call = cls(peer)
        call.invite, call.call_id = invite, invite.get("call-id")
        call.to = invite.get("from")
        call.own = f"{invite.get('to')};tag={call.tag}"
        call.target = invite.contact_uri()
        call.routes = [uri_of(r) for r in invite.all("record-route")]
        return call

    def reply(self, status, body=b"", tag=None, extra=()):
        """Answer the INVITE."""
        if tag is not None:
            self.tag = tag
            self.own = f"{self.invite.get('to')};tag={tag}"
        self.peer.reply(self.invite, status, "", self.tag, body, extra)

    # -- both ------------------------------------------------------------------------------

    def _in_dialog(self, method, cseq, body=b"", extra=()):
        headers = [("Via", self.peer.via()), ("Max-Forwards", "70"), ("From", self.own),
                   ("To", self.to), ("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}"),
                   ("Contact", self.peer.contact())]
        headers += [("Route", f"<{route}>") for route in self.routes]
        headers += list(extra)
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return build(f"{method} {self.target} SIP/2.0", headers, body)

    def send(self, method, body=b"", extra=()):
        """Send a request within the dialog (to the peer's remote, or where the INVITE came from)."""
        self.cseq += 1
        raw = self._in_dialog(method, self.cseq, body, extra)
        if method == "INVITE":
            self.invite = Message(raw)
        self.peer.send(raw, self.peer.remote or self.invite.source)
        return raw

    def bye(self, timeout_s=5.0):
        """BYE and its 200."""
        self.send("BYE")
        return self.expect(200, timeout_s)

    def offer(self, port, direction="sendrecv"):
        """An SDP of this peer."""
        return sdp(self.peer.ip, port, direction)
