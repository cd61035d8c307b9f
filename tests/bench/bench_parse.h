/* One SIP parser under measurement; each peer is a program of its own, as their symbols collide. */
#ifndef HW_TESTS_BENCH_PARSE_H
#define HW_TESTS_BENCH_PARSE_H

#include <stddef.h>

extern const char bench_parser_name[];
/* Once, before the first message. */
void bench_parser_start(void);
/* Parses everything of one INVITE with SDP and gives back what that took. The text is followed by a
 * NUL. False when the parser refuses it, which ends the run. */
bool bench_parser_run(const char *text, size_t n);

#endif
