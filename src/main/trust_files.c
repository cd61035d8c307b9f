#include "main/trust_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stir/limits.h"
#include "tls/pem.h"

/* An ordinary file. -1: it is in the report. */
static int open_one(const struct config *c, const char *key, const char *path,
		    struct config_report *report)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	config_error(report, c->identity.line, "identity: %s %s cannot be read: %s", key, path,
		     fd < 0 ? strerror(errno) : "it is no ordinary file");
	if (fd >= 0)
		close(fd);
	return -1;
}

const char *trust_anchors_read(int fd, X509_STORE **out)
{
	X509_STORE *store = X509_STORE_new();
	struct slice text = {0};
	const char *why = "memory ran out, or it is too large";

	if (store && tls_pem_read(fd, STIR_ANCHORS_MAX, false, &text) == 0)
		why = tls_pem_authorities(text, store);
	tls_pem_free(text);
	if (why)
		X509_STORE_free(store);
	else
		*out = store;
	return why;
}

static void try_out(const struct config *c, const char *key, const char *path, int fd,
		    struct config_report *report)
{
	X509_STORE *store = NULL;
	const char *why = fd < 0 ? NULL : trust_anchors_read(fd, &store);

	X509_STORE_free(store);
	if (why)
		config_error(report, c->identity.line, "identity: %s %s: %s", key, path, why);
}

int trust_files_open(const struct config *c, struct trust_files *out, struct config_report *report)
{
	struct trust_files f = {.open = config_verifies_callers(c)};
	int err;

	if (!f.open)
		return 0;
	f.anchors = open_one(c, "anchors", c->identity.anchors, report);
	f.https_ca = open_one(c, "https-ca", c->identity.https_ca, report);
	try_out(c, "anchors", c->identity.anchors, f.anchors, report);
	try_out(c, "https-ca", c->identity.https_ca, f.https_ca, report);
	err = config_report_verdict(report);
	if (err)
		trust_files_close(&f);
	else
		*out = f;
	return err;
}

void trust_files_close(struct trust_files *f)
{
	if (f->open && f->anchors >= 0)
		close(f->anchors);
	if (f->open && f->https_ca >= 0)
		close(f->https_ca);
	*f = (struct trust_files){0};
}
