# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets. V=1 shows commands, WERROR=1 makes warnings errors, SANITIZE=1 instruments.

.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(shell command -v bpftool) /usr/sbin/bpftool)
# sanitized objects have a place of their own
B       := build$(if $(SANITIZE),/san)

PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
DESTDIR ?=

# The one list of packages (Debian's names): to build, to test, to look at the code.
DEPS_BUILD := gcc libc6-dev make pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libmnl-dev \
	libjson-c-dev libseccomp-dev libinih-dev
DEPS_DEMO  := iproute2 util-linux curl procps
DEPS_TEST  := bats libcmocka-dev jq strace musl-tools ncat nginx-light redis-server haproxy python3 python3-uvicorn \
	default-jdk-headless git binutils passwd libclang-rt-dev python3-prometheus-client zsh fish dnsmasq-base unbound bind9-dnsutils socat iperf3 \
	systemd gunicorn nodejs
# For other kernels; and for other libcs, architectures, allocators and preloads.
DEPS_KERNELS := qemu-system-x86 busybox-static kmod cpio xz-utils
DEPS_LIBC  := debootstrap gcc-i686-linux-gnu libc6-dev-i386-cross gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static \
	musl-tools libjemalloc2 libtcmalloc-minimal4 libfaketime libeatmydata1 fakeroot authbind
DEPS_BENCH := gnuplot-nox haproxy jq nftables nginx-light redis-server redis-tools socat wrk
DEPS_LINT  := clang-format clang-tidy cppcheck shellcheck mandoc

VERSION := 0.1.0

# The helper, the command and the tests that link them; not the shim, nor what is run with it preloaded.
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# so that something may be preloaded before the sanitizer's own library
SAN_LDFLAGS = $(SAN) $(if $(findstring clang,$(CC)),,-static-libasan -static-libubsan)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

PKGS     := libbpf libmnl libseccomp inih
CPPFLAGS += -I. -I$(B) $(VARIANT) -D_GNU_SOURCE -DSKL_VERSION='"$(VERSION)"' -DSKL_SHIM_PATH='"$(LIBDIR)/skl/libsklshim.so"' \
	-DSKL_HELPER_PATH='"$(PREFIX)/sbin/sklhelper"'
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wno-unused-parameter $(if $(WERROR),-Werror)
LDFLAGS  += $(if $(SANITIZE),$(SAN_LDFLAGS))
# Looked up only when something is compiled, so that `make deps` works before pkg-config is there.
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) json-c libseccomp)
PKG_LIBS   = $(shell pkg-config --libs $(PKGS))

MULTIARCH  = $(shell $(CC) -print-multiarch)
BPF_CFLAGS = $(BPF_CPU) -g -O2 -target bpf -I. -idirafter /usr/include/$(MULTIARCH) -Wall -Wextra $(if $(WERROR),-Werror)

SHIM_SRC   := $(wildcard preload/*.c)
HELPER_SRC := $(filter-out helper/main.c,$(wildcard helper/*.c helper/server/*.c helper/rules/*.c helper/datapath/*.c helper/broker/*.c))
CLI_SRC    := $(wildcard helper/cli/*.c)
UNIT_SRC   := $(wildcard tests/unit/*.c)
BPFTEST    := $(patsubst tests/bpf/%.c,$(B)/tests/bpf-%,$(wildcard tests/bpf/*.c))
BENCH      := $(patsubst tests/bench/%.c,$(B)/tests/bench-%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
FUZZ       := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz-%,$(wildcard tests/fuzz/*.c))
TOOLS      := $(patsubst tests/tools/%.c,$(B)/tests/%,$(filter-out tests/tools/lib-%,$(wildcard tests/tools/*.c))) \
	$(patsubst tests/tools/%.c,$(B)/tests/%.so,$(wildcard tests/tools/lib-*.c))
EXAMPLES   := $(patsubst examples/%.c,$(B)/examples/%,$(wildcard examples/*.c))
C_FILES    := $(wildcard preload/*.[ch] helper/*.[ch] helper/*/*.[ch] bpf/*.[ch] tests/*/*.[ch] examples/*.c)
SH_FILES   := $(wildcard examples/*.sh tests/*.sh tests/*/*.sh tests/*/*.bash tests/*/*.bats) .ci/run tests/run tests/bench/run tests/fuzz/run tests/kernels/run tests/kernels/guest tests/libc/run

comma := ,
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

.PHONY: all
all: $(B)/libsklshim.so $(B)/sklhelper $(B)/skl $(EXAMPLES) ## build the shim, the helper, the command and the examples

# ---- the shim: no libc, so that one file serves every libc (see preload/) ----

SHIM_CFLAGS := -std=gnu11 -Os -g -ffreestanding -fPIC -fvisibility=hidden -fno-stack-protector -U_FORTIFY_SOURCE \
	-fno-asynchronous-unwind-tables -fcf-protection=none \
	-Wall -Wextra -Wshadow -Wmissing-prototypes $(if $(WERROR),-Werror)
SHIM_LDFLAGS := -shared -nostdlib -Wl,-soname,libsklshim.so -Wl,--version-script=preload/exports.map -Wl,-Bsymbolic \
	-Wl,-z,relro,-z,now,-z,nodelete,-z,noexecstack -Wl,--hash-style=both -Wl,--build-id=none

# for programs of this kind, and of others
SHIMS := $(B)/libsklshim.so $(B)/i386/libsklshim.so $(B)/aarch64/libsklshim.so
$(B)/libsklshim.so: SHIM_CC = $(CC)
$(B)/i386/libsklshim.so: SHIM_CC = i686-linux-gnu-gcc
$(B)/aarch64/libsklshim.so: SHIM_CC = aarch64-linux-gnu-gcc

$(SHIMS): $(SHIM_SRC) $(wildcard preload/*.h) preload/exports.map helper/wire.h
	$(call say,SHIM,$@)
	@mkdir -p $(@D)
	$(Q)$(SHIM_CC) -I. $(SHIM_CFLAGS) $(SHIM_LDFLAGS) -o $@ $(SHIM_SRC)

# ---- the BPF programs ----

$(B)/obj/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/bpf/%.skel.h: $(B)/obj/bpf/%.bpf.o
	$(call say,SKEL,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# programs that the bench compares with
$(B)/obj/tests/bench/%.bpf.o: tests/bench/%.bpf.c $(wildcard tests/bench/*.h) bpf/maps.h
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/bench/%.skel.h: $(B)/obj/tests/bench/%.bpf.o
	$(call say,SKEL,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

SKELS := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.skel.h,$(wildcard bpf/*.bpf.c))
BENCH_SKELS := $(patsubst tests/bench/%.bpf.c,$(B)/bench/%.skel.h,$(wildcard tests/bench/*.bpf.c))

# ---- the helper and the command ----

$(B)/obj/%.o: %.c | $(SKELS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(if $(SANITIZE),$(SAN)) $(PKG_CFLAGS) -MMD -MP -c $< -o $@

# Paths are compiled in: another PREFIX is another build of what has them.
$(B)/paths: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX) $(LIBDIR)' | cmp -s - $@ || echo '$(PREFIX) $(LIBDIR)' > $@
.PHONY: FORCE
$(call obj,$(CLI_SRC)): $(B)/paths

$(B)/libhelper.a: $(call obj,$(HELPER_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/sklhelper: $(call obj,helper/main.c) $(B)/libhelper.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/skl: $(call obj,$(CLI_SRC)) $(B)/libhelper.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c libmnl libseccomp inih)

$(B)/examples/%: examples/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $< -pthread

# ---- tests: a new one is a new file ----

define LINK_TEST
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka
endef

$(B)/tests/unit-%: $(B)/obj/tests/unit/%.o $(B)/libhelper.a
	$(LINK_TEST)

$(B)/tests/bpf-%: $(B)/obj/tests/bpf/%.o $(B)/libhelper.a
	$(LINK_TEST)

$(B)/tests/bench-%: $(B)/obj/tests/bench/%.o $(B)/libhelper.a
	$(LINK_TEST)

$(patsubst $(B)/tests/bench-%,$(B)/obj/tests/bench/%.o,$(BENCH)): | $(BENCH_SKELS)

$(B)/tests/%.so: tests/tools/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<

$(B)/tests/%: tests/tools/%.c $(wildcard tests/tools/*.h) helper/wire.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -pthread

# ---- fuzzing: tests/fuzz/NAME.c with what it starts from in tests/fuzz/corpus/NAME/ ----

FUZZ_FLAGS := -g -O2 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

$(B)/obj/fuzz/%.o: %.c | $(SKELS)
	$(call say,FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
		$(if $(WERROR),-Werror) $(FUZZ_FLAGS) \
		$(PKG_CFLAGS) -MMD -MP -c $< -o $@

$(B)/libfuzzed.a: $(patsubst %.c,$(B)/obj/fuzz/%.o,$(HELPER_SRC) $(filter-out helper/cli/skl.c,$(CLI_SRC)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# their loops over all ports would be slow, and no input has to look like something that they compare with
$(B)/obj/fuzz/helper/datapath/%.o $(B)/obj/fuzz/tests/fuzz/pins.o: FUZZ_FLAGS += -fno-sanitize-coverage=trace-cmp

# what asks the kernel is not what is tested
$(B)/tests/fuzz-pins: FUZZ_WRAP := $(addprefix -Wl$(comma)--wrap=,pool_grace_period shape_open shape_check_fit \
	shape_check_names pins_check_directory upgrade_programs)
$(B)/tests/fuzz-%: $(B)/obj/fuzz/tests/fuzz/%.o $(B)/libfuzzed.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $(FUZZ_WRAP) -o $@ $^ $(PKG_LIBS) \
		$(shell pkg-config --libs json-c)

# Helpers that are otherwise: one that dies where it is told to, one whose programs are compiled for another
# BPF machine and so are others, one with another layout of its maps.
$(B)/faults/sklhelper: OTHERWISE = VARIANT=-DSKL_FAULTS
$(B)/program/sklhelper: OTHERWISE = BPF_CPU=-mcpu=v3
$(B)/layout/sklhelper: OTHERWISE = VARIANT=-DSKL_LAYOUT=1000
VARIANTS := $(B)/faults/sklhelper $(B)/program/sklhelper $(B)/layout/sklhelper

$(VARIANTS): $(B)/sklhelper
	@$(MAKE) --no-print-directory B=$(@D) $(OTHERWISE) $@

TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit-%,$(UNIT_SRC)) $(BPFTEST) $(TOOLS) $(FUZZ)

.PHONY: tests
tests: all $(TESTS) $(VARIANTS)

# ---- what people type ----

# Only what is missing is installed, and no service is started by it.
install_packages = @bash tests/lib/packages.bash

.PHONY: demo
demo: ## install what is missing, build, and show the main job (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO)
	@$(MAKE) --no-print-directory all
	@bash examples/demo.sh

.PHONY: check
check: ## install what is missing, build, and run every test that needs no virtual machine (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST)
	@$(MAKE) --no-print-directory -j$$(nproc) tests
	@TESTS_BUILD=$(B) tests/run

.PHONY: check-long
check-long: tests ## the tests that take long: kills and failing calls at every step, floods, load, real programs that share (root)
	@TESTS_BUILD=$(B) tests/run tests/long/*.bats

# K="5.10 6.1": which kernels (tests/kernels/list); T=tests/e2e/x.bats: which tests; J: how many machines at a time
K ?=
T ?=
J ?= $(shell nproc)
.PHONY: check-kernels
check-kernels: ## the tests on the kernels of other Debian releases, in virtual machines; K=6.1 T=tests/e2e/x.bats (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST) $(DEPS_KERNELS)
	@$(MAKE) --no-print-directory -j$$(nproc) tests
	@TESTS_BUILD=$(B) tests/kernels/run -k "$(K)" -j $(J) $(T)

.PHONY: check-libc
check-libc: ## the shim with the libcs of other Debian releases, musl, i386 and aarch64, allocators and preloads (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST) $(DEPS_LIBC)
	@$(MAKE) --no-print-directory -j$$(nproc) tests $(SHIMS)
	@TESTS_BUILD=$(B) tests/libc/run

.PHONY: bench
bench: ## measure, in namespaces of its own (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_BENCH)
	@$(MAKE) --no-print-directory all $(BENCH)
	@bash tests/bench/run

FUZZ_S ?= 60
.PHONY: fuzz
fuzz: ## search for inputs that break something, each target for FUZZ_S seconds (60)
	$(install_packages) $(DEPS_BUILD) $(DEPS_TEST)
	@$(MAKE) --no-print-directory $(FUZZ)
	@tests/fuzz/run -s $(FUZZ_S) $(FUZZ)

.PHONY: deps
deps: ## install every package that any target needs (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST) $(DEPS_KERNELS) $(DEPS_LIBC) $(DEPS_BENCH) $(DEPS_LINT)

TIDY = $(subst -I$(B),-isystem $(B),$(CPPFLAGS)) -std=gnu11 $(PKG_CFLAGS)
SKEL_USERS := $(shell grep -l '[.]skel[.]h"' $(HELPER_SRC))

.PHONY: lint
lint: $(SKELS) $(BENCH_SKELS) ## look at the code: format, clang-tidy, cppcheck, shellcheck, mandoc, layers
	clang-format --dry-run --Werror $(C_FILES)
	shellcheck -x $(SH_FILES)
	mandoc -T lint -W warning $(wildcard preload/*.7 helper/*.5 helper/*.8 helper/cli/*.1)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
		--suppressions-list=.cppcheck -I. -I$(B) -D_GNU_SOURCE -DSKL_VERSION='""' '-DLIBBPF_OPTS(type,name,...)=struct type name={__VA_ARGS__}' \
		$(filter-out $(wildcard bpf/*.c tests/bench/*.bpf.c),$(filter %.c,$(C_FILES)))
	clang-tidy --quiet --warnings-as-errors='*' $(filter-out $(SKEL_USERS),$(HELPER_SRC)) helper/main.c $(CLI_SRC) -- $(TIDY) 2>/dev/null
	@# what bpftool generates leaks in an error path of its own
	clang-tidy --quiet --warnings-as-errors='*' --checks=-clang-analyzer-unix.Malloc $(SKEL_USERS) -- $(TIDY) 2>/dev/null
	clang-tidy --quiet --warnings-as-errors='*' $(SHIM_SRC) -- -I. -std=gnu11 -ffreestanding 2>/dev/null
	@! grep -n '#include "' preload/*.[ch] | grep -v -e '"preload/' -e '"helper/wire.h"' || \
		{ echo "preload/ includes something else than helper/wire.h"; exit 1; }
	@! grep -n '#include.*\(bpf\|datapath\|server\)/' helper/rules/*.[ch] || { echo "rules/ is pure"; exit 1; }
	@! grep -ln '#include <bpf/' helper/*.c helper/rules/*.c helper/server/*.c helper/cli/*.c || \
		{ echo "only helper/datapath/ uses libbpf"; exit 1; }
	$(MAKE) --no-print-directory tests WERROR=1 VARIANTS= B=$(B)/lint-gcc CC=gcc
	$(MAKE) --no-print-directory tests WERROR=1 VARIANTS= B=$(B)/lint-clang CC=clang

.PHONY: install
install: all ## install below DESTDIR and PREFIX; the shim goes to LIBDIR/skl
	install -D -s -m 755 $(B)/sklhelper $(DESTDIR)$(PREFIX)/sbin/sklhelper
	install -D -s -m 755 $(B)/skl $(DESTDIR)$(PREFIX)/bin/skl
	install -D -s -m 644 $(B)/libsklshim.so $(DESTDIR)$(LIBDIR)/skl/libsklshim.so
	install -D -m 644 preload/libsklshim.7 $(DESTDIR)$(PREFIX)/share/man/man7/libsklshim.7
	install -D -m 644 helper/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/skl.conf
	install -D -m 644 helper/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/skl.conf
	install -d $(DESTDIR)$(UNITDIR)
	sed 's,@PREFIX@,$(PREFIX),g' helper/systemd/sklhelper.service > $(DESTDIR)$(UNITDIR)/sklhelper.service
	chmod 644 $(DESTDIR)$(UNITDIR)/sklhelper.service
	install -m 644 helper/systemd/sklhelper.socket $(DESTDIR)$(UNITDIR)/sklhelper.socket
	install -D -m 644 helper/cli/skl.1 $(DESTDIR)$(PREFIX)/share/man/man1/skl.1
	install -D -m 644 helper/sklhelper.8 $(DESTDIR)$(PREFIX)/share/man/man8/sklhelper.8
	install -D -m 644 helper/skl-policy.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/skl-policy.conf.5
	install -D -m 644 helper/cli/completions/skl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/skl
	install -D -m 644 helper/cli/completions/_skl $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_skl
	install -D -m 644 helper/cli/completions/skl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/skl.fish

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/sklhelper $(DESTDIR)$(PREFIX)/bin/skl $(DESTDIR)$(LIBDIR)/skl/libsklshim.so \
		$(DESTDIR)$(PREFIX)/share/man/man7/libsklshim.7 $(DESTDIR)$(PREFIX)/share/man/man1/skl.1 $(DESTDIR)$(PREFIX)/share/man/man8/sklhelper.8 \
		$(DESTDIR)$(PREFIX)/share/man/man5/skl-policy.conf.5 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/skl \
		$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_skl \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/skl.fish \
		$(DESTDIR)$(UNITDIR)/sklhelper.service \
		$(DESTDIR)$(UNITDIR)/sklhelper.socket $(DESTDIR)$(PREFIX)/lib/sysusers.d/skl.conf \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/skl.conf
	-rmdir $(DESTDIR)$(LIBDIR)/skl

.PHONY: clean
clean: ## remove what was built
	rm -rf $(B)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
