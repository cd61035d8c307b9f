#include "main/assess_data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/log.h"

#define DATA_PROOF "products.jsonl" /* what a folder of our data holds */

static bool is_data_dir(const char *dir)
{
	char path[FEED_PATH_MAX + sizeof(DATA_PROOF)];

	snprintf(path, sizeof(path), "%s/" DATA_PROOF, dir);
	return access(path, R_OK) == 0;
}

/* `up` beside the binary's own folder: "../share/hornwork", "../data". */
static bool beside_binary(const char *up, char *out, size_t size)
{
	char exe[FEED_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return false;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return false;
	*slash = '\0';
	n = snprintf(out, size, "%s/%s", exe, up);
	return n > 0 && (size_t)n < size && is_data_dir(out);
}

int assess_data_dir(char *out, size_t size, struct fault *f)
{
	if (beside_binary("../share/hornwork", out, size) || beside_binary("../data", out, size))
		return 0;
	snprintf(out, size, "%s", HORNWORK_DATADIR);
	if (is_data_dir(out))
		return 0;
	return fault_say(f, ERR_ABSENT,
			 "the shipped data are not there: %s/" DATA_PROOF
			 " is missing; install Hornwork again",
			 HORNWORK_DATADIR);
}

int assess_base_open(struct adv_base *b, const char *command, const char *feeds_dir)
{
	struct fault f = {{0}};
	char dir[FEED_PATH_MAX];
	int err = assess_data_dir(dir, sizeof(dir), &f);

	if (!err)
		err = adv_base_open(b, dir, feeds_dir ? feeds_dir : ASSESS_FEEDS_DIR_DEFAULT, &f);
	if (err)
		fprintf(stderr, "hornwork %s: %s\n", command, f.text);
	return err;
}

static bool copy_text(struct arena *a, const char *z, const char **out)
{
	struct slice copy;

	if (arena_copy(a, slice_z(z), &copy))
		return false;
	*out = copy.p;
	return true;
}

void assess_report_feeds(struct assess_report *r, const char *state)
{
	struct feed_list l;
	struct fault f = {{0}};
	char dir[FEED_PATH_MAX], feeds[FEED_PATH_MAX];

	snprintf(feeds, sizeof(feeds), "%s/feeds", state);
	if (assess_data_dir(dir, sizeof(dir), &f) || feed_list_load(&l, dir, feeds, &f)) {
		fprintf(stderr, "hornwork assess: %s\n", f.text);
		return;
	}
	r->feeds = l.count ? arena_alloc(&r->arena, l.count * sizeof(*r->feeds)) : NULL;
	for (size_t i = 0; r->feeds && i < l.count; i++) {
		struct feed_result *to = &r->feeds[i];

		if (!copy_text(&r->arena, l.items[i].name, &to->name) ||
		    !copy_text(&r->arena, l.items[i].source, &to->source))
			break;
		to->dated_ms = l.items[i].dated_ms;
		to->imported_ms = l.items[i].imported_ms;
		to->rows = l.items[i].rows;
		r->feed_count = i + 1;
	}
	feed_list_done(&l);
}

/* ---- what root leaves behind ---- */

/* The folder's owner may have put links there: none is followed, and no file of two names given. */
static void give_entry(int dir, const char *name, const struct stat *owner, unsigned deep);

static void give_folder(int fd, const struct stat *owner, unsigned deep)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;

	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			give_entry(dirfd(d), e->d_name, owner, deep);
	closedir(d);
}

static void give_entry(int dir, const char *name, const struct stat *owner, unsigned deep)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || st.st_dev != owner->st_dev ||
	    !(S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1))) {
		close(fd);
		return;
	}
	if (st.st_uid == 0 && fchown(fd, owner->st_uid, owner->st_gid))
		log_line(SEV_WARNING, "assess: %s cannot be given to its user: %s", name,
			 err_text(-errno));
	if (S_ISDIR(st.st_mode) && deep)
		give_folder(fd, owner, deep - 1);
	else
		close(fd);
}

void assess_give_back(const char *state)
{
	int fd = geteuid() == 0 ? open(state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	struct stat owner;

	if (fd < 0)
		return;
	if (fstat(fd, &owner) == 0 && owner.st_uid != 0)
		give_folder(fd, &owner, 1);
	else
		close(fd);
}

static bool is_patchable(const void *patches, const char *cve)
{
	return patch_set_covers(patches, slice_z(cve));
}

void assess_patches_open(struct assess_patches *p, struct run_wish *wish)
{
	/* Whatever the gateway's own file says: a shield forces its rule. */
	const struct config all = {.patches = {.shipped = true}};

	*p = (struct assess_patches){0};
	if (patch_files_open(&all, &p->files, NULL, NULL) ||
	    patch_files_set(&all, slice_of(p->files.text, p->files.n), &p->set, NULL, NULL)) {
		assess_patches_close(p);
		return;
	}
	wish->is_patchable = is_patchable;
	wish->patches = p->set;
}

void assess_patches_close(struct assess_patches *p)
{
	patch_set_free(p->set);
	patch_files_close(&p->files);
	p->set = NULL;
}
