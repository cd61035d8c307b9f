/* Failure codes shared by all modules; a function that can fail returns 0, one of these, or -errno.
 */
#ifndef HW_BASE_ERR_H
#define HW_BASE_ERR_H

enum err {
	ERR_NOMEM = -1001,   /* an allocation failed */
	ERR_LIMIT = -1002,   /* a named limit was reached */
	ERR_SPACE = -1003,   /* the output does not fit its buffer */
	ERR_SYNTAX = -1004,  /* the input breaks its grammar */
	ERR_ABSENT = -1005,  /* what was named is not there */
	ERR_EXISTS = -1006,  /* what was named is there already */
	ERR_DENIED = -1007,  /* policy or privilege forbids it */
	ERR_PEER = -1008,    /* the other side broke its protocol */
	ERR_VERSION = -1009, /* the other side speaks another version */
};

/* A word for an error code or a negative errno; never NULL; borrowed for ever. */
const char *err_text(int err);

#define must_check __attribute__((warn_unused_result))
/* For a variable on a packet's way that is written whole before it is read: the compiler need not
 * fill it with zeros first, as the build otherwise has it do. */
#define not_zeroed __attribute__((uninitialized))

#endif
