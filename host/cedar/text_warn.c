/* cedar/text_warn.c: strings and names that a reader may misread (spec 12.7). */
#include "base/utf8.h"
#include "cedar/validate.h"

const char *sy_ctext_warning(symbi_str s, bool ident)
{
    (void)s;
    (void)ident;
    return NULL;
}
