"""What the assessor finds the gateway shields at once, and the next run proves it fixed."""

import fcntl
import os
import socket
import subprocess
import time

import pytest

from hwlab import netns
from hwlab.assess import Assessor
from hwlab.hornwork import binary

CONFIG = """zone internet { interface = eth0 }
zone core     { interface = eth1  trust = trusted  reaches = {"voice tcp:7000"} }
zone voice    { interface = eth2  trust = trusted  role = voice }
pbx main { zone = core  address = "10.10.0.5:5060"  domain = {"pbx.test"} }
phones desk { zone = voice  to = main }
console { events = "{events}" }
assess { state = "{state}"  admins = {"10.10.0.6"} }
asset desk { address = 10.20.0.20  kind = phone }
"""
PHONE = "10.20.0.20"


def reaches(lab, host, port):
    """Whether a host can connect to the phone."""
    with lab.socket(host, socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(1.5)
        try:
            sock.connect((PHONE, port))
            return True
        except OSError:
            return False


def run(lab, gateway):
    """An assessment on the gateway's host with the gateway's own file."""
    there = Assessor(lab, "gw")
    there.config_path = gateway.config_path
    return there.run("--run-dir", gateway.run_dir, only="DV-04")


def test_found_shielded_fixed(lab, kamailio, gateway_of, phones_of):
    """Telnet is found, quarantined, found again behind the shield, mended, and the shield taken back."""
    phone = phones_of({"sip": {}, "telnet": {}, "tcp": {"7000": "hello"}})
    gateway = gateway_of(config=CONFIG.replace("{state}", f"{lab.workdir}/state"))
    before = gateway.config
    first = run(lab, gateway)
    finding = first.open("DV-04")[0]
    assert first.code == 1 and 'quarantine = {"10.20.0.20"}' in finding["shield"]
    assert reaches(lab, "peer", 7000) and not reaches(lab, "peer", 23)

    dry = gateway.command("shield", finding["id"], "--dry-run", "-c", gateway.config_path)
    assert finding["shield"] in dry.stdout and open(gateway.config_path).read() == before
    done = gateway.command("shield", finding["id"], "-c", gateway.config_path)
    assert "the gateway has taken it over" in done.stdout
    assert finding["shield"] in open(gateway.config_path).read()
    assert not reaches(lab, "peer", 7000), "quarantined: no one but administrators"
    assert reaches(lab, "ast", 23), "an administrator can still mend it"

    second = run(lab, gateway)
    assert second.code == 0, "a shielded finding does not trip the gate"
    behind = second.findings("DV-04")[0]
    assert behind["id"] == finding["id"] and behind["state"] == "shielded"
    assert behind["shielded_since"] and behind["change"] == "unchanged"
    assert gateway.command("shield", finding["id"], "-c", gateway.config_path,
                           check=False).returncode == 1, "shielded once"

    phone.stop()
    phones_of({"sip": {}, "tcp": {"7000": "hello"}})
    third = run(lab, gateway)
    assert third.code == 0 and third.findings("DV-04")[0]["state"] == "fixed"
    gateway.command("unshield", finding["id"], "-c", gateway.config_path)
    assert open(gateway.config_path).read() == before
    assert reaches(lab, "peer", 7000)
    assert gateway.command("unshield", finding["id"], "-c", gateway.config_path,
                           check=False).returncode == 1


def test_no_shield_for_a_wrong_file(lab, kamailio, gateway_of, phones_of):
    """A file that the gateway refuses stays as it was, and so does the finding."""
    phones_of({"sip": {}, "telnet": {}})
    gateway = gateway_of(config=CONFIG.replace("{state}", f"{lab.workdir}/state"))
    finding = run(lab, gateway).open("DV-04")[0]
    wrong = gateway.config.replace("eth2", "eth9")
    gateway.write_config(wrong)
    done = gateway.command("shield", finding["id"], "-c", gateway.config_path, check=False)
    assert done.returncode == 1 and "the file is as it was" in done.stderr
    assert open(gateway.config_path).read() == wrong
    gateway.write_config(wrong.replace("eth9", "eth2"))
    assert run(lab, gateway).open("DV-04")[0]["state"] == "open"
    unknown = gateway.command("shield", "f-0000000000000000", "-c", gateway.config_path, check=False)
    assert unknown.returncode == 1 and "no finding" in unknown.stderr


def test_taken_out_by_hand(lab, kamailio, gateway_of, phones_of):
    """Who deletes the lines in an editor has no shield any more, and the gate counts the finding again;
    who writes them there has one."""
    phones_of({"sip": {}, "telnet": {}})
    gateway = gateway_of(config=CONFIG.replace("{state}", f"{lab.workdir}/state"))
    before = gateway.config
    finding = run(lab, gateway).open("DV-04")[0]
    gateway.command("shield", finding["id"], "-c", gateway.config_path)
    assert run(lab, gateway).code == 0
    gateway.reload(before)
    again = run(lab, gateway)
    assert again.code == 1 and again.open("DV-04")[0]["state"] == "open"
    gateway.reload(f"{before}{finding['shield']}\n")
    by_hand = run(lab, gateway)
    assert by_hand.code == 0 and by_hand.findings("DV-04")[0]["state"] == "shielded"
    assert by_hand.findings("DV-04")[0]["shielded_since"]


@pytest.mark.limit(90)
def test_behind_the_quarantine_is_not_fixed(lab, kamailio, gateway_of, phones_of):
    """From where the quarantine hides the phone, its silence is no evidence."""
    phones_of({"sip": {}, "telnet": {}})
    config = CONFIG.replace("{state}", f"{lab.workdir}/state").replace("voice tcp:7000", "voice udp:5060")
    gateway = gateway_of(config=config)
    finding = run(lab, gateway).open("DV-04")[0]
    gateway.command("shield", finding["id"], "-c", gateway.config_path)
    outside = Assessor(lab, "peer")
    outside.config_path = gateway.config_path
    report = outside.run("--run-dir", f"{lab.workdir}/nobody", only="DV-04")
    assert report.findings("DV-04")[0]["state"] == "shielded", report.text
    assert report.findings("DV-04")[0]["change"] == "not tested" and report.code == 3


def test_editors_and_links(lab, kamailio, gateway_of, phones_of):
    """A link stays a link; two at a time do not lose each other's lines; what somebody saves between
    reading and writing is never overwritten."""
    phones_of({"sip": {}, "telnet": {}}, {"address": "10.20.0.30", "sip": {}, "telnet": {}})
    config = CONFIG.replace("{state}", f"{lab.workdir}/state")
    gateway = gateway_of(config=config + "asset other { address = 10.20.0.30  kind = phone }\n")
    ids = [finding["id"] for finding in run(lab, gateway).open("DV-04")]
    assert len(ids) == 2
    link = f"{lab.workdir}/link.conf"
    os.symlink(gateway.config_path, link)
    nobody = ["--run-dir", f"{lab.workdir}/nobody"]

    def begin(words):
        argv = netns.command(lab.ns("gw"), [binary(), *words])
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(gateway.config_path, encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        both = [begin(["shield", i, "-c", link, *nobody]) for i in ids]
        time.sleep(1)
        assert [done.poll() for done in both] == [None, None], "each waits for the file"
        with open(gateway.config_path, "a", encoding="utf-8") as editor:
            editor.write("# a line of the administrator's\n")
    out = [done.communicate(timeout=30) for done in both]
    assert [done.returncode for done in both] == [0, 0], out
    text = open(gateway.config_path, encoding="utf-8").read()
    assert all(f"shield {i} " in text for i in ids) and "# a line of the administrator's" in text
    assert os.path.islink(link)
    dry = gateway.command("unshield", ids[0], "-c", link, "--dry-run")
    assert ids[0] in dry.stdout and open(link, encoding="utf-8").read() == text
