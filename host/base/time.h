/* base/time.h: the default clock and RFC 3339 text. Proleptic Gregorian calendar. */
#ifndef SY_BASE_TIME_H
#define SY_BASE_TIME_H
#include "symbi/sys/clock.h"
#include "symbi/base.h"

symbi_clock sy_clock_default(void);
enum { SY_RFC3339_MS = 25 };
/* "YYYY-MM-DDThh:mm:ss.mmmZ" (24 characters and NUL); years outside 0000..9999 are clamped. */
void sy_time_rfc3339(int64_t wall_ms, char out[SY_RFC3339_MS]);
int64_t sy_days_from_civil(int64_t y, unsigned m, unsigned d); /* days since 1970-01-01 */
void sy_civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);
unsigned sy_days_in_month(int64_t y, unsigned m);
#endif
