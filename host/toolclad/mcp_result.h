/* toolclad/mcp_result.h: what a model is told of what an MCP tool gave; for the loop (run/act.c). */
#ifndef SY_TOOLCLAD_MCP_RESULT_H
#define SY_TOOLCLAD_MCP_RESULT_H
#include "codec/value.h"

/* results of an envelope without what is base64: pictures, sounds and files as what they are. Borrowed from results; failures stick in a. */
symbi_value sy_mcp_told(sy_arena *a, const symbi_value *results);
#endif
