"""SRTP for scripted peers, by libsrtp2: an implementation that is not the gateway's."""

import base64
import ctypes
import os

from .rtp import Talker

SUITES = {
    # name: (function that sets the policy of RTP, of RTCP, bytes of key and salt)
    "AES_CM_128_HMAC_SHA1_80": ("rtp_default", "rtcp_default", 30),
    "AES_CM_128_HMAC_SHA1_32": ("aes_cm_128_hmac_sha1_32", "rtcp_default", 30),
    "AES_256_CM_HMAC_SHA1_80": ("aes_cm_256_hmac_sha1_80", "aes_cm_256_hmac_sha1_80", 46),
    "AEAD_AES_128_GCM": ("aes_gcm_128_16_auth", "aes_gcm_128_16_auth", 28),
    "AEAD_AES_256_GCM": ("aes_gcm_256_16_auth", "aes_gcm_256_16_auth", 44),
}
SSRC_ANY_INBOUND, SSRC_ANY_OUTBOUND = 2, 3


class _CryptoPolicy(ctypes.Structure):
    _fields_ = [("cipher_type", ctypes.c_uint32), ("cipher_key_len", ctypes.c_int),
                ("auth_type", ctypes.c_uint32), ("auth_key_len", ctypes.c_int),
                ("auth_tag_len", ctypes.c_int), ("sec_serv", ctypes.c_int)]


class _MasterKey(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("mki_id", ctypes.c_char_p), ("mki_size", ctypes.c_uint)]


class _Policy(ctypes.Structure):
    _fields_ = [("ssrc_type", ctypes.c_int), ("ssrc_value", ctypes.c_uint),
                ("rtp", _CryptoPolicy), ("rtcp", _CryptoPolicy), ("key", ctypes.c_char_p),
                ("keys", ctypes.POINTER(ctypes.POINTER(_MasterKey))), ("num_master_keys", ctypes.c_ulong),
                ("ekt", ctypes.c_void_p), ("window_size", ctypes.c_ulong),
                ("allow_repeat_tx", ctypes.c_int), ("enc_xtn_hdr", ctypes.c_void_p),
                ("enc_xtn_hdr_count", ctypes.c_int), ("next", ctypes.c_void_p)]


def _library():
    lib = ctypes.CDLL("libsrtp2.so.1")
    lib.srtp_init()
    return lib


LIB = _library()


class Key:
    """A master key of one suite, as it stands in a=crypto; with a name (MKI) or without."""

    def __init__(self, suite="AES_CM_128_HMAC_SHA1_80", inline=None, mki=b""):
        self.suite, self.mki = suite, mki
        self.master = base64.b64decode(inline) if inline else os.urandom(SUITES[suite][2])

    def line(self, tag=1):
        """The a=crypto line."""
        text = base64.b64encode(self.master).decode()
        name = f"|{int.from_bytes(self.mki, 'big')}:{len(self.mki)}" if self.mki else ""
        return f"a=crypto:{tag} {self.suite} inline:{text}{name}\r\n"


class Session:
    """libsrtp2 under one key, in one direction."""

    def __init__(self, key, outbound):
        rtp, rtcp, _ = SUITES[key.suite]
        self._policy = _Policy(ssrc_type=SSRC_ANY_OUTBOUND if outbound else SSRC_ANY_INBOUND,
                               key=key.master, window_size=128)
        self._named = bool(key.mki)
        if self._named:
            self._master = _MasterKey(key.master, key.mki, len(key.mki))
            self._masters = (ctypes.POINTER(_MasterKey) * 1)(ctypes.pointer(self._master))
            self._policy.key, self._policy.keys, self._policy.num_master_keys = None, self._masters, 1
        for name, part in ((rtp, self._policy.rtp), (rtcp, self._policy.rtcp)):
            getattr(LIB, f"srtp_crypto_policy_set_{name}")(ctypes.byref(part))
        self._session = ctypes.c_void_p()
        status = LIB.srtp_create(ctypes.byref(self._session), ctypes.byref(self._policy))
        assert status == 0, f"libsrtp2 does not take {key.suite}: {status}"

    def _run(self, function, data, *more):
        size = ctypes.c_int(len(data))
        room = ctypes.create_string_buffer(data, len(data) + 64)
        status = getattr(LIB, function)(self._session, room, ctypes.byref(size), *more)
        return room.raw[:size.value] if status == 0 else None

    def protect(self, data):
        """The sealed packet; None when libsrtp2 refuses."""
        return self._run("srtp_protect_mki", data, int(self._named), 0)

    def unprotect(self, data):
        """The opened packet; None when it is not proven."""
        return self._run("srtp_unprotect_mki", data, int(self._named))


class SecureTalker(Talker):
    """A Talker that seals what it sends and keeps only what opens. `refused` counts the rest."""

    def __init__(self, lab, host, port, tone_hz=440, first=1):
        super().__init__(lab, host, port, tone_hz)
        self.sealing = self.opening = None
        self.refused = 0
        self.sent = first - 1
        self.last = b""

    def keys(self, own, theirs):
        """From here on: what we send with, what we get."""
        self.sealing, self.opening = Session(own, True), Session(theirs, False)

    def packet(self, number):
        plain = super().packet(number)
        self.last = self.sealing.protect(plain) if self.sealing else plain
        return self.last

    def taken(self, data):
        if self.opening is None:
            return data
        plain = self.opening.unprotect(data)
        self.refused += plain is None
        return plain
