#include "unit/check.h"

#include "base/list.h"

struct item {
	int number;
	struct list node;
};

static void order_and_removal_while_walking(void **state)
{
	struct item items[4];
	struct list head;
	int want = 0;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	for (int i = 0; i < 4; i++) {
		items[i].number = i;
		list_append(&head, &items[i].node);
	}
	list_for_each (n, &head)
		assert_int_equal(container_of(n, struct item, node)->number, want++);
	assert_int_equal(want, 4);
	list_for_each_safe (n, &head)
		if (container_of(n, struct item, node)->number % 2)
			list_remove(n);
	want = 0;
	list_for_each (n, &head) {
		assert_int_equal(container_of(n, struct item, node)->number, want);
		want += 2;
	}
	assert_int_equal(want, 4);
}

static void removing_twice_does_nothing(void **state)
{
	struct item a, b;
	struct list head;

	(void)state;
	list_init(&head);
	list_append(&head, &a.node);
	list_append(&head, &b.node);
	list_remove(&a.node);
	list_remove(&a.node);
	assert_true(list_empty(&a.node));
	assert_ptr_equal(head.next, &b.node);
	assert_ptr_equal(head.prev, &b.node);
	list_remove(&b.node);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_removal_while_walking),
		cmocka_unit_test(removing_twice_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
