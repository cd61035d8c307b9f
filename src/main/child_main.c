#include "main/child_main.h"

#include "main/command.h"
#include "main/config_wire.h"
#include "proc/spawner.h"

struct config *child_config_wait(struct proc_channel *warden, struct proc_msg *msg, int timeout_ms)
{
	struct config_intake in = {0};
	struct config *config = NULL;
	int done = 0;

	while (done == 0 && proc_receive_wait(warden, msg, timeout_ms) == 1)
		done = config_intake_on_message(&in, msg);
	if (done == 1) {
		config = in.config;
		in.config = NULL;
	}
	config_intake_done(&in);
	return config;
}

int child_config_done(struct proc_channel *warden, uint64_t generation, int err)
{
	struct proc_config_done m = {.generation = generation, .err = err};

	return proc_send(warden, PROC_CONFIG_DONE, &m, sizeof(m), NULL, 0);
}

int child_spawner(int argc, char **argv)
{
	struct proc_channel warden;

	if (proc_child_begin(PROC_SPAWNER, &warden) != 0)
		return EXIT_USAGE;
	return proc_spawner_run(&warden);
}
