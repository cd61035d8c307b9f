/* Texts that travel as sealed memory: configurations and answers, of any length. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/channel.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int proc_text_seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return 0;
}

int proc_text_fd(struct slice text)
{
	int fd = memfd_create("hornwork", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = 0;

	if (fd < 0)
		return -errno;
	while (text.n > 0 && !err) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0)
			err = -errno;
		else
			text = slice_from(text, (size_t)n);
	}
	if (!err)
		err = proc_text_seal(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int proc_text_map(int fd, size_t bytes, struct slice *out)
{
	struct stat st;
	void *p;

	if ((fcntl(fd, F_GET_SEALS) & SEALS) != SEALS || fstat(fd, &st) < 0 ||
	    (size_t)st.st_size != bytes)
		return ERR_PEER;
	if (bytes == 0) {
		*out = slice_of(NULL, 0);
		return 0;
	}
	p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*out = slice_of(p, bytes);
	return 0;
}

void proc_text_unmap(struct slice text)
{
	if (text.n)
		munmap((void *)(uintptr_t)text.p, text.n);
}
