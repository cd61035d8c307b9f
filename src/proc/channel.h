/* A channel between two processes: whole typed messages over SOCK_SEQPACKET, with descriptors.
 * Never blocks: what the socket does not take waits in a bounded queue. */
#ifndef HW_PROC_CHANNEL_H
#define HW_PROC_CHANNEL_H

#include "base/list.h"
#include "proc/messages.h"

#define PROC_QUEUE_BYTES_MAX (8u << 20) /* waiting messages; the peer is stuck when it has more */

struct proc_channel {
	int fd; /* -1 = closed */
	enum proc_kind self, peer;
	struct list queue;
	size_t queue_bytes;
};

/* One received message; large, so kept by whoever reads a channel. */
struct proc_msg {
	enum proc_type type;
	size_t bytes;
	int fds[PROC_FDS_MAX]; /* -1 = none, or taken */
	_Alignas(8) uint8_t payload[PROC_PAYLOAD_MAX + 1];
};

/* Two connected non-blocking ends, closed on exec. -errno. */
int proc_pair(int out_fds[2]) must_check;
/* Takes over the descriptor. */
void proc_channel_init(struct proc_channel *ch, int fd, enum proc_kind self, enum proc_kind peer);
/* Closes, and drops what still waits. */
void proc_channel_done(struct proc_channel *ch);
static inline bool proc_channel_open(const struct proc_channel *ch)
{
	return ch->fd >= 0;
}

/* Sends or queues; descriptors are duplicated, the caller's stay its own.
 * ERR_LIMIT: the queue is full; ERR_DENIED: this message does not go this way; -EPIPE: no peer. */
int proc_send(struct proc_channel *ch, enum proc_type type, const void *payload, size_t bytes,
	      const int *fds, size_t fd_count) must_check;
/* Sends what waits. */
int proc_flush(struct proc_channel *ch) must_check;
static inline bool proc_wants_write(const struct proc_channel *ch)
{
	return ch->queue_bytes > 0;
}

/* The next message: 1, or 0 when none is there, or a failure after which the channel is worthless:
 * -EPIPE (the peer is gone), ERR_PEER (unknown, malformed, or not the sender's to send),
 * ERR_VERSION. Descriptors that were not taken are closed by the next call or by proc_msg_done. */
int proc_receive(struct proc_channel *ch, struct proc_msg *msg) must_check;
/* Before the first proc_receive. */
void proc_msg_init(struct proc_msg *msg);
void proc_msg_done(struct proc_msg *msg);
/* The n-th descriptor becomes the caller's; -1 when there is none. */
int proc_msg_take_fd(struct proc_msg *msg, size_t n);

/* A sealed memfd with these bytes; -errno. */
int proc_text_fd(struct slice text) must_check;
/* Seals against any further change, and rewinds. -errno. */
int proc_text_seal(int fd) must_check;
/* Maps a memfd that is sealed and has exactly `bytes`; unmap with proc_text_unmap. ERR_PEER. */
int proc_text_map(int fd, size_t bytes, struct slice *out) must_check;
void proc_text_unmap(struct slice text);

#endif
