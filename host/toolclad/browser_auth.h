/* toolclad/browser_auth.h: [browser.auth_flows] of a manifest: logins by name, whose secrets no model sees. */
#ifndef SY_TOOLCLAD_BROWSER_AUTH_H
#define SY_TOOLCLAD_BROWSER_AUTH_H
#include "toolclad/backends.h"

enum { SY_AUTH_FLOWS = 64, SY_AUTH_NAME = 120 }; /* flows of a manifest; longest name of a secret */

/* *out: {service: {login_url, username_selector, password_selector, submit_selector, url_contains or element, username, password, and with a second
 * factor mfa_selector, totp}}; the last three are {"secret": NAME}. Empty without flows. scope: what [browser.scope] has become. */
symbi_status sy_browser_load_auth(sy_rd *rd, const symbi_value *t, const symbi_value *scope, symbi_value *out);
/* The command login: each service that it may name has a flow. */
symbi_status sy_browser_check_login(sy_rd *rd, const symbi_tool *c, const symbi_value *flows);
/* Its plan names the secrets of the one service. */
symbi_status sy_browser_plan_login(sy_backend_plan *b, const symbi_value *settings);
/* Does url have part in it, before '?' and '#'? */
bool sy_url_place_contains(symbi_str url, symbi_str part);
#endif
