#include "main/command.h"

#include <stdio.h>
#include <string.h>

int cmd_version(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--json") == 0)
		printf("[{\"name\": \"hornwork\", \"version\": \"%s\"}]\n", HORNWORK_VERSION);
	else
		printf("hornwork %s\n", HORNWORK_VERSION);
	return EXIT_GOOD;
}
