"""What the assessor finds the gateway shields at once, and the next run proves it fixed."""

import socket

from hwlab.assess import Assessor

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
