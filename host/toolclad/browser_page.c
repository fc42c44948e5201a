/* toolclad/browser_page.c: what a page is asked. Our own functions run in an isolated world of the page: what its scripts did to the DOM's
 * prototypes does not reach them. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/browser_in.h"

#define WELL "const w=s=>(s=String(s),s.toWellFormed?s.toWellFormed():s);"
#define PICK "const e=document.querySelector(s);if(!e)return{error:'no element matches '+s};"
static const char *const functions[] = {
    [SY_FN_POINT] = "function(s){" PICK
        "e.scrollIntoView({block:'center',inline:'center',behavior:'instant'});const r=e.getBoundingClientRect();"
        "if(!r.width||!r.height)return{error:'the element has no size on the page'};"
        "const x=Math.min(Math.max(r.left+r.width/2,0),innerWidth-1),y=Math.min(Math.max(r.top+r.height/2,0),innerHeight-1),h=document.elementFromPoint(x,y);"
        "if(h&&h!==e&&!e.contains(h)&&!h.contains(e))return{error:'another element covers it'};return{x:x,y:y};}",
    [SY_FN_FOCUS] = "function(s){" PICK "e.focus();return{ok:document.activeElement===e};}",
    [SY_FN_SUBMIT] = "function(s){" PICK "const f=e.closest('form');if(!f)return{error:'no form there'};"
        "HTMLFormElement.prototype.requestSubmit.call(f);return{ok:true};}",
    [SY_FN_HTML] = "function(s,n){" WELL "const e=s?document.querySelector(s):document.documentElement;if(!e)return{error:'no element matches '+s};"
        "const h=e.outerHTML;return{text:w(h.slice(0,n)),cut:h.length>n};}",
    [SY_FN_TEXT] = "function(s,n){" WELL "const e=s?document.querySelector(s):(document.body||document.documentElement);if(!e)return{error:'no element matches '+s};"
        "const h=e.innerText||e.textContent||'';return{text:w(h.slice(0,n)),cut:h.length>n};}",
    [SY_FN_THERE] = "function(s){const e=document.querySelector(s);return{ok:!!e};}",
    [SY_FN_NODE] = "function(s){return document.querySelector(s);}",
    [SY_FN_SCROLL] = "function(d,n){const y=d==='up'?-n:d==='down'?n:0,x=d==='left'?-n:d==='right'?n:0;scrollBy({left:x,top:y,behavior:'instant'});"
        "return{value:{x:Math.round(scrollX),y:Math.round(scrollY),height:document.documentElement.scrollHeight}};}",
    [SY_FN_TIMING] = "function(){" WELL "const r=performance.getEntriesByType('resource'),n=performance.getEntriesByType('navigation')[0],"
        "k=e=>({name:w(e.name).slice(0,300),type:e.initiatorType,start_ms:Math.round(e.startTime),duration_ms:Math.round(e.duration),bytes:e.transferSize});"
        "return{value:{navigation:n?{duration_ms:Math.round(n.duration),dom_ms:Math.round(n.domContentLoadedEventEnd),load_ms:Math.round(n.loadEventEnd),bytes:n.transferSize}:null,"
        "resources:r.slice(0,200).map(k),resource_count:r.length}};}",
    [SY_FN_STATE] = "function(s){let a=false;try{a=!!(s&&document.querySelector(s))}catch(e){}return{forms:document.forms.length>0,auth:a,loaded:document.readyState==='complete'};}",
    [SY_FN_ALL] = "function(...s){return{href:location.href,ok:s.every(q=>document.querySelector(q))};}",
    [SY_FN_FILL] = "function(s,v,t){" PICK "if(!(e instanceof HTMLInputElement)||(t&&e.type!==t))return{error:s+' is no '+(t||'text')+' field'};e.focus();"
        "Object.getOwnPropertyDescriptor(HTMLInputElement.prototype,'value').set.call(e,v);"
        "for(const k of ['input','change'])e.dispatchEvent(new Event(k,{bubbles:true}));return{ok:true};}",
    [SY_FN_LOGGED_IN] = "function(s,m){const q=m&&document.querySelector(m);"
        "return{href:location.href,ok:!!(s&&document.querySelector(s)),mfa:!!(q&&q.getClientRects().length)};}",
};

void sy_step_to(symbi_browser *b, sy_step s)
{
    b->step = s;
    b->step_at = sy_browser_now(b);
    b->want = 0;
}

void sy_page_ask(symbi_browser *b, sy_step s, const char *method, const char *params)
{
    sy_step_to(b, s);
    b->want = sy_cdp_simple(b, method, b->tab, params);
}

void sy_page_world(symbi_browser *b, sy_step s)
{
    sy_step_to(b, s);
    b->want = sy_cdp_begin(b, "Page.createIsolatedWorld", b->tab);
    sy_buf_addf(&b->out, "{\"frameId\":\"%s\",\"worldName\":\"symbi\"}", b->tab->target.s);
    sy_cdp_end(b);
}

void sy_page_call(symbi_browser *b, sy_step s, sy_fn f, const symbi_str *text, size_t n, const int64_t *number, bool by_value)
{
    sy_step_to(b, s);
    b->want = sy_cdp_begin(b, "Runtime.callFunctionOn", b->tab);
    sy_buf_addf(&b->out, "{\"executionContextId\":%lld,\"returnByValue\":%s,\"silent\":true,\"userGesture\":true,\"functionDeclaration\":", (long long)b->world, by_value ? "true" : "false");
    sy_cdp_str(b, symbi_str_z(functions[f]));
    sy_cdp_z(b, ",\"arguments\":[");
    for (size_t i = 0; i < n; i++) {
        sy_cdp_z(b, i ? ",{\"value\":" : "{\"value\":");
        if (text[i].n) sy_cdp_str(b, text[i]);
        else sy_cdp_z(b, "null");
        sy_cdp_z(b, "}");
    }
    if (number) {
        sy_cdp_z(b, n ? ",{\"value\":" : "{\"value\":");
        sy_cdp_int(b, *number);
        sy_cdp_z(b, "}");
    }
    sy_cdp_z(b, "]}");
    sy_cdp_end(b);
}

bool sy_page_mouse(symbi_browser *b)
{
    static const char *const kinds[] = { "mouseMoved", "mousePressed", "mouseReleased" };
    if (b->mouse == 3) return false;
    sy_step_to(b, SY_STEP_MOUSE);
    b->want = sy_cdp_begin(b, "Input.dispatchMouseEvent", b->tab);
    sy_buf_addf(&b->out, "{\"type\":\"%s\",\"x\":%lld,\"y\":%lld,\"button\":\"%s\",\"buttons\":%d,\"clickCount\":%d}", kinds[b->mouse], (long long)b->x, (long long)b->y,
        b->mouse ? "left" : "none", b->mouse == 1, b->mouse != 0);
    sy_cdp_end(b);
    b->mouse++;
    return true;
}
