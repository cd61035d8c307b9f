#include "proto/srtp/srtp.h"

#include "base/err.h"
#include "base/mem.h"
#include "proto/rtp/limits.h"
#include "proto/rtp/rtp.h"
#include "proto/srtp/cipher.h"

#define SEQ_BITS     16
#define SEQ_HALF     (1 << (SEQ_BITS - 1))
#define SRTCP_E_BIT  0x80000000u
#define SSRC_AT	     8 /* in an RTP header */
#define RTCP_SSRC_AT 4

struct srtp {
	const struct srtp_suite_row *row;
	struct srtp_keyed rtp, rtcp;
	uint8_t mki[SRTP_MKI_BYTES_MAX];
	size_t mki_bytes;
};

int srtp_new(const struct srtp_key *key, enum srtp_way way, struct srtp **out)
{
	struct srtp *s;
	int err;

	if (!srtp_key_valid(key))
		return ERR_SYNTAX;
	s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return ERR_NOMEM;
	s->row = srtp_suite_row(key->suite);
	s->mki_bytes = key->mki_bytes;
	memcpy(s->mki, key->mki, sizeof(s->mki));
	err = srtp_keyed_init(&s->rtp, key, SRTP_LABEL_RTP, way);
	err = err ? err : srtp_keyed_init(&s->rtcp, key, SRTP_LABEL_RTCP, way);
	if (err) {
		srtp_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void srtp_free(struct srtp *s)
{
	if (!s)
		return;
	srtp_keyed_done(&s->rtp);
	srtp_keyed_done(&s->rtcp);
	explicit_bzero(s, sizeof(*s));
	mem_free(s);
}

size_t srtp_trailer_bytes(const struct srtp *s)
{
	return s->row->tag_bytes + s->mki_bytes;
}

size_t srtcp_trailer_bytes(const struct srtp *s)
{
	return s->row->rtcp_tag_bytes + s->mki_bytes + SRTCP_INDEX_BYTES;
}

/* ---- the SSRCs ---- */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Where the SSRC stands, or the place for a new one; SRTP_STREAMS_MAX when there is none left. */
static uint32_t place_of(const struct srtp_streams *all, uint32_t ssrc)
{
	uint32_t count = all->count < SRTP_STREAMS_MAX ? all->count : SRTP_STREAMS_MAX;

	if (all->last < count && all->stream[all->last].ssrc == ssrc)
		return all->last;
	for (uint32_t i = 0; i < count; i++)
		if (all->stream[i].ssrc == ssrc)
			return i;
	return count;
}

/* What a packet of this SSRC is judged against; all zero for a new one. */
static struct srtp_stream stream_of(const struct srtp_streams *all, uint32_t place, uint32_t ssrc)
{
	return place < all->count ? all->stream[place] : (struct srtp_stream){.ssrc = ssrc};
}

/* Takes the packet's effect over, now that it is proven. The window goes first: whoever is killed
 * between two stores finds a number used up, never one to use again. */
static void stream_keep(struct srtp_streams *all, uint32_t place, const struct srtp_stream *now)
{
	struct srtp_stream *kept = &all->stream[place];

	kept->ssrc = now->ssrc;
	__atomic_store_n(&kept->window, now->window, __ATOMIC_RELAXED);
	__atomic_store_n(&kept->index, now->index, __ATOMIC_RELAXED);
	__atomic_store_n(&kept->rtcp_window, now->rtcp_window, __ATOMIC_RELAXED);
	__atomic_store_n(&kept->rtcp_index, now->rtcp_index, __ATOMIC_RELAXED);
	all->last = place;
	if (place == all->count)
		__atomic_store_n(&all->count, place + 1, __ATOMIC_RELEASE);
}

/* RFC 3711 3.3.1 and appendix A; within the first half of the first cycle no earlier one is
 * guessed. */
static uint64_t index_guess(const struct srtp_stream *s, uint16_t seq)
{
	int64_t roc = (int64_t)(s->index >> SEQ_BITS);
	int step = (int)seq - (int)(s->index & 0xffff);

	if (!s->window)
		return seq;
	if (step > SEQ_HALF && roc > 0)
		roc--;
	else if (step < -SEQ_HALF)
		roc++;
	return (uint64_t)roc << SEQ_BITS | seq;
}

/* Marks `index` as come in a window below `highest`; false when it came already or is too old. */
static bool window_take(uint64_t *window, uint64_t highest, uint64_t index)
{
	uint64_t step;

	if (*window == 0) {
		*window = 1;
		return true;
	}
	if (index > highest) {
		step = index - highest;
		*window = step < SRTP_WINDOW ? *window << step | 1 : 1;
		return true;
	}
	step = highest - index;
	if (step >= SRTP_WINDOW || *window >> step & 1)
		return false;
	*window |= 1ull << step;
	return true;
}

static bool index_take(struct srtp_stream *s, uint64_t index)
{
	bool first = s->window == 0;

	if (!window_take(&s->window, s->index, index))
		return false;
	if (first || index > s->index)
		s->index = index;
	return true;
}

/* ---- SRTP ---- */

/* One packet on its way. */
struct passage {
	struct srtp_stream stream;
	uint32_t place;
	uint64_t index;
	size_t head_bytes; /* up to the payload */
};

static enum srtp_result passage_begin(const struct srtp_streams *all, const uint8_t *packet,
				      size_t bytes, struct passage *p)
{
	struct slice datagram = slice_of((const char *)packet, bytes);
	struct rtp_header h;

	if (rtp_parse_header(datagram, &h))
		return SRTP_MALFORMED;
	p->head_bytes = (size_t)(h.payload.p - datagram.p);
	p->place = place_of(all, h.ssrc);
	if (p->place == SRTP_STREAMS_MAX)
		return SRTP_CROWDED;
	p->stream = stream_of(all, p->place, h.ssrc);
	p->index = index_guess(&p->stream, h.seq);
	if (p->index > SRTP_INDEX_MAX)
		return SRTP_WORN_OUT;
	return index_take(&p->stream, p->index) ? SRTP_DONE : SRTP_REPLAYED;
}

static bool mki_fits(const struct srtp *s, const uint8_t *at)
{
	return s->mki_bytes == 0 || memcmp(at, s->mki, s->mki_bytes) == 0;
}

/* HMAC over the packet and its roll-over counter (RFC 3711 4.2). */
static void rtp_mac(const struct srtp *s, const uint8_t *packet, size_t bytes, uint64_t index,
		    uint8_t out[SRTP_AUTH_BYTES])
{
	uint8_t roc[4];

	put_be32(roc, (uint32_t)(index >> SEQ_BITS));
	srtp_keyed_mac(&s->rtp, packet, bytes, roc, sizeof(roc), out);
}

static bool rtp_encrypt(struct srtp *s, const struct passage *p, uint8_t *packet, size_t bytes)
{
	struct srtp_aad aad = {.a = packet, .a_n = p->head_bytes};
	uint8_t *body = packet + p->head_bytes, mac[SRTP_AUTH_BYTES];
	size_t n = bytes - p->head_bytes;

	if (s->row->aead) {
		memcpy(packet + bytes + s->row->tag_bytes, s->mki, s->mki_bytes);
		return srtp_keyed_gcm_seal(&s->rtp, p->stream.ssrc, p->index, &aad, body, n,
					   packet + bytes);
	}
	if (!srtp_keyed_ctr(&s->rtp, p->stream.ssrc, p->index, body, n))
		return false;
	rtp_mac(s, packet, bytes, p->index, mac);
	memcpy(packet + bytes, s->mki, s->mki_bytes);
	memcpy(packet + bytes + s->mki_bytes, mac, s->row->tag_bytes);
	return true;
}

enum srtp_result srtp_seal(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			   size_t *bytes, size_t room)
{
	struct passage p;
	enum srtp_result r = passage_begin(streams, packet, *bytes, &p);

	if (r != SRTP_DONE)
		return r;
	if (*bytes + srtp_trailer_bytes(s) > room)
		return SRTP_NO_ROOM;
	/* Used up from here on, whatever happens. */
	stream_keep(streams, p.place, &p.stream);
	if (!rtp_encrypt(s, &p, packet, *bytes))
		return SRTP_BROKEN;
	*bytes += srtp_trailer_bytes(s);
	return SRTP_DONE;
}

static bool rtp_decrypt(struct srtp *s, const struct passage *p, uint8_t *packet, size_t bytes)
{
	struct srtp_aad aad = {.a = packet, .a_n = p->head_bytes};
	uint8_t *body = packet + p->head_bytes, mac[SRTP_AUTH_BYTES];
	size_t n = bytes - p->head_bytes;

	if (s->row->aead)
		return mki_fits(s, packet + bytes + s->row->tag_bytes) &&
		       srtp_keyed_gcm_open(&s->rtp, p->stream.ssrc, p->index, &aad, body, n,
					   packet + bytes);
	if (!mki_fits(s, packet + bytes))
		return false;
	rtp_mac(s, packet, bytes, p->index, mac);
	return CRYPTO_memcmp(mac, packet + bytes + s->mki_bytes, s->row->tag_bytes) == 0 &&
	       srtp_keyed_ctr(&s->rtp, p->stream.ssrc, p->index, body, n);
}

enum srtp_result srtp_open(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			   size_t *bytes)
{
	size_t trailer = srtp_trailer_bytes(s);
	enum srtp_result r;
	struct passage p;

	if (*bytes < RTP_HEADER_BYTES + trailer)
		return SRTP_MALFORMED;
	r = passage_begin(streams, packet, *bytes - trailer, &p);
	if (r != SRTP_DONE)
		return r;
	if (!rtp_decrypt(s, &p, packet, *bytes - trailer))
		return SRTP_FORGED;
	stream_keep(streams, p.place, &p.stream);
	*bytes -= trailer;
	return SRTP_DONE;
}

/* ---- SRTCP ---- */

static bool rtcp_encrypt(struct srtp *s, uint32_t ssrc, uint32_t index, uint8_t *packet, size_t n)
{
	uint8_t *body = packet + SRTCP_CLEAR_BYTES, word[SRTCP_INDEX_BYTES], mac[SRTP_AUTH_BYTES];
	uint8_t *behind = packet + n;
	struct srtp_aad aad = {packet, word, SRTCP_CLEAR_BYTES, sizeof(word)};

	put_be32(word, SRTCP_E_BIT | index);
	if (s->row->aead) {
		/* RFC 7714 9.2: tag, then the index, then the MKI. */
		memcpy(behind + s->row->rtcp_tag_bytes, word, sizeof(word));
		memcpy(behind + s->row->rtcp_tag_bytes + sizeof(word), s->mki, s->mki_bytes);
		return srtp_keyed_gcm_seal(&s->rtcp, ssrc, index, &aad, body, n - SRTCP_CLEAR_BYTES,
					   behind);
	}
	if (!srtp_keyed_ctr(&s->rtcp, ssrc, index, body, n - SRTCP_CLEAR_BYTES))
		return false;
	memcpy(behind, word, sizeof(word));
	srtp_keyed_mac(&s->rtcp, packet, n, word, sizeof(word), mac);
	memcpy(behind + sizeof(word), s->mki, s->mki_bytes);
	memcpy(behind + sizeof(word) + s->mki_bytes, mac, s->row->rtcp_tag_bytes);
	return true;
}

enum srtp_result srtcp_seal(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			    size_t *bytes, size_t room)
{
	struct srtp_stream now;
	uint32_t place, ssrc;

	if (*bytes < SRTCP_CLEAR_BYTES)
		return SRTP_MALFORMED;
	if (*bytes + srtcp_trailer_bytes(s) > room)
		return SRTP_NO_ROOM;
	ssrc = be32(packet + RTCP_SSRC_AT);
	place = place_of(streams, ssrc);
	if (place == SRTP_STREAMS_MAX)
		return SRTP_CROWDED;
	now = stream_of(streams, place, ssrc);
	if (now.rtcp_index == SRTCP_INDEX_MAX)
		return SRTP_WORN_OUT;
	now.rtcp_index++;
	now.rtcp_window = 1;
	stream_keep(streams, place, &now);
	if (!rtcp_encrypt(s, ssrc, now.rtcp_index, packet, *bytes))
		return SRTP_BROKEN;
	*bytes += srtcp_trailer_bytes(s);
	return SRTP_DONE;
}

/* `n` is what stands in front of the trailer. */
static bool rtcp_decrypt(struct srtp *s, uint32_t ssrc, const uint8_t *word, uint8_t *packet,
			 size_t n)
{
	uint8_t *body = packet + SRTCP_CLEAR_BYTES, mac[SRTP_AUTH_BYTES];
	bool encrypted = word[0] & 0x80;
	uint32_t index = be32(word) & SRTCP_INDEX_MAX;
	struct srtp_aad aad = {packet, word, encrypted ? SRTCP_CLEAR_BYTES : n, SRTCP_INDEX_BYTES};

	if (s->row->aead)
		return mki_fits(s, word + SRTCP_INDEX_BYTES) &&
		       srtp_keyed_gcm_open(&s->rtcp, ssrc, index, &aad, body,
					   encrypted ? n - SRTCP_CLEAR_BYTES : 0, packet + n);
	if (!mki_fits(s, word + SRTCP_INDEX_BYTES))
		return false;
	srtp_keyed_mac(&s->rtcp, packet, n, word, SRTCP_INDEX_BYTES, mac);
	if (CRYPTO_memcmp(mac, word + SRTCP_INDEX_BYTES + s->mki_bytes, s->row->rtcp_tag_bytes))
		return false;
	return !encrypted || srtp_keyed_ctr(&s->rtcp, ssrc, index, body, n - SRTCP_CLEAR_BYTES);
}

enum srtp_result srtcp_open(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			    size_t *bytes)
{
	size_t trailer = srtcp_trailer_bytes(s), n = *bytes - trailer;
	struct srtp_stream now;
	uint32_t place, ssrc, index;
	const uint8_t *word;
	bool first;

	if (*bytes < SRTCP_CLEAR_BYTES + trailer || (packet[0] & 0xc0) != 0x80)
		return SRTP_MALFORMED;
	word = packet + n + (s->row->aead ? s->row->rtcp_tag_bytes : 0);
	index = be32(word) & SRTCP_INDEX_MAX;
	ssrc = be32(packet + RTCP_SSRC_AT);
	place = place_of(streams, ssrc);
	if (place == SRTP_STREAMS_MAX)
		return SRTP_CROWDED;
	now = stream_of(streams, place, ssrc);
	first = now.rtcp_window == 0;
	if (!window_take(&now.rtcp_window, now.rtcp_index, index))
		return SRTP_REPLAYED;
	if (first || index > now.rtcp_index)
		now.rtcp_index = index;
	if (!rtcp_decrypt(s, ssrc, word, packet, n))
		return SRTP_FORGED;
	stream_keep(streams, place, &now);
	*bytes = n;
	return SRTP_DONE;
}
