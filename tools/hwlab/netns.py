"""Network namespaces by name: make, enter for a moment, list their processes, remove."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time

from .proc import LabError, run

NETNS_DIR = "/run/netns"
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def why_not():
    """None if namespaces can be made here, else a sentence that says why they cannot."""
    if os.geteuid() != 0:
        return "the lab needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN) to make network namespaces"
    name = f"hw-probe{os.getpid()}"
    try:
        run(["ip", "netns", "add", name])
        run(["ip", "netns", "del", name])
    except (LabError, FileNotFoundError) as err:
        return f"network namespaces cannot be made here: {err}"
    return None


def exists(name):
    """True if the namespace is there."""
    return os.path.exists(f"{NETNS_DIR}/{name}")


def names(prefix):
    """Names of all namespaces that start with prefix."""
    if not os.path.isdir(NETNS_DIR):
        return []
    return sorted(n for n in os.listdir(NETNS_DIR) if n.startswith(prefix))


def batch(name, lines):
    """Feed lines to `ip -batch` in the namespace: one process for many commands."""
    script = "".join(line + "\n" for line in lines)
    done = subprocess.run(["ip", "-n", name, "-batch", "-"], input=script, text=True,
                          capture_output=True, timeout=20, check=False)
    if done.returncode != 0:
        raise LabError(f"ip in {name}: {done.stderr.strip()}\n{script}")


def pids(name):
    """Processes whose network namespace is this one."""
    if not exists(name):
        return []
    return [int(p) for p in run(["ip", "netns", "pids", name], check=False).stdout.split()]


def command(name, argv):
    """argv that runs `argv` in the namespace (and changes nothing else, unlike `ip netns exec`)."""
    return ["nsenter", f"--net={NETNS_DIR}/{name}", "--", *map(str, argv)]


def remove(name):
    """Kill what still runs in the namespace (it is ours, so they are) and delete it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = pids(name)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + 1.0
        while left and pids(name) and time.monotonic() < deadline:
            time.sleep(0.05)
    if exists(name):
        run(["ip", "netns", "del", name], check=False)


@contextlib.contextmanager
def inside(name):
    """Put the calling thread into the namespace; sockets made meanwhile stay there."""
    with open("/proc/thread-self/ns/net", "rb") as home, \
            open(f"{NETNS_DIR}/{name}", "rb") as there:
        if _libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")
        try:
            yield
        finally:
            if _libc.setns(home.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns back")


def socket_in(name, family, kind):
    """A socket that lives in the namespace."""
    with inside(name):
        return socket.socket(family, kind)
