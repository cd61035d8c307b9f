"""The lab phone: devices that behave as their makers document it, for the assessor's tests.

One process plays any number of them, each on an address of its own. A phone is a dict; what is not
there is not open:

    {"address": "10.20.0.20",
     "agent": "Yealink SIP-T46S 66.84.0.15",        # User-Agent of SIP answers; default below
     "sip": {"registrar": {"users": ["100"], "known": "401 Unauthorized", "unknown": "404 Not Found"},
            "from_anyone": true, "auto_answer": false, "port": 5060, "silent": false},
     "http": {"title": "Yealink T46S", "user": "admin", "password": "admin", "auth": "basic",
              "redirect": "https://10.20.0.20/", "pages": {"/path": "text"}, "server": "..."},
     "https": {... as http, with "cert": FILE, "key": FILE},
     "telnet": {"banner": "BusyBox login: ", "port": 23},
     "ftp": {"banner": "220 ready", "anonymous": true},
     "snmp": {"communities": ["public"], "descr": "Yealink SIP-T46S"},
     "tftp": {"files": {"name": "text"}},
     "tcp": {"7547": "banner or empty"},            # other open ports
     "dies_after": 3}                               # SIP requests after which it falls silent

It counts what it is sent and writes it to `--log` as JSON lines: {"t", "address", "kind", ...}.
Run: python3 -m hwlab.labphone --spec FILE --log FILE
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import os
import ssl
import time

AGENT = "Labphone L100 1.2.3"


class Phone:
    """One device: its services' protocol logic, without sockets."""

    def __init__(self, spec, log):
        self.spec, self.log = spec, log
        self.address = spec["address"]
        self.requests = 0

    def note(self, kind, **more):
        """A line of the log."""
        self.log.write(json.dumps({"t": time.time(), "address": self.address, "kind": kind,
                                   **more}) + "\n")
        self.log.flush()

    def dead(self):
        """Whether it has fallen silent."""
        limit = self.spec.get("dies_after")
        return limit is not None and self.requests > limit

    # -- SIP -------------------------------------------------------------------------------

    def sip(self, data):
        """Answers to a datagram: a list of bytes."""
        self.requests += 1
        text = data.decode("utf-8", "replace")
        head = text.split("\r\n\r\n")[0].split("\r\n")
        method = head[0].split(" ")[0]
        self.note("sip", method=method)
        rules = self.spec.get("sip", {})
        if self.dead() or rules.get("silent") or method in ("ACK", "SIP/2.0"):
            return []
        if method in rules.get("enumerate", {}).get("methods", ()):
            return [self._by_user(head, rules["enumerate"])]
        if method in rules.get("methods", {}):
            return [self._sip_reply(head, rules["methods"][method])]
        if method == "INVITE" and "media" in rules:
            return self._by_profile(head, text, rules["media"])
        if method == "INVITE":
            if not rules.get("from_anyone"):
                return [self._sip_reply(head, "403 Forbidden")]
            out = [self._sip_reply(head, "180 Ringing")]
            if rules.get("auto_answer"):
                body = ("v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\n"
                        "m=audio 20000 RTP/AVP 0\r\n").format(self.address)
                out.append(self._sip_reply(head, "200 OK", body))
            return out
        if method == "REGISTER":
            return [self._register(head, rules.get("registrar"))]
        return [self._sip_reply(head, "200 OK")]

    def _by_profile(self, head, text, rules):
        """{"profiles": ["RTP/SAVP"], "answer": True, "suite": "..."}: other offers get 488."""
        profile = next((line.split(" ")[2] for line in text.split("\r\n")
                        if line.startswith("m=audio")), "")
        if profile not in rules["profiles"]:
            return [self._sip_reply(head, "488 Not Acceptable Here")]
        out = [self._sip_reply(head, "180 Ringing")]
        if rules.get("answer"):
            body = (f"v=0\r\no=- 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\n"
                    f"t=0 0\r\nm=audio 20000 {profile} 0\r\n")
            number = {"AES_CM_128_HMAC_SHA1_32": 1}.get(rules.get("suite"), 2)
            if "suite" in rules:
                body += f"a=crypto:{number} {rules['suite']} inline:{'A' * 40}\r\n"
            out = [self._sip_reply(head, "200 OK", body)]
        return out

    def _by_user(self, head, rules):
        """{"users": ["100"], "known": status, "unknown": status} for a request's user."""
        known = any(f"sip:{user}@" in head[0] for user in rules.get("users", []))
        return self._sip_reply(head, rules["known" if known else "unknown"])

    def _register(self, head, rules):
        """A registrar: {"users": ["100"], "known": status, "unknown": status}; {"open": True}
        takes anybody; "challenge" is its WWW-Authenticate, {nonce} in it a fresh one each time."""
        if rules is None:
            return self._sip_reply(head, "405 Method Not Allowed")
        if rules.get("open"):
            keep = [line for line in head if line.lower().startswith("contact:")]
            expires = next((line for line in head if line.lower().startswith("expires:")), "")
            seconds = expires.split(":")[1].strip() if expires else "3600"
            if int(seconds) and int(seconds) < rules.get("min_expires", 0):
                return self._sip_reply(head, "423 Interval Too Brief")
            if len(keep) > rules.get("max_contacts", 99):
                return self._sip_reply(head, "403 Too Many Contacts")
            seconds = min(int(seconds), rules.get("max_expires", int(seconds)))
            return self._sip_reply(head, "200 OK", more=[f"{keep[0]};expires={seconds}"] if keep else ())
        to = next(line for line in head if line.lower().startswith("to:"))
        known = any(f"sip:{user}@" in to for user in rules.get("users", []))
        status = rules.get("known" if known else "unknown", "401 Unauthorized")
        challenge = rules.get("challenge",
                              'Digest realm="lab", nonce="n1", algorithm=MD5, qop="auth"')
        if isinstance(challenge, str):
            challenge = [challenge]
        more = ["WWW-Authenticate: " + c.replace("{nonce}", os.urandom(16).hex()) for c in challenge]
        return self._sip_reply(head, status, more=more if status.startswith("401") else ())

    def _sip_reply(self, head, status, body="", more=()):
        keep = [line for line in head[1:]
                if line.split(":")[0].lower() in ("via", "from", "call-id", "cseq")]
        to = next((line for line in head[1:] if line.lower().startswith("to:")), "To: <sip:x>")
        lines = [f"SIP/2.0 {status}", *keep, to if "tag=" in to else f"{to};tag=lab1",
                 *([] if any("contact:" in m.lower() for m in more) else
                   [f"Contact: <sip:phone@{self.spec.get('contact_host', self.address)}>"]),
                 f"User-Agent: {self.spec.get('agent', AGENT)}",
                 "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER", *more]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    # -- HTTP ------------------------------------------------------------------------------

    def http(self, rules, request):
        """The answer to a request's head (and body)."""
        line = request.split("\r\n")[0].split(" ")
        path = line[1] if len(line) > 1 else "/"
        headers = {name.strip().lower(): value.strip() for name, _, value in
                   (h.partition(":") for h in request.split("\r\n\r\n")[0].split("\r\n")[1:])}
        self.note("http", method=line[0], path=path, login="authorization" in headers)
        server = [("Server", rules.get("server", "labphone"))]
        if rules.get("redirect"):
            return _http("302 Found", [("Location", rules["redirect"]), *server], "")
        if path in rules.get("pages", {}):
            return _http("200 OK", server, rules["pages"][path])
        if rules.get("user") is not None and not self._login(rules, line[0], path, headers):
            realm = rules.get("title", "phone")
            value = f'Basic realm="{realm}"' if rules.get("auth", "basic") == "basic" else \
                f'Digest realm="{realm}", nonce="a1b2c3", qop="auth", algorithm=MD5'
            return _http("401 Unauthorized", [("WWW-Authenticate", value), *server], "login")
        if path not in ("/", "/index.html", *rules.get("admin_paths", [])):
            return _http("404 Not Found", server, "no such page")
        title = rules.get("title", "phone")
        body = rules.get("body") or (
            f"<html><head><title>{title}</title></head><body><form action=/config>"
            "<input name=AccountPassword type=password></form></body></html>")
        return _http("200 OK", server, body)

    @staticmethod
    def _login(rules, method, path, headers):
        given = headers.get("authorization", "")
        user, password = rules["user"], rules.get("password", "")
        if given.startswith("Basic "):
            wanted = base64.b64encode(f"{user}:{password}".encode()).decode()
            return given[6:] == wanted
        if not given.startswith("Digest "):
            return False
        part = {k.strip(): v.strip().strip('"') for k, _, v in
                (item.partition("=") for item in given[7:].split(","))}
        a1 = hashlib.md5(f"{user}:{part.get('realm')}:{password}".encode()).hexdigest()
        a2 = hashlib.md5(f"{method}:{path}".encode()).hexdigest()
        text = ":".join([a1, part.get("nonce", ""), part.get("nc", ""), part.get("cnonce", ""),
                         part.get("qop", ""), a2])
        return hashlib.md5(text.encode()).hexdigest() == part.get("response")

    # -- SNMP, TFTP ------------------------------------------------------------------------

    def snmp(self, data):
        """The answer to a GetRequest of sysDescr.0, or None."""
        rules = self.spec["snmp"]
        community = _community(data)
        self.note("snmp", community=community)
        if community not in rules.get("communities", []):
            return None
        descr = rules.get("descr", AGENT).encode()[:100]
        at = data.index(bytes([0x04, len(community)])) + 2 + len(community)
        ident = data[at + 2:at + 2 + 2 + data[at + 3]]
        bind = _tlv(0x30, data[data.index(b"\x06\x08"):][:10] + _tlv(0x04, descr))
        pdu = _tlv(0xa2, ident + b"\x02\x01\x00\x02\x01\x00" + _tlv(0x30, bind))
        version = data[2:2 + 2 + data[3]]
        return _tlv(0x30, version + _tlv(0x04, community.encode()) + pdu)

    def tftp(self, data):
        """The first block of a file, or an error."""
        name = data[2:].split(b"\0")[0].decode("utf-8", "replace")
        self.note("tftp", name=name)
        text = self.spec["tftp"].get("files", {}).get(name)
        if text is None:
            return b"\0\5\0\1no such file\0"
        return b"\0\3\0\1" + text.encode()[:511]


def _http(status, headers, body):
    lines = [f"HTTP/1.1 {status}", *(f"{k}: {v}" for k, v in headers), "Content-Type: text/html",
             f"Content-Length: {len(body.encode())}", "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def _tlv(tag, content):
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return bytes([tag]) + length + content


def _community(data):
    at = 2 + (data[1] - 128 if data[1] >= 128 else 0)
    at += 2 + data[at + 1]
    return data[at + 2:at + 2 + data[at + 1]].decode("ascii", "replace")


# -- sockets -------------------------------------------------------------------------------


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer, self.transport = answer, None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if data.strip():
            for reply in self.answer(data):
                self.transport.sendto(reply, addr)


async def _udp(phone, port, answer):
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(answer), local_addr=(phone.address, port))


async def _tftp(phone):
    """Answers come from a port of their own, as RFC 1350 has it."""
    loop = asyncio.get_running_loop()

    class Door(asyncio.DatagramProtocol):
        """The well-known port."""

        def datagram_received(self, data, addr):
            """Answers a read request from a new port."""
            if data[:2] != b"\0\1":
                return

            async def serve():
                transport, _ = await loop.create_datagram_endpoint(
                    asyncio.DatagramProtocol, local_addr=(phone.address, 0))
                transport.sendto(phone.tftp(data), addr)
                await asyncio.sleep(2)
                transport.close()
            loop.create_task(serve())
    await loop.create_datagram_endpoint(Door, local_addr=(phone.address, 69))


def _web(phone, rules):
    async def serve(reader, writer):
        with contextlib.suppress(Exception):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            text = head.decode("utf-8", "replace")
            length = next((int(line.split(":")[1]) for line in text.split("\r\n")
                           if line.lower().startswith("content-length:")), 0)
            if length:
                text += (await asyncio.wait_for(reader.readexactly(length), 30)).decode(
                    "utf-8", "replace")
            writer.write(phone.http(rules, text))
            await writer.drain()
        writer.close()
    return serve


def _pong(phone):
    """SIP over TLS as far as keep-alives (RFC 5626 3.5.1)."""
    async def serve(reader, writer):
        phone.note("tls")
        with contextlib.suppress(Exception):
            if await asyncio.wait_for(reader.readexactly(4), 10) == b"\r\n\r\n":
                writer.write(b"\r\n")
                await writer.drain()
        writer.close()
    return serve


def _banner(phone, kind, text, answers=None):
    async def serve(reader, writer):
        phone.note(kind)
        with contextlib.suppress(Exception):
            if text:
                writer.write(text.encode("latin-1"))
                await writer.drain()
            while line := await asyncio.wait_for(reader.readline(), 20):
                phone.note(kind, line=line.decode("latin-1").strip())
                if answers:
                    writer.write(answers(line.decode("latin-1").strip()).encode("latin-1"))
                    await writer.drain()
        writer.close()
    return serve


def _ftp_answers(rules):
    def answer(line):
        word = line.split(" ")[0].upper()
        if word == "USER":
            return "331 password please\r\n"
        if word == "PASS":
            return "230 logged in\r\n" if rules.get("anonymous") else "530 no\r\n"
        return "221 bye\r\n" if word == "QUIT" else "502 no\r\n"
    return answer


async def _start(phone):
    spec = phone.spec
    tcp = []
    if "sip" in spec:
        await _udp(phone, spec["sip"].get("port", 5060), phone.sip)
    if "snmp" in spec:
        await _udp(phone, 161, lambda data: [r for r in [phone.snmp(data)] if r])
    if "tftp" in spec:
        await _tftp(phone)
    if "http" in spec:
        tcp.append((spec["http"].get("port", 80), _web(phone, spec["http"]), None))
    if "https" in spec:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(spec["https"]["cert"], spec["https"]["key"])
        tcp.append((spec["https"].get("port", 443), _web(phone, spec["https"]), context))
    if "tls" in spec:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(spec["tls"].get("ciphers", "DEFAULT"))
        context.minimum_version = ssl.TLSVersion[spec["tls"].get("min", "TLSv1_2")]
        context.maximum_version = ssl.TLSVersion[spec["tls"].get("max", "TLSv1_3")]
        context.load_cert_chain(spec["tls"]["cert"], spec["tls"]["key"])
        if "client_ca" in spec["tls"]:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(spec["tls"]["client_ca"])
        tcp.append((5061, _pong(phone), context))
    if "telnet" in spec:
        tcp.append((spec["telnet"].get("port", 23), _banner(
            phone, "telnet", spec["telnet"].get("banner", "\xff\xfd\x01login: ")), None))
    if "ftp" in spec:
        tcp.append((21, _banner(phone, "ftp", spec["ftp"].get("banner", "220 ready") + "\r\n",
                                _ftp_answers(spec["ftp"])), None))
    for port, text in spec.get("tcp", {}).items():
        tcp.append((int(port), _banner(phone, f"tcp-{port}", text), None))
    for port, serve, context in tcp:
        await asyncio.start_server(serve, phone.address, port, ssl=context)


async def _main(specs, log_path):
    with open(log_path, "a", encoding="utf-8") as log:
        for spec in specs:
            await _start(Phone(spec, log))
        print("labphone: ready", flush=True)
        await asyncio.Event().wait()


def main():
    """The process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", required=True)
    parser.add_argument("--log", required=True)
    options = parser.parse_args()
    with open(options.spec, encoding="utf-8") as spec:
        specs = json.load(spec)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(specs, options.log))
    return os.EX_OK


if __name__ == "__main__":
    raise SystemExit(main())
