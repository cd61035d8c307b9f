#include "main/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int cmd_version(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;

	if (argc > 1 && !json) {
		fprintf(stderr, "hornwork version: it takes --json and nothing else\n");
		return EXIT_USAGE;
	}
	if (json)
		printf("[{\"name\": \"hornwork\", \"version\": \"%s\"}]\n", HORNWORK_VERSION);
	else
		printf("hornwork %s\n", HORNWORK_VERSION);
	return EXIT_GOOD;
}
