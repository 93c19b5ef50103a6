# A thin front over CMake; everything that is built is described in CMakeLists.txt.
# Settings: BUILD=folder  PREFIX=folder  JOBS=n  CMAKE_FLAGS="-DDN_ONEDNN=OFF ..."  CC=compiler
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
export CMAKE_FLAGS

# A build folder keeps the generator that it was made with; a new one takes Ninja where there is Ninja. Asked when the
# recipe runs, not when it is expanded: the line before may have installed it.
new = $$([ -e $(1)/CMakeCache.txt ] || echo $(2))
ninja = $(call new,$(1),$$(command -v ninja >/dev/null && echo -G Ninja))
configure = cmake -S . -B $(1) --log-level=NOTICE $(ninja) $(2) $(CMAKE_FLAGS)
unoptimized = -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O1 -g1" -DCMAKE_CXX_FLAGS="-O1 -g1"
compile = cmake --build $(1) --parallel $(JOBS)
ctest = ctest --test-dir $(1) --output-on-failure --parallel $(JOBS) $(CTEST_FLAGS)

.PHONY: all demo test test-sanitize check-clang lint format bundle deps install clean help

all: ## build the program, build/dunlin (the default)
	@cmake/packages.sh -n build
	@$(call configure,$(BUILD),$(call new,$(BUILD),-DDN_TESTS=OFF))
	@$(call compile,$(BUILD))

demo: ## install what is missing, build, and train and judge a small ensemble
	@cmake/packages.sh build demo
	@$(call configure,$(BUILD),$(call new,$(BUILD),-DDN_TESTS=OFF))
	@$(call compile,$(BUILD))
	@apps/demo.sh $(BUILD)/dunlin

test: ## install what is missing, build, and run all tests; CTEST_FLAGS="-R name" runs some
	@cmake/packages.sh build demo test
	@$(call configure,$(BUILD),-DDN_TESTS=ON)
	@$(call compile,$(BUILD))
	@$(call ctest,$(BUILD))

test-sanitize: ## the same tests under the address and undefined-behaviour sanitizers, CUDA kernels on the emulator only
	@cmake/packages.sh build demo test
	@$(call configure,$(BUILD)-sanitize,$(unoptimized) -DDN_TESTS=ON -DDN_SANITIZE=ON -DDN_CUDA=off)
	@$(call compile,$(BUILD)-sanitize)
	@$(call ctest,$(BUILD)-sanitize) --label-exclude lint

check-clang: ## compile everything with clang, warnings are errors
	@cmake/packages.sh build demo test lint
	@CC=clang CXX=clang++ $(call configure,$(BUILD)-clang,$(unoptimized) -DDN_TESTS=ON -DDN_CUDA=off)
	@$(call compile,$(BUILD)-clang)

lint: ## style, complexity and static analysis (also part of make test where the tools are there)
	@cmake/packages.sh build demo test lint
	@$(call configure,$(BUILD),-DDN_TESTS=ON)
	@$(call ctest,$(BUILD)) --label-regex lint

format: ## rewrite all C files in the project's format
	@tests/lint/files.sh c h cpp cu cuh | xargs "$$(tests/lint/tool.sh clang-format)" -i

# The mutants are for the emulator.
bundled_tests = $(filter-out test_cuda_mutants,$(notdir $(basename $(wildcard tests/test_cuda_*.c)))) test_check_backend \
  test_score_device
bundle: ## a folder and a file of it, build-bundle/bundle/dunlin.tar.xz, that run on a GPU machine where nothing can be installed
	@cmake/packages.sh build test
	@$(call configure,$(BUILD)-bundle,-DDN_TESTS=ON -DDN_BUNDLE=ON -DDN_CUDA=on)
	@$(call compile,$(BUILD)-bundle) --target dn_program $(bundled_tests)
	@cmake/bundle.sh $(BUILD)-bundle $(BUILD)-bundle/bundle/dunlin

deps: ## install what building, testing and linting need
	@cmake/packages.sh build demo test lint

install: all ## install the program, the library and the headers under PREFIX
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## remove the build folders
	@cmake -E rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-clang $(BUILD)-bundle

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
