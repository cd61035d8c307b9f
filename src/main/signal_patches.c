/* Virtual patches where messages come in: before the parser's own refusal is answered. */
#include "io/clock.h"
#include "io/log.h"
#include "main/answer.h"
#include "main/patch_files.h"
#include "main/signal_proc.h"

static void on_error(void *ctx, const char *file, unsigned line, const char *text)
{
	(void)ctx;
	log_line(SEV_CRITICAL, "%s:%u: %s", file ? file : "rules", line, text);
}

int signal_patches_take(struct signal *s)
{
	struct slice text = slice_of(s->intake.rules, s->intake.begin.rules_bytes);
	struct patch_set *next;
	int err = patch_files_set(s->config, text, &next, on_error, NULL);

	if (err)
		return err == ERR_SYNTAX ? ERR_PEER : err; /* the warden has proven them */
	patch_set_inherit(next, s->patches);
	patch_set_free(s->patches);
	s->patches = next;
	return 0;
}

/* The PBX that what comes from there is for, or that it comes from; and whether a trunk's Identity
 * headers are verified, which then go no further (identity_ends_here). */
static struct patch_target_of target_of(const struct signal *s, const struct path *from)
{
	const struct config *c = s->config;
	struct patch_target_of to = {0};
	struct config_owner owner;
	uint16_t pbx = CONFIG_NONE;

	if (!config_peer_of_number(c, from->certified, &owner) &&
	    !config_owner_of(c, from->listener, &from->remote, &owner))
		owner = (struct config_owner){OWNER_PHONES, config_phones_at(c, from->listener)};
	to.phones = owner.kind == OWNER_PBX;
	if (owner.kind == OWNER_PBX) {
		pbx = owner.index;
	} else if (owner.kind == OWNER_TRUNK) {
		pbx = c->trunks[owner.index].to;
		to.identity_kept = c->trunks[owner.index].identity != IDENTITY_POLICY_OFF;
	} else if (owner.index < c->phones_count) {
		pbx = c->phones[owner.index].to;
	}
	if (pbx < c->pbx_count)
		to.product = slice_z(c->pbxs[pbx].product);
	return to;
}

bool signal_patched(struct signal *s, const struct path *from, struct slice message)
{
	struct patch_target_of to = target_of(s, from);
	const struct patch *p = s->patches ? patch_set_find(s->patches, message, &to) : NULL;
	char text[256];
	struct out o = out_to(text, sizeof(text));
	bool observed;

	if (!p)
		return false;
	patch_write_name(&o, p);
	observed = p->action == PATCH_OBSERVE ||
		   (s->config->patches.mode == PATCHES_OBSERVE && !p->forced);
	if (observed)
		signal_refusal(s, REASON_virtual_patch_seen, &from->remote, from->listener,
			       transport_text((enum transport)from->transport), out_slice(&o));
	else
		core_on_patched(s->core, clock_ms(), from, &s->parsed,
				p->action == PATCH_REJECT ? p->answer : 0, out_slice(&o));
	return !observed;
}

/* ---- the listing ---- */

static void write_list(struct json *j, const char *key, const struct slice *list, size_t count)
{
	json_key(j, key);
	json_open(j, '[');
	for (size_t i = 0; i < count; i++)
		json_str(j, list[i]);
	json_close(j, ']');
}

static const char *mode_of(const struct signal *s, const struct patch *p)
{
	if (p->off)
		return "off";
	if (!p->forced && s->config->patches.mode == PATCHES_OBSERVE)
		return "observe";
	return patch_action_text(p->action);
}

void signal_view_patches(struct signal *s, struct answer *a)
{
	static const char *const targets[] = {
		[PATCH_PBX] = "pbx", [PATCH_PHONES] = "phones", [PATCH_ANY] = "any"};
	struct json j = json_to(&a->o);

	json_open(&j, '[');
	for (size_t i = 0; s->patches && i < patch_set_count(s->patches); i++) {
		const struct patch *p = patch_set_at(s->patches, i);

		json_open(&j, '{');
		json_member_str(&j, "rule", p->name);
		write_list(&j, "cve", p->cve, p->cve_count);
		write_list(&j, "product", p->product, p->product_count);
		json_member_z(&j, "protects", targets[p->target]);
		json_member_z(&j, "mode", mode_of(s, p));
		json_member_bool(&j, "shield", p->forced);
		json_member_bool(&j, "legal", p->legal);
		json_member_u64(&j, "hits", p->hits);
		json_member_str(&j, "about", p->about);
		json_member_str(&j, "file", p->file);
		json_member_u64(&j, "line", p->line);
		json_close(&j, '}');
		answer_flush(a);
	}
	json_close(&j, ']');
}
