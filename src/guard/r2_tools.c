#include "guard/r2_tools.h"

#define TOOL_TEXT_MAX 64 /* bytes of a header that are looked at: names stand in front */

struct tool {
	struct slice mark; /* lower case, at the beginning of the header's value */
	const char *name;
};

/* Default User-Agents, as the tools' sources and captures of their traffic have them. */
static const struct tool agents[] = {
	{SLICE("friendly-scanner"), "SIPVicious"},
	{SLICE("friendly-request"), "SIPVicious PRO"},
	{SLICE("sipvicious"), "SIPVicious"},
	{SLICE("sundayddr"), "sundayddr, a SIPVicious worm"},
	{SLICE("sip-scan"), "sip-scan"},
	{SLICE("smap"), "smap"},
	{SLICE("sipscan"), "SIPSCAN"},
	{SLICE("sipcli"), "sipcli"},
	{SLICE("siparmyknife"), "SIP Army Knife"},
	{SLICE("sivus"), "SiVuS"},
	{SLICE("iwar"), "iWar"},
	{SLICE("pplsip"), "pplsip"},
	{SLICE("sipptk"), "Mr.SIP"},
	{SLICE("mr.sip"), "Mr.SIP"},
	{SLICE("vaxsipuseragent"), "VaxSIP"},
	{SLICE("nmap"), "Nmap"},
	{SLICE("metasploit"), "Metasploit"},
	{SLICE("nessus"), "Nessus"},
	{SLICE("sippts"), "SIPPTS"},
	{SLICE("masscan"), "masscan"},
	{SLICE("zgrab"), "ZGrab"},
};

/* SIPVicious keeps this display name when its User-Agent is changed. */
static const struct tool displays[] = {
	{SLICE("sipvicious"), "SIPVicious"},
	{SLICE("sip:nm@nm"), "Nmap"},
};

static const char *find(const struct tool *tools, size_t count, struct slice text)
{
	text = slice_trim(text);
	for (size_t i = 0; i < count; i++)
		if (slice_starts_nocase(text, tools[i].mark))
			return tools[i].name;
	return NULL;
}

static const char *of_header(const struct sip_msg *msg, enum sip_header_id id)
{
	const struct sip_header *h = sip_header_first(msg, id);

	return h ? find(agents, sizeof(agents) / sizeof(agents[0]),
			slice_first(h->value, TOOL_TEXT_MAX))
		 : NULL;
}

static const char *of_name(const struct sip_name_addr *na)
{
	const char *name = find(displays, sizeof(displays) / sizeof(displays[0]), na->display);

	return name ? name : find(displays, sizeof(displays) / sizeof(displays[0]), na->uri_text);
}

const char *r2_tool_of(const struct sip_msg *msg)
{
	const char *name = of_header(msg, SIP_H_USER_AGENT);

	name = name ? name : of_header(msg, SIP_H_SERVER);
	name = name ? name : of_name(&msg->from);
	return name ? name : of_name(&msg->to);
}
