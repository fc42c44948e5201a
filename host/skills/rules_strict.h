/* skills/rules_strict.h: the tables of strict rules, one file each. */
#ifndef SY_SKILLS_RULES_STRICT_H
#define SY_SKILLS_RULES_STRICT_H
#include "skills/skills.h"
extern const sy_rule_table sy_rules_run, sy_rules_save, sy_rules_shell, sy_rules_secrets, sy_rules_away, sy_rules_inside, sy_rules_power, sy_rules_damage, sy_rules_stay, sy_rules_agent, sy_rules_path, sy_rules_words, sy_rules_tongues, sy_rules_flow;
#endif
