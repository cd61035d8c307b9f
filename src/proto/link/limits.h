/* Limits of what is read below IP. */
#ifndef HW_PROTO_LINK_LIMITS_H
#define HW_PROTO_LINK_LIMITS_H

#define LINK_TAGS_MAX	 4   /* VLAN tags of one frame that are told apart; two are one too many */
#define LINK_TLVS_MAX	 128 /* of one announcement; a phone's has about 20 */
#define LINK_OPTIONS_MAX 128 /* of one DHCP message */
#define LINK_VLAN_MAX	 4094

#endif
