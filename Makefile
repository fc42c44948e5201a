# symbi-lua: GNU make, no generator. `make` builds ./symbi-lua, libsymbi and the Lua modules; `make demo` sets up and runs the
# main job; `make check` sets up and runs all the tests. Variables: B (build folder), LAYERS (C folders to build), IO=none,
# DEV=1 (warnings are errors), SAN=1 (address and undefined-behaviour sanitizers, in $(B)-san), CC, DESTDIR, PREFIX.
.DELETE_ON_ERROR:
.SUFFIXES:

CC ?= gcc
AR ?= ar
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
OPT ?= -O2 -g
B ?= build
ifdef SAN
  override B := $(B)-san
  SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

CORE_LAYERS := base codec wire crypto match cedar comm cron schemapin agentpin webhook netguard toolclad skills dsl state gate run server
LAYERS ?= $(CORE_LAYERS)
ifeq ($(IO),none)
  IO_LAYER :=
else
  IO_LAYER := io
endif

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wvla -Wformat=2
ifdef DEV
  WARN += -Werror
endif
CFLAGS ?= $(OPT)
SY_CFLAGS := -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -fPIC -fvisibility=hidden $(WARN) $(SANFLAGS) $(SY_EXTRA) -Ihost -Ihost/include
CORE_LIBS := -lcrypto

CORE_SRC := $(foreach l,$(LAYERS),$(wildcard host/$(l)/*.c))
CORE_OBJ := $(CORE_SRC:%.c=$(B)/obj/%.o)
IO_SRC := $(foreach l,$(IO_LAYER),$(wildcard host/$(l)/*.c))
IO_OBJ := $(IO_SRC:%.c=$(B)/obj/%.o)

all: lib

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(SY_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

lib: $(B)/libsymbi.a
$(B)/libsymbi.a: $(CORE_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^
$(B)/libsymbi-io.a: $(IO_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

# One program per tests/unit/<name>_test.c. `make unit T=json` builds and runs one.
UNIT_SRC := $(if $(T),tests/unit/$(T)_test.c,$(wildcard tests/unit/*_test.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
$(B)/unit/%: tests/unit/%.c tests/unit/test.h $(B)/libsymbi.a
	@mkdir -p $(@D)
	$(CC) $(SY_CFLAGS) $(CFLAGS) -Itests/unit -MMD -MP $< -o $@ $(B)/libsymbi.a $(CORE_LIBS) -lpthread -lm $(LDFLAGS)
unit: $(UNIT_BIN)
	@st=0; for t in $(UNIT_BIN); do echo "== $$t"; $$t || st=1; done; exit $$st

clean:
	rm -rf build build-* symbi-lua

-include $(CORE_OBJ:.o=.d) $(IO_OBJ:.o=.d) $(UNIT_BIN:=.d)
.PHONY: all lib unit clean
