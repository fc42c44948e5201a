/* symbi/symbi.h: the whole public API. */
#ifndef SYMBI_H
#define SYMBI_H
#include "symbi/base.h"
#include "symbi/ctx.h"
#include "symbi/value.h"
#endif
