/* Keys that signal writes and media reads, counters that outlive both. */
#include "unit/check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "media/vault.h"
#include "unit/failing_alloc.h"

static struct vault_keys keys_of(uint8_t fill)
{
	struct vault_keys k = {.open_number = fill, .seal_number = fill + 1u};

	k.open.suite = SRTP_AES_128_CM_SHA1_80;
	memset(k.open.master, fill, srtp_master_bytes(k.open.suite));
	return k;
}

static struct vault *map(const struct vault_fds *fds, enum vault_rights rights)
{
	struct vault_fds shared;
	struct vault *v = NULL;

	assert_int_equal(vault_share(fds, rights, &shared), 0);
	assert_int_equal(shared.counters >= 0, rights == VAULT_PATH);
	assert_int_equal(shared.kept >= 0, rights == VAULT_PATH);
	assert_int_equal(vault_map(&shared, rights, &v), 0);
	vault_fds_close(&shared);
	return v;
}

static void keys_cross_and_are_wiped(void **state)
{
	struct vault_keys a = keys_of(1), b = keys_of(9), got;
	struct vault *signal, *media;
	struct vault_fds fds;

	assert_int_equal(vault_create(1, &fds), 0);
	signal = map(&fds, VAULT_WRITER);
	media = map(&fds, VAULT_PATH);
	assert_false(vault_get(media, 20000, &got));
	vault_put(signal, 20000, &a);
	assert_true(vault_get(media, 20000, &got));
	assert_memory_equal(&got, &a, sizeof(a));
	vault_put(signal, 20000, &b);
	assert_true(vault_get(media, 20000, &got));
	assert_memory_equal(&got, &b, sizeof(b));
	assert_false(vault_get(media, 20001, &got));
	vault_wipe(signal, 20000);
	assert_false(vault_get(media, 20000, &got));
	vault_put(signal, 65536, &a);
	vault_wipe(signal, 65536);
	assert_false(vault_get(media, 65536, &got));
	assert_null(vault_counters(media, 65536));
	assert_null(vault_counters(signal, 20000));
	vault_free(signal);
	vault_free(media);
	vault_fds_close(&fds);
}

static struct association_spec peer_of(char fill)
{
	struct association_spec p = {.ice = true, .serial = 7, .fingerprint_count = 1};

	memset(p.local.pwd, fill, sizeof(p.local.pwd) - 1);
	memset(p.remote_ufrag, fill, sizeof(p.remote_ufrag) - 1);
	return p;
}

static void peers_cross_and_are_wiped(void **state)
{
	struct association_spec peer = peer_of('x'), got;
	struct vault_keys k = keys_of(3);
	struct vault *signal, *media;
	struct vault_fds fds;

	assert_int_equal(vault_create(1, &fds), 0);
	signal = map(&fds, VAULT_WRITER);
	media = map(&fds, VAULT_PATH);
	assert_false(vault_peer_get(media, 20000, &got));
	vault_peer_put(signal, 20000, &peer);
	assert_true(vault_peer_get(media, 20000, &got));
	assert_int_equal(got.serial, 7);
	assert_string_equal(got.local.pwd, peer.local.pwd);
	assert_string_equal(got.remote_ufrag, peer.remote_ufrag);
	vault_put(signal, 20000, &k); /* beside each other */
	assert_true(vault_peer_get(media, 20000, &got));
	vault_wipe(signal, 20000);
	assert_false(vault_peer_get(media, 20000, &got));
	vault_peer_put(signal, 65536, &peer);
	assert_false(vault_peer_get(media, 65536, &got));
	assert_null(vault_kept(signal, 20000));
	assert_null(vault_kept(media, 65536));
	assert_non_null(vault_kept(media, 20000));
	vault_free(signal);
	vault_free(media);
	vault_fds_close(&fds);
}

/* No word of a wiped key is left in the whole area. */
static void nothing_is_left_of_a_wiped_key(void **state)
{
	struct vault_keys k = keys_of(0xa7);
	struct vault *signal;
	struct vault_fds fds;
	size_t found = 0;
	uint8_t page[4096];
	ssize_t n;

	assert_int_equal(vault_create(1, &fds), 0);
	signal = map(&fds, VAULT_WRITER);
	for (unsigned i = 0; i < 100; i++)
		vault_put(signal, 16384 + i, &k);
	for (unsigned i = 0; i < 100; i++)
		vault_wipe(signal, 16384 + i);
	while ((n = read(fds.keys, page, sizeof(page))) > 0)
		for (ssize_t i = 0; i < n; i++)
			found += page[i] == 0xa7;
	assert_int_equal(found, 0);
	vault_free(signal);
	vault_fds_close(&fds);
}

static void a_successor_finds_what_was_left(void **state)
{
	struct association_spec peer = peer_of('x');
	struct vault_keys k = keys_of(3), got;
	struct vault *first, *second, *media;
	struct vault_fds fds;

	assert_int_equal(vault_create(2, &fds), 0);
	first = map(&fds, VAULT_WRITER);
	media = map(&fds, VAULT_PATH);
	vault_put(first, 100, &k);
	vault_put(first, 70000, &k);
	vault_peer_put(first, 80000, &peer);
	assert_int_equal(vault_next_left(first, 0), UINT32_MAX);
	vault_free(first);
	assert_true(vault_get(media, 70000, &got));
	second = map(&fds, VAULT_WRITER);
	assert_int_equal(vault_next_left(second, 0), 100);
	assert_int_equal(vault_next_left(second, 101), 70000);
	vault_put(second, 70000, &k);
	assert_int_equal(vault_next_left(second, 101), 80000);
	vault_wipe(second, 80000);
	assert_int_equal(vault_next_left(second, 101), UINT32_MAX);
	vault_wipe(second, 100);
	assert_int_equal(vault_next_left(second, 0), UINT32_MAX);
	vault_free(second);
	vault_free(media);
	vault_fds_close(&fds);
}

static void rights_are_the_descriptors_own(void **state)
{
	struct vault_fds fds, path;

	assert_int_equal(vault_create(1, &fds), 0);
	assert_int_equal(vault_share(&fds, VAULT_PATH, &path), 0);
	assert_int_equal(fcntl(path.keys, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(path.peers, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(path.kept, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, path.keys, 0) ==
		    MAP_FAILED);
	vault_fds_close(&path);
	assert_int_equal(ftruncate(fds.keys, 0), -1);
	vault_fds_close(&fds);
}

static void only_a_vault_is_mapped(void **state)
{
	struct vault_fds fds = VAULT_FDS_NONE;
	struct vault *v = NULL;

	fds.keys = memfd_create("hw-test", MFD_CLOEXEC);
	assert_int_equal(vault_map(&fds, VAULT_WRITER, &v), ERR_SYNTAX);
	assert_int_equal(ftruncate(fds.keys, 4096), 0);
	assert_int_equal(vault_map(&fds, VAULT_WRITER, &v), ERR_SYNTAX);
	vault_fds_close(&fds);
	assert_int_equal(vault_create(0, &fds), ERR_LIMIT);
	assert_int_equal(vault_create(129, &fds), ERR_LIMIT);
	vault_free(NULL);
}

static int map_once(void *context)
{
	struct vault *v = NULL;
	int err = vault_map(context, VAULT_WRITER, &v);

	vault_free(v);
	return err;
}

static void memory_may_run_out(void **state)
{
	struct vault_fds fds;

	assert_int_equal(vault_create(1, &fds), 0);
	assert_int_equal(failing_alloc_each(map_once, &fds), 2);
	vault_fds_close(&fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_cross_and_are_wiped),
		cmocka_unit_test(peers_cross_and_are_wiped),
		cmocka_unit_test(nothing_is_left_of_a_wiped_key),
		cmocka_unit_test(a_successor_finds_what_was_left),
		cmocka_unit_test(rights_are_the_descriptors_own),
		cmocka_unit_test(only_a_vault_is_mapped),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
