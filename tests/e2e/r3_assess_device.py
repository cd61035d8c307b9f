"""Checks of phones: each finds the flaw on a flawed phone and is silent on a mended one.

How to add one: a flawed phone, a mended phone (dicts of hwlab/labphone.py), and what must be seen.
"""

from hwlab.assess import certificate

DESK = "asset desk { address = 10.20.0.20  kind = phone }\n"
GOOD = {"sip": {}}


def both(assessor, phones_of, check, flawed, mended=None, asset=DESK, words=()):
    """The flawed phone's report; the finding must be gone, and called fixed, on the mended one."""
    phones = phones_of({**GOOD, **flawed})
    assessor.configure(asset)
    bad = assessor.run(*words, only=check)
    assert bad.verdict(check) == "found", bad.text
    assert bad.open(check) and bad.code == 1
    phones.stop()
    phones_of({**GOOD, **(mended or {})})
    good = assessor.run(*words, only=check)
    assert good.verdict(check) in ("clean", "not applicable"), good.text
    assert not good.open(check) and good.code == 0
    assert [f["change"] for f in good.findings(check)] == ["fixed"] * len(bad.open(check))
    return bad


def test_dv04_telnet(assessor, phones_of):
    """Telnet with a login prompt, behind option bytes."""
    bad = both(assessor, phones_of, "DV-04",
               {"telnet": {"banner": "\xff\xfd\x01\xff\xfd\x1fBusyBox v1.30 login: "}})
    assert "BusyBox v1.30 login:" in bad.open()[0]["evidence"]
    assert bad.open()[0]["port"] == 23


def test_dv06_snmp(assessor, phones_of):
    """SNMP v2c with community public."""
    bad = both(assessor, phones_of, "DV-06",
               {"snmp": {"communities": ["public"], "descr": "VoIP phone T46"}},
               {"snmp": {"communities": ["x7Kq"]}})
    assert "VoIP phone T46" in bad.open()[0]["evidence"]


def test_dv12_plain_http(lab, assessor, phones_of):
    """A page on port 80; mended by a redirect to HTTPS."""
    cert, key = certificate(lab.workdir)
    bad = both(assessor, phones_of, "DV-12", {"http": {"title": "Admin page"}},
               {"http": {"redirect": "https://10.20.0.20/"},
                "https": {"cert": cert, "key": key, "title": "Admin page"}})
    assert "Admin page" in bad.open()[0]["evidence"]
