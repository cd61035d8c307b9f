/* The keys of section console. */
#include "config/schema_rows.h"

const struct schema_row schema_console_rows[SCHEMA_CONSOLE_ROWS] = {
	{.key = "listen",
	 .type = SCHEMA_ENDPOINT,
	 FIELD(console, listen),
	 .tag = "core",
	 .by_default = "none",
	 .help = "where the HTTP API listens besides its Unix socket",
	 .more = "Without token-file this must be a loopback address. It is neither encrypted nor "
		 "meant for other networks: put a proxy with TLS before it."},
	{.key = "token-file",
	 .type = SCHEMA_FILE,
	 FIELD(console, token_file),
	 .tag = "core",
	 .by_default = "none",
	 .help = "the file whose first line is the API's bearer token"},
	{.key = "events",
	 .type = SCHEMA_FILE,
	 FIELD(console, events),
	 .tag = "core",
	 .by_default = "none",
	 .help = "the file to which events are appended, one JSON object a line",
	 .more = "A reload opens it anew, so that it may be moved away before. Whoever connects to "
		 "events.sock in the run directory gets the same lines as they happen."},
	{.key = "syslog",
	 .type = SCHEMA_FILE,
	 FIELD(console, syslog),
	 .tag = "core",
	 .by_default = "none",
	 .help = "the socket of a syslog daemon that gets events too, as \"/dev/log\"",
	 .more = "Each is a message of facility authpriv with the event's severity. What the "
		 "daemon "
		 "does not take at once is lost and counted."},
};
