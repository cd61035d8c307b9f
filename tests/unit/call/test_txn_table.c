/* Each pair of state and event is filled, and each state leads on. */
#include "unit/check.h"

#include "call/txn_impl.h"

static void test_pairs_filled(void **state)
{
	for (unsigned kind = TXN_INVITE_CLIENT; kind <= TXN_SERVER; kind++)
		for (unsigned s = 0; s < TXN_STATE_COUNT; s++)
			for (unsigned e = 0; e < TXN_EV_COUNT; e++) {
				const struct txn_row *row = txn_row_of(
					(enum txn_kind)kind, (enum txn_state)s, (enum txn_event)e);

				if (!row->filled || row->next >= TXN_STATE_COUNT)
					fail_msg("machine %u, state %u, event %u", kind, s, e);
			}
}

static unsigned reach(enum txn_kind kind, unsigned seen)
{
	for (unsigned s = 0; s < TXN_STATE_COUNT; s++)
		for (unsigned e = 0; (seen & 1u << s) && e < TXN_EV_COUNT; e++)
			seen |= 1u << txn_row_of(kind, (enum txn_state)s, (enum txn_event)e)->next;
	return seen;
}

/* From its first state a machine reaches exactly the states that its RFC gives it. */
static void test_reachable(void **state)
{
	static const struct {
		const char *name;
		enum txn_kind kind;
		enum txn_state first;
		unsigned want; /* bits of states */
	} rows[] = {
		{"RFC 3261 17.1.1, RFC 6026 7.2", TXN_INVITE_CLIENT, TXN_CALLING,
		 1 << TXN_CALLING | 1 << TXN_PROCEEDING | 1 << TXN_COMPLETED | 1 << TXN_ACCEPTED |
			 1 << TXN_TERMINATED},
		{"RFC 3261 17.1.2", TXN_CLIENT, TXN_TRYING,
		 1 << TXN_TRYING | 1 << TXN_PROCEEDING | 1 << TXN_COMPLETED | 1 << TXN_TERMINATED},
		{"RFC 3261 17.2.1, RFC 6026 7.1", TXN_INVITE_SERVER, TXN_PROCEEDING,
		 1 << TXN_PROCEEDING | 1 << TXN_COMPLETED | 1 << TXN_CONFIRMED | 1 << TXN_ACCEPTED |
			 1 << TXN_TERMINATED},
		{"RFC 3261 17.2.2", TXN_SERVER, TXN_TRYING,
		 1 << TXN_TRYING | 1 << TXN_PROCEEDING | 1 << TXN_COMPLETED | 1 << TXN_TERMINATED},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unsigned seen = 1u << rows[i].first, before = 0;

		while (seen != before) {
			before = seen;
			seen = reach(rows[i].kind, seen);
		}
		check_int(rows[i].name, seen, rows[i].want);
	}
}

/* The end timer leads out of every state that a machine has. */
static void test_every_state_ends(void **state)
{
	for (unsigned kind = TXN_INVITE_CLIENT; kind <= TXN_SERVER; kind++)
		for (unsigned s = 0; s < TXN_TERMINATED; s++) {
			const struct txn_row *row =
				txn_row_of((enum txn_kind)kind, (enum txn_state)s, TXN_EV_TIMEOUT);

			assert_true(row->next == TXN_TERMINATED || row->next == s);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_filled),
		cmocka_unit_test(test_reachable),
		cmocka_unit_test(test_every_state_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
