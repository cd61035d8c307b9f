"""Kamailio as the lab's PBX: registrar and proxy with digest authentication, no database."""

import glob
import os
import signal

from .proc import run, wait_until
from .topology import address

MODULES = "/usr/lib/*/kamailio/modules"
DOMAIN = "pbx.test"
PASSWORDS = {"alice": "alicepw", "bob": "bobpw", "carol": "carolpw", "dave": "davepw"}
SCRIPTED = "peer"           # the host on which scripted phones of the core network listen

CONFIG = """#!KAMAILIO
debug=2
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
alias="{domain}"
listen=udp:{ip}:5060
listen=tcp:{ip}:5060
listen=udp:[{ip6}]:5060
{tls_listen}
tcp_connection_lifetime=3605
mpath="{modules}"
{tls_modules}
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "sanity.so"
loadmodule "ctl.so"
loadmodule "htable.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("ctl","binrpc","unix:{control}")
modparam("htable","htable","pw=>size=8;")
modparam("htable","htable","route=>size=8;")
modparam("htable","htable","fork=>size=8;")
modparam("usrloc","db_mode",0)
modparam("registrar","max_contacts",5)
modparam("tm","fr_timer",{fr_ms})
modparam("tm","fr_inv_timer",60000)

event_route[htable:mod-init] {{
{tables}
}}

request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (!sanity_check("1511", "7")) exit;
  if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
    sl_send_reply("481", "No such dialog here"); exit;
  }}
  t_check_trans();
  if (is_method("OPTIONS") && uri==myself && $rU==$null) {{ sl_send_reply("200", "OK"); exit; }}
  if (is_method("REGISTER") || ($sht(pw=>$fU) != $null)) {{
    if ($au==$null || $sht(pw=>$au)==$null
        || !pv_auth_check("{domain}", "$sht(pw=>$au)", "0", "1")) {{
      auth_challenge("{domain}", "1"); exit;
    }}
    if (!is_method("REGISTER")) consume_credentials();
  }} else if (!($fU =~ "^[+]?[0-9]+$")) {{
    sl_send_reply("403", "Who are you"); exit;
  }}
  if (is_method("REGISTER")) {{ if (!save("location")) sl_reply_error(); exit; }}
  record_route();
  if ($rU==$null) {{ sl_send_reply("484", "Address Incomplete"); exit; }}
  if ($sht(route=>$rU) != $null) {{
    $var(second) = $sht(fork=>$rU);
    $ru = $sht(route=>$rU);
    if ($var(second) != $null) append_branch("$var(second)");
    t_relay(); exit;
  }}
  if (lookup("location")) {{ t_relay(); exit; }}
  if ($rU =~ "^[+]?[0-9]+$") {{ $du = "sip:{gateway}:5060"; t_relay(); exit; }}
  sl_send_reply("404", "Not Found");
}}
"""


TLS_CONFIG = """[server:default]
method = TLSv1.2+
certificate = {0}
private_key = {1}
ca_list = {2}
verify_certificate = yes
require_certificate = yes
[client:default]
method = TLSv1.2+
certificate = {0}
private_key = {1}
ca_list = {2}
verify_certificate = yes
require_certificate = yes
"""


class Kamailio:
    """The PBX on host `pbx`. Numbers that no phone registered go to the gateway.

    `scripted` and `scripted2` ring a scripted phone at udp 5070 and 5071 of host `peer`,
    `team` rings both at once, `load` rings udp 5090 there. fr_ms: how long it waits for a
    first answer. own: another configuration, in which {ip}, {modules}, {control} and {run} are told.
    """

    def __init__(self, lab, fr_ms=8000, tls=None, own=None):
        self.lab = lab
        self.own = own
        self.tls = tls          # (certificate, key, authority): it speaks TLS too, proven both ways
        self.host = "pbx"
        self.ip = address("pbx")
        self.log = f"{lab.workdir}/kamailio.log"
        self.daemon = None
        self.fr_ms = fr_ms
        self.run_dir = f"{lab.workdir}/kamailio"
        # Kamailio takes names of sockets up to 104 bytes only; work folders may be deep.
        self.control = f"{lab.state}/kamailio.ctl"

    def _config(self):
        if self.own:
            return self.own.format(ip=self.ip, modules=glob.glob(MODULES)[0] + "/", run=self.run_dir,
                                   control=self.control)
        peer = address(SCRIPTED)
        rows = [f'$sht(pw=>{user}) = "{word}";' for user, word in PASSWORDS.items()]
        for user, port in (("scripted", 5070), ("scripted2", 5071), ("team", 5070), ("load", 5090)):
            rows.append(f'$sht(route=>{user}) = "sip:{user}@{peer}:{port}";')
        rows.append(f'$sht(fork=>team) = "sip:team@{peer}:5071";')
        listen, modules = "", ""
        if self.tls:
            listen = f"enable_tls=yes\nlisten=tls:{self.ip}:5061"
            modules = f'loadmodule "tls.so"\nmodparam("tls", "config", "{self.run_dir}/tls.cfg")'
            with open(f"{self.run_dir}/tls.cfg", "w", encoding="utf-8") as out:
                out.write(TLS_CONFIG.format(*self.tls))
        return CONFIG.format(domain=DOMAIN, tls_listen=listen, tls_modules=modules, ip=self.ip, ip6=address("pbx", family=6),
                             modules=glob.glob(MODULES)[0] + "/", run=self.run_dir, control=self.control, fr_ms=self.fr_ms,
                             gateway=address("gw", "eth1"),
                             tables="\n".join("  " + row for row in rows))

    def start(self):
        """Start it and wait until it answers its control socket."""
        os.makedirs(self.run_dir, exist_ok=True)
        path = f"{self.run_dir}/kamailio.cfg"
        with open(path, "w", encoding="utf-8") as out:
            out.write(self._config())
        self.daemon = self.lab.daemon(
            self.host, ["kamailio", "-f", path, "-DD", "-E", "-Y", self.run_dir,
                        "-P", f"{self.run_dir}/pid", "-m", "64", "-M", "4"], self.log)
        wait_until(self._answers, 10.0, f"kamailio up; its log is {self.log}")
        return self

    def _answers(self):
        if not self.daemon.alive():
            self.daemon.wait_text("kamailio answers", 0.1)
        return os.path.exists(self.control) and self.rpc("core.uptime", check=False)

    def rpc(self, *words, check=True):
        """Text that an RPC returns, '' if it fails and check is off."""
        done = run(["kamcmd", "-s", f"unix:{self.control}", *words], check=check)
        return done.stdout if done.returncode == 0 else ""

    def contacts(self, user):
        """Contact addresses registered for a user, as the PBX sees them."""
        text = self.rpc("ul.lookup", "location", user, check=False)
        return [line.split("Address:", 1)[1].strip() for line in text.splitlines()
                if "Address:" in line]

    def stop(self, number=signal.SIGTERM):
        """Stop it; all registrations are forgotten."""
        self.daemon.stop(number)
        if os.path.exists(self.control):
            os.unlink(self.control)
