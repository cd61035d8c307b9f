"""Checks of the gateway's media by marked test calls: a flawed relay, then the real gateway."""

import os
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
    ("GW-04", "keeps", "after BYE"),
    ("GW-06", "any-payload", "no RTP of this call"),
    ("GW-07", "latch", "hears the called phone"),
    ("GW-08", "rtcp-bleed", "stranger"),
    ("GW-09", "any-source", "SSRC and sequence"),
])
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


@pytest.mark.limit(120)
def test_gw02_idle_ports(calls, kamailio, gateway_of):
    """A media port that answers without a call."""
    gateway = gateway_of()
    gateway.stop()
    relay = calls.relay("echo")
    bad = calls.run("GW-02", gateway.config)
    assert bad.verdict("GW-02") == "found", bad.text + bad.stderr
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
