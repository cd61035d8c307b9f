#include "assess/checks/table.h"

static const struct check_row rows[] = {
#define CHECK(id_, tag_, class_, severity_, cvss_, kinds_, title_, remediation_, references_,      \
	      packets_, function_)                                                                 \
	{.id = id_,                                                                                \
	 .tag = #tag_,                                                                             \
	 .class = CHECK_##class_,                                                                  \
	 .severity = ASSESS_##severity_,                                                           \
	 .cvss_tenths = cvss_,                                                                     \
	 .kinds = kinds_,                                                                          \
	 .title = title_,                                                                          \
	 .remediation = remediation_,                                                              \
	 .references = references_,                                                                \
	 .packets = packets_,                                                                      \
	 .run = function_},
#include "assess/checks/checks.def"
#undef CHECK
};

struct check_table checks_table(void)
{
	return (struct check_table){.rows = rows, .count = sizeof(rows) / sizeof(rows[0])};
}
