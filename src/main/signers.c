#include "main/signers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stir/limits.h"
#include "tls/pem.h"

#define DAY_S	    86400u
#define EXPIRY_DAYS 30

/* ---- files ---- */

/* An ordinary file; one with a key only its owner and group may read. -1: it is in the report. */
static int open_one(const struct config_trunk *t, const char *key, const char *path, bool secret,
		    struct config_report *report)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		config_error(report, t->line, "trunk %s: %s %s cannot be opened: %s", t->name, key,
			     path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		config_error(report, t->line, "trunk %s: %s %s is no ordinary file", t->name, key,
			     path);
	} else if (secret && (st.st_mode & (S_IRWXO | S_IWGRP))) {
		config_error(report, t->line,
			     "trunk %s: others may read or change %s %s; run chmod 600 %s", t->name,
			     key, path, path);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* NULL, or what is wrong in words. */
static const char *signer_make(const struct config_trunk *t, int certificate_fd, int key_fd,
			       struct stir_signer **out)
{
	struct stir_signer_setup setup = {
		.url = t->identity_url, .attest = (char)('A' + t->attest), .plan = t->plan};
	const char *why = "its files cannot be read, or are too large";

	if (tls_pem_read(certificate_fd, STIR_FILE_MAX, false, &setup.certificate) == 0 &&
	    tls_pem_read(key_fd, STIR_FILE_MAX, true, &setup.key) == 0)
		why = stir_signer_new(&setup, out);
	tls_pem_free(setup.certificate);
	tls_pem_free(setup.key);
	return why;
}

/* When the certificate ends; 0: it is in the report. */
static uint64_t try_out(const struct config_trunk *t, int certificate_fd, int key_fd,
			uint64_t wall_s, struct config_report *report)
{
	struct stir_signer *s;
	const char *why = signer_make(t, certificate_fd, key_fd, &s);
	uint64_t until_s;

	if (why) {
		config_error(report, t->line, "trunk %s: identity-certificate %s: %s", t->name,
			     t->identity_certificate, why);
		return 0;
	}
	until_s = stir_signer_until(s);
	stir_signer_free(s);
	if (until_s <= wall_s)
		config_warning(report, t->line,
			       "trunk %s: identity-certificate %s has expired: calls go out "
			       "unsigned",
			       t->name, t->identity_certificate);
	else if (until_s - wall_s < (uint64_t)EXPIRY_DAYS * DAY_S)
		config_warning(report, t->line,
			       "trunk %s: identity-certificate %s ends in %llu days; renew it",
			       t->name, t->identity_certificate,
			       (unsigned long long)((until_s - wall_s) / DAY_S));
	return until_s;
}

int signer_files_open(const struct config *c, uint64_t wall_s, struct signer_files *out,
		      struct config_report *report)
{
	struct signer_files f = {0};
	int err;

	for (size_t i = 0; i < c->trunk_count && f.count < CONFIG_SIGNERS_MAX; i++) {
		const struct config_trunk *t = &c->trunks[i];
		int certificate, key;

		if (!t->identity_certificate[0])
			continue;
		certificate =
			open_one(t, "identity-certificate", t->identity_certificate, false, report);
		key = open_one(t, "identity-key", t->identity_key, true, report);
		f.of[f.count].trunk = (uint32_t)i;
		f.of[f.count].certificate = certificate;
		f.of[f.count].key = key;
		if (certificate >= 0 && key >= 0)
			f.of[f.count].until_s = try_out(t, certificate, key, wall_s, report);
		f.count++;
	}
	err = config_report_verdict(report);
	if (err)
		signer_files_close(&f);
	else
		*out = f;
	return err;
}

void signer_files_close(struct signer_files *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->of[i].certificate >= 0)
			close(f->of[i].certificate);
		if (f->of[i].key >= 0)
			close(f->of[i].key);
	}
	*f = (struct signer_files){0};
}

/* ---- who signs ---- */

void signers_done(struct signers *s)
{
	for (size_t i = 0; i < CONFIG_SECTIONS_MAX; i++) {
		stir_signer_free(s->of[i]);
		s->of[i] = NULL;
	}
}

int signers_apply(struct signers *s, const struct config *c, const struct signer_files *f)
{
	signers_done(s);
	for (size_t i = 0; i < f->count; i++) {
		uint32_t trunk = f->of[i].trunk;

		if (trunk >= c->trunk_count || trunk >= CONFIG_SECTIONS_MAX || s->of[trunk] ||
		    signer_make(&c->trunks[trunk], f->of[i].certificate, f->of[i].key,
				&s->of[trunk]))
			return ERR_SYNTAX;
	}
	return 0;
}

void signers_sign(const struct signers *s, uint64_t wall_s, const struct identity_ask *ask,
		  struct identity_answer *out)
{
	if (ask->trunk < CONFIG_SECTIONS_MAX && s->of[ask->trunk]) {
		stir_signer_sign(s->of[ask->trunk], wall_s, ask, out);
		return;
	}
	*out = (struct identity_answer){
		.call = ask->call, .work = IDENTITY_SIGN, .reason = REASON_identity_unsigned};
	(void)slice_to_z(SL("there is no certificate for this trunk"), out->detail,
			 sizeof(out->detail));
}
