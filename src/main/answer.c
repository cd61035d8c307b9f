#include "main/answer.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

int answer_begin(struct answer *a)
{
	*a = (struct answer){.fd = -1};
	a->piece = mem_zalloc(1, ANSWER_PIECE_BYTES);
	if (!a->piece)
		return ERR_NOMEM;
	a->fd = memfd_create("hornwork-answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (a->fd < 0) {
		mem_free(a->piece);
		return -errno;
	}
	a->o = out_to(a->piece, ANSWER_PIECE_BYTES);
	return 0;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

void answer_flush(struct answer *a)
{
	if (!a->err && a->o.err)
		a->err = a->o.err;
	if (!a->err && a->bytes + a->o.n > ANSWER_BYTES_MAX)
		a->err = ERR_LIMIT;
	if (!a->err)
		a->err = write_all(a->fd, a->piece, a->o.n);
	if (!a->err)
		a->bytes += a->o.n;
	a->o = out_to(a->piece, ANSWER_PIECE_BYTES);
}

int answer_end(struct answer *a, struct proc_channel *ch, uint32_t id, unsigned status)
{
	struct proc_answer m = {.id = id, .status = status};
	int err;

	answer_flush(a);
	if (a->err && ftruncate(a->fd, 0) == 0) {
		m.status = 500;
		a->bytes = 0;
	}
	m.bytes = a->bytes;
	err = proc_text_seal(a->fd);
	if (!err)
		err = proc_send(ch, PROC_ANSWER, &m, sizeof(m), &a->fd, 1);
	close(a->fd);
	mem_free(a->piece);
	return err;
}
