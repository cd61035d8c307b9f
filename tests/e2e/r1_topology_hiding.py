"""Neither side ever sees the other's addresses, Via, Call-ID, tags or Contact: whole captures are searched."""

import re
import time

from hwlab.baresip import Baresip
from hwlab.capture import Capture
from hwlab.topology import ip4, ip6

INSIDE = [ip4("core", "").encode(), ip4("voice", "").encode(), ip6("core", "").encode(),
          ip6("voice", "").encode()]
OUTSIDE = [ip4("internet", "").encode(), ip4("homelan", "").encode()]


def identities(capture):
    """Call-IDs, tags, Via branches and Contact user parts that one side's capture has."""
    out = {"Call-ID": set(), "tag": set(), "branch": set(), "contact": set()}
    names = ("sip.Call-ID", "sip.from.tag", "sip.to.tag", "sip.Via.branch", "sip.contact.uri")
    for row in capture.fields("sip", *names):
        for cell, kind in zip(row, ("Call-ID", "tag", "tag", "branch", "contact")):
            values = [value for value in re.split(r",(?=\S)", cell) if value]
            out[kind].update(values)
    return out


def payloads(capture):
    """All SIP bytes of a capture, TCP streams included as they were cut."""
    rows = capture.fields("sip || tcp.port == 5060", "udp.payload", "tcp.payload")
    return b"\n".join(bytes.fromhex(cell.replace(":", "").replace(",", ""))
                      for row in rows for cell in row if cell)


def check(here, there, foreign_addresses, digest_uris=False):
    """What `here` carries has nothing of `there`.

    digest_uris: towards the PBX the credentials' own uri="..." is left out of the search: a digest
    covers it, so it names the address at which the phone asked, which is the gateway's.
    """
    raw = payloads(here)
    if digest_uris:
        raw = re.sub(rb'((?:Proxy-)?Authorization: Digest [^\r]*?uri=")[^"]*', rb"\1", raw)
    assert raw.count(b"SIP/2.0") >= 10, "the capture holds the call"
    for needle in foreign_addresses:
        assert needle not in raw, f"{needle} in {context(raw, needle)}"
    for kind, values in identities(there).items():
        assert values, f"no {kind} found on the other side: the test would prove nothing"
        for value in values:
            # a value that is shorter than this could be there by chance
            if len(value) >= 6:
                assert value.encode() not in raw, f"{kind} {value}: {context(raw, value.encode())}"


def context(raw, needle):
    """The message around a find."""
    at = raw.index(needle)
    return raw[max(0, at - 300):at + 200].decode("utf-8", "replace")


def record_call(lab, gateway, caller, callee):
    """A call with hold, resume and hang-up under capture on all sides of the gateway."""
    captures = [Capture(lab, "gw", f"eth{n}", f"eth{n}") for n in range(3)]
    alice = Baresip(lab, "alice", "phone", "%s:%d" % gateway.outside, 440, caller).start()
    bob = Baresip(lab, "bob", "desk", "%s:%d" % gateway.inside, 620, callee).start()
    for one, other in ((alice, bob), (bob, alice)):
        one.dial(other.name)
        time.sleep(0.6)
        one.hold()
        time.sleep(0.4)
        one.resume()
        time.sleep(0.4)
        since = other.mark()
        one.hangup()
        other.wait_event("CALL_CLOSED", since=since)
    gateway.wait_idle()
    for capture in captures:
        capture.stop()
    return captures


def test_over_udp(lab, gateway):
    outside, core, voice = record_call(lab, gateway, "udp", "udp")
    check(outside, core, INSIDE)
    check(outside, voice, INSIDE)
    check(core, outside, OUTSIDE + [ip4("voice", "").encode()], digest_uris=True)
    check(voice, outside, OUTSIDE + [ip4("core", "").encode()])


def test_over_tcp(lab, gateway):
    outside, core, voice = record_call(lab, gateway, "tcp", "tcp")
    check(outside, core, INSIDE)
    check(core, outside, OUTSIDE, digest_uris=True)
    check(voice, outside, OUTSIDE)


def test_media_shows_only_the_gateways_addresses(lab, gateway):
    """On each side every packet of the call runs between that side's phone and the gateway."""
    outside, core, _voice = record_call(lab, gateway, "udp", "udp")
    for capture, prefix in ((outside, ip4("internet", "")), (core, ip4("core", ""))):
        rows = capture.fields("ip", "ip.src", "ip.dst")
        assert len(rows) > 20
        assert all(a.startswith(prefix) and b.startswith(prefix) for a, b in rows)
