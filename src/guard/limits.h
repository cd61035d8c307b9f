/* Limits of the guard: name, value, unit, reason. */
#ifndef HW_GUARD_LIMITS_H
#define HW_GUARD_LIMITS_H

#define R1_ADDRESSES_MAX    64	 /* local media addresses: two per zone */
#define R1_PORT_MIN	    1024 /* a peer's media port below is refused: no phone uses one */
#define R1_STREAM_FLOWS_MAX 4	 /* RTP and RTCP in both directions */
#define R5_CHUNK_BYTES	    (16 * 1024)
#define R5_MEMORY_MAX	    (16 * 1024 * 1024) /* bytes of a policy: 256 zones fit */

#define R2_BANS_MAX	 16384 /* single addresses and flows; 160 bytes each */
#define R2_BANS_WIDE_MAX 256   /* prefixes: by hand only, looked through one by one */

#define R2_SUSPECT_SETS	 2048 /* of R2_SUSPECT_WAYS entries: 8,192 flows and addresses */
#define R2_SUSPECT_WAYS	 4
#define R2_ACCOUNT_SETS	 1024 /* likewise: 4,096 accounts */
#define R2_ACCOUNT_WAYS	 4
#define R2_POINTS_BAN	 100  /* points at which a flow, or an address without phones, is banned */
#define R2_POINTS_DOUBT	 50   /* at which a flow has no trust any more, until time forgives */
#define R2_OFFICE_FACTOR 5    /* so much more for the strangers beside registered phones */
#define R2_FORGIVE_MS	 6000 /* per point and kind of offence */
#define R2_ASKED_MAX	 8    /* names that one flow may ask for without trying a password */
#define R2_ACCOUNT_MAX	 10   /* wrong passwords for one account, from anywhere */
#define R2_ACCOUNT_FORGIVE_MS                                                                      \
	30000 /* per wrong password: a phone with an old one tries about so often */

#define R2_OVERLOAD_INTERVAL_MS 100   /* of one measurement of the delay */
#define R2_OVERLOAD_WAIT_MAX_MS 10000 /* a longer one counts so much */
#define R2_CALLERS_MAX		16384 /* accounts; more than calls can run, so one without a call goes */
#define R2_CALLER_NAME_MAX	128 /* bytes with its NUL */
#define R2_DESTINATIONS_MAX	16  /* that one account is remembered to have called */
#define R2_DESTINATION_DIGITS                                                                      \
	3 /* behind what stands before a country code: ITU-T E.164 6.2.1 has at most three */

#define R2_CENTRE_SETS	 256 /* callers or callees: 1,024, of about 1.3 kB each */
#define R2_CENTRE_WAYS	 4
#define R2_OTHERS_MAX	 100	/* that one of them is remembered to have had to do with */
#define R2_CALLED_MS	 60000	/* callers of one callee are counted so long */
#define R2_DIALLED_MS	 600000 /* and callees of one caller, who did not talk with them */
#define R2_SHORT_CALL_MS 10000	/* who hung up sooner did not talk */
#define R2_CROWD_TELL_MS 60000	/* between two events about one of them */

#define R2_SWARM_SETS	     64 /* of R2_SWARM_WAYS patterns: 256, of about 3.7 kB each */
#define R2_SWARM_WAYS	     4
#define R2_SWARM_SOURCES_MAX 128    /* of one pattern that are remembered */
#define R2_SWARM_WINDOW_MS   600000 /* who fell silent so long ago is forgotten */
#define R2_SWARM_GRACE_MS    5000   /* so long a source has to prove itself before it counts */
#define R2_SWARM_HOLD_MS     60000  /* a flood lasts so long beyond its last message */
#define R2_SWARM_TELL_MS     60000  /* between two events about one flood */

#define R2_DIGEST_SETS 8192 /* of R2_DIGEST_WAYS digests and nonces: 32,768 of 40 bytes */
#define R2_DIGEST_WAYS 4
#define R2_DIGEST_MS   3600000 /* PBXs let a nonce live for minutes, the longest for an hour */

#define R2_PROBED_PACKETS   3	  /* from another address, to one port: no stray packet */
#define R2_INJECTED_PACKETS 25	  /* half a second of audio from another source */
#define R2_MEDIA_TELL_MS    60000 /* between two events about one port */

#define R4_LINES_MAX                                                                               \
	12 /* a=crypto lines of one stream: theirs and ours; phones offer up to eight */

#endif
