/* What messages made by one program have in common. */
#include "guard/r2_swarm.h"

#define AGENT_MAX  64  /* bytes of a User-Agent: what comes behind tells of the device */
#define TARGET_MAX 64  /* bytes of a user that is asked for */
#define TEXT_MAX   320 /* bytes of a pattern in words */

static const struct slice cookie = SLICE("z9hG4bK"); /* RFC 3261 8.1.1.7 */

/* ---- shapes ---- */

enum { HAS_DIGIT = 1, HAS_HEX = 2, HAS_LOWER = 4, HAS_UPPER = 8, HAS_OTHER = 16 };

static unsigned kinds_of(char c)
{
	if (ascii_is_digit(c))
		return HAS_DIGIT;
	if (c >= 'a' && c <= 'f')
		return HAS_HEX;
	if (c >= 'a' && c <= 'z')
		return HAS_LOWER;
	return ascii_is_alpha(c) ? HAS_UPPER : HAS_OTHER;
}

static const char *alphabet(unsigned kinds)
{
	if (kinds == HAS_DIGIT)
		return "digits";
	if (!(kinds & ~(unsigned)(HAS_DIGIT | HAS_HEX)))
		return "hex";
	if (!(kinds & HAS_UPPER))
		return "small";
	return "mixed";
}

/* A random identifier keeps its alphabet, about its length, and the marks between its parts: a
 * UUID is "hex 8-4-4-4-12". Lengths go by fours: a number loses digits at times. */
static void write_shape(struct out *o, struct slice s)
{
	unsigned kinds = 0;
	size_t run = 0;

	for (size_t i = 0; i < s.n; i++)
		kinds |= kinds_of(s.p[i]);
	out_z(o, alphabet(kinds & ~(unsigned)HAS_OTHER));
	out_char(o, ' ');
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && kinds_of(s.p[i]) != HAS_OTHER) {
			run++;
			continue;
		}
		if (run)
			out_u64(o, (run + 3) / 4 * 4);
		if (i < s.n)
			out_char(o, s.p[i]);
		run = 0;
	}
}

/* The host behind a Call-ID's @ is the sender's own: not a mark of the program. */
static void write_shapes(struct out *o, const struct sip_msg *m)
{
	struct slice host, id = slice_split(slice_first(m->call_id, AGENT_MAX), '@', &host);
	struct slice branch = slice_first(m->via.branch, AGENT_MAX);

	out_z(o, "Call-ID ");
	write_shape(o, id);
	out_z(o, host.n ? "@, branch " : ", branch ");
	if (slice_starts(branch, cookie))
		branch = slice_from(branch, cookie.n);
	write_shape(o, branch);
	out_z(o, ", tag ");
	write_shape(o, slice_first(m->from.tag, AGENT_MAX));
}

static void write_order(struct out *o, const struct sip_msg *m)
{
	for (size_t i = 0; i < m->header_count; i++)
		out_fmt(o, ",%u", (unsigned)m->header[i].id);
}

/* ---- traits ---- */

static struct slice agent_of(const struct sip_msg *m)
{
	const struct sip_header *h = sip_header_first(m, SIP_H_USER_AGENT);

	return h ? slice_first(slice_trim(h->value), AGENT_MAX) : SL("");
}

static struct slice target_of(const struct sip_msg *m)
{
	const struct slice user = m->method == SIP_REGISTER ? m->to.uri.user : m->uri.user;

	return slice_first(user, TARGET_MAX);
}

static uint64_t name_of(const struct r2_swarm *s, const struct sip_msg *m, enum r2_trait trait,
			struct slice what)
{
	char text[TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	if (what.n == 0)
		return 0;
	out_fmt(&o, "%u ", (unsigned)trait);
	out_bytes(&o, slice_first(m->method_text, SIP_METHOD_MAX));
	out_char(&o, ' ');
	for (size_t i = 0; i < what.n; i++)
		out_char(&o, ascii_lower(what.p[i]));
	return hash_bytes(&s->key, out_slice(&o)) | 1;
}

struct r2_pattern r2_swarm_pattern(const struct r2_swarm *s, const struct sip_msg *request)
{
	char shape[TEXT_MAX];
	struct out o = out_to(shape, sizeof(shape) - SIP_METHOD_MAX - 8);
	struct r2_pattern p;

	write_shapes(&o, request);
	write_order(&o, request); /* what does not fit is no difference */
	p.name[R2_BY_AGENT] = name_of(s, request, R2_BY_AGENT, agent_of(request));
	p.name[R2_BY_SHAPE] = name_of(s, request, R2_BY_SHAPE, out_slice(&o));
	p.name[R2_BY_TARGET] = name_of(s, request, R2_BY_TARGET, target_of(request));
	return p;
}

void r2_swarm_write_traits(struct out *o, const struct sip_msg *request)
{
	struct slice agent = agent_of(request), target = target_of(request);

	out_bytes(o, slice_first(request->method_text, SIP_METHOD_MAX));
	if (target.n) {
		out_z(o, " of ");
		out_bytes(o, target);
	}
	if (agent.n) {
		out_z(o, ", User-Agent \"");
		out_bytes(o, agent);
		out_char(o, '"');
	} else {
		out_z(o, ", no User-Agent");
	}
	out_z(o, ", ");
	write_shapes(o, request);
}
