/* PX: configuration of the PBX, read on its host. */
#include "assess/checks/asterisk_conf.h"
#include "assess/checks/table.h"
#include "assess/ssh.h"

/* Not set is "no" from Asterisk 12 on (UPGRADE-12.txt); an explicit "yes" is the flaw. */
enum verdict px22_live_dangerously(struct visit *v)
{
	struct ssh_text file;
	struct slice value;
	enum verdict verdict = VERDICT_CLEAN;
	int err = visit_file(v, "/etc/asterisk/asterisk.conf", &file);

	if (err)
		return visit_no_host(v, err);
	value = asterisk_value(slice_of(file.p, file.n), "options", "live_dangerously");
	if (value.n && !asterisk_is_no(value))
		verdict = visit_found(v, &(struct found){0},
				      "/etc/asterisk/asterisk.conf has live_dangerously = %.*s",
				      SLICE_ARGS(value));
	ssh_text_done(&file);
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
static void weak_secrets(struct slice text, struct names *weak)
{
	struct asterisk_line line = {0};
	struct slice section = {0}, user = {0}, secret = {0};
	bool more = true;

	while (more) {
		more = asterisk_next(&text, &line);
		if (!more || !slice_eq(line.section, section)) {
			if (is_weak(secret, section, user))
				names_add(weak, section);
			section = line.section;
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

/* pjsip.conf or sip.conf, whichever there is; each is handed to `each`. */
static int each_sip_file(struct visit *v, void (*each)(struct slice text, struct names *names),
			 struct names *names)
{
	static const char *const files[] = {"/etc/asterisk/pjsip.conf", "/etc/asterisk/sip.conf"};
	int found = ERR_ABSENT;

	for (size_t i = 0; i < 2; i++) {
		struct ssh_text file;
		int err = visit_file(v, files[i], &file);

		if (err == ERR_ABSENT)
			continue;
		if (err)
			return err;
		each(slice_of(file.p, file.n), names);
		ssh_text_done(&file);
		found = 0;
	}
	return found;
}

enum verdict px19_weak_secrets(struct visit *v)
{
	struct names weak = {.count = 0};
	int err = each_sip_file(v, weak_secrets, &weak);

	if (err)
		return visit_no_host(v, err);
	if (weak.count == 0)
		return VERDICT_CLEAN;
	return visit_found(
		v, &(struct found){0},
		"%zu secrets are shorter than %d characters, digits alone or the name itself: "
		"%s%s",
		weak.count, SECRET_MIN, weak.text, names_more(&weak));
}

/* ---- PX-20: numeric device names ---- */

static void numeric_names(struct slice text, struct names *names)
{
	struct asterisk_line line = {0};

	while (asterisk_next(&text, &line)) {
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
	int err = each_sip_file(v, numeric_names, &names);

	if (err)
		return visit_no_host(v, err);
	if (names.count == 0)
		return VERDICT_CLEAN;
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
static void unfiltered(struct slice text, struct names *names)
{
	struct asterisk_line line = {0};
	struct slice pattern = {0}, rest;

	while (asterisk_next(&text, &line)) {
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
	struct ssh_text file;
	int err = visit_file(v, "/etc/asterisk/extensions.conf", &file);

	if (err)
		return visit_no_host(v, err);
	unfiltered(slice_of(file.p, file.n), &names);
	ssh_text_done(&file);
	if (names.count == 0)
		return VERDICT_CLEAN;
	return visit_found(
		v, &(struct found){0},
		"%zu lines of extensions.conf hand what a caller sent to Dial or the shell "
		"without FILTER(), for: %s%s",
		names.count, names.text, names_more(&names));
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
	struct slice name;
	bool writes, permits;
};

static void judge_ami_user(const struct ami_user *u, struct names *names)
{
	if (u->name.n && !slice_eq_nocase(u->name, SL("general")) && u->writes && !u->permits)
		names_add(names, u->name);
}

static void ami_users(struct slice text, struct names *names)
{
	struct asterisk_line line = {0};
	struct ami_user user = {0};

	while (asterisk_next(&text, &line)) {
		if (!slice_eq(line.section, user.name)) {
			judge_ami_user(&user, names);
			user = (struct ami_user){.name = line.section};
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
	struct ssh_text file;
	int err = visit_file(v, "/etc/asterisk/manager.conf", &file);

	if (err)
		return visit_no_host(v, err);
	if (!asterisk_is_no(asterisk_value(slice_of(file.p, file.n), "general", "enabled")))
		ami_users(slice_of(file.p, file.n), &names);
	ssh_text_done(&file);
	if (names.count == 0)
		return VERDICT_CLEAN;
	return visit_found(
		v, &(struct found){0},
		"%zu users of the manager interface may originate calls, run commands or write "
		"files, from any address: %s%s",
		names.count, names.text, names_more(&names));
}

/* ---- PX-29: call records ---- */

enum verdict px29_call_records(struct visit *v)
{
	struct ssh_text file, away;
	bool off;
	int err = visit_file(v, "/etc/asterisk/cdr.conf", &file);

	if (err)
		return visit_no_host(v, err);
	off = asterisk_is_no(asterisk_value(slice_of(file.p, file.n), "general", "enable"));
	ssh_text_done(&file);
	if (off)
		return visit_found(v, &(struct found){0},
				   "cdr.conf has enable = no: no call is recorded");
	err = visit_ssh(
		v,
		"grep -rhsE '^[^#]*@@?[[:alnum:][]|omfwd|^[^;]*syslog' /etc/rsyslog.conf "
		"/etc/rsyslog.d /etc/asterisk/logger.conf /etc/asterisk/cdr_syslog.conf; "
		"ls /etc/asterisk/cdr_odbc.conf /etc/asterisk/cdr_pgsql.conf "
		"/etc/asterisk/cdr_adaptive_odbc.conf /etc/asterisk/cdr_mysql.conf 2>/dev/null",
		&away);
	if (err)
		return visit_no_host(v, err);
	off = slice_trim(slice_of(away.p, away.n)).n == 0;
	ssh_text_done(&away);
	if (!off)
		return VERDICT_CLEAN;
	return visit_found(
		v, &(struct found){0},
		"call records stay on this host alone: neither a database nor a remote log is "
		"configured");
}
