/* base/time.h: the default clock, RFC 3339 and HTTP dates. Proleptic Gregorian calendar. */
#ifndef SY_BASE_TIME_H
#define SY_BASE_TIME_H
#include <stdbool.h>

#include "symbi/sys/clock.h"
#include "symbi/base.h"

symbi_clock sy_clock_default(void);
enum { SY_RFC3339_MS = 25 };
/* "YYYY-MM-DDThh:mm:ss.mmmZ" (24 characters and NUL); years outside 0000..9999 are clamped. */
void sy_time_rfc3339(int64_t wall_ms, char out[SY_RFC3339_MS]);
/* RFC 3339, section 5.6, whole texts only: seconds since 1970 and the milliseconds of a fraction (NULL: not wanted; more digits are cut).
 * Without flags: T and Z in capitals, no leap second. */
enum { SY_TIME_ANY_CASE = 1, SY_TIME_SPACE = 2 /* between date and time */, SY_TIME_LEAP = 4 /* second 60 */ };
bool sy_time_parse(symbi_str s, unsigned flags, int64_t *seconds, int *millis);
/* "Sun, 06 Nov 1994 08:49:37 GMT", the only form that is written today (RFC 9110, 5.6.7): seconds since 1970. */
bool sy_time_parse_http(symbi_str s, int64_t *seconds);
int64_t sy_days_from_civil(int64_t y, unsigned m, unsigned d); /* days since 1970-01-01 */
void sy_civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);
unsigned sy_days_in_month(int64_t y, unsigned m);
#endif
