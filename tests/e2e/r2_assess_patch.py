"""What is unpatched: the version that is told, the installed packages, the branch's life, all fused."""

import json

import pytest

from hwlab import netns
from hwlab.hornwork import binary
from hwlab.proc import run

PBX = "asset main { address = 10.10.0.5  kind = pbx }\n"
PHONE = "asset desk { address = 10.20.0.20  kind = phone }\n"
OS = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"


def status(version):
    """A host's list of packages: one."""
    return f"Package: asterisk\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"


def tracker(fixed):
    """Debian's word on one CVE."""
    return {"asterisk": {"CVE-2024-42491": {"releases": {
        "bookworm": {"status": "resolved", "fixed_version": fixed, "urgency": "not yet assigned"}}}}}


@pytest.fixture
def pbx_of(phones_of):
    """A PBX that says this of itself; an earlier one ends."""
    running = []

    def start(agent):
        while running:
            running.pop().stop()
        running.append(phones_of({"sip": {}, "agent": agent}, host="pbx"))

    return start


def take(assessor, lab, name, feed):
    """Import a feed into the assessor's own store."""
    path = f"{lab.workdir}/{name}.json"
    with open(path, "w", encoding="utf-8") as out:
        json.dump(feed, out)
    return assessor.command("assess", "import", path, "--feeds", f"{assessor.state}/feeds", check=True)


def both(assessor, pbx_of, check, flawed, mended):
    """Found on the flawed one, with its evidence; silent on the mended one."""
    pbx_of(flawed)
    bad = assessor.configure(PBX).run(only=check)
    assert bad.code == 1 and bad.open(check), bad.text
    pbx_of(mended)
    good = assessor.run(only=check)
    assert good.code == 0 and good.verdict(check) == "clean", good.text
    assert not good.open(check)
    return bad.open(check)


@pytest.mark.proves("PX-02")
def test_px02_known_cve(assessor, pbx_of):
    """Five CVEs of 18.24.2; none of 20.15.2; a banner alone is low confidence."""
    found = both(assessor, pbx_of, "PX-02", "Asterisk PBX 18.24.2", "Asterisk PBX 20.15.2")
    assert len(found) == 5 and {f["confidence"] for f in found} == {"low"}
    by_cve = {f["cve"]: f for f in found}
    assert "18.24.2 is older than 18.24.3" in by_cve["CVE-2024-42491"]["evidence"]
    assert by_cve["CVE-2024-42491"]["remediation"] == "Update to 18.24.3 or newer"
    assert by_cve["CVE-2024-42491"]["port"] == 5060


def test_px02_inside_freepbx(assessor, pbx_of):
    """FreePBX names the Asterisk inside it: both are judged."""
    pbx_of("FPBX-16.0.40(18.24.2)")
    found = assessor.configure(PBX).run(only="PX-02").open("PX-02")
    assert {"CVE-2024-42491", "CVE-2025-66039"} <= {f["cve"] for f in found}


@pytest.mark.proves("PX-02")
def test_px02_by_other_banners(assessor, phones_of):
    """A SIP side that says nothing; the web server of the PBX does."""
    pbx = phones_of({"sip": {}, "agent": "PBX", "http": {"server": "Asterisk/18.24.2"}, "tcp": {"22": "SSH-2.0-OpenSSH_9.2p1\r\n"}},
                    host="pbx")
    bad = assessor.configure(PBX).run(only="PX-02")
    assert len(bad.open("PX-02")) == 5 and bad.open("PX-02")[0]["port"] == 0, bad.text
    pbx.stop()
    phones_of({"sip": {}, "agent": "PBX", "http": {"server": "Asterisk/22.5.2"}}, host="pbx")
    assert assessor.run(only="PX-02").verdict("PX-02") == "clean"


NAMED = ("zone core { interface = eth1  trust = trusted }\n"
         "pbx main { zone = core  address = pbx.lab.test  product = asterisk }\n")


def test_px02_offers_a_patch_for_a_named_pbx(lab, assessor, pbx_of):
    """The gateway's file gives the PBX by name: what the gateway can stop is offered all the same."""
    pbx_of("Asterisk PBX 18.24.2")
    hosts = f"{lab.workdir}/hosts"
    assessor.configure(PBX, gateway=NAMED)
    command = [binary(), "assess", "-c", assessor.config_path, "--format", "json", "--quiet", "--only", "PX-02"]
    for address, offered in (("10.10.0.6", False), ("10.10.0.5", True)):
        with open(hosts, "w", encoding="utf-8") as out:
            out.write(f"{address} pbx.lab.test\n")
        done = run(netns.command(lab.ns("gw"), [
            "unshare", "-m", "sh", "-ec", f'mount --bind {hosts} /etc/hosts; exec "$@"', "sh", *command]), check=False)
        found = json.loads(done.stdout)["findings"]
        assert found, done.stderr
        assert any("patch = " in (f["shield"] or "") for f in found) == offered, done.stdout


def test_px02_without_a_version(assessor, pbx_of):
    """Nothing is called good that could not be looked at."""
    for agent, words in (("PBX", "no product"), ("Asterisk PBX", "names no version")):
        pbx_of(agent)
        report = assessor.configure(PBX).run(only="PX-02")
        assert report.verdict("PX-02") == "not tested" and words in report.why("PX-02"), report.text


@pytest.mark.proves("PX-03")
def test_px03_packages(lab, assessor, phones_of, server_of):
    """The distribution's word decides: a backported fix is a fix, whatever the version looks like."""
    phones_of({"sip": {}}, host="pbx")
    files = {"/etc/os-release": OS, "/var/lib/dpkg/status": status("1:18.24.2~dfsg-1+deb12u1")}
    host = server_of(files=files)
    assessor.configure(host.asset("main"))
    without = assessor.run(only="PX-03")
    assert without.verdict("PX-03") == "not tested" and "import" in without.why("PX-03"), without.text
    take(assessor, lab, "tracker", tracker("1:18.24.2~dfsg-1+deb12u2"))
    bad = assessor.run(only="PX-03")
    assert [f["cve"] for f in bad.open("PX-03")] == ["CVE-2024-42491"], bad.text
    assert "is older than 1:18.24.2~dfsg-1+deb12u2, in which debian fixed it" in bad.open("PX-03")[0]["evidence"]
    assert bad.open("PX-03")[0]["confidence"] == "high"
    host.stop()
    files["/var/lib/dpkg/status"] = status("1:18.24.2~dfsg-1+deb12u2")
    server_of(files=files)
    assessor.forget_host_keys()
    good = assessor.run(only="PX-03")
    assert good.verdict("PX-03") == "clean" and not good.open("PX-03"), good.text
    assert good.findings("PX-03")[0]["change"] == "fixed"


@pytest.mark.proves("PX-04")
def test_px04_exploited(lab, assessor, pbx_of):
    """What CISA lists as exploited stands out, once its catalogue was imported."""
    pbx_of("Asterisk PBX 18.24.2")
    assert assessor.configure(PBX).run(only="PX-04").verdict("PX-04") == "clean"
    take(assessor, lab, "kev", {"catalogVersion": "2025.05.01", "dateReleased": "2025-05-01T00:00:00Z",
                                "vulnerabilities": [{"cveID": "CVE-2024-42491", "dateAdded": "2025-04-30"}]})
    found = both(assessor, pbx_of, "PX-04", "Asterisk PBX 18.24.2", "Asterisk PBX 18.24.3")
    assert [f["cve"] for f in found] == ["CVE-2024-42491"] and found[0]["kev"]
    assert "exploited since 2025-04-30" in found[0]["evidence"]
    feeds = {f["name"]: f["age_days"] for f in assessor.run(only="PX-04").json["feeds"]}
    assert set(feeds) == {"voip-cves", "cisa-kev"} and feeds["cisa-kev"] > 100


@pytest.mark.proves("PX-05")
def test_px05_end_of_life(assessor, pbx_of):
    """A dead branch is never clean, however few CVEs are listed."""
    found = both(assessor, pbx_of, "PX-05", "Asterisk PBX 16.28.0", "Asterisk PBX 22.5.2")
    assert "branch 16, which gets no more fixes since 2023-10-09" in found[0]["evidence"]


@pytest.mark.proves("DV-14")
def test_dv14_firmware(assessor, phones_of):
    """A phone's firmware by its User-Agent."""
    phone = phones_of({"address": "10.20.0.20", "sip": {}, "agent": "Grandstream GXP1625 1.0.4.100"})
    bad = assessor.configure(PHONE).run(only="DV-14")
    assert bad.code == 1 and "CVE-2026-2329" in {f["cve"] for f in bad.open("DV-14")}, bad.text
    assert "quarantine" in bad.open("DV-14")[0]["shield"]
    phone.stop()
    phones_of({"address": "10.20.0.20", "sip": {}, "agent": "Grandstream GXP1625 1.0.7.90"})
    good = assessor.run(only="DV-14")
    assert good.verdict("DV-14") == "clean" and not good.open("DV-14"), good.text


def test_reports_of_a_run(lab, assessor, pbx_of):
    """Each format of a real run."""
    pbx_of("Asterisk PBX 18.24.2")
    assessor.configure(PBX)
    for form, words in (("html", "<!DOCTYPE html>"), ("sarif", '"version":"2.1.0"'), ("csv", "id,severity"),
                        ("junit", "<testsuites"), ("text", "CVE-2024-42491")):
        path = f"{lab.workdir}/report.{form}"
        done = assessor.command("assess", "-c", assessor.config_path, "--format", form, "--output", path, "--quiet",
                                "--only", "PX-02")
        assert done.returncode == 1, done.stderr
        with open(path, encoding="utf-8") as text:
            content = text.read()
        assert words in content and "CVE-2024-42491" in content, form
