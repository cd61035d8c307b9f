/* PX and DV: what is unpatched, out of banners, packages and advisories together. */
#include "advisory/banner.h"
#include "advisory/verdict.h"
#include "assess/checks/table.h"
#include "assess/http.h"
#include "assess/sip.h"
#include "assess/ssh.h"

#include "io/clock.h"

#define SIGHTINGS_MAX  8
#define BANNER_WAIT_MS 3000
#define HOST_COMMAND                                                                               \
	"dpkg-query -W -f='${Package}\\t${Version}\\t${source:Package}\\t${source:Version}\\n' "   \
	"2>/dev/null || rpm -qa --qf "                                                             \
	"'%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{SOURCERPM}\\n'"

/* What is known of one target, for one check. */
struct patch {
	struct adv_base base;
	struct banner_set banners;
	struct banner_found found; /* in the SIP banner */
	char banner[256];
	const char *header; /* it stands in: "User-Agent" */
	struct sighting sightings[SIGHTINGS_MAX];
	size_t count;
	struct package_list packages;
	bool host_read;
	struct fused_list fused;
	const char *shield; /* of what is found, or NULL */
};

static void patch_close(struct patch *p)
{
	fused_list_done(&p->fused);
	package_list_done(&p->packages);
	banner_set_done(&p->banners);
	adv_base_close(&p->base);
}

/* ERR_ABSENT and the rest, with the verdict's words said. */
static int patch_open(struct visit *v, struct patch *p, enum verdict *verdict)
{
	struct fault f = {{0}};
	char feeds[FEED_PATH_MAX];
	int err;

	*p = (struct patch){0};
	package_list_init(&p->packages);
	if (!v->host->data_dir) {
		*verdict = visit_untested(v, "the shipped advisories are not there");
		return ERR_ABSENT;
	}
	snprintf(feeds, sizeof(feeds), "%s/feeds", v->host->state_dir);
	err = adv_base_open(&p->base, v->host->data_dir, feeds, &f);
	if (!err)
		err = banner_set_load(&p->banners, v->host->data_dir, &p->base, &f);
	if (err) {
		*verdict = visit_untested(v, "%s", f.text);
		patch_close(p);
	}
	return err;
}

/* A product that was seen before counts again only when its version was not told yet. */
static void see_product(struct patch *p, const struct product *product, struct slice unit,
			struct slice version, const char *seen_by)
{
	const struct sighting s = {
		.product = product, .unit = unit, .version = version, .seen_by = seen_by};

	for (size_t i = 0; i < p->count; i++)
		if (p->sightings[i].product == product) {
			if (!p->sightings[i].version.n)
				p->sightings[i] = s;
			return;
		}
	if (product && p->count < SIGHTINGS_MAX)
		p->sightings[p->count++] = s;
}

/* The texts of `b` are kept, for sightings borrow them. */
static void see(struct visit *v, struct patch *p, const struct banner_found *b, const char *seen_by)
{
	struct slice unit, version;

	if (arena_copy(v->arena, slice_z(b->unit), &unit) ||
	    arena_copy(v->arena, slice_z(b->version), &version))
		return;
	see_product(p, b->product, unit, version, seen_by);
	if (b->inner && arena_copy(v->arena, slice_z(b->inner_version), &version) == 0)
		see_product(p, b->inner, slice_of("", 0), version, seen_by);
}
/* What the SIP side says of itself. 0 also when it says nothing that is known. */
static int patch_ask_sip(struct visit *v, struct patch *p)
{
	static const char *const headers[] = {"User-Agent", "Server"};
	struct sip_ask ask = {.class = PACKET_SIP_OPTIONS, .method = "OPTIONS"};
	struct sip_reply reply;
	int err = visit_sip(v, &ask, &reply);

	for (size_t i = 0; !err && !*p->banner && i < 2; i++) {
		(void)slice_to_z(sip_reply_header(&reply, headers[i], 0), p->banner,
				 sizeof(p->banner));
		p->header = headers[i];
	}
	if (err || !banner_match(&p->banners, &p->base, "sip", slice_z(p->banner), &p->found))
		return err;
	see(v, p, &p->found, "SIP banner");
	return 0;
}

/* What its web server says, in plain HTTP; silence is no fault. */
static void patch_ask_http(struct visit *v, struct patch *p)
{
	struct http_answer answer;
	struct banner_found b;

	if (visit_http(v, &(struct http_ask){.class = PACKET_HTTP}, &answer))
		return;
	if (banner_match(&p->banners, &p->base, "http-server", slice_z(answer.server), &b))
		see(v, p, &b, "HTTP Server");
	if (banner_match(&p->banners, &p->base, "http-title", http_title(&answer), &b))
		see(v, p, &b, "HTTP title");
	http_answer_done(&answer);
}

/* SSH servers speak first (RFC 4253 4.2). */
static void patch_ask_ssh(struct visit *v, struct patch *p)
{
	char line[256];
	struct banner_found b;
	struct wire *c;
	int n;

	if (visit_connect(v, PACKET_TCP_CONNECT, 22, &c))
		return;
	n = wire_read(c, line, sizeof(line), BANNER_WAIT_MS);
	wire_close(c);
	if (n > 0 && banner_match(&p->banners, &p->base, "ssh",
				  slice_first(slice_of(line, (size_t)n),
					      slice_find(slice_of(line, (size_t)n), '\r')),
				  &b))
		see(v, p, &b, "SSH banner");
}

/* The packages of the host, with the owner's key. ERR_ABSENT: no ssh-user. */
static int patch_read_host(struct visit *v, struct patch *p)
{
	struct ssh_text os, list;
	int err = visit_file(v, "/etc/os-release", &os);

	if (err)
		return err;
	err = package_list_os(&p->packages, slice_of(os.p, os.n));
	ssh_text_done(&os);
	if (!err)
		err = visit_ssh(v, HOST_COMMAND, &list);
	if (err)
		return err;
	err = package_list_read(&p->packages, slice_of(list.p, list.n));
	ssh_text_done(&list);
	p->host_read = err == 0;
	return err;
}

static int patch_fuse(struct visit *v, struct patch *p, enum verdict *verdict)
{
	struct fuse_request r = {.base = &p->base,
				 .sightings = p->sightings,
				 .sighting_count = p->count,
				 .packages = p->host_read ? &p->packages : NULL,
				 .now_ms = clock_wall_ms()};
	struct fault f = {{0}};
	int err = verdict_fuse(&r, &p->fused, &f);

	if (err)
		*verdict = visit_untested(v, "%s", f.text);
	return err;
}

static const char *kept(struct visit *v, struct slice text)
{
	struct slice copy;

	return text.n && arena_copy(v->arena, text, &copy) == 0 ? copy.p : NULL;
}

static enum verdict found_cve(struct visit *v, const struct patch *p, const struct fused *f)
{
	uint8_t severity = ASSESS_MEDIUM;
	struct found finding = {.cve = f->cve,
				.cvss_tenths = f->cvss_tenths,
				.kev = *f->kev != '\0',
				.severity = &severity,
				.confidence = VISIT_LEVEL((uint8_t)f->confidence),
				.remediation = kept(v, f->remedy),
				.shield = p->shield ? p->shield : visit_virtual_patch(v, f->cve)};

	(void)assess_severity_parse(slice_z(f->severity), &severity);
	if (f->product && (f->product == p->found.product || f->product == p->found.inner))
		finding.port = v->target->asset->sip_port;
	return visit_found(v, &finding, "%.*s%s%s%s%s", SLICE_ARGS(f->summary),
			   f->summary.n ? "\n" : "", f->why, *f->kev ? "\nexploited since " : "",
			   f->kev);
}

/* Each vulnerability that `wanted` takes. */
static enum verdict report_fused(struct visit *v, const struct patch *p,
				 bool (*wanted)(const struct fused *f))
{
	enum verdict verdict = VERDICT_CLEAN;

	for (size_t i = 0; i < p->fused.count; i++)
		if (p->fused.items[i].status == FUSED_VULNERABLE && wanted(&p->fused.items[i]))
			verdict = found_cve(v, p, &p->fused.items[i]);
	return verdict;
}

static bool of_product(const struct fused *f)
{
	return f->product != NULL;
}

static bool of_packages(const struct fused *f)
{
	return f->package.n > 0;
}

static bool is_exploited(const struct fused *f)
{
	return *f->kev != '\0';
}

/* A version that is not told cannot be judged; that needs the host's packages. */
static enum verdict no_version(struct visit *v, const struct patch *p)
{
	if (!*p->banner)
		return visit_not_asked(v, "its SIP answer names no product; give the asset an "
					  "ssh-user, and its packages are read");
	if (!p->count)
		return visit_not_asked(v, "\"%s\" is no product that advisories are known of",
				       p->banner);
	return visit_not_asked(v,
			       "\"%s\" names no version; give the asset an ssh-user, and its "
			       "packages are read",
			       p->banner);
}

static bool says_version(const struct patch *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->sightings[i].version.n)
			return true;
	return false;
}

/* "1.2" somewhere: a version, whoever made it. */
static bool holds_version(struct slice text)
{
	for (size_t i = 1; i + 1 < text.n; i++)
		if (text.p[i] == '.' && text.p[i - 1] >= '0' && text.p[i - 1] <= '9' &&
		    text.p[i + 1] >= '0' && text.p[i + 1] <= '9')
			return true;
	return false;
}

static enum verdict report_banner(struct visit *v, const struct patch *p)
{
	uint8_t confidence = p->found.of_recog ? ASSESS_CONFIDENCE_MEDIUM : ASSESS_CONFIDENCE_HIGH;
	struct found f = {.port = v->target->asset->sip_port, .confidence = &confidence};

	if (*p->found.version)
		return visit_found(v, &f, "%s: %s\nthat is %s %s%s%s", p->header, p->banner,
				   p->found.name, p->found.version,
				   *p->found.inner_version ? " with Asterisk " : "",
				   p->found.inner_version);
	confidence = ASSESS_CONFIDENCE_LOW;
	if (holds_version(slice_z(p->banner)))
		return visit_found(v, &f, "%s: %s\nthe product is not known, the version is told",
				   p->header, p->banner);
	return VERDICT_CLEAN;
}

enum verdict px01_banner(struct visit *v)
{
	struct patch p;
	enum verdict verdict = VERDICT_CLEAN;
	int err = patch_open(v, &p, &verdict);

	if (err)
		return verdict;
	err = patch_ask_sip(v, &p);
	verdict = err ? visit_failed(v, "OPTIONS", err) : report_banner(v, &p);
	patch_close(&p);
	return verdict;
}

/* For a server each of its banners, for a phone its web server only when SIP tells no version. */
static void patch_ask_others(struct visit *v, struct patch *p)
{
	if (v->target->asset->kind == ASSET_PHONE && says_version(p))
		return;
	patch_ask_http(v, p);
	if (v->target->asset->kind != ASSET_PHONE)
		patch_ask_ssh(v, p);
}

static enum verdict by_banners(struct visit *v, const char *shield)
{
	struct patch p;
	enum verdict verdict = VERDICT_CLEAN;
	int err = patch_open(v, &p, &verdict);

	if (err)
		return verdict;
	p.shield = shield;
	err = patch_ask_sip(v, &p);
	patch_ask_others(v, &p);
	if (err && !p.count)
		verdict = visit_failed(v, "OPTIONS", err);
	else if (!says_version(&p))
		verdict = no_version(v, &p);
	else if (patch_fuse(v, &p, &verdict) == 0)
		verdict = report_fused(v, &p, of_product);
	patch_close(&p);
	return verdict;
}

enum verdict px02_known_cve(struct visit *v)
{
	return by_banners(v, NULL);
}

/* Whether the advisories at hand speak of this distribution at all: silence is no clean bill. */
static enum verdict report_packages(struct visit *v, const struct patch *p)
{
	if (!p->fused.covers)
		return visit_untested(v,
				      "no advisories for the packages of %.*s %.*s are at hand: "
				      "import them (hornwork assess import)",
				      SLICE_ARGS(p->packages.distribution),
				      SLICE_ARGS(p->packages.release));
	return report_fused(v, p, of_packages);
}

enum verdict px03_packages(struct visit *v)
{
	struct patch p;
	enum verdict verdict = VERDICT_CLEAN;
	int err = patch_open(v, &p, &verdict);

	if (err)
		return verdict;
	err = patch_read_host(v, &p);
	if (err == ERR_SYNTAX)
		verdict = visit_untested(v, "its list of packages cannot be read");
	else if (err)
		verdict = visit_no_host(v, err);
	else if (patch_fuse(v, &p, &verdict) == 0)
		verdict = report_packages(v, &p);
	patch_close(&p);
	return verdict;
}

/* By the banner, and by the packages where they may be read. */
enum verdict px04_exploited(struct visit *v)
{
	struct patch p;
	enum verdict verdict = VERDICT_CLEAN;
	int err = patch_open(v, &p, &verdict);

	if (err)
		return verdict;
	err = patch_ask_sip(v, &p);
	if (*v->target->asset->ssh_user && patch_read_host(v, &p))
		p.host_read = false;
	if (err && !p.host_read)
		verdict = visit_failed(v, "OPTIONS", err);
	else if (!says_version(&p) && !p.host_read)
		verdict = no_version(v, &p);
	else if (patch_fuse(v, &p, &verdict) == 0)
		verdict = report_fused(v, &p, is_exploited);
	patch_close(&p);
	return verdict;
}

static enum verdict report_lives(struct visit *v, const struct patch *p)
{
	enum verdict verdict = visit_absent(v, "no end of life is known of it");

	for (size_t i = 0; i < p->fused.life_count; i++) {
		const struct fused_life *l = &p->fused.lives[i];

		if (l->eol.state == EOL_UNKNOWN)
			continue;
		if (l->eol.state != EOL_ENDED) {
			verdict = verdict == VERDICT_FOUND ? verdict : VERDICT_CLEAN;
			continue;
		}
		verdict =
			visit_found(v, &(struct found){.port = v->target->asset->sip_port},
				    "%.*s %.*s: %s\nsource: %.*s", SLICE_ARGS(l->what),
				    SLICE_ARGS(l->version), l->why, SLICE_ARGS(l->eol.row->source));
	}
	return verdict;
}

enum verdict px05_end_of_life(struct visit *v)
{
	struct patch p;
	enum verdict verdict = VERDICT_CLEAN;
	int err = patch_open(v, &p, &verdict);

	if (err)
		return verdict;
	err = patch_ask_sip(v, &p);
	if (err)
		verdict = visit_failed(v, "OPTIONS", err);
	else if (!says_version(&p))
		verdict = no_version(v, &p);
	else if (patch_fuse(v, &p, &verdict) == 0)
		verdict = report_lives(v, &p);
	patch_close(&p);
	return verdict;
}

/* Until the firmware is updated, administrators alone reach the phone's web interface. */
enum verdict dv14_firmware(struct visit *v)
{
	return by_banners(v, visit_quarantine(v));
}
