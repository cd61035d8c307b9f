/* What a check includes: a visit is one check at one target.
 *
 * How to write a check
 * ====================
 * 1. A row in the group's src/assess/checks/checks_*.def: id, recommendation, class, severity,
 *CVSS, kinds of assets, title, remediation, references, the packets that it may send, and its
 *function.
 * 2. The function in the file of its group (src/assess/checks/px_*.c, dv_*.c, gw_*.c, en_*.c,
 *    vl_*.c), declared by the row itself:
 *
 *	enum verdict dv04_telnet(struct visit *v)
 *	{
 *		char banner[256];
 *		struct wire *c;
 *		int err = visit_connect(v, PACKET_TCP_CONNECT, 23, &c);
 *
 *		if (err)
 *			return visit_closed(v, err);
 *		... wire_read(c, banner, ...); wire_close(c);
 *		return visit_found(v, &(struct found){.port = 23}, "Telnet answers: %s", banner);
 *	}
 *
 *    It is straight-line code that may block: each target has a thread. Pace, scope, budget of
 *    packets, cancelling, health and canaries are the framework's. It looks at v->target alone.
 * 3. What it says, by what it returns: VERDICT_CLEAN (looked, and good), visit_found() (once per
 *    port or CVE; the same again adds to the evidence), visit_absent() (looked, and what it
 *    is about is not there), visit_untested() (could not look; never counts as good),
 *    visit_not_asked() (the configuration does not say what would be needed). In doubt: untested.
 * 4. A lab test with a flawed target and a mended one in tests/e2e/rN_assess_*.py.
 *
 * Evidence holds no secrets: names, lengths, the first words of a banner; never a password, a
 * digest, a key. Strangers' bytes in it are escaped by visit_found.
 */
#ifndef HW_ASSESS_VISIT_H
#define HW_ASSESS_VISIT_H

#include "assess/check_row.h"
#include "assess/wire.h"
#include "assess/target.h"
#include "assess/dgram.h"

#define VISIT_WHY_MAX 192
#define VISIT_FINDINGS_MAX                                                                         \
	64 /* of one check at one target; what is more is told by the last one                     \
	    */

/* What of a finding is not the row's. */
struct found {
	uint16_t port;
	const char *cve;	 /* NULL = none */
	const uint8_t *severity; /* enum assess_severity; NULL = the row's */
	uint8_t cvss_tenths;	 /* 0 = the row's */
	bool kev;
	const uint8_t *confidence; /* enum assess_confidence; NULL = high: it was seen */
	const char *remediation;   /* NULL = the row's */
	const char *shield;	   /* what a shield section holds: visit_quarantine(v),
				      visit_virtual_patch; or NULL */
	const char *pcap;	   /* file, or NULL */
};

/* For .severity and .confidence. */
#define VISIT_LEVEL(level) (&(const uint8_t){(level)})

struct visit_host; /* what the runner offers */

struct visit {
	const struct check_row *row;
	struct target *target;
	const struct config *config;
	const struct visit_host *host;
	struct packet_plan left;
	struct arena *arena; /* of this visit; what a finding points to may live here */
	struct finding findings[VISIT_FINDINGS_MAX];
	size_t finding_count;
	char why[VISIT_WHY_MAX];
	bool in_call;	/* it came into one: nothing more is sent */
	bool more;	/* than the list of findings takes */
	bool noted;	/* clean, and `why` is to be told */
	bool not_asked; /* untested because the configuration does not ask for it */
};

/* ---- verdicts ---- */

/* Records a finding and returns VERDICT_FOUND. `fmt` and what follows are a line of evidence. */
__attribute__((format(printf, 3, 4))) enum verdict
visit_found(struct visit *v, const struct found *f, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) enum verdict visit_absent(struct visit *v, const char *fmt,
								...);
__attribute__((format(printf, 2, 3))) enum verdict visit_untested(struct visit *v, const char *fmt,
								  ...);
/* Clean, and the owner should know this: what the check has left behind. */
__attribute__((format(printf, 2, 3))) enum verdict visit_noted(struct visit *v, const char *fmt,
							       ...);
/* Untested because the configuration does not say what would be needed (an ssh-user, a reserved
 * number): told in the report, but the run is complete without it. */
__attribute__((format(printf, 2, 3))) enum verdict visit_not_asked(struct visit *v, const char *fmt,
								   ...);
/* For .shield: administrators alone reach the target, by the gateway's firewall. */
const char *visit_quarantine(struct visit *v);
/* For .shield: the gateway's virtual patch for the CVE, NULL when it has none, or when the target
 * is no PBX whose address a pbx section names. */
const char *visit_virtual_patch(struct visit *v, const char *cve);
/* What a failed connection means to a check that looks for an open port: refused or not answered
 * is clean (the runner asks for the target's health afterwards), anything else untested. */
enum verdict visit_closed(struct visit *v, int err);
/* Untested, with the error in words. */
enum verdict visit_failed(struct visit *v, const char *what, int err);

/* ---- means; each takes what it sends from the row's budget: beyond it ERR_LIMIT ---- */

/* As wire_open. A port of a gentle device that refused in this run is not asked again. */
int visit_connect(struct visit *v, enum packet_class class, uint16_t port,
		  struct wire **out) must_check;
/* As dgram_open; each datagram is then sent by visit_send. */
int visit_udp(struct visit *v, uint16_t port, struct dgram *out) must_check;
int visit_send(struct visit *v, enum packet_class class, struct dgram *u,
	       struct slice bytes) must_check;
/* One datagram and its answer, with one more try when the answer stays away. Its bytes;
 * -ETIMEDOUT, -ECONNREFUSED. */
int visit_ask(struct visit *v, enum packet_class class, uint16_t port, struct slice request,
	      char *answer, size_t size) must_check;
/* The device came into a call, or that cannot be told: nothing more is sent, and the check is not
 * tested. */
bool visit_in_call(struct visit *v);
/* Whether one more of this class may be sent; takes it. ERR_LIMIT; ERR_DENIED: it is in a call. */
int visit_spend(struct visit *v, enum packet_class class) must_check;
/* Whether one more password may be tried at this target today, over all runs; takes it. ERR_DENIED
 * when not: the check is then untested. */
int visit_may_guess(struct visit *v) must_check;
/* What the gateway on this machine says of itself: its API's answer to GET `path` ("/v1/calls",
 * "/v1/registrations", "/v1/status"); sends nothing to the target. Its text, a C string: mem_free.
 * ERR_ABSENT: no gateway runs here, or it may not be asked; ERR_PEER. */
int visit_ask_gateway(struct visit *v, const char *path, char **out_text) must_check;
/* Eight random bytes as 16 hexadecimal digits: tags, branches, marks. */
void visit_token(char out[static 17]);

/* What the runner does for visits. */
struct visit_host {
	void *ctx;
	int (*may_guess)(void *ctx, const struct target *t); /* ERR_DENIED */
	int (*ask_gateway)(void *ctx, const char *path, char **out_text);
	bool (*in_call)(void *ctx, const struct target *t); /* or not known; NULL = never */
	const char *state_dir;				    /* for files that outlive the run */
	const char *data_dir; /* the shipped facts; NULL: they are not there */
	bool (*is_patchable)(const void *patches,
			     const char *cve); /* as run_wish's; NULL = never */
	const void *patches;
};

/* For the runner and for tests: a visit that has sent nothing yet. ERR_SYNTAX: the row's packets
 * cannot be read. */
int visit_begin(struct visit *v, const struct check_row *row, struct target *t,
		const struct visit_host *host, struct arena *arena) must_check;

#endif
