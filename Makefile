# symbi-lua: GNU make, no generator. `make` builds ./symbi-lua, libsymbi and the Lua modules; `make demo` sets up and runs the
# main job; `make check` sets up and runs all the tests; `make help` lists the rest.
#
# Variables: B (build folder), CC, CFLAGS, LDFLAGS, OPT, DESTDIR, PREFIX, IO=none (no libcurl, no SQLite), DEV=1 (warnings are
# errors), SAN=1 (address and undefined-behaviour sanitizers, in $(B)-san), LUA_VERSIONS (ABIs to build), LAYERS (C folders to
# build), T=name (one unit test, one spec), SY_EXTRA (more compiler flags), V=1 (show commands).
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all
SHELL := /bin/bash
# One short line per step; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $@)

ifeq ($(origin CC),default)
  CC := gcc
endif
AR ?= ar
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
OPT ?= -O2 -g
B ?= build
ifdef SAN
  override B := $(B)-san
  SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
VERSION := $(shell sed -n 's/^.define SYMBI_VERSION "\(.*\)"/\1/p' host/include/symbi/base.h)

# ---- what there is ----------------------------------------------------------------------------------------------------
CORE_LAYERS := base codec wire crypto match cedar comm cron schemapin agentpin webhook netguard toolclad skills dsl state gate run server
LAYERS ?= $(CORE_LAYERS)
IO_LAYER := $(if $(filter none,$(IO)),,io)
LUA_VERSIONS ?= $(foreach v,5.1 5.2 5.3 5.4,$(if $(wildcard /usr/include/lua$(v)/lua.h),$(v)))

CORE_SRC := $(foreach l,$(LAYERS),$(wildcard host/$(l)/*.c))
CORE_OBJ := $(CORE_SRC:%.c=$(B)/obj/%.o)
IO_SRC := $(foreach l,$(IO_LAYER),$(wildcard host/$(l)/*.c))
IO_OBJ := $(IO_SRC:%.c=$(B)/obj/%.o)
BIND_IO_SRC := $(if $(IO_LAYER),$(wildcard bindings/io*.c))
BIND_SHIM := bindings/symL.c bindings/lvalue.c
BINDINGS ?= $(wildcard bindings/*.c)
BIND_SRC := $(filter-out bindings/io%.c,$(BINDINGS))
CLI_SRC := $(wildcard host/cli/*.c)

# ---- flags ------------------------------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wvla -Wformat=2
# gcc does not warn about a va_list passed on; clang does, where the function has no format attribute.
WARN += $(if $(findstring clang,$(CC)),-Wno-format-nonliteral)
ifdef DEV
  WARN += -Werror
endif
CFLAGS ?= $(OPT)
SY_CFLAGS := -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections $(WARN) $(SANFLAGS) $(SY_EXTRA) -Ihost -Ihost/include
# Libraries follow from the headers that the sources include, so that a library is needed from the moment its code is here.
uses = $(if $(shell grep -lsE '^ *\#include <($(1))' $(CORE_SRC) /dev/null),$(2))
CORE_LIBS := $(call uses,openssl/,-lcrypto) $(call uses,argon2,-largon2) $(call uses,yaml,-lyaml) $(call uses,utf8proc,-lutf8proc) $(call uses,expat,-lexpat) $(call uses,zlib,-lz) -lm
IO_LIBS := $(if $(IO_LAYER),-lcurl -lsqlite3 -lpthread)
MOD_LDFLAGS := -shared -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,--gc-sections -Wl,--as-needed $(SANFLAGS)
LUA_CFLAGS_5.1 := -I$(or $(LUA_INCDIR_5.1),/usr/include/lua5.1)
LUA_CFLAGS_5.2 := -I$(or $(LUA_INCDIR_5.2),/usr/include/lua5.2)
LUA_CFLAGS_5.3 := -I$(or $(LUA_INCDIR_5.3),/usr/include/lua5.3)
LUA_CFLAGS_5.4 := -I$(or $(LUA_INCDIR_5.4),/usr/include/lua5.4)
LUA_LIBS_5.4 ?= -llua5.4

# ---- main targets -----------------------------------------------------------------------------------------------------
HOST := $(if $(CLI_SRC),$(if $(filter 5.4,$(LUA_VERSIONS)),$(B)/symbi-lua))
# ./symbi-lua belongs to the ordinary build; other build folders keep theirs to themselves.
ROOT_HOST := $(if $(HOST),$(if $(filter build,$(B)),symbi-lua))
MODULES := $(foreach v,$(LUA_VERSIONS),$(B)/$(v)/symbi/core.so $(if $(BIND_IO_SRC),$(B)/$(v)/symbi/io.so))

all: lib modules $(HOST) $(ROOT_HOST)
lib: $(B)/libsymbi.a $(B)/libsymbi.so $(if $(IO_LAYER),$(B)/libsymbi-io.a)
modules: $(MODULES)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(SY_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# A list file changes only when its content does; what depends on it is then built again (a source file came or went).
define keep_if_same
	@mkdir -p $(@D); printf '%s\n' $(1) > $@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
endef
$(B)/core.list: FORCE
	$(call keep_if_same,$(CORE_OBJ))
$(B)/io.list: FORCE
	$(call keep_if_same,$(IO_OBJ))

$(B)/libsymbi.a: $(CORE_OBJ) $(B)/core.list
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $(CORE_OBJ)
$(B)/libsymbi-io.a: $(IO_OBJ) $(B)/io.list
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $(IO_OBJ)
$(B)/libsymbi.so: $(B)/libsymbi.a host/libsymbi.map
	$(call say,LINK)
	$(Q)$(CC) $(filter-out -Wl$(comma)--gc-sections,$(MOD_LDFLAGS)) -Wl,-soname,libsymbi.so.0 -Wl,--version-script=host/libsymbi.map -o $@ -Wl,--whole-archive $< -Wl,--no-whole-archive $(CORE_LIBS) $(LDFLAGS)
comma := ,

# ---- Lua modules ------------------------------------------------------------------------------------------------------
# Every l_<module>_open(lua_State *) defined in bindings/ is a module of symbi.core; core.c calls them in this order.
LMODULES := $(sort $(shell sed -n 's/^void l_\([a-z0-9]*\)_open.lua_State.*/\1/p' $(BIND_SRC)))
$(B)/gen/lmodules.h: FORCE
	$(call keep_if_same,'/* made by the Makefile */' $(foreach m,$(LMODULES),'SYML_MODULE($(m))'))
$(B)/gen/module.map: | $(B)/core.list
	@mkdir -p $(@D); echo '{ global: luaopen_*; local: *; };' > $@

define lua_abi
BIND_OBJ_$(1) := $$(BIND_SRC:%.c=$(B)/$(1)/obj/%.o)
BIND_IO_OBJ_$(1) := $$(BIND_IO_SRC:%.c=$(B)/$(1)/obj/%.o) $$(BIND_SHIM:%.c=$(B)/$(1)/obj/%.o)
$(B)/$(1)/obj/%.o: %.c $(B)/gen/lmodules.h
	@mkdir -p $$(@D)
	$$(call say,CC)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(SY_CFLAGS) -I$(B)/gen $$(LUA_CFLAGS_$(1)) $$(CFLAGS) -MMD -MP -c $$< -o $$@
$(B)/$(1)/symbi/core.so: $$(BIND_OBJ_$(1)) $(B)/libsymbi.a $(B)/gen/module.map
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$(Q)$$(CC) $$(MOD_LDFLAGS) -Wl,--version-script=$(B)/gen/module.map -o $$@ $$(BIND_OBJ_$(1)) $(B)/libsymbi.a $$(CORE_LIBS) $$(LDFLAGS)
$(B)/$(1)/symbi/io.so: $$(BIND_IO_OBJ_$(1)) $(B)/libsymbi-io.a $(B)/libsymbi.a $(B)/gen/module.map
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$(Q)$$(CC) $$(MOD_LDFLAGS) -Wl,--version-script=$(B)/gen/module.map -o $$@ $$(BIND_IO_OBJ_$(1)) $(B)/libsymbi-io.a $(B)/libsymbi.a $$(IO_LIBS) $$(CORE_LIBS) $$(LDFLAGS)
-include $$(BIND_OBJ_$(1):.o=.d) $$(BIND_IO_OBJ_$(1):.o=.d)
endef
$(foreach v,$(LUA_VERSIONS),$(eval $(call lua_abi,$(v))))

# ---- host -------------------------------------------------------------------------------------------------------------
# symbi.core is loaded on first use from the build (or installed) folder, so that `symbi-lua -e ''` pays for Lua alone.
CLI_OBJ := $(CLI_SRC:%.c=$(B)/5.4/obj/%.o)
$(B)/5.4/obj/host/cli/%.o: host/cli/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(SY_CFLAGS) $(LUA_CFLAGS_5.4) $(CFLAGS) -MMD -MP -c $< -o $@
$(B)/symbi-lua: $(CLI_OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(SANFLAGS) -Wl,-z,relro -Wl,-z,now -Wl,--as-needed -o $@ $(CLI_OBJ) $(LUA_LIBS_5.4) $(LDFLAGS)
symbi-lua: $(B)/symbi-lua
	cp $< $@
-include $(CLI_OBJ:.o=.d)

# ---- unit tests -------------------------------------------------------------------------------------------------------
# One program per tests/unit/<name>_test.c; io_* ones also get the drivers. `make unit T=json` builds and runs one.
UNIT_ALL := $(filter-out $(if $(IO_LAYER),,tests/unit/io_%),$(wildcard tests/unit/*_test.c))
UNIT_SRC := $(if $(T),tests/unit/$(T)_test.c,$(UNIT_ALL))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
$(B)/unit/io_%: EXTRA_LIBS = $(B)/libsymbi-io.a $(B)/libsymbi.a $(IO_LIBS)
$(filter $(B)/unit/io_%,$(UNIT_BIN)): $(if $(IO_LAYER),$(B)/libsymbi-io.a)
$(B)/unit/%: tests/unit/%.c tests/unit/test.h $(B)/libsymbi.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(SY_CFLAGS) $(CFLAGS) -Itests/unit -MMD -MP $< -o $@ $(EXTRA_LIBS) $(B)/libsymbi.a $(CORE_LIBS) -lpthread -lm $(LDFLAGS)
unit: $(UNIT_BIN)
	@st=0; for t in $(UNIT_BIN); do echo "== $$t"; $$t || st=1; done; exit $$st
-include $(UNIT_ALL:tests/unit/%.c=$(B)/unit/%.d)

# ---- fuzzing ----------------------------------------------------------------------------------------------------------
# tests/fuzz/fuzz_<name>.c holds LLVMFuzzerTestOneInput. `make fuzz` runs each with libFuzzer for FUZZ_TIME seconds (T=name: one);
# fuzz-replay runs the stand-alone programs (gcc, sanitizers) over tests/fuzz/corpus/<name>/.
FUZZ_TIME ?= 30
FUZZ_NAMES := $(if $(T),$(T),$(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_FLAGS := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_LIBS = $(if $(IO_LAYER),$(B)/libsymbi-io.a) $(B)/libsymbi.a -Wl,--as-needed $(IO_LIBS) $(CORE_LIBS)
$(B)/fuzz/lib_%: tests/fuzz/fuzz_%.c $(B)/libsymbi.a $(if $(IO_LAYER),$(B)/libsymbi-io.a)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(SY_CFLAGS) $(CFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_MORE) $(FUZZ_LIBS) $(LDFLAGS)
$(B)/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/standalone.c $(B)/libsymbi.a $(if $(IO_LAYER),$(B)/libsymbi-io.a)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(SY_CFLAGS) $(CFLAGS) -o $@ $< tests/fuzz/standalone.c $(FUZZ_MORE) $(FUZZ_LIBS) $(LDFLAGS)
# Sandboxed chunks run in the binding, which is compiled in.
$(B)/fuzz/lib_sandbox $(B)/fuzz/replay_sandbox: FUZZ_MORE = $(LUA_CFLAGS_5.4) $(wildcard bindings/lsandbox*.c) $(BIND_SHIM) $(LUA_LIBS_5.4)
fuzz:
	+$(MAKE) --no-print-directory B=build-fuzz CC=clang SANFLAGS="$(FUZZ_FLAGS) -DSY_ARENA_PARANOID" SAN= fuzz-run
fuzz-run: $(FUZZ_NAMES:%=$(B)/fuzz/lib_%)
	@set -e; for n in $(FUZZ_NAMES); do mkdir -p $(B)/fuzz/new/$$n tests/fuzz/corpus/$$n; echo "== fuzz $$n, $(FUZZ_TIME) s"; \
	  $(B)/fuzz/lib_$$n -max_total_time=$(FUZZ_TIME) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 -artifact_prefix=$(B)/fuzz/ $(B)/fuzz/new/$$n tests/fuzz/corpus/$$n; done
fuzz-replay:
	+$(MAKE) --no-print-directory B=$(B) SAN=1 fuzz-replay-run
fuzz-replay-run: $(FUZZ_NAMES:%=$(B)/fuzz/replay_%)
	@p=0; f=0; for n in $(FUZZ_NAMES); do \
	  if find tests/fuzz/corpus/$$n -type f -print0 | xargs -0 -r $(B)/fuzz/replay_$$n >$(B)/fuzz/$$n.log 2>&1; then p=$$((p + 1)); else f=$$((f + 1)); echo "FAIL $$n"; tail -n 40 $(B)/fuzz/$$n.log; fi; done; \
	echo "$$p passed, $$f failed, 0 skipped"; test $$f = 0

# ---- tests ------------------------------------------------------------------------------------------------------------
VMS := $(addprefix lua,$(LUA_VERSIONS)) $(if $(filter 5.1,$(LUA_VERSIONS)),luajit)
# `make busted T=json` runs tests/spec/json_spec.lua alone; VMS="lua5.4" one VM.
busted: modules
	@st=0; for vm in $(VMS); do echo "== busted on $$vm"; tests/tools/run-busted $(B) $$vm $(T:%=tests/spec/%_spec.lua) || st=1; done; exit $$st
busted-san:
	+$(MAKE) --no-print-directory B=$(B) SAN=1 modules
	@st=0; for vm in $(VMS); do echo "== busted on $$vm with sanitizers"; SAN=1 tests/tools/run-busted $(B)-san $$vm $(T:%=tests/spec/%_spec.lua) || st=1; done; exit $$st
check: deps deps-test
	@MAKE="$(MAKE)" tests/tools/run-checks $(B)
bench: all
	SYMBI_LIBS="$(IO_LIBS) $(CORE_LIBS)" tests/bench/run $(B)
# scripts/guide/failures.md with what cedar-wasm says to the same rows (needs node and npm).
failure-table:
	tests/tools/failure-table $(B)
demo: deps
	+@$(MAKE) --no-print-directory all
	./symbi-lua scripts/quickstart.lua

# ---- packages ---------------------------------------------------------------------------------------------------------
DEPS := gcc libc6-dev binutils make libssl-dev liblua5.1-0-dev liblua5.2-dev liblua5.3-dev liblua5.4-dev \
  $(if $(IO_LAYER),libcurl4-openssl-dev libsqlite3-dev) \
  $(call uses,argon2,libargon2-dev) $(call uses,yaml,libyaml-dev) $(call uses,utf8proc,libutf8proc-dev) $(call uses,expat,libexpat1-dev) $(call uses,zlib,zlib1g-dev) libedit-dev libedit2
# luajit2, never luajit: that one removes nginx's Lua.
DEPS_TEST := lua5.1 lua5.2 lua5.3 lua5.4 luajit2 libluajit2-5.1-dev lua-busted lua-check lua-cjson lua-filesystem luarocks \
  g++ clang libclang-rt-14-dev pkg-config nginx libnginx-mod-http-lua lua-resty-core strace valgrind sqlite3 openssl locales python3 git procps \
  bubblewrap chromium bc $(if $(shell command -v npm),,nodejs npm) zsh man-db groff-base
# What is missing is printed, then installed.
define install_packages
	@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing:" $$missing; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends"; \
	  $$install $$missing || { $$sudo apt-get update -q && $$install $$missing; }; \
	fi
endef
deps:
	$(call install_packages,$(DEPS))
deps-test:
	$(call install_packages,$(DEPS) $(DEPS_TEST))

# ---- installation -----------------------------------------------------------------------------------------------------
# Modules go where this PREFIX's Lua looks: with PREFIX=/usr Debian's folders, else $(PREFIX)/lib/lua/X and $(PREFIX)/share/lua/X.
LMOD = $(if $(filter /usr,$(PREFIX)),/usr/share/lua/$(1),$(PREFIX)/share/lua/$(1))
CMOD = $(if $(filter /usr,$(PREFIX)),$(shell $(PKG_CONFIG) --variable=INSTALL_CMOD lua$(1)),$(PREFIX)/lib/lua/$(1))
LUA_FILES := $(shell find lua/symbi -name '*.lua' | LC_ALL=C sort)
HEADERS := $(shell cd host/include && find symbi -name '*.h' | LC_ALL=C sort)
PC_LIBS = $(filter-out -lm,$(CORE_LIBS)) -lm

define install_lua
	@for f in $(LUA_FILES); do install -D -m 644 $$f "$(2)/$${f#lua/}"; done
	install -D -m 755 $(B)/$(1)/symbi/core.so "$(3)/symbi/core.so"
	$(if $(BIND_IO_SRC),install -D -m 755 $(B)/$(1)/symbi/io.so "$(3)/symbi/io.so")

endef
install: all
	@for h in $(HEADERS); do install -D -m 644 host/include/$$h "$(DESTDIR)$(PREFIX)/include/$$h"; done
	install -D -m 644 $(B)/libsymbi.a "$(DESTDIR)$(PREFIX)/lib/libsymbi.a"
	install -D -m 755 $(B)/libsymbi.so "$(DESTDIR)$(PREFIX)/lib/libsymbi.so.0"
	ln -sf libsymbi.so.0 "$(DESTDIR)$(PREFIX)/lib/libsymbi.so"
	@mkdir -p "$(DESTDIR)$(PREFIX)/lib/pkgconfig"
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(PC_LIBS)|' host/libsymbi.pc.in >"$(DESTDIR)$(PREFIX)/lib/pkgconfig/symbi.pc"
ifneq ($(IO_LAYER),)
	install -D -m 644 $(B)/libsymbi-io.a "$(DESTDIR)$(PREFIX)/lib/libsymbi-io.a"
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(IO_LIBS)|' host/libsymbi-io.pc.in >"$(DESTDIR)$(PREFIX)/lib/pkgconfig/symbi-io.pc"
endif
ifneq ($(HOST),)
	install -D -m 755 $(B)/symbi-lua "$(DESTDIR)$(PREFIX)/bin/symbi-lua"
	install -D -m 644 scripts/completion/symbi-lua.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/symbi-lua"
	install -D -m 644 scripts/completion/_symbi-lua "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_symbi-lua"
	install -D -m 644 scripts/symbi-lua.1 "$(DESTDIR)$(PREFIX)/share/man/man1/symbi-lua.1"
endif
	$(foreach v,$(LUA_VERSIONS),$(call install_lua,$(v),$(DESTDIR)$(call LMOD,$(v)),$(DESTDIR)$(call CMOD,$(v))))
uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/symbi-lua" "$(DESTDIR)$(PREFIX)/lib/libsymbi.a" "$(DESTDIR)$(PREFIX)/lib/libsymbi-io.a"
	rm -f "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/symbi-lua" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_symbi-lua" "$(DESTDIR)$(PREFIX)/share/man/man1/symbi-lua.1"
	rm -f "$(DESTDIR)$(PREFIX)/lib/libsymbi.so" "$(DESTDIR)$(PREFIX)/lib/libsymbi.so.0"
	rm -f "$(DESTDIR)$(PREFIX)/lib/pkgconfig/symbi.pc" "$(DESTDIR)$(PREFIX)/lib/pkgconfig/symbi-io.pc"
	rm -rf "$(DESTDIR)$(PREFIX)/include/symbi"
	$(foreach v,5.1 5.2 5.3 5.4,rm -rf "$(DESTDIR)$(call LMOD,$(v))/symbi" "$(DESTDIR)$(call CMOD,$(v))/symbi";)

# What LuaRocks calls (symbi-lua-scm-1.rockspec): the modules for one Lua version, in a build folder of their own, because LuaRocks
# brings its own flags.
LUA_VERSION ?= $(shell sed -n 's/^.define LUA_VERSION_NUM[^0-9]*\([0-9]\)0\([0-9]\).*/\1.\2/p' "$(LUA_INCDIR)/lua.h")
rock:
	+$(MAKE) --no-print-directory B=build-rock LUA_VERSIONS=$(LUA_VERSION) LUA_INCDIR_$(LUA_VERSION)="$(LUA_INCDIR)" CFLAGS="$(CFLAGS)" modules
rock-install:
	+$(MAKE) --no-print-directory B=build-rock rock-copy LUA_VERSION=$(LUA_VERSION) LUADIR="$(LUADIR)" LIBDIR="$(LIBDIR)"
rock-copy:
	$(call install_lua,$(LUA_VERSION),$(LUADIR),$(LIBDIR))

# ---- the rest ---------------------------------------------------------------------------------------------------------
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')
# clean takes what this B made (with its sanitizer, fuzz and clang builds); distclean every build folder.
clean:
	rm -rf $(B) $(B)-san $(B)-noio $(B)-clang symbi-lua
distclean:
	rm -rf build build-* symbi-lua
help:
	@sed -n '1,8s/^# \?//p' Makefile
	@echo; echo "targets: all lib modules demo check unit busted busted-san fuzz fuzz-replay bench install uninstall deps deps-test format clean"

-include $(CORE_OBJ:.o=.d) $(IO_OBJ:.o=.d)
FORCE:
.PHONY: all lib modules unit clean FORCE fuzz fuzz-run fuzz-replay fuzz-replay-run busted busted-san check bench demo deps deps-test install uninstall distclean rock rock-install rock-copy format help

# The shell completions and the man page, from the commands' usage texts (tests/env/completion fails when they are out of date).
.PHONY: completion
completion: $(HOST) modules
	$(B)/symbi-lua scripts/completion/generate.lua

# ---- other tools --------------------------------------------------------------------------------------------------------
# A shared policy set and shared keys under ThreadSanitizer; N generated Cedar cases against the official engine (needs node and, once, the network).
.PHONY: tsan cedar-diff
tsan:
	+$(MAKE) --no-print-directory B=build-tsan SANFLAGS="-fsanitize=thread -fno-omit-frame-pointer" LAYERS="base codec wire crypto match cedar" unit T=cedar_threads
	+$(MAKE) --no-print-directory B=build-tsan SANFLAGS="-fsanitize=thread -fno-omit-frame-pointer" LAYERS="base codec wire crypto" unit T=crypto_es256
N ?= 100000
cedar-diff: $(B)/libsymbi.a
	tests/fuzz/cedar_diff.sh $(B) $(N) $(SEED)
# Whether the time of a comparison tells where it failed (t-test over SAMPLES timings each, a minute or so; best on a quiet machine).
.PHONY: dudect
dudect: $(B)/libsymbi.a
	$(Q)$(CC) $(SY_CFLAGS) $(CFLAGS) -o $(B)/dudect tests/dudect/compare.c $(B)/libsymbi.a $(CORE_LIBS) $(LDFLAGS)
	$(B)/dudect $(SAMPLES)
# The libraries that libsymbi.a needs, for the scripts that link it themselves.
.PHONY: core-libs
core-libs:
	@echo $(CORE_LIBS)
