#include "main/config_wire.h"

#include <unistd.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "patch/limits.h"

/* ---- the warden's side ---- */

static int send_zones(struct proc_channel *ch, const struct config *c)
{
	int err = 0;

	for (size_t i = 0; i < c->zone_count && !err; i++) {
		const struct config_zone *z = &c->zones[i];
		struct proc_config_zone m = {(uint32_t)i, z->address4, z->address6, z->public4,
					     z->public6};

		err = proc_send(ch, PROC_CONFIG_ZONE, &m, sizeof(m), NULL, 0);
	}
	return err;
}

static int send_peers(struct proc_channel *ch, const struct config *c, bool secrets)
{
	int err = 0;

	for (size_t i = 0; i < c->pbx_count && !err; i++) {
		struct proc_config_peer m = {(uint32_t)i, OWNER_PBX, c->pbxs[i].peer.at};

		err = proc_send(ch, PROC_CONFIG_PEER, &m, sizeof(m), NULL, 0);
	}
	for (size_t i = 0; i < c->trunk_count && !err; i++) {
		struct proc_config_peer m = {(uint32_t)i, OWNER_TRUNK, c->trunks[i].peer.at};
		struct proc_config_secret s = {.index = (uint32_t)i};

		memcpy(s.password, c->trunks[i].password, sizeof(s.password));
		err = proc_send(ch, PROC_CONFIG_PEER, &m, sizeof(m), NULL, 0);
		if (!err && secrets && s.password[0])
			err = proc_send(ch, PROC_CONFIG_SECRET, &s, sizeof(s), NULL, 0);
		explicit_bzero(&s, sizeof(s));
	}
	return err;
}

static int send_listeners(struct proc_channel *ch, const struct config_parcel *p)
{
	int err = 0;

	for (size_t i = 0; i < p->config->listener_count && !err; i++) {
		struct proc_config_listener m = {.index = (uint32_t)i,
						 .old_index = p->old_index ? p->old_index[i]
									   : CONFIG_NONE,
						 .listener = p->config->listeners[i]};
		int fd = p->listener_fds ? p->listener_fds[i] : -1;
		bool travels = m.old_index == CONFIG_NONE && fd >= 0;

		err = proc_send(ch, PROC_CONFIG_LISTENER, &m, sizeof(m), &fd, travels);
	}
	return err;
}

static uint32_t secrets_of(const struct config *c)
{
	uint32_t n = 0;

	for (size_t i = 0; i < c->trunk_count; i++)
		n += c->trunks[i].password[0] != '\0';
	return n;
}

static int send_begin(struct proc_channel *ch, const struct config_parcel *p,
		      const struct proc_config_begin *begin)
{
	int fds[2] = {proc_text_fd(p->text), -1}, err = 0;

	if (fds[0] < 0)
		return fds[0];
	if (p->rules.n)
		fds[1] = proc_text_fd(p->rules);
	if (p->rules.n && fds[1] < 0)
		err = fds[1];
	if (!err)
		err = proc_send(ch, PROC_CONFIG_BEGIN, begin, sizeof(*begin), fds,
				fds[1] < 0 ? 1 : 2);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return err;
}

int config_wire_send(struct proc_channel *ch, const struct config_parcel *p)
{
	const struct config *c = p->config;
	struct proc_config_begin begin = {.generation = p->generation,
					  .text_bytes = p->text.n,
					  .zones = (uint32_t)c->zone_count,
					  .pbxs = (uint32_t)c->pbx_count,
					  .trunks = (uint32_t)c->trunk_count,
					  .listeners = (uint32_t)c->listener_count,
					  .secrets = p->secrets ? secrets_of(c) : 0,
					  .rules_bytes = (uint32_t)p->rules.n};
	struct proc_config_end end = {p->generation};
	int err;

	slice_to_z(slice_z(p->file), begin.file, sizeof(begin.file));
	err = send_begin(ch, p, &begin);
	err = err ? err : send_zones(ch, c);
	err = err ? err : send_peers(ch, c, p->secrets);
	err = err ? err : send_listeners(ch, p);
	return err ? err : proc_send(ch, PROC_CONFIG_END, &end, sizeof(end), NULL, 0);
}

/* ---- the child's side ---- */

void config_intake_done(struct config_intake *in)
{
	for (size_t i = 0; in->fds && i < in->begin.listeners; i++)
		if (in->fds[i] >= 0)
			close(in->fds[i]);
	mem_free(in->fds);
	mem_free(in->old_index);
	mem_free(in->claims);
	mem_free(in->rules);
	config_free(in->config);
	*in = (struct config_intake){0};
}

static int parse_text(struct config_intake *in, struct proc_msg *msg)
{
	struct config_report report = {0};
	struct slice text;
	int fd = proc_msg_take_fd(msg, 0);
	int err = proc_text_map(fd, in->begin.text_bytes, &text);

	close(fd);
	if (err)
		return err;
	err = config_parse(text, &report, &in->config);
	config_report_done(&report);
	proc_text_unmap(text);
	if (err)
		return err == ERR_NOMEM ? err : ERR_PEER;
	if (in->config->zone_count != in->begin.zones || in->config->pbx_count != in->begin.pbxs ||
	    in->config->trunk_count != in->begin.trunks)
		return ERR_PEER;
	return 0;
}

/* A copy, so that nobody changes it while it is read. */
static int take_rules(struct config_intake *in, struct proc_msg *msg)
{
	struct slice text;
	int fd, err;

	if (in->begin.rules_bytes == 0)
		return 0;
	if (in->begin.rules_bytes > PATCH_TEXT_MAX)
		return ERR_PEER;
	fd = proc_msg_take_fd(msg, 1);
	err = proc_text_map(fd, in->begin.rules_bytes, &text);
	close(fd);
	if (err)
		return err;
	in->rules = mem_zalloc(1, text.n);
	if (in->rules)
		memcpy(in->rules, text.p, text.n);
	proc_text_unmap(text);
	return in->rules ? 0 : ERR_NOMEM;
}

static int on_begin(struct config_intake *in, struct proc_msg *msg)
{
	size_t n;
	int err;

	config_intake_done(in);
	memcpy(&in->begin, msg->payload, sizeof(in->begin));
	n = in->begin.listeners;
	if (n >= CONFIG_NONE)
		return ERR_PEER;
	in->open = true;
	in->fds = mem_zalloc(n + 1, sizeof(*in->fds));
	in->old_index = mem_zalloc(n + 1, sizeof(*in->old_index));
	in->claims = mem_zalloc(n + 1, sizeof(*in->claims));
	err = in->fds && in->old_index && in->claims ? 0 : ERR_NOMEM;
	for (size_t i = 0; in->fds && i < n; i++)
		in->fds[i] = -1;
	err = err ? err : parse_text(in, msg);
	return err ? err : take_rules(in, msg);
}

static int on_zone(struct config_intake *in, const struct proc_msg *msg)
{
	struct proc_config_zone m;
	struct config_zone *z;

	memcpy(&m, msg->payload, sizeof(m));
	if (m.index >= in->config->zone_count)
		return ERR_PEER;
	z = &in->config->zones[m.index];
	z->address4 = m.address4;
	z->address6 = m.address6;
	z->public4 = m.public4;
	z->public6 = m.public6;
	in->zones++;
	return 0;
}

static int on_peer(struct config_intake *in, const struct proc_msg *msg)
{
	struct proc_config_peer m;

	memcpy(&m, msg->payload, sizeof(m));
	if (m.owner == OWNER_PBX && m.index < in->config->pbx_count)
		in->config->pbxs[m.index].peer.at = m.at;
	else if (m.owner == OWNER_TRUNK && m.index < in->config->trunk_count)
		in->config->trunks[m.index].peer.at = m.at;
	else
		return ERR_PEER;
	in->pbxs_trunks++;
	return 0;
}

static int on_secret(struct config_intake *in, struct proc_msg *msg)
{
	struct proc_config_secret m;

	memcpy(&m, msg->payload, sizeof(m));
	explicit_bzero(msg->payload, sizeof(m));
	if (m.index >= in->config->trunk_count || !memchr(m.password, 0, sizeof(m.password)))
		return ERR_PEER;
	memcpy(in->config->trunks[m.index].password, m.password, sizeof(m.password));
	explicit_bzero(&m, sizeof(m));
	in->secrets++;
	return 0;
}

static int on_listener(struct config_intake *in, struct proc_msg *msg)
{
	struct proc_config_listener m;

	memcpy(&m, msg->payload, sizeof(m));
	if (m.index != in->listeners || m.index >= in->begin.listeners)
		return ERR_PEER;
	in->claims[m.index] = m;
	in->old_index[m.index] = (uint16_t)m.old_index;
	in->fds[m.index] = proc_msg_take_fd(msg, 0);
	in->listeners++;
	return 0;
}

/* What we derive must be what the warden bound: both come from the same text and addresses. */
static int on_end(struct config_intake *in, const struct proc_msg *msg)
{
	struct config *c = in->config;
	struct proc_config_end m;
	int err;

	memcpy(&m, msg->payload, sizeof(m));
	if (m.generation != in->begin.generation || in->zones != in->begin.zones ||
	    in->pbxs_trunks != in->begin.pbxs + in->begin.trunks ||
	    in->listeners != in->begin.listeners || in->secrets != in->begin.secrets)
		return ERR_PEER;
	err = config_listeners_derive(c);
	if (err)
		return err;
	if (c->listener_count != in->listeners)
		return ERR_PEER;
	for (size_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *want = &in->claims[i].listener;

		if (want->transport != c->listeners[i].transport ||
		    !ip_endpoint_eq(&want->local, &c->listeners[i].local))
			return ERR_PEER;
	}
	return 1;
}

int config_intake_on_message(struct config_intake *in, struct proc_msg *msg)
{
	if (msg->type == PROC_CONFIG_BEGIN)
		return on_begin(in, msg);
	if (!in->open)
		return ERR_PEER;
	if (msg->type == PROC_CONFIG_ZONE)
		return on_zone(in, msg);
	if (msg->type == PROC_CONFIG_PEER)
		return on_peer(in, msg);
	if (msg->type == PROC_CONFIG_SECRET)
		return on_secret(in, msg);
	if (msg->type == PROC_CONFIG_LISTENER)
		return on_listener(in, msg);
	return msg->type == PROC_CONFIG_END ? on_end(in, msg) : ERR_PEER;
}
