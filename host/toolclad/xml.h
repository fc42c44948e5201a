/* toolclad/xml.h: XML output (spec toolclad.md 9.5). text is valid UTF-8. */
#ifndef SY_TOOLCLAD_XML_H
#define SY_TOOLCLAD_XML_H
#include "toolclad/tool.h"

/* {root: {"@attr": text, "#text": text, child: node or [node]}}. EPARSE with a line, ELIMIT, ENOMEM. */
symbi_status sy_xml_parse(symbi_ctx *cx, symbi_str text, sy_arena *a, symbi_value *out, symbi_err *err);
size_t sy_output_depth(const symbi_ctx *cx); /* how deep results may be: parse_out.c */
/* What nmap -oX writes, as {"hosts": [{ip, hostname, state, ports: [{port, protocol, state, service, version}]}]}. */
symbi_status sy_nmap_parse(symbi_ctx *cx, symbi_str text, sy_arena *a, symbi_value *out, symbi_err *err);
#endif
