"""Asterisk 22 as the lab's second PBX, from the folder that tools/sid-chroot makes."""

import os
import re
import shutil

from .hornwork import ROOT
from .kamailio import PASSWORDS
from .proc import LabError, run, wait_until
from .topology import address

BUILD_S = 600

ASTERISK_CONF = """[directories]
astetcdir => {dir}
astmoddir => /usr/lib/x86_64-linux-gnu/asterisk/modules
astvarlibdir => {dir}/lib
astdbdir => {dir}/lib
astkeydir => {dir}/lib
astdatadir => /usr/share/asterisk
astagidir => /usr/share/asterisk/agi-bin
astspooldir => {dir}/spool
astrundir => {dir}/run
astlogdir => {dir}/log
[options]
verbose = 3
"""

MODULES_CONF = """[modules]
autoload = yes
noload = chan_sip.so
noload = res_hep.so
noload = cdr_radius.so
noload = cel_radius.so
noload = res_snmp.so
noload = bridge_native_rtp.so
noload = app_voicemail_imap.so
noload = app_voicemail_odbc.so
"""

PJSIP_CONF = """[global]
type = global
[udp]
type = transport
protocol = udp
bind = {ip}:5060
[tcp]
type = transport
protocol = tcp
bind = {ip}:5060
"""

TLS_CONF = """[tls]
type = transport
protocol = tls
bind = {ip}:5061
cert_file = {dir}/ast.pem
priv_key_file = {dir}/ast.key
ca_list_file = {dir}/ca.pem
method = tlsv1_2
verify_server = yes
verify_client = yes
require_client_cert = yes
"""

PHONE_CONF = """
[{user}]
type = endpoint
transport = {transport}
context = phones
disallow = all
allow = ulaw
auth = {user}
aors = {user}
direct_media = no
media_encryption = {encryption}
[{user}]
type = auth
auth_type = userpass
username = {user}
password = {password}
[{user}]
type = aor
max_contacts = 3
"""

EXTENSIONS_CONF = """[phones]
exten => _[a-z].,1,Dial(PJSIP/${EXTEN},30)
 same => n,Hangup()
"""


def chroot():
    """Path of the Asterisk folder, built if need be. LabError says why it cannot be had."""
    tool = f"{ROOT}/tools/sid-chroot"
    done = run([tool, "build", "asterisk"], timeout_s=BUILD_S, check=False)
    if done.returncode != 0:
        raise LabError(done.stderr.strip().splitlines()[-1] if done.stderr else "no reason given")
    return done.stdout.strip()


class Asterisk:
    """The PBX on host `ast`: the same users and passwords as Kamailio has, realm asterisk."""

    def __init__(self, lab, media_encryption="no", tls=None):
        self.lab, self.media_encryption = lab, media_encryption
        self.tls = tls          # (certificate, key, authority): it speaks TLS and demands it
        self.ip = address("ast")
        self.root = chroot()
        self.dir = f"/var/lib/hornwork-lab/{lab.ident}"
        self.log = f"{lab.workdir}/asterisk.log"
        self.daemon = None

    def _write_files(self):
        base = self.root + self.dir
        shutil.rmtree(base, ignore_errors=True)     # Asterisk remembers contacts over a restart
        self.lab.own_path(base)
        for folder in ("lib", "spool", "run", "log"):
            os.makedirs(f"{base}/{folder}", exist_ok=True)
        phones = "".join(PHONE_CONF.format(user=u, password=p, encryption=self.media_encryption,
                                           transport="tls" if self.tls else "udp")
                         for u, p in PASSWORDS.items())
        files = {"asterisk.conf": ASTERISK_CONF.replace("{dir}", self.dir),
                 "modules.conf": MODULES_CONF, "pjsip.conf": PJSIP_CONF.format(ip=self.ip) + phones,
                 "extensions.conf": EXTENSIONS_CONF,
                 "rtp.conf": "[general]\nrtpstart = 20000\nrtpend = 20200\n",
                 "logger.conf": "[logfiles]\nconsole => notice,warning,error,verbose\n"}
        if self.tls:
            files["pjsip.conf"] += TLS_CONF.format(ip=self.ip, dir=self.dir)
            for path, name in zip(self.tls, ("ast.pem", "ast.key", "ca.pem")):
                shutil.copy(path, f"{base}/{name}")
        for name, text in files.items():
            with open(f"{base}/{name}", "w", encoding="utf-8") as out:
                out.write(text)

    def start(self):
        """Start it (its mounts live in a mount namespace of its own) and wait until it is up."""
        self._write_files()
        script = ('mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && '
                  'exec chroot "$0" asterisk -f -vvv -C "$1/asterisk.conf"')
        self.daemon = self.lab.daemon(
            "ast", ["unshare", "--mount", "sh", "-c", script, self.root, self.dir], self.log)
        wait_until(self._booted, 20.0, f"Asterisk up; its log is {self.log}")
        return self

    def _booted(self):
        if not self.daemon.alive():
            raise LabError(f"Asterisk ended:\n{self.daemon.text()[-2000:]}")
        return "Asterisk Ready" in self.daemon.text() and \
            "Endpoint:" in self.cli("pjsip show endpoints")

    def cli(self, words):
        """Output of a command of Asterisk's console, '' while it is not up."""
        return run(["chroot", self.root, "asterisk", "-C", f"{self.dir}/asterisk.conf", "-rx",
                    words], check=False).stdout

    def version(self):
        """Its version, for example 22.4.1."""
        found = re.search(r"Asterisk (\S+)", run(["chroot", self.root, "asterisk", "-V"]).stdout)
        return found.group(1) if found else ""

    def contacts(self, user):
        """Contact addresses registered for a user."""
        return re.findall(rf"Contact:\s+{user}/(\S+)", self.cli("pjsip show contacts"))

    def stop(self):
        """Stop it."""
        self.daemon.stop()
