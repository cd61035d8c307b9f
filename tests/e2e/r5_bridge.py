"""A zone that is a bridge: from port to port nobody speaks as the gateway, as another host, as a server that he is not."""

import os

import pytest

from hwlab import bridge, bridge_stories
from hwlab.hornwork import Hornwork


OTHERS = """
table inet mine {
  counter seen { }
  chain forward {
    type filter hook forward priority 10; policy accept
    iifname "br0" counter name seen
  }
}
table bridge mine {
  chain forward {
    type filter hook forward priority 10; policy accept
  }
}
table netdev mine {
  chain early {
    type filter hook ingress device "br0" priority 0; policy accept
  }
}
table ip nat {
  chain post {
    type nat hook postrouting priority srcnat
    oifname "eth9" masquerade
  }
}
"""


def rules(made):
    """Tables of the gateway's host that are not the gateway's, without counts."""
    text = made.run("gw", ["nft", "-s", "list", "ruleset"]).stdout
    return [part for part in text.split("\ntable ") if " hornwork {" not in part.split("\n")[0]]


def state(made):
    """Links, addresses, queues of the gateway's host."""
    return [made.run("gw", argv).stdout for argv in (["ip", "-o", "link", "show"], ["ip", "-o", "addr", "show"], ["tc", "qdisc", "show"])]


@pytest.fixture(scope="module")
def lab():
    """The bridge with a running gateway, beside tables of others."""
    with bridge.BridgeLab(f"b{os.getpid()}", vlans=False) as made:
        with open(f"{made.workdir}/mine.nft", "w", encoding="ascii") as out:
            out.write(OTHERS)
        made.run("gw", ["nft", "-f", out.name])
        made.rules, made.state = rules(made), state(made)
        made.gateway = Hornwork(made, config=made.config()).start()
        yield made
        if made.gateway.daemon.alive():
            assert made.gateway.stop() == 0


@pytest.mark.parametrize("story", bridge_stories.STORIES, ids=lambda s: s.__name__)
def test_bridge(lab, story):
    """The same stories run with VLANs of a bridge on a stock kernel."""
    story(lab)


def test_nothing_is_left(lab):
    """What is the gateway's goes with it, and nothing else did or does; the bridge goes on."""
    assert [r.strip() for r in rules(lab)] == [r.strip() for r in lab.rules]
    assert lab.gateway.stop() == 0
    assert lab.run("gw", ["nft", "-s", "list", "ruleset"]).stdout.count("\ntable ") == len(lab.rules) - 1
    assert [r.strip() for r in rules(lab)] == [r.strip() for r in lab.rules]
    assert state(lab) == lab.state
    assert lab.try_frames("rogue", bridge.claim(bridge.mac("rogue"), "10.20.0.1")) == [True]
