"""Writes small captures: pcap headers, frames of several link types, IP, UDP, TCP, RTP."""
import ipaddress
import struct

ETHERNET, RAW, SLL, SLL2, NULL = 1, 101, 113, 276, 0
MACS = bytes(range(12))


def ip(src, dst, protocol, payload, identity=1, fragment=0):
    """One IP packet; fragment is IPv4's flags and offset field."""
    a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if a.version == 6:
        return struct.pack('>IHBB', 6 << 28 | 46 << 22, len(payload), protocol, 64) + a.packed + b.packed + payload
    return struct.pack('>BBHHHBBH', 0x45, 46 << 2, 20 + len(payload), identity, fragment, 64, protocol, 0) + \
        a.packed + b.packed + payload


def udp(src, dst, payload):
    """src and dst are (address, port)."""
    return ip(src[0], dst[0], 17, datagram(src, dst, payload))


def datagram(src, dst, payload):
    return struct.pack('>HHHH', src[1], dst[1], 8 + len(payload), 0) + payload


def tcp(src, dst, seq, payload=b'', flags=0x10):
    head = struct.pack('>HHIIBBHHH', src[1], dst[1], seq & 0xffffffff, 0, 5 << 4, flags, 65535, 0, 0)
    return ip(src[0], dst[0], 6, head + payload)


def fragments(src, dst, payload, size, identity=7):
    """A UDP datagram over IPv4 in pieces of `size` bytes."""
    whole = datagram(src, dst, payload)
    pieces = []
    for at in range(0, len(whole), size):
        more = 0x2000 if at + size < len(whole) else 0
        pieces.append(ip(src[0], dst[0], 17, whole[at:at + size], identity, more | at // 8))
    return pieces


def rtp(seq, timestamp, ssrc=0x11223344, payload_type=0, payload=bytes(160), marker=False):
    return struct.pack('>BBHII', 0x80, payload_type | (0x80 if marker else 0), seq & 0xffff, timestamp & 0xffffffff,
                       ssrc) + payload


def ethertype(packet):
    return 0x86dd if packet[0] >> 4 == 6 else 0x0800


def frame(link, packet, vlans=()):
    if link == ETHERNET:
        tags = b''.join(struct.pack('>HH', 0x88a8 if at == 0 and len(vlans) > 1 else 0x8100, vlan)
                        for at, vlan in enumerate(vlans))
        return MACS + tags + struct.pack('>H', ethertype(packet)) + packet
    if link == SLL:
        return struct.pack('>HHH8sH', 0, 1, 6, MACS[:8], ethertype(packet)) + packet
    if link == SLL2:
        return struct.pack('>HHIHBB8s', ethertype(packet), 0, 1, 1, 0, 6, MACS[:8]) + packet
    if link == NULL:
        return struct.pack('<I', 2) + packet
    return packet


def capture(packets, link=ETHERNET, vlans=()):
    """packets: (seconds, IP packet) in order; the bytes of a pcap file."""
    out = [struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)]
    for seconds, packet in packets:
        bytes_ = frame(link, packet, vlans)
        micro = round(seconds * 1e6)
        out.append(struct.pack('<IIII', 1700000000 + micro // 1000000, micro % 1000000, len(bytes_), len(bytes_)))
        out.append(bytes_)
    return b''.join(out)
