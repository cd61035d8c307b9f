"""What the assessor's tests need: lab phones, hosts with files of our choice, the assessor itself."""

import contextlib
import json
import os
import re
import shutil
import sys

from . import netns
from .hornwork import binary
from .proc import LabError, run
from .topology import address

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
READY_S = 15.0
SSH_PORT = 22
OVERLAID = ("etc", "root", "var", "usr", "opt", "home", "srv", "run")
SSHD = """ListenAddress {at}:{port}
HostKey {key}
PidFile none
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
AuthorizedKeysFile .ssh/authorized_keys
KbdInteractiveAuthentication no
PasswordAuthentication {passwords}
"""


def ssh_server(host, base, program, passwords):
    """A host key below `base`, made once; (command of an SSH server, what it says when it is up).

    program: dropbear, or sshd as Debian ships it with settings of our own. passwords: whether it
    takes them.
    """
    key = f"{base}/{program}-hostkey"
    if program == "dropbear":
        if not os.path.exists(key):
            run(["dropbearkey", "-t", "ed25519", "-f", key])
        return (f"exec dropbear -F -E {'' if passwords else '-s '}-p {address(host)}:{SSH_PORT} "
                f"-r {key} -P {base}/pid", "Not backgrounding")
    if not os.path.exists(key):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    with open(f"{base}/sshd_config", "w", encoding="utf-8") as out:
        out.write(SSHD.format(at=address(host), port=SSH_PORT, key=key,
                              passwords="yes" if passwords else "no"))
    return f"exec /usr/sbin/sshd -D -e -f {base}/sshd_config", "Server listening on"


class Phones:
    """Lab phones on one host; see labphone.py for what a phone's dict says.

    Addresses that the host has not yet are added to its interface while the phones run.
    """

    def __init__(self, lab, specs, host="desk"):
        self.lab, self.host = lab, host
        self.specs = [{"address": address(host), **spec} for spec in specs]
        self.log = f"{lab.workdir}/labphone.jsonl"
        self.daemon = None
        self.added = []

    def start(self):
        """Start them and wait until all their ports are open."""
        own = (address(self.host), address(self.host, family=6))
        self.added = [s["address"] for s in self.specs if s["address"] not in own]
        if self.added:
            netns.batch(self.lab.ns(self.host),
                        [f"addr add {a}/24 dev eth0" for a in self.added])
        path = f"{self.lab.workdir}/labphone.json"
        with open(path, "w", encoding="utf-8") as out:
            json.dump(self.specs, out)
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{self.lab.workdir}/labphone.log")
        self.daemon = self.lab.daemon(
            self.host, [sys.executable, "-m", "hwlab.labphone", "--spec", path, "--log", self.log],
            f"{self.lab.workdir}/labphone.log", env={**os.environ, "PYTHONPATH": TOOLS})
        self.daemon.wait_text("labphone: ready", READY_S)
        return self

    def stop(self):
        """End them; may be called twice."""
        self.daemon.stop()
        for a in self.added:
            run(netns.command(self.lab.ns(self.host), ["ip", "addr", "del", f"{a}/24", "dev",
                                                       "eth0"]), check=False)
        self.added = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def seen(self, **fields):
        """What they were sent, as logged, with these fields."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        return [r for r in rows if all(r.get(k) == v for k, v in fields.items())]


class Server:
    """A host that is reached by SSH, with files of our choice over the machine's own.

    files: {path: text}; what starts with #! can be executed. Its files are seen by what this object
    starts alone (a mount namespace of its own with an overlay), never by the machine. The account
    is root, the key is `key`. program: dropbear or sshd.
    """

    def __init__(self, lab, host, files=None, program="dropbear"):
        self.lab, self.host, self.program = lab, host, program
        self.root = f"{lab.workdir}/{host}-root"
        self.files = dict(files or {})
        self.key = f"{lab.workdir}/{host}.key"
        self.daemon = None

    def start(self):
        """Start its SSH server."""
        if not os.path.exists(self.key):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key])
        shutil.rmtree(self.root, ignore_errors=True)
        with open(f"{self.key}.pub", encoding="utf-8") as public:
            self.files["/root/.ssh/authorized_keys"] = public.read()
        for path, text in self.files.items():
            self._write(path, text)
        os.chmod(f"{self.root}/upper/root/.ssh/authorized_keys", 0o600)
        os.makedirs(f"{self.root}/upper/run/sshd", mode=0o755)
        command, ready = ssh_server(self.host, self.root, self.program, passwords=False)
        self.daemon = self.lab.daemon(
            self.host, ["unshare", "-m", "sh", "-e", "-c", self._script(command)],
            f"{self.root}.log")
        self.daemon.wait_text(ready, READY_S)
        return self

    def _write(self, path, text):
        full = f"{self.root}/upper{path}"
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)
        if text.startswith("#!"):
            os.chmod(full, 0o755)

    def _script(self, command):
        lines = []
        for top in OVERLAID:
            if os.path.isdir(f"{self.root}/upper/{top}") and os.path.isdir(f"/{top}"):
                work = f"{self.root}/work-{top}"
                os.makedirs(work, exist_ok=True)
                if top == "root":
                    os.chmod(f"{self.root}/upper/root", 0o700)
                    os.chmod(f"{self.root}/upper/root/.ssh", 0o700)
                lines.append(f"mount -t overlay overlay -o lowerdir=/{top},"
                             f"upperdir={self.root}/upper/{top},workdir={work} /{top}")
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{self.root}.log")
        lines.append(command)
        return "\n".join(lines)

    def stop(self):
        """End it."""
        self.daemon.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def asset(self, name, kind="pbx"):
        """Its section of a configuration."""
        return (f'asset {name} {{ address = {address(self.host)}  kind = {kind}  '
                f'ssh-user = root  ssh-key-file = "{self.key}" }}\n')


    def place(self, name):
        """Its section as a place from which the assessor looks."""
        return (f'place {name} {{ address = {address(self.host)}  ssh-user = root  '
                f'ssh-key-file = "{self.key}"  command = "{binary()}" }}\n')


class Report:
    """What a run of the assessor said."""

    def __init__(self, done):
        self.code, self.stderr, self.text = done.returncode, done.stderr, done.stdout
        try:
            self.json = json.loads(done.stdout) if done.stdout else {}
        except json.JSONDecodeError:
            raise LabError(f"no report (exit {self.code}): {done.stdout[-500:]}"
                           f"{done.stderr[-2000:]}") from None

    def findings(self, check=None, **fields):
        """Findings of a check with these fields, fixed ones included."""
        return [f for f in self.json.get("findings", []) if check in (None, f["check"])
                and all(f[k] == v for k, v in fields.items())]

    def open(self, check=None):
        """Findings that are not fixed."""
        return [f for f in self.findings(check) if f["state"] != "fixed"]

    def verdict(self, check, asset=None):
        """A check's verdict, and why where it says so."""
        for row in self.json["results"]:
            if row["check"] == check and asset in (None, row["asset"]):
                return row["verdict"]
        raise LabError(f"{check} was not made: {self.json['results']} {self.stderr[-500:]}")

    def finds(self, check):
        """Whether the check finds its flaw."""
        return bool(self.open(check)) and self._verdict_is(check, "found")

    def silent(self, check):
        """Whether it was looked at and nothing is open: clean, or fixed on evidence."""
        return not self.open(check) and (self._verdict_is(check, "clean")
                                         or bool(self.findings(check, change="fixed")))

    def _verdict_is(self, check, verdict):
        return any(row["check"] == check and row["verdict"] == verdict
                   for row in self.json.get("results", []))

    def why(self, check):
        """Why a check was not made or not applicable."""
        return next(r["why"] for r in self.json["results"] if r["check"] == check)

    def asset(self, name):
        """A row of the inventory."""
        return next(a for a in self.json["assets"] if a["asset"] == name)


class Assessor:
    """`hornwork assess` on a host, with a store of this test's own."""

    reports = []    # of all assessors, since somebody cleared it

    def __init__(self, lab, host="gw"):
        self.lab, self.host = lab, host
        self.config_path = f"{lab.workdir}/assess.conf"
        self.state = f"{lab.workdir}/assess-state"

    def configure(self, sections, options="", gateway=""):
        """Write the configuration: asset sections, more keys of assess, a gateway's sections."""
        with open(self.config_path, "w", encoding="utf-8") as out:
            out.write(f'{gateway}\nassess {{ state = "{self.state}"  {options} }}\n{sections}\n')
        return self

    def forget_host_keys(self):
        """What an administrator does when a host was set up anew."""
        os.remove(f"{self.state}/known_hosts")

    def command(self, *words, timeout_s=240, check=False):
        """`hornwork WORDS...` on the host."""
        return run(netns.command(self.lab.ns(self.host), [binary(), *words]), check=check,
                   timeout_s=timeout_s)

    def run(self, *words, only=None, timeout_s=240):
        """An assessment; its report. `only` names checks or recommendations."""
        argv = ["assess", "-c", self.config_path, "--format", "json", "--quiet", *words]
        if only:
            argv += ["--only", only]
        report = Report(self.command(*argv, timeout_s=timeout_s))
        Assessor.reports.append(report)
        return report


@contextlib.contextmanager
def ssh_account(lab, host, user, password, program="dropbear", passwords=True):
    """An SSH server on the host that takes this password for this user; it keeps nobody."""
    base = f"{lab.workdir}/ssh-{host}"
    os.makedirs(f"{base}/run/sshd", mode=0o755, exist_ok=True)
    os.makedirs(f"{base}/work", exist_ok=True)
    crypt = run(["openssl", "passwd", "-6", password]).stdout.strip()
    files = {"passwd": f"root:x:0:0::/root:/bin/sh\n{user}:x:65001:65001::/tmp:/bin/false\n"
                       "sshd:x:112:65534::/run/sshd:/bin/false\n",
             "shadow": f"root:*:19000::::::\n{user}:{crypt}:19000::::::\nsshd:*:19000::::::\n",
             "shells": "/bin/sh\n/bin/false\n"}
    script = ["set -e", f"mount -t overlay overlay -o lowerdir=/run,upperdir={base}/run,"
                        f"workdir={base}/work /run"]
    for name, text in files.items():
        with open(f"{base}/{name}", "w", encoding="utf-8") as out:
            out.write(text)
        script.append(f"mount --bind {base}/{name} /etc/{name}")
    command, ready = ssh_server(host, base, program, passwords)
    with contextlib.suppress(FileNotFoundError):
        os.remove(f"{base}.log")
    daemon = lab.daemon(host, ["unshare", "-m", "sh", "-c", "\n".join([*script, command])],
                        f"{base}.log")
    daemon.wait_text(ready, READY_S)
    try:
        yield
    finally:
        daemon.stop()


def certificate(folder, name="phone.lab", days=365, bits=2048, more=()):
    """A self-signed certificate; (certificate's file, key's file)."""
    cert, key = f"{folder}/{name}.crt", f"{folder}/{name}.pem"
    run(["openssl", "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-subj", f"/CN={name}",
         "-days", str(days), "-keyout", key, "-out", cert, *more])
    return cert, key


def without_secrets(report, *secrets):
    """True when none of these stands anywhere in a report."""
    return not any(re.search(re.escape(s), report.text) for s in secrets)
