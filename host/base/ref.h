/* base/ref.h: atomic reference count of shared immutable objects. */
#ifndef SY_BASE_REF_H
#define SY_BASE_REF_H
#include <stdatomic.h>
#include <stdbool.h>

typedef atomic_uint sy_ref;
static inline void sy_ref_init(sy_ref *r) { atomic_init(r, 1u); }
static inline void sy_ref_inc(sy_ref *r) { atomic_fetch_add_explicit(r, 1u, memory_order_relaxed); }
/* True when the caller held the last reference and must destroy the object. One acquire-release step rather than a release and a
 * fence: the same on x86, and ThreadSanitizer understands it. */
static inline bool sy_ref_dec(sy_ref *r)
{
    /* whoever finds one has it, and nobody else can make another: no locked instruction for what was never shared */
    return atomic_load_explicit(r, memory_order_acquire) == 1u || atomic_fetch_sub_explicit(r, 1u, memory_order_acq_rel) == 1u;
}
/* Nobody else has one (who has a reference can only learn of more by making them). */
static inline bool sy_ref_sole(sy_ref *r) { return atomic_load_explicit(r, memory_order_acquire) == 1u; }
#endif
