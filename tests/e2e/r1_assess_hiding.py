"""Private addresses outside: in answers, and in what the gateway kept of its calls."""

import os

import pytest

from hwlab import fakeapi
from hwlab.topology import address

EDGE = "asset edge { address = 203.0.113.10  kind = gateway  owner-confirmed = yes }\n"
STRANGER = "asset edge { address = 203.0.113.66  kind = pbx  owner-confirmed = yes }\n"


@pytest.mark.proves("GW-11")
def test_gw11_private_address_in_an_answer(assessor, server_of, phones_of):
    """A PBX at the edge names its inside address in Contact; then its public one."""
    place = server_of("ext").place("outside")
    own = {"address": address("stranger"), "sip": {}}
    flawed = phones_of({**own, "contact_host": "10.10.0.5"}, host="stranger")
    bad = assessor.configure(STRANGER + place).run(only="GW-11")
    assert bad.verdict("GW-11") == "found" and bad.code == 1, bad.text + bad.stderr
    assert "Contact tells 10.10.0.5" in bad.open()[0]["evidence"]
    flawed.stop()
    phones_of(own, host="stranger")
    good = assessor.run(only="GW-11")
    assert {f["change"] for f in good.findings("GW-11")} == {"fixed"} and good.code == 0, good.text


@pytest.mark.limit(120)
def test_gw11_our_gateway_tells_nothing(assessor, server_of, gateway, kamailio, scripted_call):
    """A call from the internet into the core network: answers and its messages are searched."""
    call = scripted_call(gateway).establish()
    call.hang_up()
    record = gateway.calls(ended=True)[-1]["call"]
    sent = [s for s in gateway.ask("trace", record) if s["direction"] == "out"]
    assert any(s["destination"].startswith(address("ext")) for s in sent), sent
    report = assessor.configure(EDGE + server_of("ext").place("outside")).run(
        "--run-dir", gateway.run_dir, only="GW-11")
    assert report.verdict("GW-11") == "clean" and report.code == 0, report.text


def _steps(inside):
    """A phone behind a NAT calls; the answer has its Via and an address of ours."""
    via = "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK1\r\n"
    outer, us = "203.0.113.50:5060", "203.0.113.10:5060"
    return [{"direction": "in", "source": outer, "destination": us,
             "text": f"INVITE sip:1@pbx.test SIP/2.0\r\n{via}"
                     "Contact: <sip:a@192.168.1.20:5060>\r\n\r\n"},
            {"direction": "out", "source": "10.10.0.1:5060", "destination": "10.10.0.5:5060",
             "text": "INVITE sip:1@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.10.0.1\r\n\r\n"},
            {"direction": "out", "source": us, "destination": outer,
             "text": f"SIP/2.0 200 OK\r\n{via}Contact: <sip:203.0.113.10>\r\n\r\n"
                     f"v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\nc=IN IP4 {inside}\r\n"}]


@pytest.mark.parametrize("inside", ["10.10.0.20", "fd00:10::20"])
@pytest.mark.proves("GW-11")
def test_gw11_private_address_in_a_call(lab, assessor, inside):
    """SDP of a kept message names a host of the inside; the phone's own address is no leak."""
    run_dir = f"{lab.workdir}/run"
    os.makedirs(run_dir)
    assessor.configure("asset edge { address = 10.20.0.1  kind = gateway }\n")
    for host, verdict in ((inside, "found"), ("203.0.113.10", "clean")):
        server = fakeapi.serve(f"{run_dir}/control.sock", {"/v1/calls": [{"call": "c1"}],
                                                                   "/v1/trace": _steps(host)})
        report = assessor.run("--run-dir", run_dir, only="GW-11")
        server.shutdown()
        server.server_close()
        os.remove(f"{run_dir}/control.sock")
        assert report.verdict("GW-11") == verdict, report.text + report.stderr
        if verdict == "found":
            assert report.open()[0]["evidence"] == f"call c1: c= tells {inside}"
    assert report.findings("GW-11")[0]["change"] == "fixed"
