/* PX: configuration of the PBX, read on its host. */
#include "assess/checks/asterisk_host.h"
#include "assess/checks/table.h"
#include "assess/ssh.h"

/* Not set is "no" from Asterisk 12 on (UPGRADE-12.txt); an explicit "yes" is the flaw. */
enum verdict px22_live_dangerously(struct visit *v)
{
	struct asterisk_conf c;
	struct slice value;
	enum verdict verdict;
	int err = visit_asterisk(v, "asterisk.conf", &c);

	if (err)
		return visit_no_host(v, err);
	value = asterisk_value(&c, "options", "live_dangerously");
	if (value.n && !asterisk_is_no(value))
		verdict = visit_found(v, &(struct found){0},
				      "/etc/asterisk/asterisk.conf has live_dangerously = %.*s",
				      SLICE_ARGS(value));
	else
		verdict = visit_asterisk_clean(v, &c);
	asterisk_done(&c);
	return verdict;
}

/* ---- names in evidence ---- */

#define NAMES_SHOWN 12

struct names {
	char text[NAMES_SHOWN * 36];
	struct out o;
	size_t count;
};

static void names_add(struct names *n, struct slice name)
{
	if (n->count == 0)
		n->o = out_to(n->text, sizeof(n->text));
	if (n->count++ < NAMES_SHOWN) {
		out_z(&n->o, n->count > 1 ? ", " : "");
		out_bytes(&n->o, slice_first(name, 32));
	}
}

static const char *names_more(const struct names *n)
{
	return n->count > NAMES_SHOWN ? ", ..." : "";
}

/* ---- PX-19: secrets of phones ---- */

#define SECRET_MIN 12 /* characters */

static bool is_weak(struct slice secret, struct slice name, struct slice user)
{
	return secret.n && (secret.n < SECRET_MIN || slice_is_digits(secret) ||
			    slice_eq(secret, name) || slice_eq(secret, user));
}

/* In pjsip.conf an auth section has username and password, in sip.conf a peer has secret. Each
 * section is judged when the next one begins. */
static void weak_secrets(const struct asterisk_conf *c, struct names *weak)
{
	struct asterisk_line line = {0};
	const struct asterisk_section *in = NULL;
	struct slice user = {0}, secret = {0};
	bool more = true;

	while (more) {
		more = asterisk_next(c, &line);
		if (!more || line.in != in) {
			if (in && is_weak(secret, in->name, user))
				names_add(weak, in->name);
			in = line.in;
			user = secret = (struct slice){0};
		}
		if (!more)
			return;
		if (slice_eq_nocase(line.key, SL("username")))
			user = line.value;
		else if (slice_eq_nocase(line.key, SL("password")) ||
			 slice_eq_nocase(line.key, SL("secret")))
			secret = line.value;
	}
}

/* pjsip.conf or sip.conf, whichever there is; each is handed to `each`. What could not be followed
 * of them goes into `gap`. */
static int each_sip_file(struct visit *v,
			 void (*each)(const struct asterisk_conf *c, struct names *names),
			 struct names *names, char gap[static ASTERISK_GAP_MAX])
{
	static const char *const files[] = {"pjsip.conf", "sip.conf"};
	int found = ERR_ABSENT;

	*gap = '\0';
	for (size_t i = 0; i < 2; i++) {
		struct asterisk_conf c;
		int err = visit_asterisk(v, files[i], &c);

		if (err == ERR_ABSENT)
			continue;
		if (err)
			return err;
		each(&c, names);
		if (*c.gap)
			memcpy(gap, c.gap, sizeof(c.gap));
		asterisk_done(&c);
		found = 0;
	}
	return found;
}

static enum verdict nothing_found(struct visit *v, const char *gap)
{
	return *gap ? visit_untested(v, "%s", gap) : VERDICT_CLEAN;
}

enum verdict px19_weak_secrets(struct visit *v)
{
	struct names weak = {.count = 0};
	char gap[ASTERISK_GAP_MAX];
	int err = each_sip_file(v, weak_secrets, &weak, gap);

	if (err)
		return visit_no_host(v, err);
	if (weak.count == 0)
		return nothing_found(v, gap);
	return visit_found(
		v, &(struct found){0},
		"%zu secrets are shorter than %d characters, digits alone or the name itself: "
		"%s%s",
		weak.count, SECRET_MIN, weak.text, names_more(&weak));
}

/* ---- PX-20: numeric device names ---- */

static void numeric_names(const struct asterisk_conf *c, struct names *names)
{
	struct asterisk_line line = {0};

	while (asterisk_next(c, &line)) {
		bool endpoint = slice_eq_nocase(line.key, SL("type")) &&
				(slice_eq_nocase(line.value, SL("endpoint")) ||
				 slice_eq_nocase(line.value, SL("friend")) ||
				 slice_eq_nocase(line.value, SL("peer")));

		if (endpoint && slice_is_digits(line.section))
			names_add(names, line.section);
	}
}

enum verdict px20_numeric_names(struct visit *v)
{
	struct names names = {.count = 0};
	char gap[ASTERISK_GAP_MAX];
	int err = each_sip_file(v, numeric_names, &names, gap);

	if (err)
		return visit_no_host(v, err);
	if (names.count == 0)
		return nothing_found(v, gap);
	return visit_found(v, &(struct found){0}, "%zu devices are named by their number: %s%s",
			   names.count, names.text, names_more(&names));
}

/* ---- PX-21: strangers' data in the dialplan ---- */

static bool holds(struct slice text, const char *what)
{
	return slice_find_slice(text, slice_z(what)) < text.n;
}

/* "_X.", "_.", "_[0-9+].": a pattern that takes anything at its end. */
static bool is_open(struct slice pattern)
{
	return pattern.n > 1 && pattern.p[0] == '_' &&
	       (pattern.p[pattern.n - 1] == '.' || pattern.p[pattern.n - 1] == '!');
}

static bool is_unfiltered(struct slice pattern, struct slice app)
{
	bool dials = holds(app, "Dial(") && holds(app, "${EXTEN") && !holds(app, "FILTER(");
	bool runs = (holds(app, "System(") || holds(app, "TrySystem(") || holds(app, "SHELL(")) &&
		    (holds(app, "CALLERID(") || holds(app, "${EXTEN")) && !holds(app, "FILTER(");

	return (is_open(pattern) && dials) || runs;
}

/* exten => PATTERN,priority,App(...) and same => n,App(...). */
static void unfiltered(const struct asterisk_conf *c, struct names *names)
{
	struct asterisk_line line = {0};
	struct slice pattern = {0}, rest;

	while (asterisk_next(c, &line)) {
		if (slice_eq_nocase(line.key, SL("exten")))
			pattern = slice_trim(slice_split(line.value, ',', &rest));
		else if (slice_eq_nocase(line.key, SL("same")))
			rest = line.value;
		else
			continue;
		if (is_unfiltered(pattern, rest))
			names_add(names, pattern);
	}
}

enum verdict px21_unfiltered_dialplan(struct visit *v)
{
	struct names names = {.count = 0};
	struct asterisk_conf c;
	enum verdict verdict;
	int err = visit_asterisk(v, "extensions.conf", &c);

	if (err)
		return visit_no_host(v, err);
	unfiltered(&c, &names);
	if (names.count == 0)
		verdict = visit_asterisk_clean(v, &c);
	else
		verdict = visit_found(v, &(struct found){0},
				      "%zu lines of extensions.conf hand what a caller sent to "
				      "Dial or the shell without FILTER(), for: %s%s",
				      names.count, names.text, names_more(&names));
	asterisk_done(&c);
	return verdict;
}

/* ---- PX-24: users of the manager interface ---- */

/* write classes that change calls, files or the system (manager.conf.sample). */
static bool writes_much(struct slice classes)
{
	return asterisk_lists(classes, "all") || asterisk_lists(classes, "system") ||
	       asterisk_lists(classes, "command") || asterisk_lists(classes, "config") ||
	       asterisk_lists(classes, "originate");
}

struct ami_user {
	const struct asterisk_section *in;
	bool writes, permits;
};

static void judge_ami_user(const struct ami_user *u, struct names *names)
{
	if (u->in && !slice_eq_nocase(u->in->name, SL("general")) && u->writes && !u->permits)
		names_add(names, u->in->name);
}

static void ami_users(const struct asterisk_conf *c, struct names *names)
{
	struct asterisk_line line = {0};
	struct ami_user user = {0};

	while (asterisk_next(c, &line)) {
		if (line.in != user.in) {
			judge_ami_user(&user, names);
			user = (struct ami_user){.in = line.in};
		}
		user.writes |= slice_eq_nocase(line.key, SL("write")) && writes_much(line.value);
		user.permits |= slice_eq_nocase(line.key, SL("permit")) ||
				slice_eq_nocase(line.key, SL("acl"));
	}
	judge_ami_user(&user, names);
}

enum verdict px24_ami_privileges(struct visit *v)
{
	struct names names = {.count = 0};
	struct asterisk_conf c;
	enum verdict verdict;
	int err = visit_asterisk(v, "manager.conf", &c);

	if (err)
		return visit_no_host(v, err);
	if (!asterisk_is_no(asterisk_value(&c, "general", "enabled")))
		ami_users(&c, &names);
	if (names.count == 0)
		verdict = visit_asterisk_clean(v, &c);
	else
		verdict = visit_found(v, &(struct found){0},
				      "%zu users of the manager interface may originate calls, "
				      "run commands or write files, from any address: %s%s",
				      names.count, names.text, names_more(&names));
	asterisk_done(&c);
	return verdict;
}
