#include "assess/finding.h"

#include <openssl/evp.h>

static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
static const char *const classes[] = {"passive", "safe-active", "host-read-only",
				      "intrusive-opt-in"};
static const char *const confidences[] = {"low", "medium", "high"};
static const char *const states[] = {"open", "shielded", "fixed"};
static const char *const changes[] = {"new",  "unchanged", "severity changed",
				      "back", "fixed",	   "not tested"};
static const char *const verdicts[] = {"clean", "found", "not applicable", "not tested"};
static const char *const targets[] = {"tested", "unreachable", "in a call", "stopped", "no device"};

const char *assess_severity_text(enum assess_severity s)
{
	return severities[s];
}

bool assess_severity_parse(struct slice text, uint8_t *out)
{
	for (size_t i = 0; i < ASSESS_SEVERITIES; i++)
		if (slice_eq_nocase(text, slice_z(severities[i]))) {
			*out = (uint8_t)i;
			return true;
		}
	return false;
}

const char *check_class_text(enum check_class c)
{
	return classes[c];
}

const char *assess_confidence_text(enum assess_confidence c)
{
	return confidences[c];
}

const char *finding_state_text(enum finding_state s)
{
	return states[s];
}

const char *finding_change_text(enum finding_change c)
{
	return changes[c];
}

const char *verdict_text(enum verdict v)
{
	return verdicts[v];
}

const char *target_state_text(enum target_state s)
{
	return targets[s];
}

void finding_identify(struct finding *f)
{
	char text[FINDING_ASSET_MAX + FINDING_CVE_MAX + 64];
	struct out o = out_to(text, sizeof(text)), id = out_to(f->id, sizeof(f->id));
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};

	out_fmt(&o, "%s|%s|%u|%s", f->check, f->asset, f->port, f->cve);
	(void)EVP_Digest(text, o.n, digest, NULL, EVP_sha256(), NULL);
	out_z(&id, "f-");
	out_hex(&id, digest, 8);
	f->id[id.n] = '\0';
}
