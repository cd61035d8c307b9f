/* Only authenticated encryption and key exchanges of 128 bits of strength and more are proposed and
 * taken (RFC 8221, RFC 8247, RFC 8031). */
#include "base/ip.h"
#include "enforce/charon.h"
#include "proto/vici/vici.h"

#define DPD_DELAY   "5s"
#define REKEY_IKE   "4h"
#define REKEY_CHILD "1h"

static const char *const ike_proposals[] = {
	"aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-ecp384",
	"aes256gcm16-prfsha384-ecp256", "aes128gcm16-prfsha256-x25519",
	"aes128gcm16-prfsha256-ecp256",
};
static const char *const esp_proposals[] = {
	"aes256gcm16-x25519", "aes256gcm16-ecp384", "aes256gcm16-ecp256",
	"aes128gcm16-x25519", "aes128gcm16-ecp256",
};

void charon_name(const char *tunnel, char out[static CHARON_NAME_MAX])
{
	struct out o = out_to(out, CHARON_NAME_MAX - 1);

	out_fmt(&o, "hornwork-%s", tunnel);
	out[o.n] = '\0';
}

static void write_words(struct out *o, const char *key, const char *const *words, size_t count)
{
	vici_list(o, key);
	for (size_t i = 0; i < count; i++)
		vici_item(o, slice_z(words[i]));
	vici_list_end(o);
}

static void write_addresses(struct out *o, const char *key, const struct ip_addr *v4,
			    const struct ip_addr *v6)
{
	const struct ip_addr *both[] = {v4, v6};
	char text[IP_TEXT_MAX];

	vici_list(o, key);
	for (size_t i = 0; i < 2; i++)
		if (both[i]->family)
			vici_item(o, slice_z(ip_text(both[i], text)));
	vici_list_end(o);
}

static void write_subnets(struct out *o, const char *key, const struct ip_prefix *list,
			  size_t count)
{
	char text[IP_TEXT_MAX + 8], addr[IP_TEXT_MAX];

	vici_list(o, key);
	for (size_t i = 0; i < count; i++) {
		struct out n = out_to(text, sizeof(text));

		out_fmt(&n, "%s/%u", ip_text(&list[i].addr, addr), list[i].bits);
		vici_item(o, out_slice(&n));
	}
	vici_list_end(o);
}

/* An identity that the file gives, or else the first address. */
static void write_id(struct out *o, const char *id, const struct ip_addr *v4,
		     const struct ip_addr *v6)
{
	char text[IP_TEXT_MAX];

	vici_pair(o, "id", slice_z(*id ? id : ip_text(v4->family ? v4 : v6, text)));
}

static void write_secret(struct out *o, const struct config_tunnel *t, const char *name)
{
	size_t start = vici_begin(o, VICI_REQUEST, SL("load-shared"));
	char text[IP_TEXT_MAX];
	const struct ip_addr *remote = t->remote4.family ? &t->remote4 : &t->remote6;

	vici_pair(o, "id", slice_z(name));
	vici_pair(o, "type", SL("IKE"));
	vici_pair(o, "data", slice_z(t->psk));
	vici_list(o, "owners");
	vici_item(o, slice_z(*t->remote_id ? t->remote_id : ip_text(remote, text)));
	vici_list_end(o);
	vici_end(o, start);
}

static void write_key(struct out *o, struct slice key)
{
	size_t start = vici_begin(o, VICI_REQUEST, SL("load-key"));

	vici_pair(o, "type", SL("any"));
	vici_pair(o, "data", key);
	vici_end(o, start);
}

static void write_ends(struct out *o, const struct config_zone *z, const struct config_tunnel *t,
		       const struct charon_files *files)
{
	bool certificates = files->certificate.n > 0;

	vici_section(o, SL("local"));
	vici_pair(o, "auth", certificates ? SL("pubkey") : SL("psk"));
	if (*t->local_id || !certificates)
		write_id(o, t->local_id, &z->address4, &z->address6);
	if (certificates) {
		vici_list(o, "certs");
		vici_item(o, files->certificate);
		vici_list_end(o);
	}
	vici_section_end(o);
	vici_section(o, SL("remote"));
	vici_pair(o, "auth", certificates ? SL("pubkey") : SL("psk"));
	write_id(o, t->remote_id, &t->remote4, &t->remote6);
	if (certificates) {
		vici_list(o, "cacerts");
		vici_item(o, files->ca);
		vici_list_end(o);
	}
	vici_section_end(o);
}

/* It is begun by us, not by charon, whose attempts end at the first refusal. */
static void write_child(struct out *o, const struct config_tunnel *t, const char *name)
{
	vici_section(o, SL("children"));
	vici_section(o, slice_z(name));
	vici_pair(o, "mode", SL("tunnel"));
	write_subnets(o, "local_ts", t->local_subnets, t->local_subnet_count);
	write_subnets(o, "remote_ts", t->remote_subnets, t->remote_subnet_count);
	write_words(o, "esp_proposals", esp_proposals,
		    sizeof(esp_proposals) / sizeof(esp_proposals[0]));
	vici_pair(o, "rekey_time", SL(REKEY_CHILD));
	vici_pair(o, "dpd_action", SL("clear"));
	vici_pair(o, "copy_dscp", SL("out"));
	vici_section_end(o);
	vici_section_end(o);
}

static void write_connection(struct out *o, const struct config_zone *z,
			     const struct config_tunnel *t, const struct charon_files *files,
			     const char *name)
{
	size_t start = vici_begin(o, VICI_REQUEST, SL("load-conn"));

	vici_section(o, slice_z(name));
	vici_pair(o, "version", SL("2"));
	write_addresses(o, "local_addrs", &z->address4, &z->address6);
	write_addresses(o, "remote_addrs", &t->remote4, &t->remote6);
	write_words(o, "proposals", ike_proposals,
		    sizeof(ike_proposals) / sizeof(ike_proposals[0]));
	vici_pair(o, "encap", *t->device ? SL("yes") : SL("no"));
	vici_pair(o, "mobike", SL("no"));
	vici_pair(o, "dpd_delay", SL(DPD_DELAY));
	vici_pair(o, "keyingtries", SL("1"));
	vici_pair(o, "unique", SL("replace"));
	vici_pair(o, "rekey_time", SL(REKEY_IKE));
	write_ends(o, z, t, files);
	write_child(o, t, name);
	vici_section_end(o);
	vici_end(o, start);
}

int charon_load_write(struct out *o, const struct config *c, const struct config_tunnel *t,
		      const struct charon_files *files)
{
	char name[CHARON_NAME_MAX];

	if (t->zone >= c->zone_count)
		return ERR_ABSENT;
	charon_name(t->name, name);
	if (files->key.n)
		write_key(o, files->key);
	else
		write_secret(o, t, name);
	write_connection(o, &c->zones[t->zone], t, files, name);
	return o->err;
}
