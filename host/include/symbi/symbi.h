/* symbi/symbi.h: the whole public API of libsymbi. What does I/O is apart: symbi/io.h, symbi/io_store.h. */
#ifndef SYMBI_H
#define SYMBI_H
#include "symbi/agentpin.h"
#include "symbi/approval.h"
#include "symbi/audit.h"
#include "symbi/base.h"
#include "symbi/cedar.h"
#include "symbi/comm.h"
#include "symbi/crypto.h"
#include "symbi/ctx.h"
#include "symbi/dsl.h"
#include "symbi/gate.h"
#include "symbi/json.h"
#include "symbi/match.h"
#include "symbi/netguard.h"
#include "symbi/jwt.h"
#include "symbi/run.h"
#include "symbi/schemapin.h"
#include "symbi/schemapin_skill.h"
#include "symbi/toml.h"
#include "symbi/toolclad.h"
#include "symbi/value.h"
#endif
