#include "assess/target.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "assess/place.h"
#include "assess/ssh.h"
#include "io/clock.h"

#define SLEEP_STEP_MS 100 /* how long a cancelled run may still sleep */

uint32_t target_rate(const struct config_asset *a)
{
	if (a->packets_per_second)
		return a->packets_per_second;
	if (a->kind == ASSET_PHONE)
		return 2;
	return a->kind == ASSET_NETWORK ? 20 : 200;
}

void target_init(struct target *t, const struct config *c, const struct config_asset *a,
		 const struct ip_addr *address, const atomic_bool *cancel)
{
	char z[IP_TEXT_MAX];

	*t = (struct target){.config = c, .asset = a, .address = *address, .cancel = cancel};
	if (a->address_count + a->subnet_count == 1 && a->address_count == 1)
		snprintf(t->name, sizeof(t->name), "%s", a->name);
	else
		snprintf(t->name, sizeof(t->name), "%s/%s", a->name, ip_text(address, z));
	pace_init(&t->pace, target_rate(a));
	pthread_mutex_init(&t->lock, NULL);
}

void target_done(struct target *t)
{
	for (size_t i = 0; i < PLACES_MAX; i++)
		place_close(t->places[i]);
	ssh_host_close(t->ssh);
	t->ssh = NULL;
	pthread_mutex_destroy(&t->lock);
}

static void sleep_ms(uint64_t ms)
{
	struct timespec span = {.tv_sec = (time_t)(ms / 1000),
				.tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&span, NULL);
}

static int take(struct target *t, uint32_t packets, uint32_t hold)
{
	uint64_t wait = 1;

	while (wait) {
		if (atomic_load(t->cancel))
			return ERR_DENIED;
		pthread_mutex_lock(&t->lock);
		wait = pace_wait_ms(&t->pace, clock_ms(), packets + t->held + hold);
		if (!wait) {
			pace_note(&t->pace, clock_ms(), packets);
			t->held += hold;
		}
		pthread_mutex_unlock(&t->lock);
		if (wait)
			sleep_ms(wait < SLEEP_STEP_MS ? wait : SLEEP_STEP_MS);
	}
	return 0;
}

int target_take(struct target *t, uint32_t packets)
{
	return take(t, packets, 0);
}

int target_take_and_hold(struct target *t, uint32_t packets)
{
	return take(t, packets, 1);
}

uint64_t target_try_hold(struct target *t)
{
	uint64_t wait;

	pthread_mutex_lock(&t->lock);
	wait = pace_wait_ms(&t->pace, clock_ms(), 1 + t->held);
	t->held += wait == 0;
	pthread_mutex_unlock(&t->lock);
	return wait;
}

void target_release(struct target *t, uint32_t packets)
{
	pthread_mutex_lock(&t->lock);
	t->held--;
	pace_note(&t->pace, clock_ms(), packets);
	pthread_mutex_unlock(&t->lock);
}

void target_sent(struct target *t)
{
	pthread_mutex_lock(&t->lock);
	pace_sent(&t->pace, clock_ms());
	pthread_mutex_unlock(&t->lock);
}

void target_note(struct target *t, uint32_t packets)
{
	pthread_mutex_lock(&t->lock);
	pace_note(&t->pace, clock_ms(), packets);
	pthread_mutex_unlock(&t->lock);
}

bool target_is_gentle(const struct target *t)
{
	return t->asset->kind == ASSET_PHONE || t->asset->kind == ASSET_NETWORK;
}

bool target_is_careful(const struct target *t)
{
	return target_is_gentle(t) && target_rate(t->asset) <= PACE_GENTLE_MAX;
}

const struct seen_port *target_seen_port(const struct target *t, uint16_t port)
{
	for (size_t i = 0; i < t->seen_count; i++)
		if (t->seen[i].port == port)
			return &t->seen[i];
	return NULL;
}

void target_saw_port(struct target *t, uint16_t port, int err)
{
	if (!target_is_gentle(t) || (err && err != -ECONNREFUSED) ||
	    t->seen_count == SEEN_PORTS_MAX || target_seen_port(t, port))
		return;
	t->seen[t->seen_count++] = (struct seen_port){.port = port, .open = !err};
}

const char *target_model(const struct target *t)
{
	return *t->product ? t->product : t->asset->name;
}
