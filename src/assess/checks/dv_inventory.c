/* DV: what is there, compared with what is declared. */
#include <jansson.h>

#include "assess/checks/table.h"
#include "assess/scope.h"
#include "base/mem.h"

/* "10.20.0.33:5060" from a registration's row. */
static bool source_of(const json_t *row, struct ip_endpoint *out)
{
	const char *text = json_string_value(json_object_get(row, "source"));

	return text && ip_endpoint_parse(slice_z(text), 5060, out) == 0;
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *z = json_string_value(json_object_get(row, key));

	return z ? z : "";
}

enum verdict dv20_undeclared_phone(struct visit *v)
{
	char z[IP_ENDPOINT_TEXT_MAX];
	enum verdict verdict = VERDICT_CLEAN;
	const json_t *row;
	json_t *list;
	char *text;
	size_t i;
	int err = visit_ask_gateway(v, "/v1/registrations", &text);

	if (err == ERR_ABSENT)
		return visit_not_asked(v, "no gateway runs on this machine whose registrations "
					  "could be compared");
	if (err)
		return visit_failed(v, "the gateway", err);
	list = json_loads(text, 0, NULL);
	mem_free(text);
	if (!json_is_array(list)) {
		json_decref(list);
		return visit_failed(v, "the gateway's list of registrations", ERR_SYNTAX);
	}
	json_array_foreach(list, i, row)
	{
		struct ip_endpoint at;

		if (!source_of(row, &at) || scope_asset_of(v->config, &at.addr))
			continue;
		verdict = visit_found(v, &(struct found){0}, "%s is registered from %s (%s)",
				      text_of(row, "aor"), ip_endpoint_text(&at, z),
				      text_of(row, "user_agent"));
	}
	json_decref(list);
	return verdict;
}
