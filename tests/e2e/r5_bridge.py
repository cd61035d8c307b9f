"""A zone that is a bridge: from port to port nobody speaks as the gateway, as another host, as a server that he is not."""

import os

import pytest

from hwlab import bridge, bridge_stories
from hwlab.hornwork import Hornwork


@pytest.fixture(scope="module")
def lab():
    """The bridge with a running gateway."""
    with bridge.BridgeLab(f"b{os.getpid()}", vlans=False) as made:
        made.gateway = Hornwork(made, config=made.config()).start()
        yield made
        if made.gateway.daemon.alive():
            assert made.gateway.stop() == 0


@pytest.mark.parametrize("story", bridge_stories.STORIES, ids=lambda s: s.__name__)
def test_bridge(lab, story):
    """The same stories run with VLANs of a bridge on a stock kernel."""
    story(lab)


def test_nothing_is_left(lab):
    """The table of the bridge family goes with the gateway, and bridges on."""
    assert lab.gateway.stop() == 0
    assert "hornwork" not in lab.run("gw", ["nft", "list", "tables"]).stdout
    assert lab.try_frames("rogue", bridge.claim(bridge.mac("rogue"), "10.20.0.1")) == [True]
