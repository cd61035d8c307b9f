"""Where keys are: in the processes that need them and nowhere else, and in none of them when they are no longer needed.

The judge is the memory itself, read from /proc/PID/mem, beside everything that the gateway writes or answers.
"""

import os
import re

import pytest

from hwlab.proc import LabError, wait_until
from r4_srtp import ALLOW, SecureCall, crypto
from secure import NAME, pki, section     # noqa: F401 pylint: disable=unused-import

PASSWORD = "Zt7-correct-horse-Qy4-battery"
ROUTES = ("/v1/status", "/v1/calls", "/v1/registrations", "/v1/patches", "/v1/events", "/v1/policy", "/v1/bans",
          "/v1/leaks", "/v1/devices", "/metrics")
BLOCK = 4 << 20


def regions(pid):
    """(name, first, last) of what a process has mapped and can be read: its own and what it shares."""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            words = line.split(None, 5)
            if "r" in words[1] and not (len(words) > 5 and words[5].startswith("[v")):
                first, last = (int(x, 16) for x in words[0].split("-"))
                yield (words[5].strip() if len(words) > 5 else ""), first, last


def present(pid, first, last):
    """Parts of a region that have pages: the rest was never touched (bits 62 and 63 of /proc/PID/pagemap)."""
    page = os.sysconf("SC_PAGESIZE")
    with open(f"/proc/{pid}/pagemap", "rb") as source:
        source.seek(first // page * 8)
        rows = source.read((last - first) // page * 8)
    begun = None
    for i in range(0, len(rows), 8):
        there = rows[i + 7] & 0xc0
        if there and begun is None:
            begun = first + i // 8 * page
        if not there and begun is not None:
            yield begun, first + i // 8 * page
            begun = None
    if begun is not None:
        yield begun, last


def holds(pid, needles):
    """Which needles stand where in a process's memory: {needle's name: {region's name}}."""
    found = {}
    overlap = max(len(n) for n in needles.values())
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for name, first, last in regions(pid):
            shared = "/" in name        # a file or shared memory: pages that another process touched count too
            for low, high in ([(first, last)] if shared and last - first <= 64 << 20 else present(pid, first, last)):
                before = b""
                for at in range(low, high, BLOCK):
                    try:
                        mem.seek(at)
                        block = before + mem.read(min(BLOCK, high - at))
                    except (OSError, OverflowError, ValueError):
                        break
                    for what, needle in needles.items():
                        if needle in block:
                            found.setdefault(what, set()).add(name or "unnamed")
                    before = block[-overlap:]
    return found


def everywhere(gateway, needles):
    """{process: what `holds` says of it}, of those that hold something."""
    each = {name: holds(pid, needles) for name, pid in gateway.processes().items()}
    return {name: found for name, found in each.items() if found}


def key_needles(key, name):
    """A master key's forms: the key and the salt as they are, and the text in the description."""
    text = key.line().split("inline:")[1].strip()
    return {f"{name} key": key.master[:16], f"{name} text": text[:24].encode()}


def tls_needles(lab, folder):
    """A private key's forms: its number in either order of bytes, and its file."""
    text = lab.run("gw", ["openssl", "pkey", "-in", f"{folder}/gw.key", "-noout", "-text"]).stdout
    octets = text.split("priv:")[1].split("pub:")[0].split()
    scalar = bytes.fromhex("".join(octets).replace(":", ""))[-32:]
    with open(f"{folder}/gw.key", "rb") as key:
        armour = key.read().splitlines()[1][:40]
    return {"tls scalar": scalar, "tls scalar turned": scalar[::-1], "tls file": armour}


def said(gateway, call):
    """Everything that the gateway answers, writes and logs: {where: bytes}."""
    texts = {route: gateway.api(route)[1] for route in (*ROUTES, f"/v1/trace?call={call}", f"/v1/explain?what={call}")}
    for words in (("trace", call), ("explain", call), ("calls", "--all"), ("status",), ("registrations",), ("policy",)):
        texts[" ".join(words)] = gateway.command(*words, check=False).stdout.encode()
    texts["log"] = gateway.daemon.text().encode()
    texts["events"] = str(gateway.events()).encode()
    return texts


@pytest.fixture
def house(lab, kamailio, gateway_of, peer_at, talker_at, pki):      # noqa: F811 pylint: disable=redefined-outer-name,too-many-arguments
    """A gateway with every kind of key, and an encrypted call through it."""
    secret = os.path.join(lab.workdir, "trunk.secret")
    with open(secret, "w", encoding="ascii") as out:
        out.write(PASSWORD + "\n")
    os.chmod(secret, 0o600)
    trunk = (f'trunk carrier {{ zone = internet  peer = "udp:203.0.113.77:5060"  to = main  username = us  '
             f'password-file = "{secret}" }}\n')
    gateway = gateway_of(remote_more=f"srtp = required\n    {ALLOW}", more=section([pki.issue("gw", [f"DNS:{NAME}"])]) + trunk)
    call = SecureCall(lab, gateway, peer_at, talker_at)
    yield call
    call.voice.stop()


@pytest.mark.limit(180)
def test_keys_are_in_few_memories_and_wiped(lab, house, pki):    # noqa: F811 pylint: disable=redefined-outer-name
    """Each kind of key in the processes that need it; the call's in none when its last transaction is over."""
    call = house.establish()
    call.both_hear()
    gateway, record = call.gateway, call.record()["call"]
    media = {**key_needles(call.own, "theirs"), **key_needles(crypto(call.caller.answer)[1], "ours")}
    needles = {**media, **tls_needles(lab, pki.folder), "password": PASSWORD.encode()}
    where = {"theirs key": {"signal", "media"}, "ours key": {"signal", "media"}, "theirs text": {"signal"},
             "ours text": {"signal"}, "tls scalar": {"tls"}, "tls scalar turned": {"tls"}, "password": {"warden", "signal"}}
    found = everywhere(gateway, needles)
    for process, things in found.items():
        assert not [thing for thing in things if process not in where.get(thing, ())], (process, things)
    for process, thing in (("media", "theirs key"), ("media", "ours key"), ("signal", "theirs key"), ("warden", "password")):
        assert thing in found[process], "the search would find it"
    assert {"tls scalar", "tls scalar turned"} & set(found["tls"]), "the search would find it"
    for pid in gateway.processes().values():
        with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
            assert re.search(r"Max core file size +0 +0 ", limits.read())
        # the owner of what cannot be dumped is root, whoever it runs as (proc(5))
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    call.hang_up()
    gateway.wait_idle()
    forms = {**{name: needle.hex().encode() for name, needle in needles.items()},
             **{f"{name} plain": needle for name, needle in needles.items() if needle.isascii()}}
    for name, text in said(gateway, record).items():
        assert len(text) > 1, name
        assert not [form for form, needle in forms.items() if needle in text], name
    left = {}

    def forgotten():
        left.clear()
        left.update(everywhere(gateway, media))
        return not left
    try:
        wait_until(forgotten, 100.0, "what can be sent again is gone", 4.0)     # RFC 6026: 32 s
    except LabError as err:
        raise AssertionError(left) from err
