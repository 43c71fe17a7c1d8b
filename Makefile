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
STRIP   ?= -s

# The one list of packages (Debian's names): to build, to test, to look at the code.
DEPS_BUILD := gcc libc6-dev make pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libmnl-dev \
	libjson-c-dev libseccomp-dev libinih-dev
DEPS_DEMO  := iproute2 util-linux curl procps
DEPS_TEST  := bats libcmocka-dev jq strace musl-tools ncat nginx-light redis-server haproxy python3 python3-uvicorn \
	default-jdk-headless git binutils passwd libclang-rt-dev python3-prometheus-client zsh fish dnsmasq-base unbound bind9-dnsutils socat iperf3 \
	systemd gunicorn nodejs bubblewrap python3-yaml python3-kubernetes $(if $(SHIM32),libc6-i386)
# For other kernels; and for other libcs, architectures, allocators and preloads.
DEPS_KERNELS := qemu-system-x86 busybox-static kmod cpio xz-utils
DEPS_LIBC  := debootstrap gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static musl-tools libjemalloc2 libtcmalloc-minimal4 \
	libfaketime libeatmydata1 fakeroot authbind
DEPS_BENCH := gnuplot-nox haproxy jq nftables nginx-light redis-server redis-tools socat wrk
DEPS_DEB   := build-essential debhelper lintian systemd
DEPS_LINT  := clang-format clang-tidy cppcheck shellcheck mandoc

VERSION := 0.1.0

# The helper, the command and the tests that link them; not the shim, nor what is run with it preloaded.
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# so that something may be preloaded before the sanitizer's own library
SAN_LDFLAGS = $(SAN) $(if $(findstring clang,$(CC)),,-static-libasan -static-libubsan)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

PKGS     := libbpf libmnl libseccomp inih
CPPFLAGS += -I. -I$(B) $(VARIANT) -D_GNU_SOURCE -DSKL_VERSION='"$(VERSION)"'
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wno-unused-parameter $(if $(WERROR),-Werror) $(ANYWHERE)
# where the tree lies is in nothing that is built: the same source gives the same files
ANYWHERE := -ffile-prefix-map=$(CURDIR)=.
LDFLAGS  += $(if $(SANITIZE),$(SAN_LDFLAGS))
# Looked up only when something is compiled, so that `make deps` works before pkg-config is there.
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) json-c libseccomp)
PKG_LIBS   = $(shell pkg-config --libs $(PKGS))

MULTIARCH  = $(shell $(CC) -print-multiarch)
BPF_CFLAGS = $(BPF_CPU) -g -O2 -target bpf -I. -idirafter /usr/include/$(MULTIARCH) -Wall -Wextra $(if $(WERROR),-Werror) $(ANYWHERE)

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
SH_FILES   := $(wildcard examples/*.sh examples/container/entrypoint tests/*.sh tests/*/*.sh tests/*/*.bash tests/*/*.bats \
	tests/programs/matrix/*.sh tests/programs/matrix/*.bash) .ci/run tests/run tests/bench/run tests/fuzz/run \
	tests/programs/matrix/run tests/kernels/run tests/kernels/guest tests/libc/run

comma := ,
# For 32-bit programs of a 64-bit x86 system. It needs no library and no header but the kernel's, so that a compiler
# for both kinds is enough; without one it is left out.
SHIM32 := $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine 2>/dev/null)),\
	$(if $(shell echo 'int x;' | $(CC) -m32 -S -xc -o - - 2>/dev/null),$(B)/shim32/libsklshim.so))

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

.PHONY: all
all: $(B)/libsklshim.so $(SHIM32) $(B)/sklhelper $(B)/skl $(EXAMPLES) ## build the shim, the helper, the command and the examples

# ---- the shim: no libc, so that one file serves every libc (see preload/) ----

SHIM_CFLAGS := -std=gnu11 -Os -g -ffreestanding -fPIC -fvisibility=hidden -fno-stack-protector -U_FORTIFY_SOURCE \
	-fno-asynchronous-unwind-tables -fcf-protection=none \
	-Wall -Wextra -Wshadow -Wmissing-prototypes $(if $(WERROR),-Werror) $(ANYWHERE)
SHIM_LDFLAGS := -shared -nostdlib -Wl,-soname,libsklshim.so -Wl,--version-script=preload/exports.map -Wl,-Bsymbolic \
	-Wl,-z,relro,-z,now,-z,nodelete,-z,noexecstack -Wl,--hash-style=both -Wl,--build-id=none

$(B)/shim32/libsklshim.so: SHIM_CFLAGS += -m32 -idirafter /usr/include/$(MULTIARCH)
$(B)/aarch64/libsklshim.so: CC = aarch64-linux-gnu-gcc
SHIMS := $(B)/libsklshim.so $(SHIM32) $(B)/aarch64/libsklshim.so

$(SHIMS): $(SHIM_SRC) $(wildcard preload/*.h) preload/exports.map helper/wire.h
	$(call say,SHIM,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -I. $(SHIM_CFLAGS) $(SHIM_LDFLAGS) -o $@ $(SHIM_SRC)

# ---- the BPF programs ----

$(B)/obj/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/obj/bpf/traced.bpf.o: bpf/dispatch.bpf.c

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
	$(Q)$(CC) $(CPPFLAGS) $(PLACES) $(CFLAGS) $(if $(SANITIZE),$(SAN)) $(PKG_CFLAGS) -MMD -MP -c $< -o $@

# Paths are compiled in: another PREFIX is another build of what has them.
$(B)/paths: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX) $(LIBDIR)' | cmp -s - $@ || echo '$(PREFIX) $(LIBDIR)' > $@
.PHONY: FORCE
$(call obj,helper/cli/place.c): $(B)/paths
$(call obj,helper/cli/place.c): PLACES = -DSKL_SHIM_PATH='"$(SHIM_PATH)"' -DSKL_HELPER_PATH='"$(PREFIX)/sbin/sklhelper"'

$(B)/libhelper.a: $(call obj,$(HELPER_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/sklhelper: $(call obj,helper/main.c) $(B)/libhelper.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/skl: $(call obj,$(CLI_SRC)) $(B)/libhelper.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c libmnl libseccomp inih) -pthread

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
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@bash examples/demo.sh

.PHONY: check
check: ## install what is missing, build, and run every test that needs no virtual machine (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST)
	@$(MAKE) --no-print-directory -j$$(nproc) tests
	@TESTS_BUILD=$(B) tests/run

.PHONY: check-long
check-long: tests ## the tests that take long: kills and failing calls at every step, floods, load, real programs that share (root)
	@TESTS_BUILD=$(B) tests/run tests/long/*.bats

# The servers are named in tests/programs/matrix/ and installed into an overlay there, not on this machine.
.PHONY: check-programs
check-programs: ## start some seventy real servers under skl, or only P=nginx, and ask them on extra ports and addresses (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO)
	@$(MAKE) --no-print-directory all $(addprefix $(B)/tests/,srv-ask udp-ask uring-listen)
	@TESTS_BUILD=$(B) tests/programs/matrix/run $(P)

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
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BENCH)
	@bash tests/bench/run

FUZZ_S ?= 60
.PHONY: fuzz
fuzz: ## search for inputs that break something, each target for FUZZ_S seconds (60)
	$(install_packages) $(DEPS_BUILD) $(DEPS_TEST)
	@$(MAKE) --no-print-directory -j$$(nproc) $(FUZZ)
	@tests/fuzz/run -s $(FUZZ_S) $(FUZZ)

.PHONY: deps
deps: ## install every package that any target needs (root)
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST) $(DEPS_KERNELS) $(DEPS_LIBC) $(DEPS_BENCH) $(DEPS_DEB) $(DEPS_LINT)

.PHONY: deps-build
deps-build: ## install the packages that building needs (root)
	$(install_packages) $(DEPS_BUILD)

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
	@! grep -ln '#include <bpf/' helper/*.c $(filter-out helper/datapath/%,$(wildcard helper/*/*.c)) || \
		{ echo "only helper/datapath/ uses libbpf"; exit 1; }
	$(MAKE) --no-print-directory tests WERROR=1 VARIANTS= B=$(B)/lint-gcc CC=gcc
	$(MAKE) --no-print-directory tests WERROR=1 VARIANTS= B=$(B)/lint-clang CC=clang

# The shim is LIBDIR/skl/libsklshim.so. What a loader makes of "$LIB" is different in each kind of system and for each
# kind of program: below LIBDIR/skl each finds the file that is for it.
SHIM_PATH    = $(LIBDIR)/skl/$$LIB/libsklshim.so
LIB_NAMES    = $(sort $(notdir $(shell $(CC) $(1) -print-multi-os-directory)) $(addprefix lib/,$(shell $(CC) $(1) -print-multiarch)) $(2))
SHIM_LINKS   = $(addprefix $(LIBDIR)/skl/,$(addsuffix /libsklshim.so,$(call LIB_NAMES,,lib64)))
SHIM32_FILES = $(if $(SHIM32),$(addprefix $(LIBDIR)/skl/,$(addsuffix /libsklshim.so,$(call LIB_NAMES,-m32,lib32 lib/i386-linux-gnu))))

# FILE:DESTINATION of what is copied as it is
SHARE        = $(PREFIX)/share
INSTALL_DATA = preload/libsklshim.7:$(SHARE)/man/man7/libsklshim.7 helper/cli/skl.1:$(SHARE)/man/man1/skl.1 \
	helper/sklhelper.8:$(SHARE)/man/man8/sklhelper.8 helper/skl-policy.conf.5:$(SHARE)/man/man5/skl-policy.conf.5 \
	helper/cli/completions/skl.bash:$(SHARE)/bash-completion/completions/skl \
	helper/cli/completions/_skl:$(SHARE)/zsh/vendor-completions/_skl \
	helper/cli/completions/skl.fish:$(SHARE)/fish/vendor_completions.d/skl.fish \
	helper/systemd/sysusers.conf:$(PREFIX)/lib/sysusers.d/skl.conf helper/systemd/tmpfiles.conf:$(PREFIX)/lib/tmpfiles.d/skl.conf \
	helper/systemd/sklhelper.socket:$(UNITDIR)/sklhelper.socket
# the same, with @NAMES@ to be replaced
INSTALL_MADE = helper/systemd/sklhelper.service:$(UNITDIR)/sklhelper.service helper/skl.pc.in:$(LIBDIR)/pkgconfig/skl.pc
source       = $(firstword $(subst :, ,$(1)))
destination  = $(DESTDIR)$(lastword $(subst :, ,$(1)))
INSTALLED    = $(foreach f,$(INSTALL_DATA) $(INSTALL_MADE),$(call destination,$(f))) \
	$(addprefix $(DESTDIR),$(PREFIX)/sbin/sklhelper $(PREFIX)/bin/skl $(LIBDIR)/skl/libsklshim.so $(SHIM_LINKS) $(SHIM32_FILES))

define newline


endef

.PHONY: install
install: all ## install below DESTDIR and PREFIX; the shim goes to LIBDIR/skl
	install -D $(STRIP) -m 755 $(B)/sklhelper $(DESTDIR)$(PREFIX)/sbin/sklhelper
	install -D $(STRIP) -m 755 $(B)/skl $(DESTDIR)$(PREFIX)/bin/skl
	install -D $(STRIP) -m 644 $(B)/libsklshim.so $(DESTDIR)$(LIBDIR)/skl/libsklshim.so
	$(foreach f,$(SHIM_LINKS),install -d $(DESTDIR)$(dir $(f))$(newline)\
		ln -sfr $(DESTDIR)$(LIBDIR)/skl/libsklshim.so $(DESTDIR)$(f)$(newline))
	$(foreach f,$(SHIM32_FILES),install -D $(STRIP) -m 644 $(SHIM32) $(DESTDIR)$(f)$(newline))
	$(foreach f,$(INSTALL_DATA),install -D -m 644 $(call source,$(f)) $(call destination,$(f))$(newline))
	$(foreach f,$(INSTALL_MADE),install -D -m 644 /dev/null $(call destination,$(f))$(newline)\
		sed 's,@PREFIX@,$(PREFIX),g; s,@LIBDIR@,$(LIBDIR),g; s,@VERSION@,$(VERSION),g' $(call source,$(f)) > $(call destination,$(f))$(newline))

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(INSTALLED)
	@# then the directories that are empty now; in a live system not those that every system has
	@[ ! -d $(DESTDIR)$(LIBDIR)/skl ] || find $(DESTDIR)$(LIBDIR)/skl -depth -type d -empty -delete
	@cd $(DESTDIR)/ && rmdir $(if $(DESTDIR),-p $(sort $(dir $(INSTALLED:$(DESTDIR)/%=%))),$(UNITDIR) $(LIBDIR)/pkgconfig \
		$(addprefix $(PREFIX)/,lib/systemd lib/sysusers.d lib/tmpfiles.d share/bash-completion/completions \
		share/bash-completion share/zsh/vendor-completions share/zsh share/fish/vendor_completions.d share/fish)) 2>/dev/null || :

# A copy of the source with helper/debian where Debian's tools look for it.
DEB_TREE := $(B)/deb/skl-$(VERSION)
.PHONY: deb
deb: ## Debian packages, skl and libsklshim, in build/deb
	$(install_packages) $(DEPS_BUILD) $(DEPS_DEB)
	@rm -rf $(DEB_TREE)
	@mkdir -p $(DEB_TREE)
	@cp -a Makefile README.md LICENSE preload helper bpf examples $(DEB_TREE)
	@mv $(DEB_TREE)/helper/debian $(DEB_TREE)/debian
	@sed -i 's/@VERSION@/$(VERSION)/' $(DEB_TREE)/debian/changelog
	cd $(DEB_TREE) && MAKEFLAGS= MAKEOVERRIDES= DEB_BUILD_OPTIONS="noautodbgsym $$DEB_BUILD_OPTIONS" dpkg-buildpackage -b -us -uc
	@rm -rf $(DEB_TREE)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(B)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
