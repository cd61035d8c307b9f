#include "main/child_main.h"

#include <unistd.h>

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

int child_take_table(struct proc_msg *msg, enum flow_table_rights rights, struct flow_table **table)
{
	struct flow_table_fds fds = {proc_msg_take_fd(msg, 0), proc_msg_take_fd(msg, 1)};
	int err = *table ? ERR_EXISTS : flow_table_map(&fds, rights, table);

	close(fds.flows);
	close(fds.stats);
	return err;
}

int child_take_block(struct proc_msg *msg, struct flow_table *table)
{
	struct flow_table_fds fds = {-1, proc_msg_take_fd(msg, 0)};
	struct proc_flow_block m;
	int err;

	memcpy(&m, msg->payload, sizeof(m));
	err = table ? flow_table_block(table, m.block, &fds) : ERR_PEER;
	close(fds.stats);
	return err;
}

int child_spawner(int argc, char **argv)
{
	struct proc_channel warden;

	if (proc_child_begin(PROC_SPAWNER, &warden) != 0)
		return EXIT_USAGE;
	return proc_spawner_run(&warden);
}
