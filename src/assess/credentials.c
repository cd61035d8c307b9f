#include "assess/credentials.h"

#include <errno.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assess/sip.h"
#include "io/digest.h"
#include "proto/sip/sip_digest.h"

int credentials_read(const char *path, char password[static CREDENTIALS_PASSWORD_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err = 0;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || (st.st_mode & S_IRWXO))
		err = ERR_DENIED;
	else
		n = read(fd, password, CREDENTIALS_PASSWORD_MAX);
	close(fd);
	if (err)
		return err;
	n = n > 0 ? (ssize_t)slice_find(slice_of(password, (size_t)n), '\n') : 0;
	while (n > 0 && n < CREDENTIALS_PASSWORD_MAX && password[n - 1] == '\r')
		n--;
	if (n == 0 || n >= CREDENTIALS_PASSWORD_MAX)
		return ERR_SYNTAX;
	password[n] = '\0';
	return 0;
}

int credentials_write(struct out *o, struct slice response, const char *user, const char *password,
		      const char *method, const char *uri)
{
	static const char *const names[][2] = {{"WWW-Authenticate", "Authorization: "},
					       {"Proxy-Authenticate", "Proxy-Authorization: "}};
	char cnonce[17];
	struct sip_credentials own = {.user = slice_z(user),
				      .password = slice_z(password),
				      .method = slice_z(method),
				      .uri = slice_z(uri)};
	struct sip_challenge asked;
	struct slice value;
	int err = ERR_ABSENT;

	visit_token(cnonce);
	own.cnonce = slice_z(cnonce);
	for (size_t i = 0; i < 2; i++)
		for (unsigned k = 0; (value = sip_text_header(response, names[i][0], k)).n; k++) {
			size_t start = o->n;

			if (sip_challenge_read(value, &asked))
				continue;
			out_z(o, names[i][1]);
			err = sip_digest_write(o, &asked, &own, digest_hex, NULL);
			out_z(o, "\r\n");
			if (!err)
				return o->err;
			o->n = start;
		}
	return err;
}
