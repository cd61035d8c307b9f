# Thin front over meson. Every target that needs packages installs what is missing first.
PYTHON  := /usr/bin/python3
PREFIX  ?= /usr/local
DESTDIR ?=
SECONDS ?= 60
ONLY    ?=
KEEP    ?=
JSON    ?=
QUICK   ?=
PLOT    ?=
DETAILS ?=
README  ?=

.DEFAULT_GOAL := build
.PHONY: build demo test test-qemu check check-fast fuzz bench bench-parse bench-media bench-srtp bench-tls bench-flood bench-ids bench-assess coverage install uninstall clean help

build:
	@tools/install-deps build
	@tools/build

demo: build
	@tools/install-deps demo
	@exec tools/demo $(if $(filter 1 yes,$(KEEP)),--keep)

test:
	@tools/install-deps build test
	@$(PYTHON) tools/run_tests.py $(if $(ONLY),--only $(ONLY))

# Minutes on an emulated processor: for itself, beside `make test`.
test-qemu: build
	@tools/install-deps test qemu
	@$(PYTHON) tests/qemu/boot.py

check:
	@tools/install-deps build test check
	@tools/check-all

check-fast:
	@tools/install-deps check
	@tools/check-fast

fuzz:
	@tools/install-deps build test
	@$(PYTHON) tools/run_fuzz.py --seconds $(SECONDS) $(if $(RUNS),--runs $(RUNS))

bench: build
	@tools/install-deps test bench
	@$(PYTHON) tools/run_bench.py

bench-parse:
	@tools/install-deps build bench
	@$(PYTHON) tools/run_bench.py --only parse $(if $(JSON),--json $(JSON))

bench-srtp:
	@tools/install-deps build test bench
	@$(PYTHON) tools/run_bench.py --only srtp $(if $(JSON),--json $(JSON)) $(if $(filter 1 yes,$(QUICK)),--quick)

bench-flood:
	@tools/install-deps build test bench
	@$(PYTHON) tools/run_bench.py --only flood $(if $(JSON),--json $(JSON)) --seconds $(SECONDS)

# What watch and Suricata 8 name in captures of attacks.
bench-ids:
	@tools/install-deps build test bench
	@$(PYTHON) tools/run_bench.py --only ids $(if $(JSON),--json $(JSON))

bench-assess:
	@tools/install-deps build test
	@$(PYTHON) tools/run_bench.py --only assess $(if $(JSON),--json $(JSON))

bench-tls:
	@tools/install-deps build test bench
	@$(PYTHON) tools/run_bench.py --only tls $(if $(JSON),--json $(JSON)) $(if $(filter 1 yes,$(QUICK)),--quick)

bench-media:
	@tools/install-deps build test bench
	@$(PYTHON) tools/run_bench.py --only media $(if $(JSON),--json $(JSON)) $(if $(filter 1 yes,$(QUICK)),--quick) $(if $(PLOT),--plot $(PLOT)) $(if $(DETAILS),--details $(DETAILS)) $(if $(filter 1 yes,$(README)),--readme)

coverage:
	@tools/install-deps build test check
	@$(PYTHON) tools/run_coverage.py
	@$(PYTHON) tools/run_bpf_coverage.py

install:
	@tools/install-deps build
	@tools/build --prefix $(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C build-install --no-rebuild --quiet

uninstall:
	@DESTDIR=$(DESTDIR) tools/uninstall $(PREFIX)

clean:
	rm -rf build build-clang build-asan build-fuzz build-coverage build-bpf-coverage build-install build-analyzer

help:
	@echo 'make                     build/hornwork'
	@echo 'make demo [KEEP=1]       a real call through the gateway, in network namespaces'
	@echo 'make test [ONLY=KIND]    every suite; KIND: unit flow fuzz bpf e2e r1 r2 r3 r4 r5'
	@echo 'make test-qemu           on a stock kernel, in an emulated machine (minutes)'
	@echo 'make check               every static gate (make check-fast: the quick ones)'
	@echo 'make fuzz [SECONDS=60 | RUNS=N]   each fuzz target for that long, with its coverage floor'
	@echo 'make bench               every measurement, peers beside us'
	@echo 'make bench-parse [JSON=FILE]'
	@echo 'make bench-srtp [JSON=FILE] [QUICK=1]'
	@echo 'make bench-tls [JSON=FILE] [QUICK=1]'
	@echo 'make bench-assess [JSON=FILE]'
	@echo 'make bench-ids [JSON=FILE]'
	@echo 'make bench-flood [JSON=FILE] [SECONDS=60]'
	@echo 'make bench-media [JSON=FILE] [PLOT=FILE.svg] [DETAILS=FILE] [README=1] [QUICK=1]'
	@echo 'make coverage            coverage of base, proto, call, guard and its floor; of the kernel program each branch'
	@echo 'make install [DESTDIR= PREFIX=/usr/local], make uninstall, make clean'
