"""Browsers are phones: headless Chromium with JsSIP over secure WebSocket, ICE, DTLS-SRTP and rtcp-mux
to the gateway, plain RTP to the PBX inside; the tone is recognised at both ends."""

import time

import pytest

from hwlab import browser
from hwlab.baresip import Baresip
from hwlab.pki import Authority
from hwlab.proc import LabError, wait_until

NAME, PORT = "sip.lab.test", 8443
BROWSER_HZ, DESK_HZ = 440, 620
TALK_S, HEARD_S = 4.0, 1.5

pytestmark = pytest.mark.limit(150)


@pytest.fixture(scope="module")
def script():
    """The page's script; the tests are skipped, and say so, where a browser or npm is not to be had."""
    try:
        return browser.bundle()
    except LabError as err:
        pytest.skip(f"no browser phone here: {err}")


@pytest.fixture
def house(lab, script, kamailio, gateway_of):
    """The gateway with a section for browsers; carol's browser behind the home router, bob's desk phone."""
    class House:
        """All that is there."""
    pair = Authority(f"{lab.workdir}/pki").issue("gw", [f"DNS:{NAME}"])
    made = House()
    made.gateway = gateway_of(more=f"""
        tls {{ certificate = "{pair[0]}"  key = "{pair[1]}" }}
        phones web {{ zone = internet  to = main  listen = {{"wss:{PORT}"}}  webrtc = yes }}""")
    url = f"wss://{made.gateway.outside[0]}:{PORT}"
    made.desk = Baresip(lab, "bob", "desk", "%s:%d" % made.gateway.inside, DESK_HZ).start()
    made.carol = browser.Browser(lab, "carol", "phone", url, BROWSER_HZ, script)
    try:
        made.carol.start()
        yield made
    finally:
        made.carol.stop()


def both_heard(house):
    """Each heard the other's tone and nothing else once it was there."""
    heard = house.desk.heard()
    assert heard.only(BROWSER_HZ, HEARD_S), f"the desk phone heard {heard.says()}"
    heard = house.carol.heard()
    assert heard.tones_s.get(DESK_HZ, 0) >= HEARD_S, f"the browser heard {heard.says()}"
    assert set(heard.tones_s) == {DESK_HZ}, f"the browser heard {heard.says()}"


def web_side(house):
    """The call's record on the browser's side, while it runs."""
    def find():
        return [call for call in house.gateway.calls()
                if "phones web" in (call["from"], call["to"]) and call["pinholes"]]
    return wait_until(find, 5.0, "the browser's call is listed")[0]


def connected(house, since=0):
    """The browser says that ICE and DTLS are done."""
    house.carol.wait_event("connection", 15.0, since, state="connected")


def test_the_browser_calls(house):
    house.carol.dial("bob")
    connected(house)
    time.sleep(TALK_S)
    call = web_side(house)
    house.carol.hangup()
    house.desk.wait_event("CALL_CLOSED")
    house.gateway.wait_idle()
    both_heard(house)
    ways = {stream["direction"]: stream["encryption"] for stream in call["streams"]}
    lock = ways["from_caller"]
    assert lock["keys"] == "dtls" and not lock["end_to_end"], lock
    assert lock["handshake"] == "up" and lock["ice"] == "connected", lock
    assert lock["suite"] in ("AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80"), lock
    assert ways["from_callee"] is None, "the PBX's side is plain"
    house.gateway.wait_event(event_type="flow", reason="dtls_up")


def test_the_browser_is_called(house):
    house.desk.dial("carol", timeout_s=20.0)
    connected(house)
    time.sleep(TALK_S)
    house.desk.hangup()
    house.carol.wait_event("ended")
    house.gateway.wait_idle()
    both_heard(house)
