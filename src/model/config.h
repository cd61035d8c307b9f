/* The configuration as plain data: what config/ reads from the file and everybody else borrows.
 * Built as a whole, never changed in place; a reload builds a new one. */
#ifndef HW_MODEL_CONFIG_H
#define HW_MODEL_CONFIG_H

#include "base/arena.h"
#include "base/ip.h"
#include "model/identity.h"
#include "model/transport.h"

#define CONFIG_NAME_MAX		  32	     /* bytes of a section's name with its NUL */
#define CONFIG_IFNAME_MAX	  16	     /* IFNAMSIZ */
#define CONFIG_HOST_MAX		  254	     /* RFC 1035 2.3.4 and a NUL */
#define CONFIG_PATH_MAX		  256	     /* bytes of a file name with its NUL */
#define CONFIG_SECRET_MAX	  128	     /* bytes of a trunk's password with its NUL */
#define CONFIG_URL_MAX		  256	     /* bytes of a URL with its NUL */
#define CONFIG_SIGNERS_MAX	  16	     /* trunks whose calls we sign */
#define CONFIG_IDENTITY_HOSTS_MAX 32	     /* that publish certificates */
#define CONFIG_SECTIONS_MAX	  256	     /* sections of one kind */
#define CONFIG_LISTEN_MAX	  16	     /* listeners of one section */
#define CONFIG_LIST_MAX		  256	     /* entries of one list */
#define CONFIG_CERTIFICATES_MAX	  16	     /* of section tls: names of one gateway */
#define CONFIG_IDENTITY_MAX	  128	     /* bytes of an IKE identity with its NUL */
#define CONFIG_NONE		  UINT16_MAX /* an index that names nothing */

enum zone_trust { ZONE_UNTRUSTED, ZONE_TRUSTED };
enum zone_role { ZONE_WAN, ZONE_VOICE, ZONE_DATA, ZONE_CORE, ZONE_MANAGEMENT };
enum srtp_policy { SRTP_OFF, SRTP_PREFERRED, SRTP_REQUIRED };
enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };
enum config_keys { CONFIG_KEYS_SDES, CONFIG_KEYS_DTLS };
enum identity_policy { IDENTITY_POLICY_OFF, IDENTITY_POLICY_VERIFY, IDENTITY_POLICY_REQUIRE };
enum media_path { MEDIA_AUTO, MEDIA_KERNEL, MEDIA_USER };
enum patches_mode { PATCHES_ENFORCE, PATCHES_OBSERVE };

struct config_listen {
	uint8_t transport; /* enum transport */
	uint16_t port;
};

/* A next hop as written ("tls:sip.carrier.example:5061") and as resolved when loading. */
struct config_peer {
	uint8_t transport;
	char host[CONFIG_HOST_MAX];
	struct ip_endpoint at; /* family IP_NONE until resolved */
};

/* Whether an address of a bridge's zone is for who uses it first. */
enum address_guard {
	ADDRESS_GUARD_AUTO, /* where nobody is trusted */
	ADDRESS_GUARD_ON,
	ADDRESS_GUARD_OFF
};

/* Another zone that may be reached from this one, with what: "core", "core tcp:443". */
struct config_reach {
	char to[CONFIG_NAME_MAX];
	uint16_t zone;	   /* index; CONFIG_NONE until resolved */
	uint8_t transport; /* TRANSPORT_UDP or TRANSPORT_TCP; of no meaning when port is 0 */
	uint16_t port;	   /* 0 = everything */
	unsigned line;	   /* where it is written */
};

struct config_zone {
	char name[CONFIG_NAME_MAX];
	unsigned line; /* in the file, for later errors */
	char interface[CONFIG_IFNAME_MAX];
	uint16_t vlan;
	struct ip_addr address4,
		address6;		 /* configured, or the interface's; family IP_NONE = none */
	struct ip_addr public4, public6; /* told to peers; default: address4, address6 */
	uint8_t trust;			 /* enum zone_trust */
	uint8_t role;			 /* enum zone_role */
	bool cleartext_deny;
	bool leak_watch;	/* its link is watched for leaks */
	uint64_t bandwidth_bps; /* 0 = not limited */
	uint64_t uplink_bps;	/* qos: what the link takes; 0 = it is not shaped */
	uint32_t voice_share;	/* qos: percent of it that are for media */
	uint32_t quality_loss, quality_r_factor; /* alarms: percent, 0..93; 0 = none */
	uint32_t quality_jitter_ms, quality_silence_ms;
	const struct ip_prefix *subnets;
	size_t subnet_count; /* 0 = any source */
	const struct config_listen
		*services; /* ports of the gateway itself left reachable, as "tcp:22" */
	size_t service_count;
	const struct config_reach *reaches; /* of other zones; empty = nothing is passed on */
	size_t reach_count;
	const struct ip_prefix *dhcp_servers; /* who may answer DHCP and advertise routes here */
	size_t dhcp_server_count;	      /* 0 = nobody is known */
	const struct slice *switches;	      /* MAC addresses of who may speak as a switch here */
	size_t switch_count;		      /* 0 = whoever is heard first */
	uint8_t bits4, bits6;		      /* of the interface's own networks; 0 = not known */
	char parent[CONFIG_IFNAME_MAX]; /* with a vlan: what carries it; interface is its link */
	bool trunk;			/* the interface carries VLANs besides */
	bool link_missing; /* the VLAN's link is to be made, with the addresses given */
	char bridge[CONFIG_IFNAME_MAX]; /* that the interface is, or is a VLAN of; "" = none */
	uint16_t bridge_vlan;  /* the bridge's VLAN that is the zone; 0 = it filters no VLANs */
	uint8_t address_guard; /* enum address_guard */
	const struct slice *server_ports; /* of the bridge: where servers and routers stand */
	size_t server_port_count;	  /* 0 = at whichever port */
	uint16_t tunnel; /* index of the tunnel through which all of it goes, or CONFIG_NONE */
};

struct config_pbx {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	uint16_t zone; /* index */
	struct config_peer peer;
	const struct slice *domains;
	size_t domain_count;
	const struct config_listen *listen;
	size_t listen_count;
	uint16_t outbound;	       /* index of a trunk, or CONFIG_NONE */
	char product[CONFIG_NAME_MAX]; /* as virtual patches name it; empty = not told */
	uint32_t options_ping_ms;      /* 0 = off */
	bool verify;		       /* a TLS peer must prove its name, either way */
	uint8_t srtp;		       /* enum srtp_policy */
	bool sdes_cleartext;	       /* keys may be told over unencrypted signalling */
	uint8_t key_exchange;	       /* enum config_keys */
};

struct config_phones {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	uint16_t zone;
	uint16_t to; /* index of a pbx */
	const struct config_listen *listen;
	size_t listen_count;
	uint8_t srtp;	      /* enum srtp_policy */
	bool sdes_cleartext;  /* keys may be told over unencrypted signalling */
	uint8_t key_exchange; /* enum config_keys */
	bool nat;
	bool webrtc;
	uint32_t max_calls;	     /* 0 = not limited */
	uint32_t register_expires_s; /* towards NATed phones */
	const struct slice *methods; /* empty = every method that the gateway knows */
	size_t method_count;
};

struct config_trunk {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	uint16_t zone;
	uint16_t to; /* index of a pbx */
	struct config_peer peer;
	char username[CONFIG_NAME_MAX * 2];
	char password_file[CONFIG_PATH_MAX];
	char password[CONFIG_SECRET_MAX]; /* read from password_file by the warden; wiped by
					     config_free */
	bool verify;
	uint8_t srtp;			/* enum srtp_policy */
	bool sdes_cleartext;		/* keys may be told over unencrypted signalling */
	uint8_t key_exchange;		/* enum config_keys */
	uint32_t max_calls;		/* 0 = not limited */
	uint32_t max_cps;		/* 0 = not limited */
	const struct slice *dial_allow; /* prefixes; empty = all */
	size_t dial_allow_count;
	const struct slice *dial_deny;
	size_t dial_deny_count;
	uint8_t identity;			    /* enum identity_policy */
	uint8_t attest;				    /* 0 = A, 1 = B, 2 = C */
	char identity_certificate[CONFIG_PATH_MAX]; /* PEM; empty = calls are not signed */
	char identity_key[CONFIG_PATH_MAX];
	char identity_url[CONFIG_URL_MAX]; /* where others fetch that certificate */
	struct number_plan plan;
	uint16_t tunnel; /* that of its zone, or CONFIG_NONE */
};

/* An IPsec tunnel to another site, which strongSwan's charon makes. */
struct config_tunnel {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	uint16_t zone;			 /* through which the other site's gateway is reached */
	struct ip_addr remote4, remote6; /* that gateway; family IP_NONE = none */
	const struct ip_prefix *local_subnets; /* the networks at its ends */
	size_t local_subnet_count;
	const struct ip_prefix *remote_subnets;
	size_t remote_subnet_count;
	char local_id[CONFIG_IDENTITY_MAX]; /* IKE identities; empty = by default */
	char remote_id[CONFIG_IDENTITY_MAX];
	char psk_file[CONFIG_PATH_MAX];
	char psk[CONFIG_SECRET_MAX]; /* read from psk_file by the warden; wiped by config_free */
	char certificate[CONFIG_PATH_MAX], key[CONFIG_PATH_MAX], ca[CONFIG_PATH_MAX];
	char device[CONFIG_IFNAME_MAX]; /* of charon's own ESP; empty = the kernel's ESP */
	char charon[CONFIG_PATH_MAX];	/* its vici socket */
};

/* Whose word about callers counts (RFC 8224, 8226). */
struct config_identity {
	unsigned line;		       /* 0 = there is no such section */
	char anchors[CONFIG_PATH_MAX]; /* PEM: the authorities of those who sign */
	const struct slice *hosts;     /* that certificates are fetched from */
	size_t host_count;
	char https_ca[CONFIG_PATH_MAX]; /* PEM: the authorities of those hosts */
	const struct ip_prefix *inside; /* private networks where such hosts may stand */
	size_t inside_count;
};

/* What the gateway shows of itself over TLS, and whom it believes. */
struct config_tls {
	unsigned line;			  /* 0 = there is no such section */
	const struct slice *certificates; /* files, PEM: a certificate and its chain each */
	size_t certificate_count;
	const struct slice *keys; /* none: each certificate's file holds its key */
	size_t key_count;
	const struct slice *ocsp; /* files, DER: a response for each certificate, or none */
	size_t ocsp_count;
	char ca[CONFIG_PATH_MAX];    /* PEM; whose certificates peers may show */
	uint8_t min_version;	     /* enum tls_version */
	const struct slice *origins; /* of pages whose WebSockets are admitted; none = all */
	size_t origin_count;
};

struct config_media {
	uint16_t port_first, port_last; /* even, odd */
	uint32_t idle_timeout_ms;
	uint8_t path; /* enum media_path */
	bool af_xdp;  /* the user path may take AF_XDP sockets */
};

enum call_patterns { PATTERNS_EVENT, PATTERNS_REFUSE };

struct config_limits {
	uint32_t calls;
	uint32_t registrations;
	uint32_t message_bytes;
	uint32_t calls_per_second;    /* 0 = not limited */
	uint32_t per_source_pps;      /* 0 = not limited */
	uint32_t per_network_pps;     /* of a /24 or /48; 0 = not limited */
	uint32_t strangers_pps;	      /* of all strangers together; 0 = not limited */
	uint32_t transactions;	      /* open ones */
	uint32_t signalling_delay_ms; /* beyond it new requests are put off; 0 = never */
	uint32_t flood_sources;	      /* strangers alike that are a flood; 0 = never */
	uint32_t flood_registers;     /* of such a flood that pass in a second */
	uint32_t callers_per_callee;  /* within R2_CALLED_MS; 0 = not limited */
	uint32_t callees_per_caller;  /* not talked with, within R2_DIALLED_MS; 0 = not limited */
	uint8_t call_patterns;	      /* enum call_patterns: what becomes of who is beyond */
	uint32_t ban_time_s;
	const struct ip_prefix *never_ban;
	size_t never_ban_count;
};

/* The voice VLAN, told to phones by LLDP-MED through a running lldpd, and by CDP. */
struct config_voice_vlan {
	unsigned line; /* 0 = there is no such section */
	bool lldp, cdp;
	char lldpd[CONFIG_PATH_MAX]; /* its control socket */
	uint32_t priority, dscp;     /* that phones are to use for voice */
};

enum fraud_action { FRAUD_EVENT, FRAUD_REFUSE, FRAUD_END };
enum fraud_judges { FRAUD_JUDGES_BOTH, FRAUD_JUDGES_PHONES, FRAUD_JUDGES_TRUNKS };
enum fraud_quiet { FRAUD_QUIET_ABROAD, FRAUD_QUIET_OUTSIDE };

/* What calls to the outside an account may make. Lists are beginnings of numbers. */
struct config_fraud {
	unsigned line;			    /* 0 = there is no such section: nothing is judged */
	uint8_t action;			    /* enum fraud_action */
	uint8_t judges;			    /* enum fraud_judges */
	uint32_t outside_digits;	    /* a number of so many digits leads outside */
	const struct slice *outside_prefix; /* what phones dial before an outside number */
	size_t outside_prefix_count;
	uint32_t parallel_calls; /* 0 = not limited; likewise below */
	uint32_t calls_per_hour, calls_per_day;
	uint32_t minutes_per_day;
	uint32_t new_destinations;  /* within an hour */
	const struct slice *abroad; /* what stands before a country code */
	size_t abroad_count;
	const struct slice *home; /* of these, what is no other country */
	size_t home_count;
	const struct slice *premium; /* never to be called */
	size_t premium_count;
	const struct slice *emergency; /* whole numbers: never refused */
	size_t emergency_count;
	uint16_t quiet_first, quiet_last; /* minutes of the day; equal = never */
	bool quiet_weekend;		  /* Saturday and Sunday too */
	uint8_t quiet_refuses;		  /* enum fraud_quiet */
};

/* Which virtual patches act. */
struct config_patches {
	unsigned line;		   /* 0 = there is no such section */
	bool shipped;		   /* the rules that come with Hornwork */
	uint8_t mode;		   /* enum patches_mode */
	const struct slice *files; /* further rules */
	size_t file_count;
	const struct slice *off; /* rules and CVEs */
	size_t off_count;
};

struct config_console {
	struct ip_endpoint listen; /* TCP, besides the Unix socket; port 0 = none */
	char token_file[CONFIG_PATH_MAX];
	char events[CONFIG_PATH_MAX]; /* file of JSON lines; empty = none */
	char syslog[CONFIG_PATH_MAX]; /* socket of a syslog daemon; empty = none */
};

enum asset_kind { ASSET_PHONE, ASSET_PBX, ASSET_NETWORK, ASSET_GATEWAY, ASSET_SERVER };

/* How, when and from where the owner's assets are assessed. */
struct config_assess {
	uint32_t every_s;		    /* 0 = the gateway does not by itself */
	uint16_t window_first, window_last; /* minutes of the day; equal = always */
	const struct ip_prefix *admins;	    /* who may reach management ports */
	size_t admin_count;
	unsigned admins_line;	     /* where they are written; 0 = nowhere */
	char state[CONFIG_PATH_MAX]; /* folder of the store */
	uint32_t devices_at_once;
	uint32_t guesses_per_day;	/* passwords tried at one device */
	const struct slice *never_dial; /* besides emergency numbers */
	size_t never_dial_count;
};

/* What the owner declares as his own: nothing else is ever sent a packet by the assessor. */
struct config_asset {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	const struct ip_prefix *addresses; /* single ones */
	size_t address_count;
	const struct ip_prefix *subnets;
	size_t subnet_count;
	uint8_t kind;		     /* enum asset_kind */
	uint16_t sip_port;	     /* where it speaks SIP */
	const struct slice *domains; /* that its certificate must name */
	size_t domain_count;
	bool mutual_tls;	  /* it must refuse clients without a good certificate */
	const struct slice *macs; /* hardware addresses as written */
	size_t mac_count;
	const struct slice *provisioning; /* paths under which it serves devices their files */
	size_t provisioning_count;
	bool web_admin; /* its web interface may be open */
	char ssh_user[CONFIG_NAME_MAX];
	char ssh_key_file[CONFIG_PATH_MAX];
	uint16_t ssh_port;
	uint32_t packets_per_second;		  /* to one device; 0 = by kind */
	char test_user[CONFIG_NAME_MAX];	  /* reserved for tests: registered by nobody */
	char test_password_file[CONFIG_PATH_MAX]; /* its password, for test calls; "" = none */
	char test_number[CONFIG_NAME_MAX];	  /* that test calls dial; "" = none */
	bool allow_default_login;		  /* documented factory passwords may be tried */
	bool owner_confirmed; /* a public address that is the owner's all the same */
	bool lab;	      /* may be harmed: nobody depends on it */
};

/* Another place in the network from which the assessor looks. */
struct config_place {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	struct ip_addr address4, address6; /* its own; family IP_NONE = none */
	char ssh_user[CONFIG_NAME_MAX];	   /* empty = this machine itself */
	char ssh_key_file[CONFIG_PATH_MAX];
	uint16_t ssh_port;
	uint16_t sip_port;	       /* where a test call is taken */
	char command[CONFIG_PATH_MAX]; /* hornwork, as it is called there */
};

/* What stands before a flaw that the assessor found, until it is mended; named after the finding.
 */
struct config_shield {
	char name[CONFIG_NAME_MAX];
	unsigned line;
	const struct ip_prefix *quarantine; /* devices that administrators alone may reach */
	size_t quarantine_count;
	char encrypt[CONFIG_NAME_MAX]; /* phones or trunk whose media must be encrypted; "" = none
					*/
	const struct slice *patches;   /* CVEs and rules that act whatever else is configured */
	size_t patch_count;
};

enum owner_kind { OWNER_PHONES, OWNER_PBX, OWNER_TRUNK };

/* A section that owns a source: its kind and its index. */
struct config_owner {
	uint8_t kind; /* enum owner_kind */
	uint16_t index;
};

/* One socket to listen on. Sections of one zone that ask for the same transport and port share a
 * listener (a trunk has none of its own: it uses the zone's, made if need be). */
struct config_listener {
	uint16_t zone;
	uint8_t transport;
	struct ip_endpoint local;
};

struct config {
	struct arena arena; /* holds all lists */
	struct config_zone *zones;
	size_t zone_count;
	struct config_pbx *pbxs;
	size_t pbx_count;
	struct config_phones *phones;
	size_t phones_count;
	struct config_trunk *trunks;
	size_t trunk_count;
	struct config_tunnel *tunnels;
	size_t tunnel_count;
	struct config_tls tls;
	struct config_identity identity;
	struct config_media media;
	struct config_limits limits;
	struct config_fraud fraud;
	struct config_patches patches;
	struct config_console console;
	struct config_voice_vlan voice_vlan;
	struct config_assess assess;
	struct config_asset *assets;
	size_t asset_count;
	struct config_place *places;
	size_t place_count;
	struct config_shield *shields;
	size_t shield_count;
	struct ip_addr *quarantine; /* derived: of all shields */
	size_t quarantine_count;
	struct config_listener *listeners; /* derived; by config_listeners_derive */
	size_t listener_count;
};

/* Derives `listeners` from the sections once the zones' addresses are known: one for each zone,
 * family, transport and port that some section asks for, in a stable order. ERR_NOMEM, ERR_LIMIT.
 */
int config_listeners_derive(struct config *c) must_check;
/* Index by name, or CONFIG_NONE. */
uint16_t config_zone_find(const struct config *c, struct slice name);
/* By its index, or NULL for CONFIG_NONE and what is not there. */
const struct config_tunnel *config_tunnel_at(const struct config *c, uint16_t tunnel);
/* The tunnel that a zone is bound to, or NULL. */
const struct config_tunnel *config_tunnel_of(const struct config *c, uint16_t zone);
/* Whether what goes from our address to this peer goes through a tunnel: the address is one of a
 * bound zone, or the peer is at the other end of one. */
bool config_is_tunnelled(const struct config *c, const struct ip_addr *own,
			 const struct ip_addr *peer);
/* Whether the zone's interface is a tunnel's device: it comes and goes, and carries no frames. */
bool config_zone_is_device(const struct config *c, uint16_t zone);
/* Whether its packets come out of the kernel's IPsec: by the interface of another zone, from which
 * only what the kernel says of them tells them. */
bool config_zone_is_inner(const struct config *c, uint16_t zone);
/* Zones of one interface whose packets nothing tells apart share what is decided about them: the
 * first of those (`zone` itself, when it is alone). */
uint16_t config_zone_first(const struct config *c, uint16_t zone);
/* Whether the zone's link has queues of ours. */
bool config_zone_shaped(const struct config *c, uint16_t zone);
uint16_t config_pbx_find(const struct config *c, struct slice name);
uint16_t config_phones_find(const struct config *c, struct slice name);
uint16_t config_trunk_find(const struct config *c, struct slice name);
/* The zone's listener for a transport and family (the first one), or CONFIG_NONE. */
uint16_t config_listener_find(const struct config *c, uint16_t zone, enum transport transport,
			      enum ip_family family);
/* The phones section that listens on this listener (there is at most one), or CONFIG_NONE. */
uint16_t config_phones_at(const struct config *c, uint16_t listener);
/* The pbx or trunk of the zone whose resolved address is the source's; of several with one address
 * the one with the source's port, else the first. False: none. */
bool config_peer_at(const struct config *c, uint16_t zone, const struct ip_endpoint *source,
		    struct config_owner *out);
/* How paths name a pbx or trunk: 1 + its place among pbxs and trunks. */
uint16_t config_peer_number(const struct config *c, struct config_owner owner);
/* The pbx or trunk of a number, or false: 0, or no such one any more. */
bool config_peer_of_number(const struct config *c, uint16_t number, struct config_owner *out);
/* Its next hop, or NULL for phones and what is not there. */
const struct config_peer *config_peer_of(const struct config *c, struct config_owner owner);
/* True for a pbx or trunk that is reached by TLS and has to prove its name. */
bool config_must_prove(const struct config *c, struct config_owner owner);
/* Who may speak from `source` to this listener: a peer of its zone, else the phones that listen
 * there, if the zone admits the source. False: nobody (REASON_source_unknown). */
bool config_owner_of(const struct config *c, uint16_t listener, const struct ip_endpoint *source,
		     struct config_owner *out);
/* Whether calls of some trunk are to be verified (RFC 8224). */
bool config_verifies_callers(const struct config *c);
/* Whether the file is for `hornwork assess` alone: assets, and nothing that a gateway needs. */
bool config_is_assets_only(const struct config *c);
/* Wipes secrets, frees all. Accepts NULL. */
void config_free(struct config *c);

#endif
