/* PCRE2 within bounds: the interpreter alone (machine code made at run time would need writable
 * executable memory), a limit on steps, depth and heap. */
#include <stdio.h>

#include "base/mem.h"
#include "patch/patch_impl.h"

static void *take(PCRE2_SIZE bytes, void *ctx)
{
	(void)ctx;
	return mem_zalloc(1, bytes);
}

static void give(void *p, void *ctx)
{
	(void)ctx;
	mem_free(p);
}

int patch_patterns_init(struct patch_set *s)
{
	s->heap = pcre2_general_context_create(take, give, NULL);
	s->compile = s->heap ? pcre2_compile_context_create(s->heap) : NULL;
	s->bounds = s->heap ? pcre2_match_context_create(s->heap) : NULL;
	s->data = s->heap ? pcre2_match_data_create(1, s->heap) : NULL;
	if (!s->compile || !s->bounds || !s->data)
		return ERR_NOMEM;
	pcre2_set_match_limit(s->bounds, PATCH_STEPS_MAX);
	pcre2_set_depth_limit(s->bounds, PATCH_DEPTH_MAX);
	pcre2_set_heap_limit(s->bounds, PATCH_HEAP_KIB_MAX);
	pcre2_set_parens_nest_limit(s->compile, PATCH_PARENTS_MAX);
	pcre2_set_max_pattern_length(s->compile, PATCH_PATTERN_MAX);
	return 0;
}

void patch_patterns_done(struct patch_set *s)
{
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < s->rules[i]->match_count; k++)
			pcre2_code_free(s->rules[i]->match[k]->code);
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->bounds);
	pcre2_compile_context_free(s->compile);
	pcre2_general_context_free(s->heap);
}

int patch_pattern_compile(struct patch_set *s, struct slice pattern, uint32_t options,
			  pcre2_code **out, char *why, size_t size)
{
	PCRE2_UCHAR said[100] = "";
	PCRE2_SIZE at = 0;
	int error = 0;
	pcre2_code *code =
		pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
			      options | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
			      &error, &at, s->compile);

	if (code) {
		*out = code;
		return 0;
	}
	if (error == PCRE2_ERROR_HEAP_FAILED)
		return ERR_NOMEM;
	(void)pcre2_get_error_message(error, said, sizeof(said));
	snprintf(why, size, "the pattern is wrong at its byte %zu: %s", at, (const char *)said);
	return ERR_SYNTAX;
}

bool patch_pattern_fits(struct patch_set *s, const pcre2_code *code, struct slice text)
{
	const char *p = text.n ? text.p : "";
	int n = pcre2_match(code, (PCRE2_SPTR)p, text.n, 0, 0, s->data, s->bounds);

	return n != PCRE2_ERROR_NOMATCH;
}
