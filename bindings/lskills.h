/* bindings/lskills.h: the scan that symbi.core.skillload takes as proof. */
#ifndef SYMBI_LSKILLS_H
#define SYMBI_LSKILLS_H
#include "symbi/skills.h"

#define UD_SKILL_SCAN "symbi.skill_scan" /* lskills.c */
typedef struct ud_skill_scan { symbi_skill_scan *p; } ud_skill_scan;
#endif
