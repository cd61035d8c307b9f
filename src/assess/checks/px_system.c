/* PX: the operating system under the PBX, read on its host. */
#include <stdlib.h>
#include <time.h>

#include "assess/checks/table.h"
#include "assess/ssh.h"

#define SHOWN_MAX 200

/* The first lines as one, for evidence. */
static struct slice one_line(struct ssh_text *t)
{
	struct slice s = slice_trim(slice_of(t->p, t->n));

	for (size_t i = 0; i < s.n; i++)
		if (t->p[i] == '\n')
			t->p[i] = ' ';
	return slice_first(s, SHOWN_MAX);
}

/* ---- PX-06: a daemon that is older than its package ---- */

/* Its program or a library of it was replaced on disk: the old one is mapped as "(deleted)". */
enum verdict px06_old_daemon(struct visit *v)
{
	struct ssh_text out;
	struct slice names;
	enum verdict verdict = VERDICT_CLEAN;
	int err = visit_ssh(
		v,
		"for p in /proc/[0-9]*; do c=$(cat $p/comm 2>/dev/null); case $c in "
		"asterisk|kamailio|opensips|freeswitch|rtpengine|coturn|turnserver) "
		"if ls -l $p/exe 2>/dev/null | grep -q ' (deleted)$' || "
		"grep -sq '[.]so[^ ]* (deleted)' $p/maps; then echo $c; fi;; esac; done | sort -u",
		&out);

	if (err)
		return visit_no_host(v, err);
	names = one_line(&out);
	if (names.n)
		verdict = visit_found(v, &(struct found){0},
				      "running from files that were replaced on disk: %.*s",
				      SLICE_ARGS(names));
	ssh_text_done(&out);
	return verdict;
}

/* ---- PX-07: a kernel that waits for a reboot ---- */

/* "6.1.0-28-amd64" against "6.1.0-32-amd64": runs of digits as numbers, the rest as text. */
static int compare_kernels(struct slice a, struct slice b)
{
	size_t i = 0, k = 0;

	while (i < a.n && k < b.n) {
		if (ascii_is_digit(a.p[i]) && ascii_is_digit(b.p[k])) {
			unsigned long x = 0, y = 0;

			while (i < a.n && ascii_is_digit(a.p[i]) && x < 1000000)
				x = x * 10 + (unsigned long)(a.p[i++] - '0');
			while (k < b.n && ascii_is_digit(b.p[k]) && y < 1000000)
				y = y * 10 + (unsigned long)(b.p[k++] - '0');
			if (x != y)
				return x < y ? -1 : 1;
		} else if (a.p[i] != b.p[k]) {
			return a.p[i] < b.p[k] ? -1 : 1;
		} else {
			i++;
			k++;
		}
	}
	return (i < a.n) - (k < b.n);
}

/* What stands behind the numbers: "-amd64", "-cloud-amd64"; kernels of another kind are no newer
 * ones. */
static struct slice flavour(struct slice kernel)
{
	size_t i = 0;

	while (i < kernel.n && (ascii_is_digit(kernel.p[i]) || kernel.p[i] == '.' ||
				kernel.p[i] == '-' || kernel.p[i] == '+'))
		i++;
	return slice_from(kernel, i);
}

enum verdict px07_old_kernel(struct visit *v)
{
	struct ssh_text out;
	struct slice running, installed, rest, newest = {0};
	enum verdict verdict = VERDICT_CLEAN;
	int err = visit_ssh(v, "uname -r; ls -1 /lib/modules 2>/dev/null", &out);

	if (err)
		return visit_no_host(v, err);
	running = slice_trim(slice_split(slice_of(out.p, out.n), '\n', &rest));
	while (rest.n) {
		installed = slice_trim(slice_split(rest, '\n', &rest));
		if (installed.n && slice_eq(flavour(installed), flavour(running)) &&
		    compare_kernels(newest.n ? newest : running, installed) < 0)
			newest = installed;
	}
	if (running.n == 0)
		verdict = visit_untested(v, "uname says nothing");
	else if (newest.n)
		verdict = visit_found(v, &(struct found){0},
				      "kernel %.*s runs, %.*s is installed: a reboot is due",
				      SLICE_ARGS(running), SLICE_ARGS(newest));
	ssh_text_done(&out);
	return verdict;
}

/* ---- PX-25: the PBX as root ---- */

enum verdict px25_runs_as_root(struct visit *v)
{
	struct ssh_text out;
	struct slice names;
	enum verdict verdict = VERDICT_CLEAN;
	int err = visit_ssh(
		v,
		"ps -eo user:32=,comm= | awk '$1 == \"root\" && $2 ~ "
		"/^(asterisk|freeswitch|kamailio|opensips|3CXPhone.*|yate)$/ {print $2}' | "
		"sort -u",
		&out);

	if (err)
		return visit_no_host(v, err);
	names = one_line(&out);
	if (names.n)
		verdict =
			visit_found(v, &(struct found){0}, "runs as root: %.*s", SLICE_ARGS(names));
	ssh_text_done(&out);
	return verdict;
}

/* ---- PX-30: the clock ---- */

#define OFFSET_MAX_S 2 /* the way there and back, and the second that `date` cuts off */

enum verdict px30_clock(struct visit *v)
{
	struct ssh_text out;
	struct slice first, rest;
	enum verdict verdict = VERDICT_CLEAN;
	long long theirs, before = (long long)time(NULL), after;
	bool synchronised;
	int err = visit_ssh(v,
			    "date +%s; timedatectl show -p NTPSynchronized --value 2>/dev/null; "
			    "chronyc -n tracking 2>/dev/null | grep 'Leap status'; "
			    "ntpq -c rv 2>/dev/null | grep -o 'leap_[a-z]*'",
			    &out);

	if (err)
		return visit_no_host(v, err);
	after = (long long)time(NULL);
	first = slice_split(slice_of(out.p, out.n), '\n', &rest);
	theirs = strtoll(first.p ? first.p : "0", NULL, 10);
	synchronised = slice_find_slice(rest, SL("yes")) < rest.n ||
		       slice_find_slice(rest, SL("Normal")) < rest.n ||
		       slice_find_slice(rest, SL("leap_none")) < rest.n;
	if (theirs < before - OFFSET_MAX_S || theirs > after + OFFSET_MAX_S)
		verdict = visit_found(v, &(struct found){0}, "its clock is %lld s off ours",
				      theirs - before);
	else if (!synchronised)
		verdict = visit_found(
			v, &(struct found){0},
			"neither timedatectl nor chronyc nor ntpq says that its clock is "
			"synchronised");
	ssh_text_done(&out);
	return verdict;
}
