"""Checks of devices on daemons as Debian ships them: flawed by their settings, then mended by them."""

import os

import pytest

from hwlab.assess import certificate, ssh_account
from hwlab.proc import wait_until
from hwlab.topology import address

HOST = "desk"
AT = address(HOST)
DESK = f"asset desk {{ address = {AT}  kind = phone  packets-per-second = 100  allow-default-login = yes }}\n"
SERVER = (f'asset desk {{ address = {AT}  kind = server }}\n'
          'asset phones { subnet = 10.20.0.0/28  kind = phone  mac = "00:15:65:AA:BB:CC" }\n')


class Daemons:
    """Daemons on one host, each in a folder of its own."""

    def __init__(self, lab):
        self.lab, self.running = lab, []

    def file(self, name, text, mode=0o644):
        """A file in the test's folder; its path."""
        path = f"{self.lab.workdir}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def listens(self, port):
        """Whether something on the host listens at this port of UDP or TCP."""
        rows = self.lab.run(HOST, ["ss", "-Hlntu"]).stdout.splitlines()
        return any(row.split()[4].endswith(f":{port}") for row in rows)

    def start(self, port, *argv, **env):
        """Start one and wait until its port is open."""
        name = os.path.basename(argv[0]) + f"-{len(self.running)}"
        self.running.append(self.lab.daemon(HOST, list(argv), f"{self.lab.workdir}/{name}.log",
                                            env={**os.environ, **env}))
        wait_until(lambda: self.listens(port), 15, f"{argv[0]} at port {port}")

    def stop(self):
        """End them all."""
        for daemon in self.running:
            daemon.stop()
        self.running = []


@pytest.fixture
def daemons(lab):
    """Daemons of this test."""
    started = Daemons(lab)
    yield started
    started.stop()


def found(assessor, check, asset, *words):
    """The report on the flawed target, with a finding."""
    report = assessor.configure(asset).run("--target", "desk", only=check)
    assert report.verdict(check) == "found" and report.code == 1, report.text + report.stderr
    evidence = " ".join(f["evidence"] for f in report.open(check))
    for word in words:
        assert word in evidence, evidence
    return report


def fixed(assessor, check):
    """On the mended target every finding is called fixed."""
    report = assessor.run("--target", "desk", only=check)
    assert not report.open(check) and report.code == 0, report.text + report.stderr
    assert {f["change"] for f in report.findings(check)} == {"fixed"}, report.text


@pytest.mark.proves("DV-04")
def test_dv04_busybox_telnetd(daemons, assessor, phones_of):
    """Telnet with a login; then it is switched off."""
    phones_of({"sip": {}})
    login = daemons.file("login", "#!/bin/sh\nprintf 'login: '\nsleep 20\n", 0o755)
    daemons.start(23, "/bin/busybox", "telnetd", "-F", "-b", f"{AT}:23", "-l", login,
                  "-f", daemons.file("issue", "Lab phone 1.0\n"))
    found(assessor, "DV-04", DESK, "Lab phone 1.0")
    daemons.stop()
    fixed(assessor, "DV-04")


@pytest.mark.proves("DV-05")
def test_dv05_vsftpd(daemons, assessor, phones_of):
    """FTP that takes anybody; then it is switched off."""
    phones_of({"sip": {}})
    os.makedirs(f"{daemons.lab.workdir}/empty", mode=0o555, exist_ok=True)
    conf = daemons.file("vsftpd.conf", f"listen=YES\nlisten_address={AT}\nanonymous_enable=YES\n"
                        "ftp_username=daemon\nbackground=NO\nseccomp_sandbox=NO\nxferlog_enable=NO\n"
                        f"secure_chroot_dir={daemons.lab.workdir}/empty\n")
    daemons.start(21, "/usr/sbin/vsftpd", conf)
    found(assessor, "DV-05", DESK, "vsFTPd", "anonymous")
    daemons.stop()
    fixed(assessor, "DV-05")


@pytest.mark.proves("DV-06")
def test_dv06_snmpd(daemons, assessor, phones_of):
    """Net-SNMP answers community public; then a community that nobody knows."""
    phones_of({"sip": {}})
    for community in ("public", "k8Wq29xm"):
        conf = daemons.file("snmpd.conf", f"rocommunity {community}\nsysDescr lab phone by Net-SNMP\n")
        daemons.start(161, "/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", conf, f"udp:{AT}:161",
                      SNMP_PERSISTENT_DIR=f"{daemons.lab.workdir}/snmp", MIBS="")
        if community == "public":
            found(assessor, "DV-06", DESK, "lab phone by Net-SNMP")
        else:
            fixed(assessor, "DV-06")
        daemons.stop()


@pytest.mark.proves("DV-07")
def test_dv07_tftpd(daemons, assessor, phones_of):
    """tftpd-hpa hands out a phone's configuration; then its folder is empty."""
    phones_of({"sip": {}})
    path = daemons.file("tftp/001565aabbcc.cfg", "account.1.auth_name = alice\n")
    daemons.start(69, "/usr/sbin/in.tftpd", "-L", "-u", "root", "-a", f"{AT}:69", "-s",
                  f"{daemons.lab.workdir}/tftp")
    found(assessor, "DV-07", SERVER, "001565aabbcc.cfg")
    os.remove(path)
    fixed(assessor, "DV-07")


NGINX = """user root;
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{ listen {at}:80; return 301 https://{at}$request_uri; }}
  server {{ listen {at}:443 ssl; listen {at}:5061 ssl; ssl_certificate {cert}; ssl_certificate_key {key};
            ssl_protocols {protocols}; ssl_ciphers ALL:@SECLEVEL=0; return 200 "lab phone"; }}
}}
"""


def nginx(daemons, cert, key, protocols="TLSv1.2 TLSv1.3"):
    """nginx with HTTPS, to which HTTP leads."""
    folder = f"{daemons.lab.workdir}/nginx"
    conf = daemons.file("nginx/nginx.conf", NGINX.format(dir=folder, at=AT, cert=cert, key=key,
                                                         protocols=protocols))
    daemons.start(443, "/usr/sbin/nginx", "-e", "stderr", "-p", folder, "-c", conf)


@pytest.mark.proves("DV-12")
def test_dv12_busybox_httpd_then_nginx(lab, daemons, assessor, phones_of):
    """A page in clear; then a redirect to HTTPS."""
    phones_of({"sip": {}})
    page = daemons.file("www/index.html", "<html><title>Lab phone</title></html>\n")
    daemons.start(80, "/bin/busybox", "httpd", "-f", "-p", f"{AT}:80", "-h", os.path.dirname(page))
    found(assessor, "DV-12", DESK, "Lab phone")
    daemons.stop()
    nginx(daemons, *certificate(lab.workdir))
    fixed(assessor, "DV-12")


@pytest.mark.proves("EN-03", "EN-05")
def test_en03_en05_nginx(lab, daemons, assessor, phones_of):
    """Old TLS and a certificate that ends in five days; then neither."""
    phones_of({"sip": {}})
    nginx(daemons, *certificate(lab.workdir, "old", days=5), protocols="TLSv1 TLSv1.1 TLSv1.2")
    bad = assessor.configure(DESK).run(only="EN-03,EN-05")
    assert bad.verdict("EN-03") == bad.verdict("EN-05") == "found", bad.text + bad.stderr
    assert "TLSv1.1 is accepted" in bad.open("EN-03")[0]["evidence"]
    daemons.stop()
    nginx(daemons, *certificate(lab.workdir, "new"))
    good = assessor.run(only="EN-03,EN-05")
    assert {f["change"] for f in good.findings()} == {"fixed"} and good.code == 0, good.text


@pytest.mark.limit(120)
@pytest.mark.proves("DV-03")
def test_dv03_openssh(lab, assessor, phones_of):
    """OpenSSH takes the factory's password; then another one's, then keys alone."""
    phones_of({"sip": {}, "agent": "AudioCodes Mediant 500 7.20"})
    assessor.configure(DESK, options="guesses-per-day = 20")
    for password, passwords, change in (("Admin", True, "new"), ("9vR2-xQ71", True, "fixed"),
                                        ("Admin", True, "back"), ("Admin", False, "fixed")):
        with ssh_account(lab, "desk", "Admin", password, program="sshd", passwords=passwords):
            report = assessor.run("--intrusive", only="DV-03")
        assert report.verdict("DV-03") == ("clean" if change == "fixed" else "found"), report.text
        assert [f["change"] for f in report.findings("DV-03")] == [change], report.text


@pytest.mark.limit(120)
@pytest.mark.proves("PX-22", "PX-25", "PX-30")
def test_by_ssh_openssh(assessor, server_of, phones_of):
    """What is read by SSH is read from OpenSSH too: a file, a command, and its package's version."""
    phones_of({"sip": {}}, host="pbx")
    checks = "PX-22,PX-25,PX-30"
    for flawed in (True, False):
        host = server_of(program="sshd", files={
            "/etc/asterisk/asterisk.conf": f"[options]\nlive_dangerously = {'yes' if flawed else 'no'}\n",
            "/usr/bin/ps": f"#!/bin/sh\necho '{'root' if flawed else 'asterisk'}    asterisk'\n",
            "/usr/bin/timedatectl": f"#!/bin/sh\necho {'no' if flawed else 'yes'}\n",
            "/usr/bin/chronyc": "#!/bin/sh\n", "/usr/bin/ntpq": "#!/bin/sh\n"})
        report = assessor.configure(host.asset("main")).run(only=checks)
        for check in checks.split(","):
            assert report.verdict(check) == ("found" if flawed else "clean"), report.text
        host.stop()
        if flawed:
            assessor.forget_host_keys()
    assert {f["change"] for f in report.findings()} == {"fixed"}, report.text
