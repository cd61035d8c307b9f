/* A TCP connection to a target, at the target's pace. Libraries that want a descriptor (OpenSSL,
 * libcurl, libssh) get one: what they write waits in a socket pair until it may be sent. */
#ifndef HW_ASSESS_WIRE_H
#define HW_ASSESS_WIRE_H

#include <sys/socket.h>
#include <sys/un.h>

#include "assess/target.h"

#define WIRE_TIMEOUT_MS 4000 /* for a connection and for each answer: phones are slow */

struct wire;

/* 0; -ECONNREFUSED (closed), -ETIMEDOUT (filtered, or gone), other -errno; ERR_DENIED (scope, or
 * the run was cancelled); ERR_LIMIT (a gentle device has one open already), ERR_NOMEM. */
int wire_open(struct target *t, uint16_t port, uint32_t timeout_ms, struct wire **out) must_check;
/* The same for libcurl, which insists on connecting by itself: to `out_name`, a socket of this
 * process alone, behind which the connection waits. wire_fd, wire_send and wire_read are not for
 * it. */
int wire_open_named(struct target *t, uint16_t port, uint32_t timeout_ms,
		    struct sockaddr_un *out_name, socklen_t *out_bytes,
		    struct wire **out) must_check;
/* Closes politely, waits until it is closed. Accepts NULL. */
void wire_close(struct wire *c);
/* The descriptor for a library; blocking; it stays the connection's. */
int wire_fd(const struct wire *c);
/* All of it, or -errno. */
int wire_send(struct wire *c, struct slice bytes) must_check;
/* What is there, up to `size` bytes; waits for the first. 0: the other side closed. -ETIMEDOUT,
 * -errno. */
int wire_read(struct wire *c, char *buf, size_t size, uint32_t timeout_ms) must_check;
/* Reads until `stop` stands in it, the other side closes, `size` is reached or the time is over.
 * Bytes read, also 0. -errno only when nothing came and the connection broke. */
int wire_read_until(struct wire *c, const char *stop, char *buf, size_t size,
		    uint32_t timeout_ms) must_check;

#endif
