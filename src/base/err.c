#include "base/err.h"

#include <string.h>

const char *err_text(int err)
{
	switch (err) {
	case 0:
		return "no error";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_LIMIT:
		return "limit reached";
	case ERR_SPACE:
		return "does not fit";
	case ERR_SYNTAX:
		return "syntax error";
	case ERR_ABSENT:
		return "not found";
	case ERR_EXISTS:
		return "exists already";
	case ERR_DENIED:
		return "not permitted";
	case ERR_PEER:
		return "protocol broken by the other side";
	case ERR_VERSION:
		return "version mismatch";
	default:
		return err > -1000 ? strerror(-err) : "unknown error";
	}
}
