/* Feeds of every format: whatever comes, it is read or refused with words, and nothing leaks. */
#include <stdio.h>
#include <stdlib.h>

#include "advisory/import_impl.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct slice models[] = {SLICE("gxp")};
static const struct slice series[] = {SLICE("6800")};

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static int read_bytes(struct import_sink *s, const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	FILE *file;
	int err;

	expect(copy != NULL);
	memcpy(copy, data, size);
	file = fmemopen(copy, size ? size : 1, "r");
	expect(file != NULL);
	err = import_opened(s, file);
	expect(fclose(file) == 0);
	free(copy);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct product rows[] = {
		{.key = SLICE("asterisk"), .name = SLICE("Asterisk"), .vendor = SLICE("Sangoma")},
		{.key = SLICE("grandstream-gxp"),
		 .name = SLICE("GXP"),
		 .vendor = SLICE("Grandstream"),
		 .device = true,
		 .models = {models, 1},
		 .series = {series, 1}},
	};
	const struct product_table products = {.rows = rows, .count = 2};
	struct fault fault = {{0}};
	struct import_sink sink = {.products = &products, .where = "fuzz", .fault = &fault};
	long live = mem_test_live();
	int err = read_bytes(&sink, data, size);

	expect(err <= 0);
	expect((err == 0) == (*fault.text == '\0'));
	expect(mem_test_live() == live);
	return 0;
}
