/* bindings/io_file.c: files and folders of symbi.io. Paths with a zero byte are misuse. */
#include "io_int.h"

#include <string.h>

static const char *checkpath(lua_State *L, int arg)
{
    symbi_str s = symL_checkstr(L, arg);
    if (strlen(s.p) != s.n) luaL_argerror(L, arg, "a path holds no zero byte");
    return s.p;
}

/* read_file(path[, max]): the bytes; ELIMIT beyond max (default 64 MiB). Regular files only. */
static int f_read(lua_State *L)
{
    const char *path = checkpath(L, 1);
    size_t max = (size_t)symL_optint(L, 2, 64 << 20, 0, (int64_t)1 << 40);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_file_read(symL_ctx(L), path, max, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

/* write_file(path, data[, mode]): true; whole or not at all. */
static int f_write(lua_State *L)
{
    const char *path = checkpath(L, 1);
    symbi_str data = symL_checkstr(L, 2);
    unsigned mode = (unsigned)symL_optint(L, 3, 0, 0, 07777);
    symbi_err err;
    if (symbi_file_write(symL_ctx(L), path, data, mode, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int pushinfo(lua_State *L, const symbi_file_info *i)
{
    lua_createtable(L, 0, 5);
    lua_pushstring(L, i->type == 'f' ? "file" : i->type == 'd' ? "directory" : i->type == 'l' ? "link" : "other");
    lua_setfield(L, -2, "type");
    symL_pushint(L, (int64_t)i->size);
    lua_setfield(L, -2, "size");
    symL_pushint(L, i->mtime_ms);
    lua_setfield(L, -2, "mtime_ms");
    symL_pushint(L, i->mode);
    lua_setfield(L, -2, "mode");
    lua_pushstring(L, i->version);
    lua_setfield(L, -2, "version");
    return 1;
}

/* read_file_info(path[, {max=, follow=true}]): the bytes and {type=, size=, mtime_ms=, mode=, version=} of the same open file. */
static int f_read_info(lua_State *L)
{
    static const char *const known[] = { "max", "follow", NULL };
    const char *path = checkpath(L, 1);
    symbi_file_info i;
    symbi_text *t;
    symbi_err err;
    symL_checkopts(L, 2, known);
    lua_settop(L, 2); /* the options stay where they are looked up */
    t = symL_text(L);
    if (symbi_file_read_info(symL_ctx(L), path, (size_t)symL_optfield_int(L, 2, "max", 64 << 20, 0, (int64_t)1 << 40), symL_optfield_bool(L, 2, "follow", true), t, &i, &err))
        return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1 + pushinfo(L, &i);
}

/* append_file(path, data[, {mode=, sync=false}]): true. */
static int f_append(lua_State *L)
{
    static const char *const known[] = { "mode", "sync", NULL };
    const char *path = checkpath(L, 1);
    symbi_str data = symL_checkstr(L, 2);
    symbi_err err;
    symL_checkopts(L, 3, known);
    if (symbi_file_append(symL_ctx(L), path, data, (unsigned)symL_optfield_int(L, 3, "mode", 0, 0, 07777), symL_optfield_bool(L, 3, "sync", false), &err))
        return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* remove(path): true; a file, a link, an empty folder. remove_tree(path): a folder and what is in it. */
static int f_remove(lua_State *L)
{
    const char *path = checkpath(L, 1);
    symbi_err err;
    if (symbi_file_remove(symL_ctx(L), path, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_remove_tree(lua_State *L)
{
    const char *path = checkpath(L, 1);
    symbi_err err;
    if (symbi_file_remove_tree(symL_ctx(L), path, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* touch(path, mtime_ms): true. */
static int f_touch(lua_State *L)
{
    const char *path = checkpath(L, 1);
    int64_t ms = symL_checkint(L, 2, INT64_MIN, INT64_MAX);
    symbi_err err;
    if (symbi_file_touch(symL_ctx(L), path, ms, &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* lock(path[, timeout_ms = 10000]): an object with close(); see symbi_file_lock_take. Collected means released. */
static int f_lock(lua_State *L)
{
    const char *path = checkpath(L, 1);
    int64_t ms = symL_optint(L, 2, 10000, -1, INT32_MAX);
    ud_lock *u = symL_newud(L, sizeof *u, UD_LOCK);
    symbi_err err;
    if (symbi_file_lock_take(symL_ctx(L), path, ms, &u->p, &err)) return symL_fail(L, &err);
    return 1;
}

static int lock_close(lua_State *L)
{
    ud_lock *u = symL_checkud(L, 1, UD_LOCK);
    symbi_file_lock_release(u->p);
    u->p = NULL;
    return 0;
}

/* list_dir(path[, max]): {{name=, type="file"|"directory"|"link"|"other"}, ...} in byte order. */
static int f_list(lua_State *L)
{
    const char *path = checkpath(L, 1);
    size_t max = (size_t)symL_optint(L, 2, 0, 0, (int64_t)1 << 40);
    symbi_doc *d;
    symbi_err err;
    if (symbi_file_list(symL_ctx(L), path, max, &d, &err)) return symL_fail(L, &err);
    symL_pushdoc(L, d);
    return 1;
}

/* stat(path[, {follow=true}]): {type=, size=, mtime_ms=, mode=, version=}; version: another text after each change. */
static int f_stat(lua_State *L)
{
    static const char *const known[] = { "follow", NULL };
    const char *path = checkpath(L, 1);
    symbi_file_info i;
    symbi_err err;
    symL_checkopts(L, 2, known);
    if (symbi_file_stat(symL_ctx(L), path, symL_optfield_bool(L, 2, "follow", true), &i, &err)) return symL_fail(L, &err);
    return pushinfo(L, &i);
}

/* disk(path): {total_bytes=, used_bytes=, free_bytes=} of the file system that it lies on. */
static int f_disk(lua_State *L)
{
    symbi_disk_info d;
    symbi_err err;
    if (symbi_file_disk(symL_ctx(L), checkpath(L, 1), &d, &err)) return symL_fail(L, &err);
    lua_createtable(L, 0, 3);
    symL_pushint(L, (int64_t)d.total_bytes);
    lua_setfield(L, -2, "total_bytes");
    symL_pushint(L, (int64_t)d.used_bytes);
    lua_setfield(L, -2, "used_bytes");
    symL_pushint(L, (int64_t)d.free_bytes);
    lua_setfield(L, -2, "free_bytes");
    return 1;
}

/* mkdir(path[, {parents=, mode=}]): true. With parents an existing folder is fine. */
static int f_mkdir(lua_State *L)
{
    static const char *const known[] = { "parents", "mode", NULL };
    const char *path = checkpath(L, 1);
    symbi_err err;
    symL_checkopts(L, 2, known);
    if (symbi_file_mkdir(symL_ctx(L), path, (unsigned)symL_optfield_int(L, 2, "mode", 0, 0, 07777), symL_optfield_bool(L, 2, "parents", false), &err)) return symL_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_realpath(lua_State *L)
{
    const char *path = checkpath(L, 1);
    symbi_text *t = symL_text(L);
    symbi_err err;
    if (symbi_file_realpath(symL_ctx(L), path, t, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    return 1;
}

void l_io_file_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "read_file", f_read }, { "write_file", f_write }, { "list_dir", f_list }, { "stat", f_stat }, { "disk", f_disk },
                                      { "mkdir", f_mkdir }, { "realpath", f_realpath }, { "read_file_info", f_read_info },
                                      { "append_file", f_append }, { "remove", f_remove }, { "remove_tree", f_remove_tree },
                                      { "touch", f_touch }, { "lock", f_lock }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "close", lock_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", lock_close }, { NULL, NULL } };
    symL_newtype(L, UD_LOCK, methods, meta);
    symL_setfuncs(L, funcs);
}
