/* What reading and writing CDP share. */
#ifndef HW_PROTO_LINK_CDP_IMPL_H
#define HW_PROTO_LINK_CDP_IMPL_H

enum {
	CDP_DEVICE = 0x0001,
	CDP_PORT = 0x0003,
	CDP_CAPABILITIES = 0x0004,
	CDP_SOFTWARE = 0x0005,
	CDP_PLATFORM = 0x0006,
	CDP_VOICE_VLAN = 0x000e,
};

#define CDP_TO	       "\x01\x00\x0c\xcc\xcc\xcc"
#define CDP_SNAP       "\xaa\xaa\x03\x00\x00\x0c\x20\x00"
#define CDP_SNAP_BYTES 8
#define CDP_TLV_BYTES  4 /* type and length, which counts itself */
#define CDP_CAN_ROUTE  0x01u
/* Voice without a tag (CISCO-VLAN-MEMBERSHIP-MIB, vmVoiceVlanId). */
#define CDP_VLAN_UNTAGGED 4095

#endif
