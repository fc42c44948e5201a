/* skills/admit.c: whether a skill may be used: what its signature is worth, and what the scan found. */
#include "symbi/skill_load.h"
#include "base/err.h"
#include "base/str.h"

/* path is folder, or below it. Both are resolved: "/a/b" is not below "/a/bc", and ".." cannot be in it. */
static bool below(symbi_str path, symbi_str folder)
{
    while (folder.n > 1 && folder.p[folder.n - 1] == '/') folder.n--;
    if (!folder.n || folder.p[0] != '/' || !sy_str_starts(path, folder)) return false;
    return path.n == folder.n || folder.n == 1 || path.p[folder.n] == '/';
}

static bool has_dots(symbi_str path)
{
    for (size_t i = 0; i + 2 < path.n; i++)
        if (path.p[i] == '/' && path.p[i + 1] == '.' && (path.p[i + 2] == '/' || (path.p[i + 2] == '.' && (i + 3 == path.n || path.p[i + 3] == '/')))) return true;
    return false;
}

static symbi_status refuse(const char **reason, const char *word, symbi_err *err, const char *message)
{
    *reason = word;
    return sy_fail(err, SYMBI_EDENIED, "%s", message);
}

symbi_status symbi_skill_admit(const symbi_skill_admission *a, symbi_str path, const symbi_schemapin_result *signature, const symbi_skill_scan *scan, int64_t now, symbi_schemapin_status *status, const char **reason, symbi_err *err)
{
    bool excused = a->unsigned_ok;
    symbi_schemapin_info i;
    *reason = "";
    *status = SYMBI_SCHEMAPIN_S_UNSIGNED;
    memset(&i, 0, sizeof i);
    if (signature) {
        symbi_schemapin_result_info(signature, &i);
        *status = i.status;
    }
    for (size_t k = 0; k < a->nallow && !excused; k++) excused = below(path, a->allow_unsigned_from[k]) && !has_dots(path);
    if (*status == SYMBI_SCHEMAPIN_S_REVOKED) return refuse(reason, "revoked", err, "its signature, or the key that made it, was revoked");
    if (*status == SYMBI_SCHEMAPIN_S_UNSIGNED) {
        if (!excused) return refuse(reason, "unsigned", err, "it is not signed (no .schemapin.sig); unsigned skills are accepted only below allow_unsigned_from");
    } else if (!symbi_schemapin_result_proves(signature, SYMBI_SCHEMAPIN_FOLDER, i.digest, now)) {
        bool expired = i.valid && i.subject == SYMBI_SCHEMAPIN_FOLDER;
        *status = SYMBI_SCHEMAPIN_S_INVALID;
        if (expired) return refuse(reason, "expired_signature", err, "its signature has expired, or says nothing readable about when it does");
        *reason = "invalid_signature";
        return sy_fail(err, SYMBI_EDENIED, "its signature does not hold: %.*s", SY_FMT(i.message));
    }
    if (a->no_scan) return SYMBI_OK;
    if (!scan) return refuse(reason, "not_scanned", err, "it was not scanned");
    if (!symbi_skill_scan_passed(scan) && !a->findings_ok) return refuse(reason, "scan_failed", err, "the scan found something, or could not read all of it");
    return SYMBI_OK;
}
