/* The table of checks: each row is whole, and its packets can be read. */
#include <ctype.h>
#include <stdlib.h>

#include "assess/checks/table.h"
#include "unit/check.h"

/* What a class promises. */
static void check_class(const struct check_row *r, const struct packet_plan *plan)
{
	bool guesses = plan->most[PACKET_HTTP_LOGIN] || plan->most[PACKET_SSH_LOGIN];

	if (r->class == CHECK_PASSIVE && *r->packets)
		fail_msg("%s is passive and sends %s", r->id, r->packets);
	if (r->class == CHECK_HOST_READ_ONLY && !plan->most[PACKET_SSH_READ])
		fail_msg("%s reads the host without an ssh-read", r->id);
	if (r->class != CHECK_INTRUSIVE && guesses)
		fail_msg("%s tries passwords and is not intrusive", r->id);
}

/* hornwork.conf(5) and hornwork(8) name the checks that call test-number without --intrusive. */
static void who_calls_without_being_asked(void **state)
{
	struct check_table t = checks_table();
	char names[64] = "";
	struct out o = out_to(names, sizeof(names) - 1);
	struct packet_plan plan;

	(void)state;
	for (size_t i = 0; i < t.count; i++) {
		const struct check_row *r = &t.rows[i];

		assert_int_equal(packet_plan_parse(slice_z(r->packets), &plan), 0);
		if (r->class != CHECK_INTRUSIVE && plan.most[PACKET_RTP] &&
		    plan.most[PACKET_SIP_INVITE])
			out_fmt(&o, "%s ", r->id);
	}
	assert_string_equal(names, "GW-15 VL-12 ");
}

static void each_row(void **state)
{
	struct check_table t = checks_table();
	struct packet_plan plan;

	(void)state;
	for (size_t i = 0; i < t.count; i++) {
		const struct check_row *r = &t.rows[i];

		check_int(r->id, packet_plan_parse(slice_z(r->packets), &plan), 0);
		/* found by its own id: it stands once */
		assert_ptr_equal(check_find(&t, slice_z(r->id)), r);
		assert_true(r->run && r->kinds && (r->kinds & ~(unsigned)ON_ANY) == 0);
		assert_true(strlen(r->title) > 10 && strlen(r->remediation) > 20);
		assert_true(*r->references && r->title[strlen(r->title) - 1] != '.');
		assert_true(r->tag[0] == 'r' && r->tag[1] >= '1' && r->tag[1] <= '5');
		assert_true(isupper((unsigned char)r->id[0]) && r->id[2] == '-');
		check_class(r, &plan);
	}
}

static void plans(void **state)
{
	struct packet_plan plan;

	(void)state;
	assert_int_equal(packet_plan_parse(SL("tcp-connect=2 sip-options=10"), &plan), 0);
	assert_int_equal(plan.most[PACKET_TCP_CONNECT], 2);
	assert_int_equal(plan.most[PACKET_SIP_OPTIONS], 10);
	assert_int_equal(packet_plan_parse(SL("tcp-connect=0"), &plan), ERR_SYNTAX);
	assert_int_equal(packet_plan_parse(SL("tcp=1"), &plan), ERR_SYNTAX);
	assert_int_equal(packet_plan_parse(SL("rtp=1 rtp=2"), &plan), ERR_SYNTAX);
}

/* A check that goes beyond its row is refused. */
static void a_budget_is_a_bound(void **state)
{
	struct check_row row = {.id = "XX-01", .packets = "sip-options=2"};
	struct target t = {0};
	struct visit *v = calloc(1, sizeof(*v));

	(void)state;
	assert_non_null(v);
	assert_int_equal(visit_begin(v, &row, &t, &(struct visit_host){0}, NULL), 0);
	assert_int_equal(visit_spend(v, PACKET_SIP_OPTIONS), 0);
	assert_int_equal(visit_spend(v, PACKET_SIP_INVITE), ERR_LIMIT);
	assert_int_equal(visit_spend(v, PACKET_SIP_OPTIONS), 0);
	assert_int_equal(visit_spend(v, PACKET_SIP_OPTIONS), ERR_LIMIT);
	assert_int_equal(t.sent.most[PACKET_SIP_OPTIONS], 2);
	assert_int_equal(visit_may_guess(v), ERR_DENIED);
	free(v);
}

static void findings(void **state)
{
	struct check_row row = {.id = "XX-01",
				.tag = "r3",
				.severity = ASSESS_HIGH,
				.title = "t",
				.remediation = "r",
				.references = "x",
				.packets = ""};
	struct target t = {.name = "desk"};
	struct visit *v = calloc(1, sizeof(*v));
	struct arena arena;
	struct finding other = {.check = "XX-01", .asset = "desk", .port = 23};

	(void)state;
	assert_non_null(v);
	arena_init(&arena, 4096, 1 << 20);
	assert_int_equal(visit_begin(v, &row, &t, &(struct visit_host){0}, &arena), 0);
	assert_int_equal(visit_found(v, &(struct found){.port = 23}, "one\x01"), VERDICT_FOUND);
	assert_int_equal(visit_found(v, &(struct found){.port = 23}, "two"), VERDICT_FOUND);
	assert_int_equal(visit_found(v, &(struct found){.port = 24}, "three"), VERDICT_FOUND);
	assert_int_equal(v->finding_count, 2);
	assert_string_equal(v->findings[0].evidence, "one\\x01\ntwo");
	assert_int_equal(v->findings[0].severity, ASSESS_HIGH);
	/* identity is check, asset, port and CVE: nothing else */
	finding_identify(&other);
	assert_string_equal(v->findings[0].id, other.id);
	assert_string_not_equal(v->findings[0].id, v->findings[1].id);
	arena_done(&arena);
	free(v);
}

static bool knows_all(const void *patches, const char *cve)
{
	(void)patches;
	return *cve != '\0';
}

/* A virtual patch acts on what passes the gateway: a pbx section names the PBX, by its address. */
static void a_patch_needs_a_gateway_before_the_pbx(void **state)
{
	static const struct visit_host host = {.is_patchable = knows_all};
	struct check_row row = {.id = "PX-02", .packets = ""};
	struct config_asset asset = {.name = "main", .kind = ASSET_PBX};
	struct config_pbx pbx = {.name = "main"};
	struct config config = {.pbxs = &pbx};
	struct target t = {.name = "main", .asset = &asset, .config = &config};
	struct visit *v = calloc(1, sizeof(*v));
	struct arena arena;

	(void)state;
	assert_non_null(v);
	arena_init(&arena, 4096, 1 << 20);
	assert_int_equal(ip_parse(SL("10.10.0.5"), &t.address), 0);
	assert_int_equal(visit_begin(v, &row, &t, &host, &arena), 0);
	assert_null(visit_virtual_patch(v, "CVE-2024-42491"));
	config.pbx_count = 1;
	assert_null(visit_virtual_patch(v, "CVE-2024-42491")); /* its name is not resolved */
	assert_int_equal(ip_parse(SL("10.10.0.6"), &pbx.peer.at.addr), 0);
	assert_null(visit_virtual_patch(v, "CVE-2024-42491"));
	pbx.peer.at.addr = t.address;
	assert_string_equal(visit_virtual_patch(v, "CVE-2024-42491"),
			    "patch = {\"CVE-2024-42491\"}");
	asset.kind = ASSET_SERVER;
	assert_null(visit_virtual_patch(v, "CVE-2024-42491"));
	arena_done(&arena);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(who_calls_without_being_asked),
		cmocka_unit_test(plans),
		cmocka_unit_test(a_budget_is_a_bound),
		cmocka_unit_test(findings),
		cmocka_unit_test(a_patch_needs_a_gateway_before_the_pbx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
