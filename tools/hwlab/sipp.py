"""SIPp runs, and exact packet counts on both ends of what it sent."""

import json
import os

from .netns import command
from .proc import run
from .topology import address

def start(lab, host, scenario, name, *args):
    """Start SIPp with a scenario file on a host; returns the Daemon. Its traces go to the lab's folder.

    SIPp is told not to read the keyboard and to end by itself; args say where and how often to call.
    """
    folder = f"{lab.workdir}/sipp-{name}"
    os.makedirs(folder, exist_ok=True)
    argv = ["sipp", "-sf", scenario, "-i", address(host), "-nostdin", "-trace_err",
            "-error_file", f"{folder}/errors", *map(str, args)]
    script = 'cd "$0" && exec "$@"'
    return lab.daemon(host, ["sh", "-c", script, folder, *argv], f"{folder}/log")


def errors(lab, name):
    """What SIPp wrote as errors."""
    path = f"{lab.workdir}/sipp-{name}/errors"
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as text:
        return text.read()


def count(lab, host, rules):
    """Begin to count packets on a host: rules maps a name to (hook, nftables match).

    hook in "prerouting" (as they come off the wire), "input", "output".
    """
    text = "table inet hwcount {\n"
    for name, (hook, match) in rules.items():
        text += (f"  chain {name} {{\n    type filter hook {hook} priority -350;\n"
                 f"    {match} counter\n  }}\n")
    path = f"{lab.workdir}/count-{host}.nft"
    with open(path, "w", encoding="utf-8") as out:
        out.write(text + "}\n")
    lab.run(host, ["nft", "-f", path])


def counted(lab, host):
    """Packets by name since count()."""
    text = run(command(lab.ns(host), ["nft", "-j", "list", "table", "inet", "hwcount"])).stdout
    out = {}
    for row in json.loads(text)["nftables"]:
        if "rule" in row:
            counter = next(e["counter"] for e in row["rule"]["expr"] if "counter" in e)
            out[row["rule"]["chain"]] = counter["packets"]
    return out


def stop_counting(lab, host):
    """Remove the counters."""
    lab.run(host, ["nft", "delete", "table", "inet", "hwcount"], check=False)
