/* The rows of section patches. */
#include "config/schema_rows.h"

const struct schema_row schema_patches_rows[SCHEMA_PATCHES_ROWS] = {
	{.key = "shipped",
	 .type = SCHEMA_BOOL,
	 FIELD(patches, shipped),
	 .fallback = "yes",
	 .tag = "r2",
	 .help = "use the rules that come with Hornwork"},
	{.key = "files",
	 .type = SCHEMA_FILES,
	 LIST(patches, files, file_count),
	 .by_default = "none",
	 .tag = "r2",
	 .help = "further files of rules, as hornwork-rules(5) describes them",
	 .more = "`hornwork check` plays the messages that prove each rule; a reload with a rule "
		 "that does not hold keeps the old ones."},
	{.key = "off",
	 .type = SCHEMA_PATCHES,
	 LIST(patches, off, off_count),
	 .by_default = "none",
	 .tag = "r2",
	 .help = "rules that are not used, by name or by CVE"},
	{.key = "mode",
	 .type = SCHEMA_ENUM,
	 FIELD(patches, mode),
	 .words = "enforce|observe",
	 .fallback = "enforce",
	 .tag = "r2",
	 .help = "whether a message that a rule fits is stopped, or only told of",
	 .more = "With observe the messages pass, events say virtual_patch_seen, and `hornwork "
		 "patches` counts."},
};
