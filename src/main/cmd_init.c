/* hornwork init: asks three questions and writes a configuration. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_load.h"
#include "config/resolve.h"
#include "config/value.h"
#include "main/command.h"
#include "main/init_text.h"

#define INIT_TEXT_MAX  8192 /* bytes of the file; the text is about 2000 */
#define INIT_TRIES_MAX 3    /* wrong answers to one question */

static const char help[] =
	"usage: hornwork init [--outside IFACE] [--inside IFACE] [--pbx ADDRESS]\n"
	"                     [--certificate FILE [--key FILE]] [--yes] [--output FILE]\n"
	"\n"
	"Asks three questions and writes a configuration; never over an existing file. Questions "
	"that\n"
	"an option answers are not asked; answers may also come through a pipe, a line each.\n"
	"\n"
	"  --outside IFACE  the interface towards phones outside\n"
	"  --inside IFACE   the interface towards the PBX\n"
	"  --pbx ADDRESS    where the PBX answers, as 10.10.0.5:5060\n"
	"  --certificate FILE, --key FILE\n"
	"                   phones may come over TLS, with this certificate\n"
	"  --yes            take every proposal without asking\n"
	"  --output FILE    instead of " CONFIG_FILE_DEFAULT "; - prints it\n"
	"\n"
	"Exit: 0 written, 1 the file exists, 2 usage, an answer is missing or wrong.\n";

struct init {
	struct init_answers answers;
	const char *output;
	bool yes;
};

struct question {
	const char *option; /* as on the command line */
	const char *text;
	const char *section, *key; /* the schema row that judges the answer */
	char *answer;		   /* INIT_ANSWER_MAX bytes */
	char proposal[INIT_ANSWER_MAX];
};

/* ---- proposals ---- */

/* The interface of the IPv4 default route, or "". */
static void propose_outside(char *out)
{
	FILE *f = fopen("/proc/net/route", "re");
	char line[256];

	while (f && !*out && fgets(line, sizeof(line), f)) {
		struct slice rest = slice_z(line), name = slice_split(rest, '\t', &rest);

		if (slice_eq(slice_split(rest, '\t', &rest), SL("00000000")))
			(void)slice_to_z(name, out, INIT_ANSWER_MAX);
	}
	if (f)
		fclose(f);
}

/* The first interface with an address that is neither loopback nor `outside`, or "". */
static void propose_inside(const char *outside, char *out)
{
	struct config_world world = config_world_system();
	char names[1024];
	struct out o = out_to(names, sizeof(names));
	struct slice rest;

	world.interface_names(world.ctx, &o);
	rest = out_slice(&o);
	while (rest.n && !*out) {
		struct slice word = slice_split(rest, ' ', &rest);
		struct config_interface i = {0};
		char name[CONFIG_IFNAME_MAX];

		if (!slice_to_z(word, name, sizeof(name)) || strcmp(name, outside) == 0)
			continue;
		if (world.interface(world.ctx, name, &i) == 0 && i.count &&
		    !ip_is_loopback(&i.addresses[0]))
			snprintf(out, INIT_ANSWER_MAX, "%s", name);
	}
}

/* ---- answers ---- */

/* Says on stderr what is wrong with the answer; true when it is good. */
static bool is_good(const struct question *q)
{
	const struct schema_row *row =
		schema_row_find(schema_section_find(slice_z(q->section)), slice_z(q->key));
	char words[CONFIG_ISSUE_TEXT_MAX];
	struct out why = out_to(words, sizeof(words));
	struct config_peer room; /* the largest value that a question here has */

	if (*q->answer && strpbrk(q->answer, "\"\\|$") == NULL &&
	    value_read(row, slice_z(q->answer), NULL, &room, &why) == 0)
		return true;
	fprintf(stderr, "hornwork init: %s: \"%s\" will not do: %.*s\n", q->option, q->answer,
		SLICE_ARGS(out_slice(&why)));
	return false;
}

/* One line of stdin, or the proposal when the line is empty; false at the end of input. */
static bool read_line(struct question *q)
{
	char line[INIT_ANSWER_MAX];
	struct slice answer;

	printf("%s%s%s%s ", q->text, *q->proposal ? " [" : "", q->proposal,
	       *q->proposal ? "]" : "");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	answer = slice_trim(slice_z(line));
	if (answer.n == 0)
		answer = slice_z(q->proposal);
	return slice_to_z(answer, q->answer, INIT_ANSWER_MAX);
}

static int answer_question(struct question *q, bool yes)
{
	if (*q->answer)
		return is_good(q) ? 0 : ERR_SYNTAX;
	if (yes) {
		if (!*q->proposal) {
			fprintf(stderr, "hornwork init: there is no proposal for %s; give it\n",
				q->option);
			return ERR_ABSENT;
		}
		slice_to_z(slice_z(q->proposal), q->answer, INIT_ANSWER_MAX);
		return is_good(q) ? 0 : ERR_SYNTAX;
	}
	for (int i = 0; i < INIT_TRIES_MAX; i++) {
		if (!read_line(q)) {
			fprintf(stderr, "\nhornwork init: no answer; give %s\n", q->option);
			return ERR_ABSENT;
		}
		if (is_good(q))
			return 0;
	}
	return ERR_SYNTAX;
}

static int ask_all(struct init *in)
{
	struct question outside = {.option = "--outside",
				   .section = "zone",
				   .key = "interface",
				   .text = "Which interface faces the phones outside?",
				   .answer = in->answers.outside};
	struct question inside = {.option = "--inside",
				  .section = "zone",
				  .key = "interface",
				  .text = "Which interface faces the PBX?",
				  .answer = in->answers.inside};
	struct question pbx = {.option = "--pbx",
			       .section = "pbx",
			       .key = "address",
			       .text = "Where does the PBX answer (as 10.10.0.5:5060)?",
			       .answer = in->answers.pbx};
	int err;

	propose_outside(outside.proposal);
	err = answer_question(&outside, in->yes);
	if (err)
		return err;
	propose_inside(in->answers.outside, inside.proposal);
	if (!*inside.proposal)
		slice_to_z(slice_z(in->answers.outside), inside.proposal, INIT_ANSWER_MAX);
	err = answer_question(&inside, in->yes);
	return err ? err : answer_question(&pbx, in->yes);
}

/* ---- the file ---- */

/* What is written must pass `hornwork check`; if it does not, that is our fault. */
static int verify(struct slice text)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	int err = config_parse(text, &report, &c);

	for (size_t i = 0; i < report.count; i++)
		fprintf(stderr, "hornwork init: line %u: %s\n", report.issues[i].line,
			report.issues[i].text);
	config_free(c);
	config_report_done(&report);
	return err;
}

/* A folder such as /etc/hornwork is made if its parent is there. */
static int open_new(const char *path)
{
	char folder[PATH_MAX];

	if (slice_to_z(slice_z(path), folder, sizeof(folder)) && mkdir(dirname(folder), 0755) < 0 &&
	    errno != EEXIST)
		return -errno;
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
}

static int write_new(const char *path, struct slice text)
{
	int fd = open_new(path);
	ssize_t n;

	if (fd < 0) {
		fprintf(stderr, "hornwork init: %s: %s\n", path,
			errno == EEXIST ? "is there already; nothing was written"
					: strerror(errno));
		return errno == EEXIST ? EXIT_FOUND : EXIT_USAGE;
	}
	n = write(fd, text.p, text.n);
	if (close(fd) || n != (ssize_t)text.n) {
		fprintf(stderr, "hornwork init: %s: cannot be written: %s\n", path,
			strerror(errno));
		unlink(path);
		return EXIT_USAGE;
	}
	printf("%s is written. Next: hornwork check --resolve %s\n", path, path);
	return EXIT_GOOD;
}

static int write_answers(const struct init *in)
{
	char text[INIT_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	init_text_write(&o, &in->answers);
	if (o.err || verify(out_slice(&o)))
		return EXIT_USAGE;
	if (strcmp(in->output, "-") != 0)
		return write_new(in->output, out_slice(&o));
	fwrite(text, 1, o.n, stdout);
	return EXIT_GOOD;
}

/* ---- options ---- */

/* Where the value of an option goes, or NULL for an unknown one. */
static char *answer_of(struct init *in, const char *option)
{
	if (strcmp(option, "--outside") == 0)
		return in->answers.outside;
	if (strcmp(option, "--inside") == 0)
		return in->answers.inside;
	if (strcmp(option, "--certificate") == 0)
		return in->answers.certificate;
	if (strcmp(option, "--key") == 0)
		return in->answers.key;
	return strcmp(option, "--pbx") == 0 ? in->answers.pbx : NULL;
}

static int read_options(struct init *in, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *answer = answer_of(in, argv[i]);
		bool output = strcmp(argv[i], "--output") == 0 || strcmp(argv[i], "-o") == 0;

		if (strcmp(argv[i], "--yes") == 0) {
			in->yes = true;
		} else if ((!answer && !output) || i + 1 == argc) {
			fprintf(stderr, "hornwork init: %s %s\n%s", argv[i],
				answer || output ? "needs a value" : "is no option of it", help);
			return ERR_SYNTAX;
		} else if (output) {
			in->output = argv[++i];
		} else if (!*argv[++i] || !slice_to_z(slice_z(argv[i]), answer, INIT_ANSWER_MAX)) {
			fprintf(stderr, "hornwork init: %s is empty or too long\n", argv[i - 1]);
			return ERR_SYNTAX;
		}
	}
	return 0;
}

int cmd_init(int argc, char **argv)
{
	struct init in = {.output = CONFIG_FILE_DEFAULT};

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(help, stdout);
		return EXIT_GOOD;
	}
	if (read_options(&in, argc, argv))
		return EXIT_USAGE;
	if (strcmp(in.output, "-") != 0 && access(in.output, F_OK) == 0) {
		fprintf(stderr, "hornwork init: %s is there already; nothing was written\n",
			in.output);
		return EXIT_FOUND;
	}
	if (ask_all(&in))
		return EXIT_USAGE;
	return write_answers(&in);
}
