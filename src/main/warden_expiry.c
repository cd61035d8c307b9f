/* Certificates that end soon: told while there is time to renew them. */
#include "base/json.h"
#include "io/clock.h"
#include "main/warden.h"

#define DAY_S	   86400u
#define LOOK_MS	   (3600u * 1000) /* how often it is looked */
#define WARN_DAYS  30
#define TELL_EVERY 24 /* looks: once a day */

/* Certificates that calls are signed with. */
static void look_at_signers(struct warden *w)
{
	const struct signer_files *f = &w->now.signers;

	for (size_t i = 0; i < f->count; i++) {
		int64_t s = (int64_t)f->of[i].until_s - (int64_t)(clock_wall_ms() / 1000);
		const char *trunk = w->now.config->trunks[f->of[i].trunk].name;

		if (s <= 0)
			warden_tell(w, "config", "certificate_expired", SEV_CRITICAL,
				    "the identity-certificate of trunk %s has expired: calls go "
				    "out unsigned; renew it and run hornwork reload",
				    trunk);
		else if (s < (int64_t)WARN_DAYS * DAY_S)
			warden_tell(w, "config", "certificate_expires", SEV_WARNING,
				    "the identity-certificate of trunk %s ends in %lld days; renew "
				    "it and run hornwork reload",
				    trunk, (long long)(s / DAY_S));
	}
}

static int64_t left_s(const struct warden *w, size_t i)
{
	return (int64_t)w->now.tls.shown[i].until_s - (int64_t)(clock_wall_ms() / 1000);
}

void warden_expiry_look(struct warden *w)
{
	for (size_t i = 0; i < w->now.tls.count; i++) {
		int64_t s = left_s(w, i);

		if (s <= 0)
			warden_tell(w, "config", "certificate_expired", SEV_CRITICAL,
				    "the certificate of %s has expired: nobody will connect over "
				    "TLS; renew it and run hornwork reload",
				    w->now.tls.shown[i].subject);
		else if (s < (int64_t)WARN_DAYS * DAY_S)
			warden_tell(w, "config", "certificate_expires", SEV_WARNING,
				    "the certificate of %s ends in %lld days; renew it and run "
				    "hornwork reload",
				    w->now.tls.shown[i].subject, (long long)(s / DAY_S));
	}
	look_at_signers(w);
}

static void on_expiry_timer(void *ctx)
{
	struct warden *w = ctx;

	loop_timer_start(w->expiry, LOOK_MS);
	if (++w->expiry_looks % TELL_EVERY == 0)
		warden_expiry_look(w);
}

int warden_expiry_new(struct warden *w)
{
	int err = loop_timer_new(w->loop, on_expiry_timer, w, &w->expiry);

	if (!err)
		loop_timer_start(w->expiry, LOOK_MS);
	return err;
}

void warden_expiry_status(const struct warden *w, struct json *j)
{
	char text[CLOCK_TEXT_MAX];

	json_member_open(j, "certificates", '[');
	for (size_t i = 0; i < w->now.tls.count; i++) {
		int64_t s = left_s(w, i);

		json_open(j, '{');
		json_member_z(j, "subject", w->now.tls.shown[i].subject);
		json_member_z(j, "expires_at",
			      clock_text(w->now.tls.shown[i].until_s * 1000, text));
		json_member_u64(j, "days_left", s > 0 ? (uint64_t)s / DAY_S : 0);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void warden_expiry_metrics(const struct warden *w, struct out *o)
{
	if (w->now.tls.count)
		out_z(o, "# TYPE hornwork_certificate_expiry_seconds gauge\n");
	for (size_t i = 0; i < w->now.tls.count; i++)
		out_fmt(o, "hornwork_certificate_expiry_seconds{certificate=\"%zu\"} %lld\n", i + 1,
			(long long)left_s(w, i));
}
