"""Checks of the gateway's media by marked test calls: a flawed relay, then the real gateway."""

import os
import re
import sys

import pytest

from hwlab.assess import TOOLS, without_secrets
from hwlab.proc import run
from hwlab.topology import address

PASSWORD = "alicepw"
PBX = "asset main { address = 10.10.0.5  kind = pbx }\n"
INNER = "asset inner { address = 10.10.0.1  kind = network  packets-per-second = 300 }\n"


class Calls:
    """An assessor that can make test calls from `ext` to `peer`, with a stranger."""

    def __init__(self, lab, assessor, server_of):
        self.lab, self.assessor = lab, assessor
        self.secret = f"{lab.workdir}/test.secret"
        with open(self.secret, "w", encoding="utf-8") as out:
            out.write(PASSWORD + "\n")
        os.chmod(self.secret, 0o600)
        self.places = (server_of("ext").place("outside") + server_of("stranger").place("stranger")
                       + server_of("peer").place("inside").replace(" }", " sip-port = 5070 }"))

    def run(self, check, gateway="", number="scripted"):
        """The check's report on the gateway's outside address."""
        edge = (f"asset edge {{ address = 203.0.113.10  kind = gateway  owner-confirmed = yes  "
                f'test-user = alice  test-password-file = "{self.secret}"  '
                f'test-number = "{number}"  domain = "pbx.test"  packets-per-second = 300 }}\n')
        return self.assessor.configure(edge + PBX + INNER + self.places, gateway=gateway).run(
            "--intrusive", "--target", "edge", only=check)

    def relay(self, *flaws):
        """A relay with these flaws."""
        words = [word for flaw in flaws for word in ("--flaw", flaw)]
        daemon = self.lab.daemon(
            "gw", [sys.executable, "-m", "hwlab.flawedrelay", "--outside", address("gw"),
                   "--inside", address("gw", "eth1"), "--phone", f"{address('peer')}:5070", *words],
            f"{self.lab.workdir}/relay.log", env={**os.environ, "PYTHONPATH": TOOLS})
        daemon.wait_text("flawedrelay: ready", 10.0)
        return daemon


@pytest.fixture
def calls(lab, assessor, server_of):
    """Test calls between ext and peer."""
    return Calls(lab, assessor, server_of)


@pytest.mark.limit(150)
@pytest.mark.parametrize("check, flaw, words", [
    ("GW-03", "any-source", "of a stranger"),
    ("GW-03", "opens-late", "ms after the answer"),
    ("GW-04", "keeps", "after BYE"),
    ("GW-06", "any-payload", "25 of 25 datagrams that are no RTP of this call"),
    ("GW-06", "any-size", "5 of 25 datagrams that are no RTP of this call"),
    ("GW-07", "latch", "hears the called phone"),
    ("GW-07", "latch-pause", "while the caller is silent"),
    ("GW-08", "rtcp-bleed", "stranger"),
    ("GW-09", "any-source", "SSRC and sequence"),
], ids=["GW-03", "GW-03-opening", "GW-04", "GW-06", "GW-06-size", "GW-07", "GW-07-pause", "GW-08", "GW-09"])
@pytest.mark.proves("GW-03", "GW-04", "GW-06", "GW-07", "GW-08", "GW-09")
def test_media(calls, kamailio, gateway_of, check, flaw, words):
    """Found on a relay with the flaw, with packets as evidence; fixed on the gateway."""
    relay = calls.relay(flaw)
    bad = calls.run(check)
    assert bad.verdict(check) == "found" and bad.code == 1, bad.text + bad.stderr
    found = bad.open(check)[0]
    assert words in found["evidence"]
    assert without_secrets(bad, PASSWORD)
    seen = run(["tshark", "-r", found["pcap"], "-Y", "sip.Method == INVITE"]).stdout
    assert "203.0.113.60" in seen and "10.10.0.20" in seen
    relay.stop()
    gateway = gateway_of()
    good = calls.run(check, gateway.config)
    assert good.findings(check)[0]["change"] == "fixed" and good.code == 0, good.text + good.stderr
    gateway.wait_idle()
    assert gateway.registrations() == []


@pytest.mark.limit(150)
@pytest.mark.proves("GW-15")
def test_gw15_quality(calls, kamailio, gateway_of):
    """A relay that holds packets back, some longer, and loses others; the gateway does not."""
    relay = calls.relay("late", "jitters", "loses")
    bad = calls.run("GW-15")
    assert bad.verdict("GW-15") == "found", bad.text + bad.stderr
    evidence = bad.open("GW-15")[0]["evidence"]
    for words in (r"from outside: 1\d\.\d % of 150 packets lost", r"jitter \d\d+ ms",
                  r"one way 2\d\d ms", r"from inside: "):
        assert re.search(words, evidence), evidence
    relay.stop()
    good = calls.run("GW-15", gateway_of().config)
    assert good.findings("GW-15")[0]["change"] == "fixed", good.text


@pytest.mark.limit(150)
@pytest.mark.parametrize("check, flaw, settings, words", [
    ("GW-05", None, {"more": "media { idle-timeout = 2s }"}, "after 4 s of silence"),
    ("GW-16", None, {"remote_more": "max-calls = 2"}, "3 calls stand at once, and 2 is the limit"),
    ("GW-17", "drowns", {}, "no other call is set up"),
], ids=["GW-05", "GW-16", "GW-17"])
@pytest.mark.proves("GW-05", "GW-16", "GW-17")
def test_bounds(calls, kamailio, gateway_of, check, flaw, settings, words):
    """A relay that knows no such bound, beside the gateway's configuration; then the gateway."""
    gateway = gateway_of(**settings)
    gateway.stop()
    relay = calls.relay(*filter(None, [flaw]))
    bad = calls.run(check, gateway.config)
    assert bad.verdict(check) == "found" and bad.code == 1, bad.text + bad.stderr
    assert words in bad.open(check)[0]["evidence"], bad.text
    if check == "GW-17":
        assert "a call loses" in bad.open(check)[0]["evidence"], bad.text
    relay.stop()
    gateway.start()
    good = calls.run(check, gateway.config)
    assert good.findings(check)[0]["change"] == "fixed" and good.code == 0, good.text + good.stderr
    gateway.wait_idle()
    if check == "GW-17":
        assert address("stranger") in gateway.command("bans", "--json").stdout
        assert f"({address('stranger')}) is shut out" in good.why("GW-17"), good.text


@pytest.mark.limit(120)
def test_a_stranger_shut_out_proves_nothing(calls, kamailio, gateway_of):
    """Where the stranger's packets do not get to the gateway, silence is no evidence."""
    checks = ("GW-03", "GW-07", "GW-08", "GW-09", "GW-17")
    gateway = gateway_of()
    gateway.command("bans", "add", address("stranger"))
    report = calls.run(",".join(checks), gateway.config)
    for check in checks:
        assert report.verdict(check) == "not tested", report.text
        assert "OPTIONS from place stranger beforehand are not answered" in report.why(check)
    assert report.code == 3, report.text


def test_bounds_that_are_too_far(calls, kamailio, gateway_of):
    """A long silence is not waited for, and a large limit of calls is not filled."""
    report = calls.run("GW-05,GW-16", gateway_of().config)
    assert report.verdict("GW-05") == report.verdict("GW-16") == "not tested"
    assert "idle-timeout } is 60 s" in report.why("GW-05")
    assert "max-calls } is not set" in report.why("GW-16") and report.code == 0, report.text


@pytest.mark.limit(120)
@pytest.mark.proves("VL-12")
def test_vl12_marks(calls, kamailio, gateway_of):
    """A relay that marks nothing; then the gateway marks SIP and RTP."""
    relay = calls.relay()
    bad = calls.run("VL-12")
    assert bad.verdict("VL-12") == "found" and bad.code == 1, bad.text + bad.stderr
    for words in ("SIP of a test call arrives at place outside with DSCP 0, not CS3 (24)",
                  "RTP of a test call arrives at place inside with DSCP 0, not EF (46)"):
        assert words in bad.open("VL-12")[0]["evidence"]
    relay.stop()
    good = calls.run("VL-12", gateway_of().config)
    assert good.findings("VL-12")[0]["change"] == "fixed", good.text


@pytest.mark.limit(120)
@pytest.mark.proves("GW-02")
def test_gw02_idle_ports(calls, kamailio, gateway_of):
    """A media port that answers without a call."""
    gateway = gateway_of()
    gateway.stop()
    relay = calls.relay("echo")
    bad = calls.run("GW-02", gateway.config)
    assert bad.verdict("GW-02") == "found", bad.text + bad.stderr
    assert "answered with 2" in bad.open("GW-02")[0]["evidence"], bad.text
    relay.stop()
    gateway.start()
    good = calls.run("GW-02", gateway.config)
    assert good.findings("GW-02")[0]["change"] == "fixed", good.text


def test_no_number_and_forbidden_ones(calls):
    """Emergency numbers are never dialled."""
    relay = calls.relay()
    report = calls.run("GW-03", number="112")
    assert report.verdict("GW-03") == "not tested" and "never dialled" in report.why("GW-03")
    relay.stop()
