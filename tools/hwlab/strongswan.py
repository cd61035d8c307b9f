"""strongSwan's charon on a host of the lab, answering IKE with proposals of our choice."""

import os
import re
import shutil
import socket
import struct

from .proc import run, wait_until
from .topology import address

PLUGINS = ("random nonce openssl curve25519 aes des sha1 sha2 md5 hmac gmp kdf gcm x509 pubkey pem "
           "pkcs1 constraints kernel-netlink socket-default vici")

STRONGSWAN_CONF = """charon-systemd {{
  load = {plugins}
  install_routes = no
  journal {{ default = -1 }}
  plugins {{ vici {{ socket = unix://{vici} }} }}
  filelog {{ l {{ path = {log}
    default = 1
    flush_line = yes }} }}
}}
swanctl {{ load = pem pkcs1 pubkey openssl }}
"""

SWANCTL_CONF = """connections {{ site {{
  version = 2
  local_addrs = {ip}
  remote_addrs = %any
  proposals = {proposals}
  local {{ auth = psk
    id = lab }}
  remote {{ auth = psk
    id = %any }}
}} }}
secrets {{ ike-1 {{ secret = 0sAbCdEf0123456789AbCdEf0123456789 }} }}
"""


class Charon:
    """Use as a context manager: it answers at ports 500 and 4500 meanwhile."""

    def __init__(self, lab, host, proposals):
        self.lab, self.host = lab, host
        self.dir = f"{lab.workdir}/charon"
        self.proposals = proposals
        self.daemon = None

    def __enter__(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        vici = f"{self.dir}/vici"
        for name, text in (("strongswan.conf", STRONGSWAN_CONF.format(
                plugins=PLUGINS, vici=vici, log=f"{self.dir}/charon.log")),
                           ("swanctl.conf", SWANCTL_CONF.format(ip=address(self.host),
                                                                proposals=self.proposals))):
            with open(f"{self.dir}/{name}", "w", encoding="utf-8") as out:
                out.write(text)
        env = {**os.environ, "STRONGSWAN_CONF": f"{self.dir}/strongswan.conf",
               "SWANCTL_DIR": self.dir}
        self.daemon = self.lab.daemon(self.host, ["/usr/sbin/charon-systemd"],
                                      f"{self.dir}/out.log", env=env)
        wait_until(lambda: os.path.exists(vici), 10.0, "charon's vici socket")
        run(["swanctl", "--load-all", "--noprompt", "--uri", f"unix://{vici}"], env=env)
        return self

    def __exit__(self, *_exc):
        self.daemon.stop()


SITE_CONF = """charon-systemd {{
  load = random nonce openssl curve25519 aes gcm sha1 sha2 hmac kdf gmp x509 pubkey pem pkcs1 pkcs8 constraints {esp} socket-default vici
  install_routes = yes
  retransmit_tries = 3
  retransmit_timeout = 1.0
  retransmit_base = 1.3
  journal {{ default = -1 }}
  plugins {{
    vici {{ socket = unix://{vici} }}
  }}
  filelog {{ l {{ path = {log}
    default = 1
    flush_line = yes }} }}
}}
swanctl {{ load = pem pkcs1 pkcs8 x509 pubkey openssl }}
"""

SITE_CONNECTION = """connections {{ site {{
  version = 2
  local_addrs = {ip}
  remote_addrs = {peer}
  proposals = {ike}
  encap = yes
  mobike = no
  dpd_delay = 5s
  unique = replace
  local {{ {local} }}
  remote {{ {remote} }}
  children {{ voice {{
    local_ts = {local_ts}
    remote_ts = {remote_ts}
    esp_proposals = {esp}
    start_action = none
    dpd_action = clear
  }} }}
}} }}
secrets {{
{secrets}
}}
"""


class Site:
    """charon on a host, with its own ESP in user space (device ipsec0) or the kernel's; ESP in UDP 4500.

    Without `connect` it knows nothing until somebody tells it by vici.
    """

    def __init__(self, lab, host, name, kernel=False):
        self.lab, self.host = lab, host
        self.esp = "kernel-netlink" if kernel else "kernel-libipsec kernel-netlink"
        self.dir = f"{lab.workdir}/site-{name}"
        # outside of the test's own folder, whose name may be too long for a socket
        self.vici = f"{os.path.dirname(lab.workdir)}/{name}.vici"
        self.starts = 0
        self.daemon = self.connection = None
        self.files = {}

    @property
    def env(self):
        """What charon and swanctl need to find this site's files."""
        return {**os.environ, "STRONGSWAN_CONF": f"{self.dir}/strongswan.conf",
                "SWANCTL_DIR": self.dir}

    def start(self):
        """Start it, or start it again; its connection is loaded."""
        os.makedirs(self.dir, exist_ok=True)
        if os.path.exists(self.vici):
            os.unlink(self.vici)
        with open(f"{self.dir}/strongswan.conf", "w", encoding="utf-8") as out:
            out.write(SITE_CONF.format(vici=self.vici, log=f"{self.dir}/charon.log", esp=self.esp))
        self.starts += 1
        self.daemon = self.lab.daemon(self.host, ["/usr/sbin/charon-systemd"],
                                      f"{self.dir}/out-{self.starts}.log", env=self.env)
        wait_until(lambda: os.path.exists(self.vici), 10.0, "charon's vici socket")
        if self.connection:
            self.load()
        return self

    def connect(self, own, peer, proofs, subnets, ike="aes256gcm16-prfsha384-x25519",
                esp="aes256gcm16-x25519", files=None):
        """The connection to load. proofs: the sections local and remote, and the secrets; files: what
        goes into folders of swanctl."""
        self.connection = SITE_CONNECTION.format(
            ip=own, peer=peer, local=proofs[0], remote=proofs[1], secrets=proofs[2],
            local_ts=subnets[0], remote_ts=subnets[1], ike=ike, esp=esp)
        self.files = files or {}
        return self

    def load(self):
        """Load the connection as it is now."""
        with open(f"{self.dir}/swanctl.conf", "w", encoding="utf-8") as out:
            out.write(self.connection)
        for name, source in self.files.items():
            os.makedirs(os.path.dirname(f"{self.dir}/{name}"), exist_ok=True)
            shutil.copy(source, f"{self.dir}/{name}")
        self.swanctl("--load-all", "--noprompt")

    def swanctl(self, *words, check=True):
        """Run swanctl on it; the CompletedProcess."""
        return run(["swanctl", *words, "--uri", f"unix://{self.vici}"], env=self.env, check=check)

    def secrets(self):
        """Identifiers of the shared secrets and of the private keys that it has: (list, list)."""
        return tuple(re.findall(rb"\x05\x00.([\x20-\x7e]+)", self._ask(f"get-{what}"))
                     for what in ("shared", "keys"))

    def _ask(self, command):
        """The body of the answer to a vici command without arguments: 32 bits of length, a type, elements."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(5.0)
            sock.connect(self.vici)
            name = command.encode()
            sock.sendall(struct.pack(">IBB", len(name) + 2, 0, len(name)) + name)
            data = b""
            while len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
                data += sock.recv(65536)
        return data[5:]

    def kill(self):
        """As a crash would end it: nothing is said to the peer."""
        self.daemon.stop(9)

    def text(self):
        """Its log."""
        with open(f"{self.dir}/charon.log", encoding="utf-8", errors="replace") as log:
            return log.read()
