"""What the tests of TLS share: an authority, a gateway with a certificate, phones that connect."""

import ssl

import pytest

from hwlab.pki import Authority

NAME = "sip.lab.test"
TLS_PORT = 5061


@pytest.fixture
def pki(lab):
    """A certificate authority of this test's own."""
    return Authority(f"{lab.workdir}/pki")


def section(certificates, more=""):
    """Section tls with these (certificate, key) pairs."""
    files = ", ".join(f'"{c}"' for c, _ in certificates)
    keys = ", ".join(f'"{k}"' for _, k in certificates)
    return f"tls {{ certificate = {{{files}}}  key = {{{keys}}}  {more} }}\n"


@pytest.fixture
def secure(gateway_of, pki, kamailio):
    """The usual gateway, that listens for phones by TLS too."""
    def start(more="", tls_more="", **kwargs):
        pair = pki.issue("gw", [f"DNS:{NAME}"])
        return gateway_of(more=section([pair], tls_more) + "phones safe { zone = internet  to = main "
                          f' listen = {{"tls:{TLS_PORT}"}} }}\n' + more, **kwargs)
    return start


def client(pki=None, certificate=None, version=None):
    """An SSL context that verifies the gateway by the authority (or not at all without one)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if pki:
        context.load_verify_locations(pki.certificate)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture
def phone_at(peer_at):
    """A function that makes a scripted phone over TLS."""
    def make(gateway, host, user, context, name=NAME, port=0):
        return peer_at(host, user, (gateway.outside[0], TLS_PORT), port=port, transport="tls",
                       tls=context, server_name=name)
    return make


def ask(peer, number=1):
    """OPTIONS to the gateway itself; its answer."""
    peer.send(peer.request("OPTIONS", "sip:203.0.113.10", f"tls-{number}-{peer.port}", 1, "t"))
    return peer.expect(200)
