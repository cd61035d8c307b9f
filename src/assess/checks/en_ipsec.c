/* EN: tunnels between sites. */
#include <errno.h>
#include <openssl/rand.h>

#include "assess/checks/table.h"
#include "assess/ssh.h"

/* ---- EN-19: are they up? ---- */

/* "name: #1, ESTABLISHED, IKEv2, ..." for each that is up; "name: IKEv1/2, ..." for each known. */
static bool is_up(struct slice sas, struct slice name)
{
	while (sas.n) {
		struct slice line = slice_split(sas, '\n', &sas);

		if (slice_starts(line, name) && slice_find_slice(line, SL("ESTABLISHED")) < line.n)
			return true;
	}
	return false;
}

/* The names of what swanctl knows: lines that begin at the margin. */
static enum verdict judge_tunnels(struct visit *v, struct slice conns, struct slice sas)
{
	enum verdict verdict = VERDICT_CLEAN;
	size_t known = 0;

	while (conns.n) {
		struct slice line = slice_split(conns, '\n', &conns);
		struct slice name = slice_first(line, slice_find(line, ':') + 1);

		if (!line.n || line.p[0] == ' ' || name.n < 2 || name.p[name.n - 1] != ':')
			continue;
		known++;
		if (!is_up(sas, name))
			verdict = visit_found(v, &(struct found){0},
					      "tunnel %.*s is configured and not up",
					      (int)(name.n - 1), name.p);
	}
	return known ? verdict : visit_absent(v, "no tunnel is configured there");
}

enum verdict en19_tunnel_down(struct visit *v)
{
	struct ssh_text conns, sas;
	enum verdict verdict;
	int err = visit_ssh(v, "swanctl --list-conns 2>/dev/null", &conns);

	if (err)
		return visit_no_host(v, err);
	err = visit_ssh(v, "swanctl --list-sas 2>/dev/null", &sas);
	if (err) {
		ssh_text_done(&conns);
		return visit_no_host(v, err);
	}
	verdict = judge_tunnels(v, slice_of(conns.p, conns.n), slice_of(sas.p, sas.n));
	ssh_text_done(&conns);
	ssh_text_done(&sas);
	return verdict;
}

/* ---- EN-20: weak proposals ---- */

enum { IKE_PORT = 500, IKE_SA_INIT = 34, PAYLOAD_SA = 33, GROUP_BYTES_MAX = 128 };

struct proposal {
	const char *what;
	uint16_t cipher, key_bits, prf, integrity, group; /* IANA's numbers of IKEv2 */
	size_t group_bytes;
};

static const struct proposal weak[] = {
	{"3DES, MD5, a group of 1024 bits", 3, 0, 1, 1, 2, 128},
	{"AES-128, SHA-1, a group of 1024 bits", 12, 128, 2, 2, 2, 128},
	{"AES-128, SHA-1, a group of 768 bits", 12, 128, 2, 2, 1, 96},
};

static void transform(struct out *o, bool last, unsigned type, unsigned id, unsigned key_bits)
{
	out_char(o, last ? 0 : 3);
	out_char(o, 0);
	out_be16(o, key_bits ? 12 : 8);
	out_char(o, (char)type);
	out_char(o, 0);
	out_be16(o, id);
	if (key_bits) {
		out_be16(o, 0x800e); /* key length, RFC 7296 3.3.5 */
		out_be16(o, key_bits);
	}
}

static void random_bytes(struct out *o, size_t n)
{
	unsigned char bytes[GROUP_BYTES_MAX];

	(void)RAND_bytes(bytes, (int)n);
	bytes[0] |= 1; /* no public value is all zero */
	out_bytes(o, slice_of((const char *)bytes, n));
}

/* IKE_SA_INIT with one proposal (RFC 7296 1.2, 3.1 to 3.4, 3.9). */
static void write_init(struct out *o, const struct proposal *p)
{
	size_t transforms = (p->key_bits ? 12u : 8u) + 3 * 8, sa = 4 + 8 + transforms;
	size_t ke = 8 + p->group_bytes, nonce = 4 + 32, all = 28 + sa + ke + nonce;

	random_bytes(o, 8);
	out_bytes(o, slice_of("\0\0\0\0\0\0\0\0", 8));
	out_char(o, PAYLOAD_SA);
	out_char(o, 0x20);
	out_char(o, IKE_SA_INIT);
	out_char(o, 0x08);
	out_bytes(o, slice_of("\0\0\0\0\0\0", 6));
	out_be16(o, (unsigned)all);
	out_char(o, 34); /* next: key exchange */
	out_char(o, 0);
	out_be16(o, (unsigned)sa);
	out_bytes(o, slice_of("\0\0", 2));
	out_be16(o, (unsigned)(sa - 4));
	out_bytes(o, slice_of("\1\1\0\4", 4)); /* number 1, IKE, no SPI, four transforms */
	transform(o, false, 1, p->cipher, p->key_bits);
	transform(o, false, 2, p->prf, 0);
	transform(o, false, 3, p->integrity, 0);
	transform(o, true, 4, p->group, 0);
	out_char(o, 40); /* next: nonce */
	out_char(o, 0);
	out_be16(o, (unsigned)ke);
	out_be16(o, p->group);
	out_be16(o, 0);
	random_bytes(o, p->group_bytes);
	out_char(o, 0);
	out_char(o, 0);
	out_be16(o, (unsigned)nonce);
	random_bytes(o, 32);
}

enum verdict en20_weak_ike(struct visit *v)
{
	enum verdict verdict = VERDICT_CLEAN;
	bool answered = false;

	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
		char request[512], answer[2048];
		struct out o = out_to(request, sizeof(request));
		int n;

		write_init(&o, &weak[i]);
		n = visit_ask(v, PACKET_UDP_PROBE, IKE_PORT, out_slice(&o), answer, sizeof(answer));
		if (n < 0 && n != -ETIMEDOUT && n != -ECONNREFUSED)
			return visit_failed(v, "IKE", n);
		answered |= n >= 28;
		/* A response whose first payload is a security association took the proposal. */
		if (n >= 28 && answer[18] == IKE_SA_INIT && answer[16] == PAYLOAD_SA)
			verdict = visit_found(v, &(struct found){.port = IKE_PORT},
					      "IKEv2 accepts %s", weak[i].what);
	}
	return answered ? verdict : visit_absent(v, "nobody speaks IKEv2 at port %d", IKE_PORT);
}
