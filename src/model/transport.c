#include "model/transport.h"

static const char *const names[TRANSPORT_COUNT] = {
	[TRANSPORT_UDP] = "udp", [TRANSPORT_TCP] = "tcp", [TRANSPORT_TLS] = "tls",
	[TRANSPORT_WS] = "ws",	 [TRANSPORT_WSS] = "wss",
};

const char *transport_text(enum transport t)
{
	return (unsigned)t < TRANSPORT_COUNT ? names[t] : "?";
}

int transport_parse(struct slice word, enum transport *out)
{
	for (unsigned i = 0; i < TRANSPORT_COUNT; i++) {
		if (slice_eq_nocase(word, slice_z(names[i]))) {
			*out = (enum transport)i;
			return 0;
		}
	}
	return ERR_SYNTAX;
}
