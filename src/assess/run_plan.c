/* What a run would send, before it sends anything. */
#include "assess/run_impl.h"

#include "assess/look.h"
#include "base/json.h"

#define PLAN_LINE_MAX 8192

/* What all checks of a target may send, and which checks they are. */
static void plan_of(const struct run *r, const struct target *t, struct packet_plan *plan)
{
	*plan = (struct packet_plan){0};
	plan->most[PACKET_HEALTH] = LOOK_PACKETS;
	for (size_t i = 0; i < r->row_count; i++) {
		struct packet_plan row;

		if (!run_applies(r, r->rows[i], t) || run_why_not(r->rows[i], t) ||
		    packet_plan_parse(slice_z(r->rows[i]->packets), &row))
			continue;
		packet_plan_add(plan, &row);
		plan->most[PACKET_HEALTH] += 2;
	}
}

static void print_target(const struct run *r, const struct target *t, FILE *to)
{
	struct packet_plan plan;
	char z[IP_TEXT_MAX];

	plan_of(r, t, &plan);
	fprintf(to, "%s (%s, at most %u packets a second)\n", t->name, ip_text(&t->address, z),
		target_rate(t->asset));
	for (unsigned c = 0; c < PACKET_CLASSES; c++)
		if (plan.most[c])
			fprintf(to, "  %5u  %-14s %s\n", plan.most[c], packet_class_word(c),
				packet_class_help(c));
	for (size_t i = 0; i < r->row_count; i++) {
		const struct check_row *row = r->rows[i];

		if (run_applies(r, row, t) && run_why_not(row, t))
			fprintf(to, "      -  %s is not made: %s\n", row->id, run_why_not(row, t));
	}
}

static void write_target(const struct run *r, const struct target *t, struct json *j)
{
	struct packet_plan plan;
	char z[IP_TEXT_MAX];

	plan_of(r, t, &plan);
	json_open(j, '{');
	json_member_z(j, "asset", t->name);
	json_member_z(j, "address", ip_text(&t->address, z));
	json_member_u64(j, "packets_per_second", target_rate(t->asset));
	json_member_open(j, "packets", '{');
	for (unsigned c = 0; c < PACKET_CLASSES; c++)
		if (plan.most[c])
			json_member_u64(j, packet_class_word(c), plan.most[c]);
	json_close(j, '}');
	json_member_open(j, "checks", '[');
	for (size_t i = 0; i < r->row_count; i++)
		if (run_applies(r, r->rows[i], t) && !run_why_not(r->rows[i], t))
			json_str(j, slice_z(r->rows[i]->id));
	json_close(j, ']');
	json_close(j, '}');
}

void run_print_plan(const struct run *r, bool json, FILE *to)
{
	char line[PLAN_LINE_MAX];

	if (json)
		fputs("[", to);
	for (size_t i = 0; i < r->target_count; i++) {
		struct out o = out_to(line, sizeof(line));
		struct json j = json_to(&o);

		if (!json) {
			print_target(r, &r->targets[i], to);
			continue;
		}
		write_target(r, &r->targets[i], &j);
		fprintf(to, "%s\n%.*s", i ? "," : "", SLICE_ARGS(out_slice(&o)));
	}
	if (json)
		fputs("\n]\n", to);
}
