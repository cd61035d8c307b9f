"""Frames below IP, as they stand on a wire: announcements, ARP, DHCP, tags."""

import struct

ANYBODY = b"\xff" * 6
LLDP_TO, CDP_TO = bytes.fromhex("0180c200000e"), bytes.fromhex("01000ccccccc")


def ether(source, kind, payload, vlans=(), to=ANYBODY):
    tags = b"".join(struct.pack(">HH", 0x8100, vlan) for vlan in vlans)
    return to + source + tags + struct.pack(">H", kind) + payload


def arp(mac, address, vlans=()):
    sender = bytes(int(n) for n in address.split("."))
    return ether(mac, 0x0806, struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac, sender, bytes(6), sender), vlans)


def tlv(kind, value):
    return struct.pack(">H", kind << 9 | len(value)) + value


def lldp(mac, *more):
    return ether(mac, 0x88cc, tlv(1, b"\x04" + mac) + tlv(2, b"\x07eth") + tlv(3, b"\0\x78") + b"".join(more) + tlv(0, b""),
                 to=LLDP_TO)


def med(subtype, value):
    return tlv(127, b"\x00\x12\xbb" + bytes((subtype,)) + value)


def policy(vlan):
    return med(2, b"\x01" + (1 << 22 | vlan << 9 | 5 << 6 | 46).to_bytes(3, "big"))


def capabilities(bits):
    return tlv(7, struct.pack(">HH", bits, bits))


PHONE_SAYS = (tlv(5, b"SEP0200"), capabilities(0x24), med(1, b"\0\x3f\x03"), med(6, b"boot 1"), med(7, b"fw 2.9\x00"),
              med(8, b"SN77"), med(9, b"Acme"), med(10, b"Desk 7"))
SWITCH_SAYS = (tlv(5, b"closet"), capabilities(0x04), med(1, b"\0\x3f\x04"))


def cdp(mac, can, *more):
    body = b"".join(struct.pack(">HH", kind, 4 + len(value)) + value
                    for kind, value in ((1, b"SEP1"), (4, struct.pack(">I", can)), *more))
    inner = bytes.fromhex("aaaa0300000c2000") + b"\x02\xb4\0\0" + body
    return ether(mac, len(inner), inner, to=CDP_TO)


def dhcp(mac, op, vendor=b""):
    body = struct.pack(">BBBB", op, 1, 6, 0) + bytes(24) + mac + bytes(10) + bytes(192) + bytes.fromhex("63825363") + \
        b"\x35\x01\x01" + (bytes((60, len(vendor))) + vendor if vendor else b"") + b"\xff"
    return body
