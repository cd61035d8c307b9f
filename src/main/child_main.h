/* What the children's own main functions share. Each is started by the spawner alone, under its
 * internal subcommand. */
#ifndef HW_MAIN_CHILD_MAIN_H
#define HW_MAIN_CHILD_MAIN_H

#include "media/flow_table.h"
#include "proc/channel.h"

int child_spawner(int argc, char **argv);
int child_signal(int argc, char **argv);
int child_media(int argc, char **argv);
int child_console(int argc, char **argv);
int child_tls(int argc, char **argv);
int child_watch(int argc, char **argv);
int child_announce(int argc, char **argv);
int child_stir(int argc, char **argv);
int child_probe(int argc, char **argv);

/* Waits for a whole configuration; NULL when none comes. Free with config_free. */
struct config *child_config_wait(struct proc_channel *warden, struct proc_msg *msg, int timeout_ms);
/* "The configuration is in force", or why not. As proc_send. */
int child_config_done(struct proc_channel *warden, uint64_t generation, int err) must_check;

/* Maps what a PROC_FLOW_TABLE message brought; *table is NULL before. ERR_EXISTS, and as
 * flow_table_map. */
int child_take_table(struct proc_msg *msg, enum flow_table_rights rights,
		     struct flow_table **table) must_check;
/* The same for PROC_FLOW_BLOCK, as flow_table_block; ERR_PEER without a table. */
int child_take_block(struct proc_msg *msg, struct flow_table *table) must_check;

#endif
