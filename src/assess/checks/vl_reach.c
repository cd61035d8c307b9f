/* VL: who reaches whom between the segments, tried from declared places within them. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/place_sip.h"

#define WAIT_MS 1500

/* Refused by the far end is reached; an error of ours or silence is not. */
static bool was_reached(int err)
{
	return err == 0 || err == -ECONNREFUSED;
}

static bool is_ours_to_tell(int err)
{
	return was_reached(err) || err == -ETIMEDOUT || err == -EHOSTUNREACH ||
	       err == -ENETUNREACH || err == -EACCES || err == -EPERM;
}

struct door {
	uint16_t port;
	const char *what;
};

/* Each TCP port of the target that answers from the place: a finding. */
static enum verdict try_doors(struct visit *v, struct place *p, const char *from,
			      const struct door *doors, size_t count)
{
	enum verdict verdict = VERDICT_CLEAN;

	for (size_t i = 0; i < count; i++) {
		struct ip_endpoint to = {v->target->address, doors[i].port};
		int err = place_connect(v, p, &to, WAIT_MS);

		if (!is_ours_to_tell(err))
			return verdict == VERDICT_FOUND ? verdict
							: visit_failed(v, "a connection", err);
		if (was_reached(err))
			verdict = visit_found(v, &(struct found){.port = doors[i].port},
					      "TCP port %u (%s) is reached from place %s%s",
					      doors[i].port, doors[i].what, from,
					      err ? ": it refuses" : "");
	}
	return verdict;
}

static enum verdict try_ping(struct visit *v, struct place *p, const char *from)
{
	int err = place_ping(v, p, &v->target->address, WAIT_MS);

	if (err == 0)
		return visit_found(v, &(struct found){0}, "a ping from place %s is answered", from);
	return VERDICT_CLEAN; /* a place that may not ping has the other doors */
}

static enum verdict try_sip(struct visit *v, struct place *p, const char *from)
{
	struct ip_endpoint to = {v->target->address, v->target->asset->sip_port};
	struct place_datagram got;
	char request[1024];
	struct out o = out_to(request, sizeof(request));
	unsigned socket;
	int err = place_udp_towards(p, &to.addr, &socket);

	if (!err)
		place_sip_write(&o, p, socket, &to, NULL, (struct slice){0});
	err = err ? err : o.err;
	err = err ? err : place_send(v, p, socket, PACKET_SIP_OPTIONS, &to, out_slice(&o));
	if (err)
		return visit_failed(v, "a datagram", err);
	if (place_recv(p, &got, WAIT_MS) != 0)
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = to.port}, "its SIP port answers place %s",
			   from);
}

static enum verdict worse(enum verdict a, enum verdict b)
{
	if (a == VERDICT_FOUND || b == VERDICT_FOUND)
		return VERDICT_FOUND;
	return a == VERDICT_UNTESTED ? a : b;
}

/* ---- VL-01, VL-17: voice from the data segment ---- */

static enum verdict from_data(struct visit *v)
{
	static const struct door doors[] = {
		{80, "web"}, {443, "web"}, {5060, "SIP"}, {5061, "SIP, TLS"}};
	struct place *p;
	enum verdict verdict;
	int err = visit_place(v, "data", &p);

	if (err)
		return visit_no_place(v, "data", err);
	verdict = try_doors(v, p, "data", doors, sizeof(doors) / sizeof(doors[0]));
	verdict = worse(verdict, try_ping(v, p, "data"));
	return worse(verdict, try_sip(v, p, "data"));
}

enum verdict vl01_voice_from_data(struct visit *v)
{
	if (v->target->address.family == IP_V6)
		return visit_absent(v, "its IPv6 address is VL-17's");
	return from_data(v);
}

enum verdict vl17_voice_from_data_v6(struct visit *v)
{
	if (v->target->address.family != IP_V6)
		return visit_absent(v, "it has no IPv6 address in its asset section");
	return from_data(v);
}

/* ---- VL-02: data from the voice segment ---- */

/* The place in the data segment stands for its hosts: does a datagram of the voice segment arrive?
 */
enum verdict vl02_data_from_voice(struct visit *v)
{
	struct place *voice, *data;
	struct place_datagram got;
	unsigned from, to;
	char mark[17];
	struct ip_endpoint at;
	int err = visit_place(v, "voice", &voice);

	if (err)
		return visit_no_place(v, "voice", err);
	err = visit_place(v, "data", &data);
	if (err)
		return visit_no_place(v, "data", err);
	visit_token(mark);
	err = place_udp(data, 0, &to);
	err = err ? err : place_udp(voice, 0, &from);
	at = (struct ip_endpoint){*place_address(data), err ? 0 : place_port(data, to)};
	err = err ? err : place_send(v, voice, from, PACKET_UDP_PROBE, &at, slice_z(mark));
	if (err)
		return visit_failed(v, "a datagram from place voice", err);
	while (place_recv(data, &got, WAIT_MS) == 0)
		if (slice_eq(slice_of(got.bytes, got.n), slice_z(mark)))
			return visit_found(v, &(struct found){.port = at.port},
					   "a datagram from place voice arrived at place data");
	return VERDICT_CLEAN;
}

/* ---- VL-03: management from where no administrator is ---- */

static bool is_admin(const struct config *c, const struct ip_addr *a)
{
	for (size_t i = 0; i < c->assess.admin_count; i++)
		if (ip_in_prefix(a, &c->assess.admins[i]))
			return true;
	return false;
}

enum verdict vl03_management(struct visit *v)
{
	static const struct door doors[] = {
		{22, "SSH"}, {23, "Telnet"}, {80, "web"}, {443, "web"}, {8443, "web"}};
	static const char *const places[] = {"data", "voice"};
	enum verdict verdict = VERDICT_CLEAN;
	size_t looked = 0;

	for (size_t i = 0; i < 2; i++) {
		struct place *p;
		int err = visit_place(v, places[i], &p);

		if (err == ERR_ABSENT)
			continue;
		if (err)
			return visit_no_place(v, places[i], err);
		looked++;
		if (!is_admin(v->config, place_address(p)))
			verdict = worse(verdict, try_doors(v, p, places[i], doors,
							   sizeof(doors) / sizeof(doors[0])));
	}
	return looked ? verdict : visit_no_place(v, "data", ERR_ABSENT);
}
