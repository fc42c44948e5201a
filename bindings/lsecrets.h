/* bindings/lsecrets.h: the redactor that a Lua state's runs and trails use. */
#ifndef SYMBI_LSECRETS_H
#define SYMBI_LSECRETS_H
#include "symL.h"
#include "symbi/secrets.h"

symbi_redactor *l_shared_redactor(lua_State *L); /* borrowed from the state */
#endif
