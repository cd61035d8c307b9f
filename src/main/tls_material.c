#include "main/tls_material.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S		     86400u
#define TLS_EXPIRY_WARN_DAYS 30

static const char *const keys[] = {[TLS_FILE_CERTIFICATE] = "certificate",
				   [TLS_FILE_KEY] = "key",
				   [TLS_FILE_OCSP] = "ocsp",
				   [TLS_FILE_CA] = "ca"};

static const char *path_of(const struct config_tls *t, enum tls_file file, size_t i,
			   char buf[static CONFIG_PATH_MAX])
{
	const struct slice *list = file == TLS_FILE_KEY	   ? t->keys
				   : file == TLS_FILE_OCSP ? t->ocsp
							   : t->certificates;

	if (file == TLS_FILE_CA)
		return t->ca;
	(void)slice_to_z(list[i], buf, CONFIG_PATH_MAX);
	return buf;
}

/* An ordinary file; one with a key only its owner and group may read. -1: it is in the report. */
static int open_one(const struct config *c, enum tls_file file, size_t i, bool secret,
		    struct config_report *report)
{
	char buf[CONFIG_PATH_MAX];
	const char *path = path_of(&c->tls, file, i, buf);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		config_error(report, c->tls.line, "tls: %s %s cannot be opened: %s", keys[file],
			     path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		config_error(report, c->tls.line, "tls: %s %s is no ordinary file", keys[file],
			     path);
	} else if (secret && (st.st_mode & (S_IRWXO | S_IWGRP))) {
		config_error(report, c->tls.line,
			     "tls: others may read or change %s %s, which holds a key; run chmod "
			     "600 %s",
			     keys[file], path, path);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool verifies(const struct config *c)
{
	for (size_t i = 1; i <= c->pbx_count + c->trunk_count; i++) {
		struct config_owner o;

		if (config_peer_of_number(c, (uint16_t)i, &o) && config_must_prove(c, o))
			return true;
	}
	return false;
}

static void open_all(const struct config *c, struct tls_files *f, struct config_report *report)
{
	const struct config_tls *t = &c->tls;

	f->certificates = t->certificate_count;
	f->ca = -1;
	for (size_t i = 0; i < CONFIG_CERTIFICATES_MAX; i++)
		f->certificate[i] = f->key[i] = f->ocsp[i] = -1;
	for (size_t i = 0; i < f->certificates; i++) {
		f->certificate[i] = open_one(c, TLS_FILE_CERTIFICATE, i, t->key_count == 0, report);
		if (t->key_count)
			f->key[i] = open_one(c, TLS_FILE_KEY, i, true, report);
		if (t->ocsp_count)
			f->ocsp[i] = open_one(c, TLS_FILE_OCSP, i, false, report);
	}
	if (verifies(c))
		f->ca = open_one(c, TLS_FILE_CA, 0, false, report);
}

static void warn_of_end(const struct config *c, const struct tls_material *m, size_t i,
			uint64_t wall_s, struct config_report *report)
{
	char buf[CONFIG_PATH_MAX];
	const char *path = path_of(&c->tls, TLS_FILE_CERTIFICATE, i, buf);
	uint64_t until_s = m->shown[i].until_s;

	if (until_s <= wall_s)
		config_warning(report, c->tls.line,
			       "tls: certificate %s (%s) has expired: nobody will connect", path,
			       m->shown[i].subject);
	else if (until_s - wall_s < (uint64_t)TLS_EXPIRY_WARN_DAYS * DAY_S)
		config_warning(report, c->tls.line,
			       "tls: certificate %s (%s) ends in %llu days; renew it", path,
			       m->shown[i].subject,
			       (unsigned long long)((until_s - wall_s) / DAY_S));
}

static int try_out(const struct config *c, struct tls_material *m, uint64_t wall_s,
		   struct config_report *report)
{
	struct tls_keyring_setup setup = {.files = &m->files,
					  .min_version = (enum tls_version)c->tls.min_version,
					  .wall_s = wall_s};
	struct tls_complaint why = {0};
	struct tls_keyring *ring;
	char buf[CONFIG_PATH_MAX];
	int err = tls_keyring_new(&setup, &ring, &why);

	if (err == ERR_SYNTAX)
		config_error(report, c->tls.line, "tls: %s %s: %s", keys[why.file],
			     path_of(&c->tls, why.file, why.index, buf), why.text);
	if (err)
		return err;
	for (m->count = 0; m->count < m->files.certificates; m->count++) {
		const char *subject = "";

		(void)tls_keyring_expiry(ring, m->count, &m->shown[m->count].until_s, &subject);
		(void)slice_to_z(slice_z(subject), m->shown[m->count].subject, TLS_SUBJECT_MAX);
		warn_of_end(c, m, m->count, wall_s, report);
	}
	tls_keyring_unref(ring);
	return 0;
}

int tls_material_open(const struct config *c, uint64_t wall_s, struct tls_material *out,
		      struct config_report *report)
{
	struct tls_material m = {.open = true};
	int err;

	open_all(c, &m.files, report);
	err = config_report_verdict(report);
	if (!err)
		err = try_out(c, &m, wall_s, report);
	if (err) {
		tls_material_close(&m);
		return err;
	}
	*out = m;
	return 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

void tls_material_close(struct tls_material *m)
{
	if (!m->open)
		return;
	for (size_t i = 0; i < m->files.certificates; i++) {
		close_one(m->files.certificate[i]);
		close_one(m->files.key[i]);
		close_one(m->files.ocsp[i]);
	}
	close_one(m->files.ca);
	*m = (struct tls_material){0};
}
