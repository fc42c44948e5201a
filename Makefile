# symbi-lua: GNU make, no generator. `make` builds ./symbi-lua, libsymbi and the Lua modules; `make demo` sets up and runs the
# main job; `make check` sets up and runs all the tests; `make help` lists the rest.
#
# Variables: B (build folder), CC, CFLAGS, LDFLAGS, OPT, DESTDIR, PREFIX, IO=none (no libcurl, no SQLite), DEV=1 (warnings are
# errors), SAN=1 (address and undefined-behaviour sanitizers, in $(B)-san), LUA_VERSIONS (ABIs to build), LAYERS (C folders to
# build), T=name (one unit test, one spec), SY_EXTRA (more compiler flags).
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all
SHELL := /bin/bash

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
	$(CC) $(CPPFLAGS) $(SY_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

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
	$(AR) rcs $@ $(CORE_OBJ)
$(B)/libsymbi-io.a: $(IO_OBJ) $(B)/io.list
	@rm -f $@
	$(AR) rcs $@ $(IO_OBJ)
$(B)/libsymbi.so: $(B)/libsymbi.a host/libsymbi.map
	$(CC) $(filter-out -Wl$(comma)--gc-sections,$(MOD_LDFLAGS)) -Wl,-soname,libsymbi.so.0 -Wl,--version-script=host/libsymbi.map -o $@ -Wl,--whole-archive $< -Wl,--no-whole-archive $(CORE_LIBS) $(LDFLAGS)
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
	$$(CC) $$(CPPFLAGS) $$(SY_CFLAGS) -I$(B)/gen $$(LUA_CFLAGS_$(1)) $$(CFLAGS) -MMD -MP -c $$< -o $$@
$(B)/$(1)/symbi/core.so: $$(BIND_OBJ_$(1)) $(B)/libsymbi.a $(B)/gen/module.map
	@mkdir -p $$(@D)
	$$(CC) $$(MOD_LDFLAGS) -Wl,--version-script=$(B)/gen/module.map -o $$@ $$(BIND_OBJ_$(1)) $(B)/libsymbi.a $$(CORE_LIBS) $$(LDFLAGS)
$(B)/$(1)/symbi/io.so: $$(BIND_IO_OBJ_$(1)) $(B)/libsymbi-io.a $(B)/libsymbi.a $(B)/gen/module.map
	@mkdir -p $$(@D)
	$$(CC) $$(MOD_LDFLAGS) -Wl,--version-script=$(B)/gen/module.map -o $$@ $$(BIND_IO_OBJ_$(1)) $(B)/libsymbi-io.a $(B)/libsymbi.a $$(IO_LIBS) $$(CORE_LIBS) $$(LDFLAGS)
-include $$(BIND_OBJ_$(1):.o=.d) $$(BIND_IO_OBJ_$(1):.o=.d)
endef
$(foreach v,$(LUA_VERSIONS),$(eval $(call lua_abi,$(v))))

# ---- host -------------------------------------------------------------------------------------------------------------
# symbi.core is loaded on first use from the build (or installed) folder, so that `symbi-lua -e ''` pays for Lua alone.
CLI_OBJ := $(CLI_SRC:%.c=$(B)/5.4/obj/%.o)
$(B)/5.4/obj/host/cli/%.o: host/cli/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(SY_CFLAGS) $(LUA_CFLAGS_5.4) $(CFLAGS) -MMD -MP -c $< -o $@
$(B)/symbi-lua: $(CLI_OBJ)
	$(CC) $(SANFLAGS) -Wl,-z,relro -Wl,-z,now -Wl,--as-needed -o $@ $(CLI_OBJ) $(LUA_LIBS_5.4) $(LDFLAGS)
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
	$(CC) $(SY_CFLAGS) $(CFLAGS) -Itests/unit -MMD -MP $< -o $@ $(EXTRA_LIBS) $(B)/libsymbi.a $(CORE_LIBS) -lpthread -lm $(LDFLAGS)
unit: $(UNIT_BIN)
	@st=0; for t in $(UNIT_BIN); do echo "== $$t"; $$t || st=1; done; exit $$st
-include $(UNIT_ALL:tests/unit/%.c=$(B)/unit/%.d)

clean:
	rm -rf build build-* symbi-lua

-include $(CORE_OBJ:.o=.d) $(IO_OBJ:.o=.d)
FORCE:
.PHONY: all lib modules unit clean FORCE
