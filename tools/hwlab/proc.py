"""Running commands and daemons, each with an upper bound in time and a log that can be read."""

import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
STOP_S = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab could not do what it was asked; the message says what and why."""


def run(argv, timeout_s=20.0, check=True, **kwargs):
    """Run a command to its end and return the CompletedProcess with text output."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s,
                          stdin=subprocess.DEVNULL, check=False, **kwargs)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n"
                       f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def wait_until(condition, timeout_s, what, step_s=0.05):
    """Poll until condition() is true and return its value; LabError names `what` if it stays false."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"not within {timeout_s:g} s: {what}")
        time.sleep(step_s)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Daemon:
    """A child process with its output in a file. stop() ends it and what it started.

    own_session=False: a process group of its own is all it gets; the kernel then schedules it in one
    group with its parent, so that priorities between the two hold (sched(7), autogroup).
    """

    def __init__(self, argv, log, keep=False, env=None, stdin=subprocess.DEVNULL, own_session=True):
        self.argv = [str(a) for a in argv]
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(  # pylint: disable=consider-using-with
                self.argv, stdout=out, stderr=out, stdin=stdin, env=env, start_new_session=own_session,
                process_group=None if own_session else 0,
                preexec_fn=None if keep else _die_with_parent)

    @property
    def pid(self):
        """The process id, which is its process group's too."""
        return self.child.pid

    def alive(self):
        """True while the process runs."""
        return self.child.poll() is None

    def text(self):
        """What it printed until now."""
        with open(self.log, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def wait_text(self, needle, timeout_s):
        """Wait until the log has `needle`; an early death of the process is reported at once."""
        def seen():
            if needle in self.text():
                return True
            if not self.alive():
                raise LabError(f"{self.argv[0]} ended with {self.child.returncode} before "
                               f"'{needle}':\n{self.text()[-3000:]}")
            return False
        wait_until(seen, timeout_s, f"'{needle}' in {self.log}:\n{self.text()[-3000:]}")

    def wait(self, timeout_s):
        """Wait for its end and return the exit code."""
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise LabError(f"{' '.join(self.argv)} still runs after {timeout_s:g} s:\n"
                           f"{self.text()[-2000:]}") from None

    def kill(self, number):
        """Send a signal to the process alone."""
        if self.alive():
            self.child.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout_s=STOP_S):
        """End it: the signal first, then SIGKILL for its whole group. Returns the exit code."""
        self.kill(number)
        try:
            self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return self.child.wait(timeout_s)
