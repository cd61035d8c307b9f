"""Checks of phones: each finds the flaw on a flawed phone and is silent on a mended one.

How to add one: a flawed phone, a mended phone (dicts of hwlab/labphone.py), and what must be seen.
"""

import pytest

from hwlab.assess import certificate, ssh_account

DESK = "asset desk { address = 10.20.0.20  kind = phone  packets-per-second = 100 }\n"
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


@pytest.mark.proves("DV-04")
def test_dv04_telnet(assessor, phones_of):
    """Telnet with a login prompt, behind option bytes."""
    bad = both(assessor, phones_of, "DV-04",
               {"telnet": {"banner": "\xff\xfd\x01\xff\xfd\x1fBusyBox v1.30 login: "}})
    assert "BusyBox v1.30 login:" in bad.open()[0]["evidence"]
    assert bad.open()[0]["port"] == 23


@pytest.mark.proves("DV-06")
def test_dv06_snmp(assessor, phones_of):
    """SNMP v2c with community public."""
    bad = both(assessor, phones_of, "DV-06",
               {"snmp": {"communities": ["public"], "descr": "VoIP phone T46"}},
               {"snmp": {"communities": ["x7Kq"]}})
    assert "VoIP phone T46" in bad.open()[0]["evidence"]


@pytest.mark.proves("DV-12")
def test_dv12_plain_http(lab, assessor, phones_of):
    """A page on port 80; mended by a redirect to HTTPS."""
    cert, key = certificate(lab.workdir)
    bad = both(assessor, phones_of, "DV-12", {"http": {"title": "Admin page"}},
               {"http": {"redirect": "https://10.20.0.20/"},
                "https": {"cert": cert, "key": key, "title": "Admin page"}})
    assert "Admin page" in bad.open()[0]["evidence"]


FACTORY = ("asset desk { address = 10.20.0.20  kind = phone  packets-per-second = 100  "
           "allow-default-login = yes }\n")
YEALINK = "Yealink SIP-T20P 9.70.0.1"


@pytest.mark.proves("DV-01")
def test_dv01_factory_password_of_the_web_interface(assessor, phones_of):
    """One documented account is tried, once; never without consent, never for an unknown model."""
    flawed = {"agent": YEALINK, "http": {"user": "admin", "password": "admin"}}
    bad = both(assessor, phones_of, "DV-01", flawed,
               {"agent": YEALINK, "http": {"user": "admin", "password": "k8Wq-29xm"}},
               asset=FACTORY, words=("--intrusive",))
    assert '"admin" is accepted' in bad.open()[0]["evidence"] and bad.open()[0]["port"] == 80


def test_dv01_tries_nothing_without_consent_or_a_model(assessor, phones_of):
    """No login leaves without the asset's word, without --intrusive, or for a model without facts."""
    phones = phones_of({"agent": YEALINK, "sip": {}, "http": {"user": "admin", "password": "admin"}})
    for asset, words in ((DESK, ("--intrusive",)), (FACTORY, ())):
        assessor.configure(asset).run(*words, only="DV-01")
        assert not [row for row in phones.seen(kind="http") if row["login"]]
    phones.stop()
    phones = phones_of({"agent": "Labphone L100 1.2", "sip": {}, "http": {"user": "admin"}})
    report = assessor.configure(FACTORY).run("--intrusive", only="DV-01")
    assert report.verdict("DV-01") == "not applicable" and "no factory password" in report.why("DV-01")
    assert not [row for row in phones.seen(kind="http") if row["login"]]


SETTINGS = ("<html><title>Phone</title><form action=/save>SIP Proxy <input name=proxy> Registrar "
            "<input name=registrar> Firmware upgrade <input name=url></form></html>")
LOGIN = "<html><title>Login</title><form><input name=user><input name=pw type=password></form></html>"


@pytest.mark.proves("DV-02")
def test_dv02_web_without_a_login(assessor, phones_of):
    """A page of settings for everybody; a login page is none."""
    bad = both(assessor, phones_of, "DV-02", {"http": {"body": SETTINGS}}, {"http": {"body": LOGIN}})
    assert "shows settings without a login" in bad.open()[0]["evidence"]


@pytest.mark.proves("DV-02")
def test_dv02_behind_https(lab, assessor, phones_of):
    """Sent to HTTPS, it looks there; a password in HTTP's own way mends it."""
    cert, key = certificate(lab.workdir)
    tls = {"cert": cert, "key": key}
    away = {"redirect": "https://10.20.0.20/"}
    bad = both(assessor, phones_of, "DV-02", {"http": away, "https": {**tls, "body": SETTINGS}},
               {"http": away, "https": {**tls, "body": SETTINGS, "user": "a", "password": "b"}})
    assert bad.open()[0]["port"] == 443


AUDIOCODES = "AudioCodes Mediant 500 7.20"


@pytest.mark.proves("DV-03")
def test_dv03_factory_password_of_ssh(lab, assessor, phones_of):
    """A real SSH server with the documented accounts, and one without."""
    phones_of({"sip": {}, "agent": AUDIOCODES})
    assessor.configure(FACTORY, options="guesses-per-day = 5")
    with ssh_account(lab, "desk", "Admin", "Admin"):
        bad = assessor.run("--intrusive", only="DV-03")
        assert bad.verdict("DV-03") == "found", bad.text
        assert '"Admin" is accepted' in bad.open()[0]["evidence"]
    with ssh_account(lab, "desk", "User", "User"):
        second = assessor.run("--intrusive", only="DV-03")
        assert '"User" is accepted' in second.findings("DV-03")[0]["evidence"], second.text
    with ssh_account(lab, "desk", "Admin", "9vR2-xQ71"):
        good = assessor.run("--intrusive", only="DV-03")
        assert good.findings("DV-03")[0]["change"] == "fixed", good.text


@pytest.mark.proves("DV-05")
def test_dv05_ftp(assessor, phones_of):
    """FTP by its greeting."""
    bad = both(assessor, phones_of, "DV-05", {"ftp": {"banner": "220 Labphone FTP"}})
    assert "Labphone FTP" in bad.open()[0]["evidence"] and bad.open()[0]["severity"] == "medium"


@pytest.mark.proves("DV-05")
def test_dv05_anonymous_ftp(assessor, phones_of):
    """Where logins may be tried, an anonymous one makes it worse."""
    bad = both(assessor, phones_of, "DV-05", {"ftp": {"anonymous": True}}, asset=FACTORY)
    assert bad.open()[0]["severity"] == "high" and "anonymous" in bad.open()[0]["evidence"]


FILES = ('asset desk { address = 10.20.0.20  kind = server  provisioning = {"/prov/"} }\n'
         'asset phones { subnet = 10.20.0.0/28  kind = phone  mac = "00:15:65:AA:BB:CC" }\n')
SECRET = "P2-hush-77"
CFG = f"account.1.auth_name = alice\naccount.1.password = {SECRET}\nlanguage = de\n"
MASKED = "account.1.auth_name = alice\naccount.1.password = ******\n"


@pytest.mark.proves("DV-07")
def test_dv07_tftp_hands_out_files(assessor, phones_of):
    """The file named after a declared device's hardware address."""
    bad = both(assessor, phones_of, "DV-07", {"tftp": {"files": {"001565aabbcc.cfg": CFG}}},
               {"tftp": {"files": {}}}, asset=FILES, words=("--target", "desk"))
    assert "001565aabbcc.cfg" in bad.open()[0]["evidence"] and SECRET not in bad.text


@pytest.mark.proves("DV-08")
def test_dv08_http_hands_out_files(assessor, phones_of):
    """The same by HTTP, under the declared path; with a login it is good."""
    pages = {"pages": {"/prov/SEP001565AABBCC.cnf.xml": "<device><x>1</x></device>"}}
    bad = both(assessor, phones_of, "DV-08", {"http": pages},
               {"http": {"user": "dev", "password": "x81k"}}, asset=FILES,
               words=("--target", "desk"))
    assert "/prov/SEP001565AABBCC.cnf.xml" in bad.open()[0]["evidence"]


def test_dv08_without_a_mac_nothing_is_asked(assessor, phones_of):
    """No declared hardware address: told, not tested, and no request."""
    phones = phones_of({"sip": {}, "http": {}})
    report = assessor.configure("asset desk { address = 10.20.0.20  kind = server }\n").run(only="DV-08")
    assert report.code == 0 and "no asset declares a mac" in report.why("DV-08")
    assert not phones.seen(kind="http")


@pytest.mark.proves("DV-09")
def test_dv09_secrets_in_clear(assessor, phones_of):
    """The keys' names are told, their values never."""
    bad = both(assessor, phones_of, "DV-09", {"tftp": {"files": {"001565aabbcc.cfg": CFG}}},
               {"tftp": {"files": {"001565aabbcc.cfg": MASKED}}}, asset=FILES,
               words=("--target", "desk"))
    assert "account.1.password" in bad.open()[0]["evidence"] and SECRET not in bad.text


@pytest.mark.proves("DV-13")
def test_dv13_web_interface_nobody_needs(assessor, phones_of):
    """web-admin = no and an open port 80."""
    closed = "asset desk { address = 10.20.0.20  kind = phone  packets-per-second = 100  web-admin = no }\n"
    both(assessor, phones_of, "DV-13", {"http": {}}, asset=closed)
    report = assessor.configure(DESK).run(only="DV-13")
    assert "web-admin" in report.why("DV-13")


@pytest.mark.proves("DV-15")
def test_dv15_calls_from_anybody(assessor, phones_of):
    """It rings for a stranger; the call is cancelled."""
    phones = phones_of({"sip": {"from_anyone": True}})
    report = assessor.configure(DESK).run("--intrusive", only="DV-15")
    assert report.open("DV-15") and "rang" in report.open()[0]["evidence"], report.text
    assert phones.seen(kind="sip", method="CANCEL")
    phones.stop()
    phones_of({"sip": {}})
    report = assessor.run("--intrusive", only="DV-15")
    assert report.findings("DV-15")[0]["change"] == "fixed"


@pytest.mark.proves("DV-17")
def test_dv17_remote_control(assessor, phones_of):
    """A vendor's control page without a login; behind one it is good."""
    bad = both(assessor, phones_of, "DV-17", {"http": {"pages": {"/command.htm": "ok"}}},
               {"http": {"user": "admin", "password": "q", "pages": {}}})
    assert "Snom's remote control" in bad.open()[0]["evidence"]


@pytest.mark.proves("DV-18")
def test_dv18_debug_ports(assessor, phones_of):
    """TR-069."""
    bad = both(assessor, phones_of, "DV-18", {"tcp": {"7547": ""}})
    assert bad.open()[0]["port"] == 7547


@pytest.mark.proves("DV-19")
def test_dv19_another_port_than_the_first_of_the_model(assessor, phones_of):
    """The first run makes the baseline; a port more is a finding; gone, it is fixed."""
    phones = phones_of({"sip": {}, "http": {}})
    first = assessor.configure(DESK).run(only="DV-19")
    assert first.verdict("DV-19") == "clean", first.text
    phones.stop()
    phones = phones_of({"sip": {}, "http": {}, "tcp": {"10000": "hello"}})
    bad = assessor.run(only="DV-19")
    assert [f["port"] for f in bad.open("DV-19")] == [10000], bad.text
    phones.stop()
    phones_of({"sip": {}, "http": {}})
    assert assessor.run(only="DV-19").findings("DV-19")[0]["change"] == "fixed"


VOICEMAIL = ("[general]\nformat = wav\n[default]\n100 => {0},Alice,a@x\n200 => 84639271,Bob\n"
             "[office]\n300 => -{1},Carol\n")


@pytest.mark.proves("DV-22")
def test_dv22_voicemail_pins(assessor, server_of, phones_of):
    """A PIN that is the box's number, and one of a single digit; random ones are good."""
    phones_of({"sip": {}}, host="pbx")
    host = server_of(files={"/etc/asterisk/voicemail.conf": VOICEMAIL.format("100", "0000")})
    bad = assessor.configure(host.asset("main")).run(only="DV-22")
    assert "2 voicemail boxes" in bad.open("DV-22")[0]["evidence"], bad.text
    assert "100, 300" in bad.open()[0]["evidence"] and "0000" not in bad.text
    host.stop()
    host = server_of(files={"/etc/asterisk/voicemail.conf": VOICEMAIL.format("593817", "280461")})
    assessor.forget_host_keys()
    assert assessor.run(only="DV-22").findings("DV-22")[0]["change"] == "fixed"
