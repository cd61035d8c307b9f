"""SIP messages for scripted peers: small, forgiving, and independent of the gateway's own codec."""

import hashlib
import re

COMPACT = {"v": "via", "f": "from", "t": "to", "m": "contact", "i": "call-id", "l": "content-length",
           "c": "content-type", "k": "supported", "e": "content-encoding", "s": "subject",
           "o": "event", "r": "refer-to", "u": "allow-events", "x": "session-expires"}


class Message:
    """One parsed message: start line, headers in order, body; raw bytes and source kept."""

    def __init__(self, raw, source=None):
        self.raw, self.source = raw, source
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        self.start = lines[0]
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((COMPACT.get(name, name), value.strip()))
        words = self.start.split(" ", 2)
        self.status = int(words[1]) if words[0].startswith("SIP/") else None
        self.method = (self.get("cseq").split() or [""])[-1] if self.status else words[0]
        self.uri = None if self.status else words[1]

    def get(self, name, default=""):
        """First value of a header."""
        return next((v for n, v in self.headers if n == name.lower()), default)

    def all(self, name):
        """All values of a header, lists split at commas outside of <> and quotes."""
        out = []
        for found, value in self.headers:
            if found == name.lower():
                out += [part.strip() for part in
                        re.findall(r'(?:[^,<"]|<[^>]*>|"[^"]*")+', value)]
        return out

    def cseq(self):
        """CSeq number."""
        return int(self.get("cseq").split()[0])

    def tag(self, name):
        """The tag of From or To, or ''."""
        found = re.search(r";\s*tag=([^;>\s]+)", self.get(name))
        return found.group(1) if found else ""

    def contact_uri(self):
        """URI of the first Contact, or ''."""
        return uri_of(self.all("contact")[0]) if self.all("contact") else ""

    def sdp_media(self):
        """(address, port) of the first media line of the body, or None."""
        text = self.body.decode("utf-8", "replace")
        media = re.search(r"^m=\w+ (\d+)", text, re.M)
        where = re.search(r"^c=IN IP[46] ([^\s/]+)", text, re.M)
        return (where.group(1), int(media.group(1))) if media and where else None


def uri_of(value):
    """The URI in a name-addr or addr-spec."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def build(start, headers, body=b""):
    """Bytes of a message; Content-Length is added."""
    lines = [start] + [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def frames(buffer):
    """Split whole messages off a stream's buffer: (list of raw messages, rest)."""
    out = []
    while True:
        buffer = buffer.lstrip(b"\r\n")
        head, sep, rest = buffer.partition(b"\r\n\r\n")
        if not sep:
            return out, buffer
        found = re.search(rb"^(?:content-length|l)\s*:\s*(\d+)", head, re.I | re.M)
        size = int(found.group(1)) if found else 0
        if len(rest) < size:
            return out, buffer
        out.append(head + sep + rest[:size])
        buffer = rest[size:]


def _md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def digest(challenge, method, uri, user, password):
    """Value of an Authorization header that answers a Digest challenge (MD5, RFC 2617)."""
    fields = {k.lower(): q or v for k, q, v in
              re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', challenge)}
    ha1 = _md5(f"{user}:{fields['realm']}:{password}")
    ha2 = _md5(f"{method}:{uri}")
    value = (f'Digest username="{user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
             f'uri="{uri}", algorithm=MD5')
    if "auth" in fields.get("qop", ""):
        answer = _md5(f"{ha1}:{fields['nonce']}:00000001:c0ffee:auth:{ha2}")
        value += f', qop=auth, nc=00000001, cnonce="c0ffee", response="{answer}"'
    else:
        value += f', response="{_md5(":".join((ha1, fields["nonce"], ha2)))}"'
    if "opaque" in fields:
        value += f', opaque="{fields["opaque"]}"'
    return value


def sdp(ip, port, direction="sendrecv", payload=0, extra=""):
    """An SDP with one audio line (G.711)."""
    version = 6 if ":" in ip else 4
    name = "PCMU" if payload == 0 else "PCMA"
    return (f"v=0\r\no=- 1 1 IN IP{version} {ip}\r\ns=-\r\nc=IN IP{version} {ip}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {payload}\r\na=rtpmap:{payload} {name}/8000\r\n"
            f"a={direction}\r\n{extra}").encode()
