/* Lines "ORDER<TAB>A<TAB>B" become lines "-1", "0" or "1", for test_version_order.py. */
#include <stdio.h>

#include "advisory/version.h"

static int compare(const char *order, struct slice a, struct slice b)
{
	switch (*order) {
	case 'd':
		return version_cmp_dpkg(a, b);
	case 'r':
		return version_cmp_rpm(a, b);
	case 'p':
		return version_cmp_rpm_part(a, b);
	default:
		return version_cmp_upstream(a, b);
	}
}

int main(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		struct slice rest = slice_trim(slice_z(line)), order, a;
		int result;

		order = slice_split(rest, '\t', &rest);
		a = slice_split(rest, '\t', &rest);
		result = compare(order.p, a, rest);
		printf("%d\n", (result > 0) - (result < 0));
	}
	return 0;
}
