/* run/conv_in.h: what the conv*.c files share: counted message blocks and replacing the list as a whole. */
#ifndef SY_RUN_CONV_IN_H
#define SY_RUN_CONV_IN_H
#include "run/conv.h"

/* A message of its own (one reference): one block that holds the struct, the calls and every string. prefix goes before the
 * content. Only the size of this one block is checked against the limit. */
symbi_status sy_msg_new(symbi_ctx *cx, const sy_msg *from, symbi_str prefix, sy_msg **out, symbi_err *err);
void sy_msg_unref(symbi_ctx *cx, sy_msg *m); /* NULL is fine */

/* A list under construction: references of its own, put in place of the conversation's or dropped. */
typedef struct sy_msg_list {
    symbi_ctx *cx;
    sy_msg **m;
    size_t n, cap, bytes;
} sy_msg_list;
symbi_status sy_msg_list_reserve(sy_msg_list *l, symbi_ctx *cx, size_t cap, symbi_err *err);
void sy_msg_list_share(sy_msg_list *l, sy_msg *m); /* within the reserved room */
void sy_msg_list_own(sy_msg_list *l, sy_msg *m);   /* takes over the caller's reference */
void sy_msg_list_drop(sy_msg_list *l);
symbi_status sy_msg_list_commit(sy_msg_list *l, sy_conv *c, symbi_err *err); /* ELIMIT drops the list, c as it was */

/* first[i] = index of the first message of the group that message i belongs to, for messages from..n: a group goes on until
 * every call opened in it has its result. first has c->n elements. */
symbi_status sy_conv_groups(const sy_conv *c, size_t from, size_t *first, symbi_err *err);
#endif
