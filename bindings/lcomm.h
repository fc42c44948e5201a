/* bindings/lcomm.h: the userdata of a communication rule set, for modules that take one (the gate). */
#ifndef SYMBI_LCOMM_H
#define SYMBI_LCOMM_H
#include "symbi/comm.h"

#define UD_COMM "symbi.comm_rules" /* lcomm.c */
typedef struct ud_comm { symbi_comm_rules *p; } ud_comm; /* NULL once closed */
#endif
