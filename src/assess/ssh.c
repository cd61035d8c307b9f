/* The only file that knows libssh. It gets a paced connection's descriptor, opens none itself. */
#include "assess/ssh.h"

#include <errno.h>
#include <libssh/libssh.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

#define SSH_TIMEOUT_S 60
#define COMMAND_MAX   1024

struct ssh_host {
	ssh_session session;
	struct wire *conn;
	int failed; /* why there is none: the next check is not made to try again */
};

void ssh_host_close(struct ssh_host *h)
{
	if (!h)
		return;
	if (h->session) {
		ssh_disconnect(h->session);
		ssh_free(h->session);
	}
	wire_close(h->conn);
	mem_free(h);
}

static int set_options(ssh_session s, const struct visit *v, int fd, uint16_t port,
		       const char *user, const char *known_hosts)
{
	char host[IP_TEXT_MAX];
	unsigned at = port;
	long timeout = SSH_TIMEOUT_S;
	int no = 0;

	ip_text(&v->target->address, host);
	if (ssh_options_set(s, SSH_OPTIONS_HOST, host) || ssh_options_set(s, SSH_OPTIONS_FD, &fd) ||
	    ssh_options_set(s, SSH_OPTIONS_PORT, &at) ||
	    ssh_options_set(s, SSH_OPTIONS_USER, user) ||
	    ssh_options_set(s, SSH_OPTIONS_TIMEOUT, &timeout) ||
	    ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &no) ||
	    ssh_options_set(s, SSH_OPTIONS_KNOWNHOSTS, known_hosts) ||
	    ssh_options_set(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null"))
		return ERR_NOMEM;
	return 0;
}

/* A host's key is taken at first sight and must stay the same. */
static int check_host_key(ssh_session s)
{
	switch (ssh_session_is_known_server(s)) {
	case SSH_KNOWN_HOSTS_OK:
		return 0;
	case SSH_KNOWN_HOSTS_UNKNOWN:
	case SSH_KNOWN_HOSTS_NOT_FOUND:
		return ssh_session_update_known_hosts(s) == SSH_OK ? 0 : ERR_PEER;
	case SSH_KNOWN_HOSTS_CHANGED:
	case SSH_KNOWN_HOSTS_OTHER:
	case SSH_KNOWN_HOSTS_ERROR:
		break;
	}
	return ERR_DENIED;
}

static int open_session(struct visit *v, enum packet_class class, uint16_t port, const char *user,
			const char *known_hosts, struct ssh_host *h)
{
	int fd, err = visit_connect(v, class, port, &h->conn);

	if (err)
		return err;
	h->session = ssh_new();
	fd = dup(wire_fd(h->conn)); /* libssh closes it */
	if (!h->session || fd < 0)
		return ERR_NOMEM;
	err = set_options(h->session, v, fd, port, user, known_hosts);
	if (!err && ssh_connect(h->session) != SSH_OK)
		err = ERR_PEER;
	return err;
}

static int log_in_by_key(struct visit *v, struct ssh_host *h)
{
	ssh_key key = NULL;
	int err = 0;

	if (ssh_pki_import_privkey_file(v->target->asset->ssh_key_file, NULL, NULL, NULL, &key) !=
	    SSH_OK)
		return ERR_ABSENT;
	if (ssh_userauth_publickey(h->session, NULL, key) != SSH_AUTH_SUCCESS)
		err = ERR_DENIED;
	ssh_key_free(key);
	return err;
}

static int open_host(struct visit *v, struct ssh_host *h)
{
	char known_hosts[CONFIG_PATH_MAX + 16];
	int err;

	snprintf(known_hosts, sizeof(known_hosts), "%s/known_hosts", v->host->state_dir);
	err = open_session(v, PACKET_SSH_READ, v->target->asset->ssh_port,
			   v->target->asset->ssh_user, known_hosts, h);
	if (!err)
		err = check_host_key(h->session);
	if (!err)
		err = log_in_by_key(v, h);
	return err;
}

static int host_of(struct visit *v, struct ssh_host **out)
{
	struct ssh_host *h = v->target->ssh;

	if (!*v->target->asset->ssh_user)
		return ERR_ABSENT;
	if (!h) {
		h = mem_zalloc(1, sizeof(*h));
		if (!h)
			return ERR_NOMEM;
		v->target->ssh = h;
		h->failed = open_host(v, h);
	}
	*out = h;
	return h->failed;
}

static int read_all(ssh_channel channel, struct ssh_text *out)
{
	for (;;) {
		char *grown = mem_grow(out->p, out->n + 32768 + 1);
		int n;

		if (!grown)
			return ERR_NOMEM;
		out->p = grown;
		out->p[out->n] = '\0';
		n = ssh_channel_read_timeout(channel, out->p + out->n, 32768, 0,
					     SSH_TIMEOUT_S * 1000);
		if (n < 0)
			return ERR_PEER;
		if (n == 0)
			return 0;
		out->n += (size_t)n;
		out->p[out->n] = '\0';
		if (out->n > SSH_OUTPUT_MAX)
			return ERR_LIMIT;
	}
}

static int run_command(struct ssh_host *h, const char *command, struct ssh_text *out)
{
	ssh_channel channel = ssh_channel_new(h->session);
	int err = channel ? 0 : ERR_NOMEM;

	if (!err && (ssh_channel_open_session(channel) != SSH_OK ||
		     ssh_channel_request_exec(channel, command) != SSH_OK))
		err = ERR_PEER;
	if (!err)
		err = read_all(channel, out);
	if (!err)
		out->status = ssh_channel_get_exit_status(channel);
	if (channel) {
		ssh_channel_close(channel);
		ssh_channel_free(channel);
	}
	return err;
}

int visit_ssh(struct visit *v, const char *command, struct ssh_text *out)
{
	struct ssh_text text = {.status = -1};
	struct ssh_host *h;
	int err = host_of(v, &h);

	if (!err)
		err = run_command(h, command, &text);
	if (err) {
		ssh_text_done(&text);
		return err;
	}
	*out = text;
	return 0;
}

int visit_file(struct visit *v, const char *path, struct ssh_text *out)
{
	char command[COMMAND_MAX];
	struct ssh_text text;
	int n = snprintf(command, sizeof(command), "cat -- '%s' 2>/dev/null", path), err;

	if (n <= 0 || (size_t)n >= sizeof(command) ||
	    slice_find(slice_z(path), '\'') < strlen(path))
		return ERR_SYNTAX;
	err = visit_ssh(v, command, &text);
	if (err)
		return err;
	if (text.status) {
		ssh_text_done(&text);
		return ERR_ABSENT;
	}
	*out = text;
	return 0;
}

void ssh_text_done(struct ssh_text *t)
{
	mem_wipe_free(t->p, t->n);
	*t = (struct ssh_text){0};
}

enum verdict visit_no_host(struct visit *v, int err)
{
	const struct config_asset *a = v->target->asset;

	if (!*a->ssh_user)
		return visit_not_asked(v, "asset %s has no ssh-user: its host cannot be read",
				       a->name);
	if (err == ERR_ABSENT)
		return visit_untested(v, "the key %s, or what was asked for, cannot be read",
				      a->ssh_key_file);
	if (err == ERR_DENIED)
		return visit_untested(v,
				      "SSH as %s is refused, or the host's key has changed (see "
				      "known_hosts in %s)",
				      a->ssh_user, v->host->state_dir);
	return visit_failed(v, "SSH", err);
}

int visit_ssh_login(struct visit *v, uint16_t port, const char *user, const char *password)
{
	struct ssh_host *h = mem_zalloc(1, sizeof(*h));
	int err = h ? open_session(v, PACKET_SSH_LOGIN, port, user, "/dev/null", h) : ERR_NOMEM;

	if (!err && ssh_userauth_password(h->session, NULL, password) != SSH_AUTH_SUCCESS)
		err = ERR_DENIED;
	ssh_host_close(h);
	return err;
}
