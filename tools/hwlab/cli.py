"""The lab by hand.

usage: tools/lab up [NAME]            make the namespaces (NAME is `lab` if left out)
       tools/lab shell HOST [NAME]    a shell on a host of it
       tools/lab run HOST COMMAND...  a command on a host of the lab `lab`
       tools/lab list                 the labs on this machine
       tools/lab down [NAME]          end what runs in it and remove it
       tools/lab sweep                remove labs whose owner is gone
"""

import os
import sys

from . import netns, topology
from .proc import LabError

DEFAULT = "lab"


def _up(name=DEFAULT):
    lab = topology.Lab(name, keep=True)
    lab.up()
    print(topology.describe(lab))
    print(f"lab '{name}' is up; look: tools/lab shell HOST {name}; end: tools/lab down {name}")
    return 0


def _down(name=DEFAULT):
    if name not in topology.labs() and not netns.names(f"hw-{name}-"):
        print(f"tools/lab: there is no lab '{name}'", file=sys.stderr)
        return 1
    topology.remove(name)
    return 0


def _enter(name, host, argv):
    space = topology.Lab(name).ns(host)
    if not netns.exists(space):
        print(f"tools/lab: there is no host '{host}' in a lab '{name}'", file=sys.stderr)
        return 1
    command = netns.command(space, argv)
    os.execvp(command[0], command)


def _shell(host, name=DEFAULT):
    return _enter(name, host, [os.environ.get("SHELL", "/bin/sh")])


def _run(host, *argv):
    return _enter(DEFAULT, host, argv)


def _list():
    for name, owner in topology.labs().items():
        print(f"{name}\t{owner}\t{len(netns.names(f'hw-{name}-'))} namespaces")
    return 0


def _sweep():
    for name in topology.sweep():
        print(f"removed {name}")
    return 0


COMMANDS = {"up": (_up, 0, 1), "down": (_down, 0, 1), "shell": (_shell, 1, 2), "list": (_list, 0, 0),
            "run": (_run, 2, 99), "sweep": (_sweep, 0, 0)}


def main(argv):
    """Exit code of `tools/lab ARGV`."""
    row = COMMANDS.get(argv[0]) if argv else None
    if row is None or not row[1] <= len(argv) - 1 <= row[2]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        return row[0](*argv[1:])
    except LabError as err:
        print(f"tools/lab: {err}", file=sys.stderr)
        return 2
