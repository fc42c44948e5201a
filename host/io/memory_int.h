/* io/memory_int.h: what the files of the memory store share. */
#ifndef SY_IO_MEMORY_INT_H
#define SY_IO_MEMORY_INT_H
#include "base/buf.h"
#include "base/ctx.h"
#include "base/map.h"
#include "symbi/memory_store.h"

#include <sys/stat.h>

/* What tells whether a file is the one that was read. */
typedef struct sy_file_stamp {
    uint64_t ino, size;
    int64_t mtime_ns, ctime_ns;
} sy_file_stamp;

typedef struct sy_memory_entry {
    char key[SYMBI_MEMORY_KEY_BYTES];
    sy_file_stamp stamp;
    int wd;                 /* its folder's inotify watch + 1; 0: none */
    bool quiet;             /* nothing happened there since `last` was taken, at looked_ms */
    bool last_settled;
    sy_file_stamp last;
    int64_t looked_ms;
    bool indexed;           /* what the index holds of this agent is as in index_stamp, */
    sy_file_stamp index_stamp;
    int64_t row, row_end;   /* in these rows of its table */
    uint64_t seen;          /* in which round of looking at all agents */
    symbi_doc *doc;
    bool is_folded;
    char *folded; /* the items, folded, one a line: what a search looks through first; made by the first search */
    size_t folded_n, bytes;
} sy_memory_entry;

/* memory_watch.c: folders that the kernel watches for us, so that a file need not be looked at again while nothing happened there. */
typedef struct sy_memory_watch {
    int fd;  /* -1: not here (no inotify, or files that other machines may change) */
    int pid; /* the events belong to one process */
    int64_t asked_ms; /* not 0: one pass over all agents is under way, for which the kernel was asked at this time */
    sy_memory_entry **by_wd;
    size_t n;
    int root_wd; /* the root's own; 0: none */
    bool listed; /* nothing came or went there since keys was made, at listed_ms */
    int64_t listed_ms;
    sy_buf keys;
} sy_memory_watch;

struct symbi_memory_store {
    symbi_ctx *cx;
    symbi_alloc alloc;
    char *root;
    size_t root_n;
    int dir; /* the root, open: names are looked up below it */
    symbi_memory_store_options o;
    sy_memory_watch watch;
    int64_t last_cleanup; /* ms; 0: never */
    sy_map map;            /* key -> sy_memory_entry, never removed, emptied instead */
    sy_memory_entry **entry;
    size_t entries, cap_entries, cached_bytes;
    char *index_path;
    size_t index_n;
    struct sqlite3 *db; /* the search index, opened at the first search */
    int64_t data_version; /* of the index when the entries' index_stamp were read; changes when another process writes */
    uint64_t round;
};

/* memory_store.c */
bool sy_memory_stamp(const struct stat *st, sy_file_stamp *out); /* false: changed too lately to tell further changes apart */
/* The file of key, read and parsed or from the cache; *e is borrowed until the next call. ENOTFOUND where there is none. */
symbi_status sy_memory_get(symbi_memory_store *m, const char *key, symbi_str agent, sy_memory_entry **e, symbi_err *err);

symbi_status sy_memory_folded(symbi_memory_store *m, sy_memory_entry *e, symbi_err *err); /* makes e->folded */
/* The entry of a key, made when missing; what it holds may be old, or nothing. */
symbi_status sy_memory_slot(symbi_memory_store *m, const char *key, sy_memory_entry **out, symbi_err *err);
/* The stamp of e's file now; ENOTFOUND where there is none. *settled as sy_memory_stamp. */
symbi_status sy_memory_look(symbi_memory_store *m, sy_memory_entry *e, sy_file_stamp *out, bool *settled);

int64_t sy_memory_now_ms(void); /* the clock of looked_ms */
void sy_memory_watch_open(symbi_memory_store *m);
void sy_memory_watch_close(symbi_memory_store *m);
void sy_memory_watch_add(symbi_memory_store *m, sy_memory_entry *e); /* before the file is looked at; may do nothing */
/* The keys as last listed, where they still hold; add the root before they are listed, keep what was listed. */
bool sy_memory_watch_listed(symbi_memory_store *m, sy_buf *out);
void sy_memory_watch_root(symbi_memory_store *m);
void sy_memory_watch_keep(symbi_memory_store *m, symbi_str keys);
/* Whether e->last still holds, as far as the kernel told. */
void sy_memory_watch_pass(symbi_memory_store *m, bool begin); /* around a pass over all agents: asks once for all */
bool sy_memory_watch_quiet(symbi_memory_store *m, sy_memory_entry *e);
bool sy_memory_same(const sy_file_stamp *a, const sy_file_stamp *b);
/* The keys of all agents, each with a NUL, in no order: names of folders that symbi_memory_key can give. */
symbi_status sy_memory_keys(symbi_memory_store *m, sy_buf *out, symbi_err *err);

/* memory_search.c: query in words, folded */
enum { SY_MEMORY_WORDS = 16 };

/* memory_index.c */
symbi_status sy_memory_index_search(symbi_memory_store *m, symbi_str query, symbi_str agent, symbi_str section, size_t limit, symbi_doc **out, size_t *unread, symbi_err *err);
void sy_memory_index_close(symbi_memory_store *m);
#endif
