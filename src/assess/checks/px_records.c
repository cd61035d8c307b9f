/* PX-29: call records are written, and kept on another host too. */
#include "assess/checks/asterisk_host.h"
#include "assess/checks/table.h"
#include "assess/ssh.h"

/* Lines in force that send the host's log away: rsyslog's "@host", "@@host" and omfwd, syslog-ng's
 * destinations, systemd-journal-upload's URL. */
#define FORWARDS                                                                                   \
	"grep -rhsE "                                                                              \
	"'^[^#]*[[:space:];]@@?[[:alnum:][(]|^[^#]*omfwd|^[^#]*(network|syslog|tcp|udp)"           \
	"\\(' /etc/rsyslog.conf /etc/rsyslog.d /etc/syslog-ng; "                                   \
	"grep -hsE '^[[:space:]]*URL[[:space:]]*=' /etc/systemd/journal-upload.conf"
/* rsyslog reads the files in which Asterisk writes its records. */
#define READS_FILES                                                                                \
	"grep -rhsE '^[^#]*(cdr-csv|cdr-custom|Master[.]csv)' /etc/rsyslog.conf /etc/rsyslog.d"

/* A module that writes records elsewhere, and a key without which it does nothing. */
static const struct {
	const char *file, *key;
} modules[] = {
	{"cdr_pgsql.conf", "hostname"}, {"cdr_mysql.conf", "hostname"},
	{"cdr_odbc.conf", "dsn"},	{"cdr_adaptive_odbc.conf", "connection"},
	{"cdr_tds.conf", "hostname"},	{"cdr_beanstalkd.conf", "host"},
	{"cdr.conf", "radiuscfg"},
};

static bool is_this_host(struct slice value)
{
	return value.n == 0 || value.p[0] == '/' || slice_eq_nocase(value, SL("localhost")) ||
	       slice_starts(value, SL("127.")) || slice_eq(value, SL("::1"));
}

static bool names_another_host(const struct asterisk_conf *c, const char *key)
{
	struct asterisk_line line = {0};

	while (asterisk_next(c, &line))
		if (slice_eq_nocase(line.key, slice_z(key)) && !is_this_host(line.value))
			return true;
	return false;
}

/* 1: a module sends records elsewhere; 0: none does; or an error. */
static int goes_to_database(struct visit *v)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		struct asterisk_conf c;
		int err = visit_asterisk(v, modules[i].file, &c);
		bool away;

		if (err == ERR_ABSENT)
			continue;
		if (err)
			return err;
		away = names_another_host(&c, modules[i].key);
		asterisk_done(&c);
		if (away)
			return 1;
	}
	return 0;
}

/* cdr_syslog.conf: each section with a template logs records. logger.conf: a syslog channel logs
 * calls when it has the level verbose. */
static bool logs_calls(const struct asterisk_conf *c)
{
	struct asterisk_line line = {0};

	while (asterisk_next(c, &line))
		if (slice_eq_nocase(line.key, SL("template")) ||
		    (slice_starts_nocase(line.key, SL("syslog.")) &&
		     slice_find_slice(line.value, SL("verbose")) < line.value.n))
			return true;
	return false;
}

static int says_something(struct visit *v, const char *command)
{
	struct ssh_text text;
	int err = visit_ssh(v, command, &text);
	bool something;

	if (err)
		return err;
	something = slice_trim(slice_of(text.p, text.n)).n != 0;
	ssh_text_done(&text);
	return something;
}

/* 1: calls are logged by syslog, and the log goes to another host. */
static int goes_to_log(struct visit *v)
{
	static const char *const files[] = {"cdr_syslog.conf", "logger.conf"};
	int away = says_something(v, FORWARDS),
	    logged = away > 0 ? says_something(v, READS_FILES) : 0;

	for (size_t i = 0; away > 0 && logged == 0 && i < 2; i++) {
		struct asterisk_conf c;
		int err = visit_asterisk(v, files[i], &c);

		if (err == ERR_ABSENT)
			continue;
		if (err)
			return err;
		logged = logs_calls(&c);
		asterisk_done(&c);
	}
	return away < 0 ? away : logged;
}

enum verdict px29_call_records(struct visit *v)
{
	struct asterisk_conf c;
	bool off;
	int away, err = visit_asterisk(v, "cdr.conf", &c);

	if (err)
		return visit_no_host(v, err);
	off = asterisk_is_no(asterisk_value(&c, "general", "enable"));
	asterisk_done(&c);
	if (off)
		return visit_found(v, &(struct found){0},
				   "cdr.conf has enable = no: no call is recorded");
	away = goes_to_database(v);
	away = away ? away : goes_to_log(v);
	if (away < 0)
		return visit_no_host(v, away);
	if (away)
		return VERDICT_CLEAN;
	return visit_found(
		v, &(struct found){0},
		"call records stay on this host alone: neither a database elsewhere nor a "
		"log that is sent away is in force for them");
}
