/* DV: doors of a device that open for everybody, or for a password that its manual prints. */
#include <errno.h>

#include "assess/checks/factory.h"
#include "assess/checks/table.h"
#include "assess/http.h"
#include "assess/ssh.h"

/* ---- web pages ---- */

/* What a page of settings holds and a login page does not. */
static const char *const settings_words[] = {"proxy",  "registrar",   "sip server", "outbound",
					     "codec",  "firmware",    "dial plan",  "provisioning",
					     "reboot", "sip account", "auth user",  "voicemail"};

static bool is_settings(const struct http_answer *a)
{
	unsigned words = 0;

	if (a->status != 200 ||
	    !(http_has(a, "<form") || http_has(a, "<input") || http_has(a, "<select")))
		return false;
	for (size_t i = 0; i < sizeof(settings_words) / sizeof(settings_words[0]); i++)
		words += http_has(a, settings_words[i]);
	return words >= 2;
}

/* Where common phones, adapters and gateways keep their settings. */
static const char *const admin_paths[] = {
	"/", "/admin", "/admin/advanced", "/config", "/settings.htm", "/advanced.htm", "/sip.html"};

/* One path by HTTP, and by HTTPS where nobody answers in clear. */
static int get(struct visit *v, const char *path, bool *tls, struct http_answer *out)
{
	int err = visit_http(v, &(struct http_ask){.class = PACKET_HTTP, .path = path, .tls = *tls},
			     out);

	if (*tls || err != -ECONNREFUSED)
		return err;
	*tls = true;
	return visit_http(v, &(struct http_ask){.class = PACKET_HTTP, .path = path, .tls = true},
			  out);
}

/* Sent away to HTTPS: there we go. */
static bool sent_to_https(const struct http_answer *a)
{
	return a->status >= 300 && a->status < 400 &&
	       slice_starts_nocase(slice_z(a->location), SL("https://"));
}

enum verdict dv02_open_web(struct visit *v)
{
	enum verdict verdict = VERDICT_CLEAN;
	bool tls = false;

	for (size_t i = 0; i < sizeof(admin_paths) / sizeof(admin_paths[0]); i++) {
		struct http_answer a;
		int err = get(v, admin_paths[i], &tls, &a);

		if (err == ERR_PEER)
			return visit_absent(v, "what answers is no web server");
		if (err)
			return verdict == VERDICT_FOUND ? verdict : visit_closed(v, err);
		if (is_settings(&a)) {
			struct slice title = http_title(&a);

			verdict = visit_found(v, &(struct found){.port = tls ? 443 : 80},
					      "%s shows settings without a login, title \"%.*s\"",
					      admin_paths[i], SLICE_ARGS(title));
		}
		if (!tls && sent_to_https(&a)) {
			tls = true;
			i--; /* the same path again */
		}
		http_answer_done(&a);
	}
	return verdict;
}

/* ---- documented factory passwords ---- */

/* Which facts fit the device, or why none may be tried. */
static enum verdict facts_for(struct visit *v, unsigned doors, struct factory_list *out)
{
	const char *product = v->target->product;

	if (!*product)
		return visit_untested(v, "its model is not known, so no factory password is tried");
	if (factory_load(v->host->data_dir, product, doors, out))
		return visit_untested(v, "the shipped factory passwords cannot be read");
	if (out->count == 0)
		return visit_absent(v, "no factory password is documented for %s", product);
	return VERDICT_CLEAN;
}

static enum verdict accepted(struct visit *v, const struct factory_account *account, uint16_t port)
{
	return visit_found(v, &(struct found){.port = port},
			   "the factory account \"%s\" is accepted; its password is the one in: %s",
			   account->user, account->reference);
}

static enum verdict try_web(struct visit *v, const struct factory_account *account, bool tls)
{
	struct http_answer a = {0};
	long status;
	int err = visit_http(v,
			     &(struct http_ask){.class = PACKET_HTTP_LOGIN,
						.tls = tls,
						.user = account->user,
						.password = account->password},
			     &a);

	if (err)
		return visit_failed(v, "the login", err);
	status = a.status;
	http_answer_done(&a);
	if (status == 401 || status == 403)
		return VERDICT_CLEAN;
	if (status < 200 || status >= 400)
		return visit_untested(v, "the login is answered with %ld", status);
	return accepted(v, account, tls ? 443 : 80);
}

static enum verdict try_ssh(struct visit *v, const struct factory_account *account, bool tls)
{
	int err = visit_ssh_login(v, 22, account->user, account->password);

	(void)tls;
	if (err == ERR_DENIED)
		return VERDICT_CLEAN;
	return err ? visit_failed(v, "SSH", err) : accepted(v, account, 22);
}

typedef enum verdict try_fn(struct visit *v, const struct factory_account *account, bool tls);

/* One after the other, while today's guesses last; the first that is accepted says enough. */
static enum verdict try_all(struct visit *v, const struct factory_list *facts, try_fn *try_one,
			    bool tls)
{
	enum verdict verdict = VERDICT_CLEAN;

	for (size_t i = 0; i < facts->count && verdict == VERDICT_CLEAN; i++)
		verdict = visit_may_guess(v) ? visit_untested(v, "today's guesses for this device "
								 "are used up")
					     : try_one(v, &facts->account[i], tls);
	return verdict;
}

enum verdict dv01_factory_web_password(struct visit *v)
{
	struct factory_list facts = {0};
	struct http_answer a;
	bool tls = false, asks;
	enum verdict verdict = facts_for(v, FACTORY_WEB, &facts);
	int err;

	if (verdict != VERDICT_CLEAN)
		return verdict;
	err = get(v, "/", &tls, &a);
	if (!err && !tls && sent_to_https(&a)) {
		http_answer_done(&a);
		tls = true;
		err = get(v, "/", &tls, &a);
	}
	if (err)
		return visit_closed(v, err);
	asks = a.status == 401;
	http_answer_done(&a);
	if (!asks)
		return visit_untested(v,
				      "its page does not ask for a password in HTTP's own way; try "
				      "its login form by hand");
	return try_all(v, &facts, try_web, tls);
}

enum verdict dv03_factory_ssh_password(struct visit *v)
{
	struct factory_list facts = {0};
	struct wire *c;
	enum verdict verdict = facts_for(v, FACTORY_SSH, &facts);
	int err;

	if (verdict != VERDICT_CLEAN)
		return verdict;
	err = visit_connect(v, PACKET_TCP_CONNECT, 22, &c);
	if (err)
		return visit_closed(v, err);
	wire_close(c);
	return try_all(v, &facts, try_ssh, false);
}
