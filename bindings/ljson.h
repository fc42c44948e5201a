/* bindings/ljson.h: what the two files of symbi.json share. */
#ifndef SYMBI_LJSON_H
#define SYMBI_LJSON_H
#include "symL.h"

#define LJSON_EXACT ((int64_t)1 << 53) /* up to here a double holds every integer */
enum {
    LJSON_KEEP = 1 << 20,     /* bytes that stay allocated between calls */
    LJSON_MAX_TABLE = 1 << 26 /* pre-sizing of tables stops here, growing does not */
};

/* Adds encode and canonical to the table on the top. */
void ljson_push_encoders(lua_State *L);
#endif
