"""strongSwan's charon on a host of the lab, answering IKE with proposals of our choice."""

import os
import shutil

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
