/* Names: methods, header fields with their compact forms, status phrases. */
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_msg.h"

static const struct slice method_names[SIP_METHOD_COUNT] = {
	[SIP_INVITE] = SLICE("INVITE"),
	[SIP_ACK] = SLICE("ACK"),
	[SIP_BYE] = SLICE("BYE"),
	[SIP_CANCEL] = SLICE("CANCEL"),
	[SIP_REGISTER] = SLICE("REGISTER"),
	[SIP_OPTIONS] = SLICE("OPTIONS"),
	[SIP_INFO] = SLICE("INFO"),
	[SIP_PRACK] = SLICE("PRACK"),
	[SIP_UPDATE] = SLICE("UPDATE"),
	[SIP_MESSAGE] = SLICE("MESSAGE"),
	[SIP_SUBSCRIBE] = SLICE("SUBSCRIBE"),
	[SIP_NOTIFY] = SLICE("NOTIFY"),
	[SIP_REFER] = SLICE("REFER"),
	[SIP_PUBLISH] = SLICE("PUBLISH"),
};

static const struct slice header_names[SIP_H_COUNT] = {
	[SIP_H_VIA] = SLICE("Via"),
	[SIP_H_FROM] = SLICE("From"),
	[SIP_H_TO] = SLICE("To"),
	[SIP_H_CALL_ID] = SLICE("Call-ID"),
	[SIP_H_CSEQ] = SLICE("CSeq"),
	[SIP_H_CONTACT] = SLICE("Contact"),
	[SIP_H_ROUTE] = SLICE("Route"),
	[SIP_H_RECORD_ROUTE] = SLICE("Record-Route"),
	[SIP_H_MAX_FORWARDS] = SLICE("Max-Forwards"),
	[SIP_H_EXPIRES] = SLICE("Expires"),
	[SIP_H_MIN_EXPIRES] = SLICE("Min-Expires"),
	[SIP_H_CONTENT_TYPE] = SLICE("Content-Type"),
	[SIP_H_CONTENT_LENGTH] = SLICE("Content-Length"),
	[SIP_H_CONTENT_ENCODING] = SLICE("Content-Encoding"),
	[SIP_H_CONTENT_DISPOSITION] = SLICE("Content-Disposition"),
	[SIP_H_REQUIRE] = SLICE("Require"),
	[SIP_H_PROXY_REQUIRE] = SLICE("Proxy-Require"),
	[SIP_H_SUPPORTED] = SLICE("Supported"),
	[SIP_H_UNSUPPORTED] = SLICE("Unsupported"),
	[SIP_H_ALLOW] = SLICE("Allow"),
	[SIP_H_AUTHORIZATION] = SLICE("Authorization"),
	[SIP_H_PROXY_AUTHORIZATION] = SLICE("Proxy-Authorization"),
	[SIP_H_WWW_AUTHENTICATE] = SLICE("WWW-Authenticate"),
	[SIP_H_PROXY_AUTHENTICATE] = SLICE("Proxy-Authenticate"),
	[SIP_H_RSEQ] = SLICE("RSeq"),
	[SIP_H_RACK] = SLICE("RAck"),
	[SIP_H_SESSION_EXPIRES] = SLICE("Session-Expires"),
	[SIP_H_MIN_SE] = SLICE("Min-SE"),
	[SIP_H_EVENT] = SLICE("Event"),
	[SIP_H_SUBSCRIPTION_STATE] = SLICE("Subscription-State"),
	[SIP_H_REFER_TO] = SLICE("Refer-To"),
	[SIP_H_REFERRED_BY] = SLICE("Referred-By"),
	[SIP_H_REPLACES] = SLICE("Replaces"),
	[SIP_H_TARGET_DIALOG] = SLICE("Target-Dialog"),
	[SIP_H_JOIN] = SLICE("Join"),
	[SIP_H_PATH] = SLICE("Path"),
	[SIP_H_SERVICE_ROUTE] = SLICE("Service-Route"),
	[SIP_H_P_ASSERTED_IDENTITY] = SLICE("P-Asserted-Identity"),
	[SIP_H_P_PREFERRED_IDENTITY] = SLICE("P-Preferred-Identity"),
	[SIP_H_REMOTE_PARTY_ID] = SLICE("Remote-Party-ID"),
	[SIP_H_DIVERSION] = SLICE("Diversion"),
	[SIP_H_HISTORY_INFO] = SLICE("History-Info"),
	[SIP_H_REPLY_TO] = SLICE("Reply-To"),
	[SIP_H_WARNING] = SLICE("Warning"),
	[SIP_H_USER_AGENT] = SLICE("User-Agent"),
	[SIP_H_SERVER] = SLICE("Server"),
	[SIP_H_RETRY_AFTER] = SLICE("Retry-After"),
	[SIP_H_REASON] = SLICE("Reason"),
	[SIP_H_TIMESTAMP] = SLICE("Timestamp"),
	[SIP_H_DATE] = SLICE("Date"),
	[SIP_H_ACCEPT] = SLICE("Accept"),
	[SIP_H_ALERT_INFO] = SLICE("Alert-Info"),
	[SIP_H_CALL_INFO] = SLICE("Call-Info"),
	[SIP_H_ERROR_INFO] = SLICE("Error-Info"),
	[SIP_H_IDENTITY] = SLICE("Identity"),
};

#define BUCKETS 256
/* No two names share a bucket: two of them would be a compiler error here (override-init). */
#define BUCKET(n, first, middle) (((n)*26u + (unsigned)(first)*51u + (unsigned)(middle)) % BUCKETS)
static const uint8_t header_buckets[BUCKETS] = {
	[BUCKET(3, 'v', 'i')] = SIP_H_VIA,
	[BUCKET(4, 'f', 'o')] = SIP_H_FROM,
	[BUCKET(2, 't', 'o')] = SIP_H_TO,
	[BUCKET(7, 'c', 'l')] = SIP_H_CALL_ID,
	[BUCKET(4, 'c', 'e')] = SIP_H_CSEQ,
	[BUCKET(7, 'c', 't')] = SIP_H_CONTACT,
	[BUCKET(5, 'r', 'u')] = SIP_H_ROUTE,
	[BUCKET(12, 'r', '-')] = SIP_H_RECORD_ROUTE,
	[BUCKET(12, 'm', 'r')] = SIP_H_MAX_FORWARDS,
	[BUCKET(7, 'e', 'i')] = SIP_H_EXPIRES,
	[BUCKET(11, 'm', 'x')] = SIP_H_MIN_EXPIRES,
	[BUCKET(12, 'c', 't')] = SIP_H_CONTENT_TYPE,
	[BUCKET(14, 'c', '-')] = SIP_H_CONTENT_LENGTH,
	[BUCKET(16, 'c', 'e')] = SIP_H_CONTENT_ENCODING,
	[BUCKET(19, 'c', 'i')] = SIP_H_CONTENT_DISPOSITION,
	[BUCKET(7, 'r', 'u')] = SIP_H_REQUIRE,
	[BUCKET(13, 'p', 'r')] = SIP_H_PROXY_REQUIRE,
	[BUCKET(9, 's', 'o')] = SIP_H_SUPPORTED,
	[BUCKET(11, 'u', 'p')] = SIP_H_UNSUPPORTED,
	[BUCKET(5, 'a', 'l')] = SIP_H_ALLOW,
	[BUCKET(13, 'a', 'i')] = SIP_H_AUTHORIZATION,
	[BUCKET(19, 'p', 'h')] = SIP_H_PROXY_AUTHORIZATION,
	[BUCKET(16, 'w', 'e')] = SIP_H_WWW_AUTHENTICATE,
	[BUCKET(18, 'p', 'h')] = SIP_H_PROXY_AUTHENTICATE,
	[BUCKET(4, 'r', 'e')] = SIP_H_RSEQ,
	[BUCKET(4, 'r', 'c')] = SIP_H_RACK,
	[BUCKET(15, 's', '-')] = SIP_H_SESSION_EXPIRES,
	[BUCKET(6, 'm', '-')] = SIP_H_MIN_SE,
	[BUCKET(5, 'e', 'e')] = SIP_H_EVENT,
	[BUCKET(18, 's', 'i')] = SIP_H_SUBSCRIPTION_STATE,
	[BUCKET(8, 'r', 'r')] = SIP_H_REFER_TO,
	[BUCKET(11, 'r', 'r')] = SIP_H_REFERRED_BY,
	[BUCKET(8, 'r', 'a')] = SIP_H_REPLACES,
	[BUCKET(13, 't', '-')] = SIP_H_TARGET_DIALOG,
	[BUCKET(4, 'j', 'i')] = SIP_H_JOIN,
	[BUCKET(4, 'p', 't')] = SIP_H_PATH,
	[BUCKET(13, 's', 'e')] = SIP_H_SERVICE_ROUTE,
	[BUCKET(19, 'p', 'd')] = SIP_H_P_ASSERTED_IDENTITY,
	[BUCKET(20, 'p', 'd')] = SIP_H_P_PREFERRED_IDENTITY,
	[BUCKET(15, 'r', 'p')] = SIP_H_REMOTE_PARTY_ID,
	[BUCKET(9, 'd', 'r')] = SIP_H_DIVERSION,
	[BUCKET(12, 'h', 'y')] = SIP_H_HISTORY_INFO,
	[BUCKET(8, 'r', 'y')] = SIP_H_REPLY_TO,
	[BUCKET(7, 'w', 'n')] = SIP_H_WARNING,
	[BUCKET(10, 'u', 'a')] = SIP_H_USER_AGENT,
	[BUCKET(6, 's', 'v')] = SIP_H_SERVER,
	[BUCKET(11, 'r', '-')] = SIP_H_RETRY_AFTER,
	[BUCKET(6, 'r', 's')] = SIP_H_REASON,
	[BUCKET(9, 't', 's')] = SIP_H_TIMESTAMP,
	[BUCKET(4, 'd', 't')] = SIP_H_DATE,
	[BUCKET(6, 'a', 'e')] = SIP_H_ACCEPT,
	[BUCKET(10, 'a', '-')] = SIP_H_ALERT_INFO,
	[BUCKET(9, 'c', '-')] = SIP_H_CALL_INFO,
	[BUCKET(10, 'e', '-')] = SIP_H_ERROR_INFO,
	[BUCKET(8, 'i', 't')] = SIP_H_IDENTITY,
};

/* RFC 3261 7.3.3 and the registry of header fields. */
static const uint8_t header_compact['z' - 'a' + 1] = {
	['c' - 'a'] = SIP_H_CONTENT_TYPE,
	['e' - 'a'] = SIP_H_CONTENT_ENCODING,
	['f' - 'a'] = SIP_H_FROM,
	['i' - 'a'] = SIP_H_CALL_ID,
	['l' - 'a'] = SIP_H_CONTENT_LENGTH,
	['m' - 'a'] = SIP_H_CONTACT,
	['t' - 'a'] = SIP_H_TO,
	['v' - 'a'] = SIP_H_VIA,
	['k' - 'a'] = SIP_H_SUPPORTED,
	['o' - 'a'] = SIP_H_EVENT,
	['r' - 'a'] = SIP_H_REFER_TO,
	['b' - 'a'] = SIP_H_REFERRED_BY,
	['x' - 'a'] = SIP_H_SESSION_EXPIRES,
	['y' - 'a'] = SIP_H_IDENTITY,
};

/* Methods differ in their first letters, so only few are compared. */
enum sip_method sip_method_of(struct slice name)
{
	for (unsigned i = SIP_METHOD_OTHER + 1; i < SIP_METHOD_COUNT; i++)
		if (slice_eq(name, method_names[i]))
			return (enum sip_method)i;
	return SIP_METHOD_OTHER;
}

struct slice sip_method_name(enum sip_method m)
{
	return m < SIP_METHOD_COUNT ? method_names[m] : slice_of(NULL, 0);
}

/* The names of the table hold letters and '-' alone: bytes may differ in the bit of the case where
 * the table has a letter, which its bit 0x40 tells. */
static inline bool same_word(const char *p, const char *name)
{
	uint64_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, name, sizeof(b));
	return ((a ^ b) & ~((b & 0x4040404040404040u) >> 1)) == 0;
}

static inline bool same_half_word(const char *p, const char *name)
{
	uint32_t a, b;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, name, sizeof(b));
	return ((a ^ b) & ~((b & 0x40404040u) >> 1)) == 0;
}

static inline bool same_byte(char a, char b)
{
	return ((a ^ b) & ~((b & 0x40) >> 1)) == 0;
}

/* Two words may overlap; 24 bytes are the longest name there is. */
static inline bool same_name(const char *p, const char *name, size_t n)
{
	if (n >= 8)
		return same_word(p, name) && same_word(p + n - 8, name + n - 8) &&
		       (n <= 16 || same_word(p + 8, name + 8));
	if (n >= 4)
		return same_half_word(p, name) && same_half_word(p + n - 4, name + n - 4);
	return same_byte(p[0], name[0]) && same_byte(p[1], name[1]) &&
	       same_byte(p[n - 1], name[n - 1]);
}

enum sip_header_id sip_header_id_of(struct slice name)
{
	enum sip_header_id id;
	uint8_t first, middle;

	if (name.n == 0)
		return SIP_H_OTHER;
	/* Lower case for letters; '-' stays, and the bytes decide about all others. */
	first = (uint8_t)(name.p[0] | 0x20);
	if (name.n == 1)
		return first >= 'a' && first <= 'z' ? header_compact[first - 'a'] : SIP_H_OTHER;
	middle = (uint8_t)(name.p[name.n / 2] | 0x20);
	id = header_buckets[BUCKET(name.n, first, middle)];
	if (name.n != header_names[id].n || !same_name(name.p, header_names[id].p, name.n))
		return SIP_H_OTHER;
	return id;
}

struct slice sip_header_name(enum sip_header_id id)
{
	return id < SIP_H_COUNT ? header_names[id] : slice_of(NULL, 0);
}

struct phrase {
	uint16_t status;
	const char *text;
};

/* The IANA registry of response codes. */
static const struct phrase phrases[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{199, "Early Dialog Terminated"},
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Notification"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{380, "Alternative Service"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{412, "Conditional Request Failed"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{417, "Unknown Resource-Priority"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{423, "Interval Too Brief"},
	{424, "Bad Location Information"},
	{425, "Bad Alert Message"},
	{428, "Use Identity Header"},
	{429, "Provide Referrer Identity"},
	{430, "Flow Failed"},
	{433, "Anonymity Disallowed"},
	{436, "Bad Identity Info"},
	{437, "Unsupported Credential"},
	{438, "Invalid Identity Header"},
	{439, "First Hop Lacks Outbound Support"},
	{440, "Max-Breadth Exceeded"},
	{469, "Bad Info Package"},
	{470, "Consent Needed"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{485, "Ambiguous"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{493, "Undecipherable"},
	{494, "Security Agreement Required"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{555, "Push Notification Service Not Supported"},
	{580, "Precondition Failure"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
	{607, "Unwanted"},
	{608, "Rejected"},
};

/* What an unknown code of a class means (RFC 3261 8.1.3.2). */
static const char *const class_phrases[] = {
	[1] = "Progress", [2] = "Success",	  [3] = "Redirection",
	[4] = "Failure",  [5] = "Server Failure", [6] = "Global Failure",
};

const char *sip_status_phrase(unsigned status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return status >= 100 && status <= 699 ? class_phrases[status / 100] : "Unknown";
}
