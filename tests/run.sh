#!/usr/bin/env bash
# Builds tsplink and runs its tests. The last line is the sum: N passed, N failed.
#
#   tests/run.sh                  the landing set: what every change must pass
#   tests/run.sh PART...          these parts only, for example: lint unit e2e@tsan
#   tests/run.sh --full           every suite in every configuration, each part bounded to ten minutes without its build
#   tests/run.sh --list           names the parts; those of the landing set are marked with *
#
#   --jobs N       compile and check with N jobs at a time (default: one for each core)
#   --no-install   do not look for missing Debian packages
#   --build-all    build also what this machine cannot run
#   --patience N   N times the time for each part, on a slow machine
#   --help
#
# A part is a suite, or SUITE@CONFIGURATION: unit@asan. Without a configuration it is the suite's first; windows and tidy
# stand for all their parts. Builds go to build/CONFIGURATION, by the presets in CMakePresets.json. Where the machine runs no
# 32-bit code, those 32-bit Windows programs are built whose exports, imports and versions are checked; the sum names what
# was not run, which counts as nothing, and tests/emulated.sh runs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/common.sh
. deploy/common.sh
# shellcheck source=deploy/wine-prefix.sh
. deploy/wine-prefix.sh

windows=(unit@windows-{x64,x86} e2e@windows-{x64,x86,mixed} conformance@windows-{x64,x86} demo@windows)
landing=(lint docs {unit,e2e,conformance,habits}@release demo {unit,e2e}@{asan,tsan} "${windows[@]}")
tidied=(wire security proxy-tsp remote-host tests/{conformance,e2e,platform,simpbx,tapisrv}) # each within a part's time
for folder in tests/unit/*; do [[ $folder == */sheet ]] || tidied+=("$folder"); done # sheet is built in release only
full=(lint docs demo {unit,e2e,conformance,habits}@{release,debug,asan,tsan} conformance@faults coverage "${windows[@]}" fuzz "${tidied[@]/#/tidy@}")
part_limit=570 # seconds for the tests of a part
build_limit=2700 # seconds for a build: cold, on two slow cores
test_limit=540 # seconds for one test executable
jobs=$(nproc)
install=yes
build_all=no
parts=()

list_parts() {
  local part mark
  for part in "${full[@]}"; do
    mark=' '
    [[ " ${landing[*]} " != *" $part "* ]] || mark='*'
    printf '%s %s\n' "$mark" "$part"
  done
}

while (($#)); do
  case $1 in
    --full) parts+=("${full[@]}") ;;
    --list) list_parts; exit ;;
    --jobs)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--jobs takes a number, not '${2:-}'"
      jobs=$2
      shift
      ;;
    --no-install) install=no ;;
    --build-all) build_all=yes ;;
    --patience)
      [[ ${2:-} =~ ^[1-9][0-9]?$ ]] || fail "--patience takes a number from 1 to 99, not '${2:-}'"
      part_limit=$((part_limit * $2)) build_limit=$((build_limit * $2)) test_limit=$((test_limit * $2))
      shift
      ;;
    -h | --help) usage; exit ;;
    -*) fail "unknown option '$1': see --help" ;;
    *)
      case $1 in
        unit | e2e | conformance | habits) chosen=("$1@release") ;;
        windows) chosen=("${windows[@]}") ;;
        tidy) chosen=("${tidied[@]/#/tidy@}") ;;
        *) chosen=("$1") ;;
      esac
      [[ " ${full[*]} " == *" ${chosen[0]} "* ]] || fail "there is no part '$1': see --list"
      parts+=("${chosen[@]}")
      ;;
  esac
  shift
done
((${#parts[@]})) || parts=("${landing[@]}")
selected=" ${parts[*]} "

# ---- Processes

scratch=$(mktemp -d)
clean_up() {
  kill_marked
  stop_wine
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# no_survivors: false when a test left processes behind that do not end by themselves; they are killed.
no_survivors() {
  ! marked_end 2 || return 0
  local pid
  for pid in $(marked); do
    printf '  left behind: %s %s\n' "$pid" "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | cut -c1-120)"
  done
  kill_marked
  return 1
}

# logged LABEL LOG COMMAND...: with_progress, within what is left of the part's time.
logged() {
  local label=$1 log=$2 left=$((part_end - SECONDS)) status=0
  shift 2
  ((left > 0)) || left=1
  with_progress "$label" "$log" timeout -k 10 "$left" "$@" || status=$?
  [[ $status != 124 && $status != 137 ]] || echo "stopped: the limit of $left s is over" >>"$log"
  return "$status"
}

# ---- Counting

good() { passed=$((passed + ${1:-1})); }
bad() { failed=$((failed + ${1:-1})); }
tail_of() { tail -n "${2:-60}" "$1" | sed 's/^/    | /'; }

# check NAME COMMAND...: one check by exit status; its output is shown when it fails.
check() {
  local name=$1 out=$scratch/check
  shift
  if "$@" >"$out" 2>&1; then
    good
  else
    bad
    printf '  FAIL  %s\n' "$name"
    tail_of "$out" 20
  fi
}

# check_files LABEL LIST COMMAND...: COMMAND FILE for each file in LIST, in parallel; one check for each.
check_files() {
  local label=$1 list=$2 results=$scratch/results
  shift 2
  rm -rf "$scratch/files"
  mkdir "$scratch/files"
  # shellcheck disable=SC2016 # expanded by the inner shell
  logged "$label" "$results" xargs -a "$list" -d '\n' -P "$jobs" -I{} bash -c '
    log=$1/$(printf %s "$2" | tr / _)
    if "${@:3}" "$2" >"$log" 2>&1 </dev/null; then echo "ok $2"; else echo "FAIL $2"; fi' _ "$scratch/files" {} "$@" ||
    echo "FAIL $label did not finish" >>"$results"
  good "$(grep -c '^ok ' "$results" || true)"
  local file
  while read -r file; do
    bad
    printf '  FAIL  %s: %s\n' "$label" "$file"
    [[ ! -e $scratch/files/${file//\//_} ]] || tail_of "$scratch/files/${file//\//_}" 30
  done < <(sed -n 's/^FAIL //p' "$results")
}

# ---- Building

export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
declare -A built=()
read_only=(tsplink_tsp tsplink-host tsplinkctl simpbx tapisim) # files that tests read, where they cannot be run

# build PRESET: once in a run; false, and one failure counted, when it does not build.
build() {
  local preset=$1 log=build/$1.log started=$SECONDS targets=()
  case ${built[$preset]:-} in
    yes) return 0 ;;
    no) bad; echo "  FAIL  build $preset: see above"; return 1 ;;
  esac
  built[$preset]=no
  part_end=$((SECONDS + build_limit))
  mkdir -p build
  if [[ $preset == tsan ]]; then
    TSPLINK_TSAN_ZMQ=$(deploy/tsan-libzmq.sh | tail -n 1) || { bad; echo "  FAIL  no libzmq for TSan"; return 1; }
    export TSPLINK_TSAN_ZMQ
  elif [[ $preset == windows-* ]]; then
    TSPLINK_WINDOWS_LIBRARIES=$(deploy/windows-libraries.sh "${preset#windows-}" | tail -n 1) || {
      bad
      echo "  FAIL  no libraries for Windows"
      return 1
    }
    export TSPLINK_WINDOWS_LIBRARIES
    [[ $preset != windows-x86 || $build_all == yes ]] || runs_x86 || targets=(--target "${read_only[@]}")
  fi
  if logged "configure $preset" "$log" cmake --preset "$preset" -U TSPLINK_ZMQ_LIBRARY &&
    logged "build $preset" "$log" cmake --build --preset "$preset" -j "$jobs" "${targets[@]}"; then
    # Executables of targets that are gone would otherwise be run for ever.
    ninja -C "build/$preset" -t cleandead >/dev/null
    built[$preset]=yes
    part_end=$((SECONDS + part_limit))
    printf '  built %s in %d s\n' "$preset" $((SECONDS - started))
    return 0
  fi
  kill_marked
  bad
  printf '  FAIL  build %s, whole log in %s\n' "$preset" "$log"
  grep -E -A 12 '^FAILED: |error: |Error at' "$log" | head -n 60 | sed 's/^/    | /' || true
  tail_of "$log" 5
  return 1
}

# ---- Windows programs

# wine_ready: one Wine prefix for the whole run, made when it is first needed; false and one failure without it.
wine_ready() {
  [[ -z ${wine_keeper:-} ]] || return 0
  local started=$SECONDS
  if start_wine "$scratch"; then
    printf '  Wine started in %d s\n' $((SECONDS - started))
  else
    bad
    echo '  FAIL  Wine does not start'
    return 1
  fi
}

# runs_x86 [WHAT]: false, and WHAT remembered, where this machine cannot run 32-bit programs.
runs_x86() {
  [[ -n $x86 ]] || { x86=yes; runs_32_bit || x86=no; }
  [[ $x86 == no ]] || return 0
  [[ -n ${1:-} ]] || return 1
  not_run+=("$1")
  printf '  NOT RUN  %s: the kernel of this machine runs no 32-bit programs\n' "$1"
  return 1
}
x86='' not_run=()

# ---- Suites by ctest: unit, e2e, conformance

export TSPLINK_CONFORMANCE_REPORT=$scratch/conformance # what covers what, and the sum
export TSPLINK_SEED=${TSPLINK_SEED:-$RANDOM} # of the scenarios that nobody wrote
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1:handle_abort=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:history_size=4:handle_abort=1:suppressions=$PWD/tests/tsan.supp

# tests_of PRESET ARGUMENTS...: "NUMBER NAME" of each test that ctest selects by the arguments.
tests_of() { ctest --test-dir "build/$1" -N "${@:2}" | sed -n 's/^ *Test *#\([0-9]*\): \(.*\)$/\1 \2/p'; }

# attribute NAME FILE...: the sum of one number in the reports of GoogleTest, over the elements <ELEMENT.
attribute() {
  local element=$1 name=$2
  shift 2
  grep -hoE "<$element [^>]*" "$@" | sed -nE "s/.* $name=\"([0-9]+)\".*/\1/p" | awk '{ n += $1 } END { print n + 0 }'
}

# run_test PRESET NUMBER NAME: one ctest entry.
run_test() {
  counted "$1" "$3" ctest --test-dir "build/$1" -I "$2,$2" --timeout "$test_limit" --output-on-failure --no-tests=error
}

# counted PRESET NAME COMMAND...: counted by the reports of GoogleTest if it writes any, else as one check.
counted() {
  local preset=$1 name=$2 reports=$scratch/reports log=$scratch/log start=$EPOCHREALTIME status=0 drive=
  shift 2
  [[ $preset != windows-* ]] || drive=Z: # where Wine shows the whole file system
  rm -rf "$reports"
  mkdir "$reports"
  GTEST_OUTPUT=xml:$drive$reports/ logged "$name" "$log" "$@" || status=$?
  local cases=1 wrong=0 skipped=0
  if compgen -G "$reports/*.xml" >/dev/null; then
    cases=$(attribute testsuites tests "$reports"/*.xml)
    wrong=$(($(attribute testsuites failures "$reports"/*.xml) + $(attribute testsuites errors "$reports"/*.xml)))
    skipped=$(($(attribute testsuite skipped "$reports"/*.xml) + $(attribute testsuites disabled "$reports"/*.xml)))
    ((cases > 0)) || { echo "the executable has no test" >>"$log"; status=1; }
  fi
  # A crash, a sanitizer's report or a time-out is a failure of its own: the report does not know of it.
  ((status == 0 || wrong > 0)) || wrong=1
  no_survivors || { wrong=$((wrong + 1)); }
  local right=$((cases - wrong - skipped))
  ((right >= 0)) || right=0
  good "$right"
  bad "$wrong"
  local verdict=ok note=
  ((wrong == 0)) || verdict=FAIL note=", $wrong failed"
  ((skipped == 0)) || note+=", $skipped skipped"
  printf '  %-5s %5.1f s  %s: %d passed%s\n' "$verdict" "$(seconds_since "$start")" "$name" "$right" "$note"
  ((wrong > 0)) || return 0
  sed -i -E '/^(Internal ctest|Test project|Errors while running|Total Test time|The following tests|Label Time|[0-9]+% tests passed)|^\[ (RUN|      OK) |^$/d' "$log"
  tail_of "$log" 100
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# run_ctest SUITE PRESET: conformance, by its label, or unit, which is everything but that and e2e.
run_ctest() {
  local suite=$1 preset=$2 number name program
  build "$preset" || return 0
  [[ $preset != windows-x86 ]] || runs_x86 "$suite@$preset" || return 0
  [[ $preset != windows-* ]] || wine_ready || return 0
  if [[ $suite == unit ]]; then
    tests_of "$preset" -LE '^(e2e|conformance)$' >"$scratch/chosen"
    # A test that is built but not registered would never run.
    ctest --test-dir "build/$preset" -N -V >"$scratch/commands"
    for program in "build/$preset"/bin/*_test{,.exe}; do
      [[ ! -x $program ]] || grep -qE "/bin/${program##*/}(\"| |\$)" "$scratch/commands" ||
        check "${program##*/} is built, but no add_test() names it" false
    done
  else
    tests_of "$preset" -L "^$suite\$" >"$scratch/chosen"
  fi
  [[ -s $scratch/chosen ]] || check "suite $suite has no test in $preset" false
  while read -r -u 3 number name; do
    run_test "$preset" "$number" "$name"
  done 3<"$scratch/chosen"
}

# run_conformance PRESET: what is summed up in one process, the rest some at a time.
run_conformance() {
  GTEST_FILTER='-Habits*:Sharing*' run_ctest conformance "$1"
  [[ $1 == faults ]] || run_some_at_a_time "$1" conformance_test 'Sharing*'
}

# run_habits PRESET: with each bad habit of a vendor.
run_habits() {
  local habits=
  [[ $1 != release ]] || habits=everywhere # elsewhere in a few scenarios: a sanitizer takes too long for all
  TSPLINK_HABITS=$habits run_some_at_a_time "$1" conformance_test 'Habits*'
}

# run_some_at_a_time PRESET PROGRAM FILTER: tests that wait more than they compute.
run_some_at_a_time() {
  local preset=$1 program=$2 filter=$3
  build "$preset" || return 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  GTEST_FILTER=$filter GTEST_TOTAL_SHARDS=$((jobs + 1)) counted "$preset" "$program, $filter" bash -c '
      for ((i = 1; i < GTEST_TOTAL_SHARDS; ++i)); do
        GTEST_SHARD_INDEX=$i GTEST_OUTPUT=$GTEST_OUTPUT$i.xml "$1" >"$2.$i" 2>&1 &
        shards[i]=$!
      done
      GTEST_SHARD_INDEX=0 GTEST_OUTPUT=${GTEST_OUTPUT}0.xml "$1" || status=1 # shows how far all are
      for i in "${!shards[@]}"; do
        wait "${shards[i]}" || status=1
        cat "$2.$i"
      done
      exit "${status:-0}"' _ "build/$preset/bin/$program" "$scratch/shard"
}

# run_on_windows SUITE CONFIGURATION: e2e or conformance of the native build with Windows programs at both ends, or at
# one.
run_on_windows() {
  local suite=$1 preset pair desktop host filter number name
  case $2 in # DESKTOP HOST FILTER
    x64 | x86)
      filter='*'
      [[ $suite != conformance ]] || filter='Scenarios*:Random*' # what the comparer and the vendor do is the same natively
      set -- "windows-$2 windows-$2 $filter"
      ;;
    mixed) set -- {'release windows-x64','windows-x64 release','windows-x64 windows-x86','windows-x86 windows-x64'}' *Trace*:Loss*' ;;
  esac
  for preset in release windows-x64 windows-x86; do
    [[ $preset != release && "$*" != *"$preset"* ]] || build "$preset" || return 0
  done
  read -r number name < <(tests_of release -R "^${suite}_test\$")
  for pair in "$@"; do
    read -r desktop host filter <<<"$pair"
    if [[ $desktop$host == *x86* ]] && ! runs_x86 "$suite, desktop $desktop, host $host"; then
      [[ $suite == e2e && $desktop == "$host" ]] || continue
      filter='Exports.*:Imports.*:Versions.*' # read, not run
    else
      wine_ready || return 0
    fi
    TSPLINK_E2E_DESKTOP=$PWD/build/$desktop/bin TSPLINK_E2E_HOST=$PWD/build/$host/bin GTEST_FILTER=$filter \
      run_test release "$number" "$name, desktop $desktop, host $host"
  done
}

# ---- The other suites

sources() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [[ ! -e $f ]] || echo "$f"; done; }

run_lint() {
  sources '*.cpp' '*.hpp' '*.h' >"$scratch/cpp"
  sources '*.sh' .ci/run >"$scratch/shell"
  check_files clang-format "$scratch/cpp" clang-format --dry-run -Werror
  check_files 'bash -n' "$scratch/shell" bash -n
  if command -v shellcheck >/dev/null; then
    check_files shellcheck "$scratch/shell" shellcheck -x -S warning
  fi
  # shellcheck disable=SC2016 # expanded by the inner shell
  check 'no unfinished work is marked in the sources' bash -c 'git grep -nE "TO[D]O|FIX[M]E" -- . ":!*.md"; [[ $? == 1 ]]'
  # shellcheck disable=SC2016 # expanded by the inner shell
  check 'stand-in and simulated PBX include nothing of the product' bash -c 'git grep -nE "$1" -- "${@:2}"; [[ $? == 1 ]]' - \
    '^ *# *include *[<"](\.\./)*(wire|proxy-tsp|remote-host|security)/' tests/{tapisrv,simpbx,platform,msp}
}

run_docs() {
  local file path folder
  for folder in wire security proxy-tsp remote-host tests deploy; do
    [[ ! -d $folder ]] || check "$folder has a README.md" test -s "$folder/README.md"
  done
  # Every file that a page names from the root, and every page it links to, is there.
  for file in $(sources '*.md'); do
    for path in $(grep -oE '`(\.ci|deploy|tests|wire|security|proxy-tsp|remote-host)/[A-Za-z0-9_./-]+' "$file" | tr -d '`' | sort -u); do
      check "$file names $path" test -e "$path"
    done
    grep -oE '\]\([^):#]+' "$file" | cut -c3- | sort -u >"$scratch/links" || true
    while read -r path; do
      check "$file links to $path" test -e "$(dirname "$file")/$path"
    done <"$scratch/links"
  done
  if [[ -e wire/tspi_calls.fbs ]]; then
    build release || return 0
    local printer
    printer=$(compgen -G 'build/release/bin/*schema*' | head -n 1) || true
    check 'a program bin/*schema* prints the schema' test -x "$printer"
    [[ -z $printer ]] || check "wire/tspi_calls.fbs is what $printer prints" diff -u wire/tspi_calls.fbs <("$printer")
  fi
}

run_demo() { # OPTION...
  local log=$scratch/demo view
  [[ -x deploy/demo.sh ]] || { check 'deploy/demo.sh is there' false; return 0; }
  if logged demo "$log" deploy/demo.sh "$@" && [[ $(tail -n 1 "$log") == 'demo: ok' ]]; then
    good
    for view in desktop pbx; do
      check "the demo shows what the $view saw, and when" grep -qE "^ +([0-9]{2}:){2}[0-9.]+ $view +\|" "$log"
    done
  else
    bad
    echo "  FAIL  deploy/demo.sh $* did not end with \"demo: ok\""
    tail_of "$log" 60
  fi
  check 'the demo leaves no process behind' no_survivors
}

run_fuzz() {
  local program name seeds programs
  build fuzz || return 0
  mapfile -t programs < <(compgen -G 'build/fuzz/bin/*fuzz*')
  ((${#programs[@]})) || { check 'suite fuzz has a target' false; return 0; }
  local each=$(((part_end - SECONDS - 30) / ${#programs[@]}))
  ((each <= 30)) || each=30
  for program in "${programs[@]}"; do
    name=${program##*/}
    mkdir -p "$scratch/corpus/$name" build/fuzz/findings
    seeds=()
    [[ ! -d tests/fuzz/seeds/$name ]] || seeds=("tests/fuzz/seeds/$name")
    if logged "$name" "$scratch/log" "$program" "-max_total_time=$each" "-artifact_prefix=build/fuzz/findings/$name-" \
      "$scratch/corpus/$name" "${seeds[@]}"; then
      good
      printf '  ok    %s: %s\n' "$name" "$(grep -E '^(Done|#[0-9]+.*DONE)' "$scratch/log" | tail -n 1)"
    else
      bad
      printf '  FAIL  %s: its input is kept in build/fuzz/findings\n' "$name"
      tail_of "$scratch/log"
    fi
  done
}

# run_coverage: every native test once more, and which lines of the product ran. Windows' own code is not compiled here.
run_coverage() {
  local report=build/coverage.txt least=90 percent
  build coverage || return 0
  find build/coverage -name '*.gcda' -delete
  check 'the tests pass while lines are counted' logged tests "$scratch/log" \
    ctest --test-dir build/coverage --parallel "$jobs" --timeout "$test_limit" --output-on-failure --no-tests=error
  if logged report "$scratch/log" gcovr -j "$jobs" --root . --object-directory build/coverage build/coverage --txt "$report" \
    --filter 'wire/' --filter 'security/' --filter 'proxy-tsp/' --filter 'remote-host/' --print-summary; then
    sed '1,/^---/d' "$report" | awk '/^(wire|security|proxy-tsp|remote-host)\//' | sed 's/^/  /'
    percent=$(sed -nE 's/^lines: ([0-9.]+)%.*/\1/p' "$scratch/log")
    printf '  lines that ran: %s %%; whole report in %s\n' "$percent" "$report"
    check "at least $least % of the lines ran" awk -v p="$percent" -v l="$least" 'BEGIN { exit !(p >= l) }'
  else
    bad
    echo '  FAIL  gcovr made no report'
    tail_of "$scratch/log"
  fi
}

run_tidy() {
  build debug || return 0
  sources "$1/*.cpp" | while read -r file; do
    ! grep -qF "\"file\": \"$PWD/$file\"" build/debug/compile_commands.json || echo "$file"
  done >"$scratch/cpp"
  [[ -s $scratch/cpp ]] || { check "there is a source file under $1 to check" false; return 0; }
  check_files clang-tidy "$scratch/cpp" clang-tidy -p build/debug --quiet
}

# ---- The run

if [[ $install == yes ]]; then
  groups=()
  [[ $selected != *tsan* ]] || groups+=(--with tsan)
  [[ $selected != *windows* ]] || groups+=(--with windows)
  [[ $selected != *fuzz* ]] || groups+=(--with fuzz)
  [[ $selected != *coverage* ]] || groups+=(--with coverage)
  [[ $selected != *lint* && $selected != *tidy* ]] || groups+=(--with lint)
  deploy/packages.sh "${groups[@]}"
fi

all_passed=0 all_failed=0 count=0 run_start=$EPOCHREALTIME failing=()
for part in "${parts[@]}"; do
  count=$((count + 1)) passed=0 failed=0 left_out=${#not_run[@]} part_start=$EPOCHREALTIME part_end=$((SECONDS + part_limit))
  printf '== %s (part %d of %d)\n' "$part" "$count" "${#parts[@]}"
  case $part in
    e2e@windows-* | conformance@windows-*) run_on_windows "${part%@*}" "${part#*-}" ;;
    demo@windows) run_demo --windows ;;
    unit@*) run_ctest unit "${part#*@}" ;;
    e2e@*) run_some_at_a_time "${part#*@}" e2e_test '*' ;;
    # One program; under TSan its tests take longer than a part may.
    conformance@*) run_conformance "${part#*@}" ;;
    habits@*) run_habits "${part#*@}" ;;
    tidy@*) run_tidy "${part#*@}" ;;
    *) "run_$part" ;;
  esac
  ((passed + failed > 0 || ${#not_run[@]} > left_out)) || { failed=1; echo "  FAIL  $part checked nothing"; }
  ((failed == 0)) || failing+=("$part")
  all_passed=$((all_passed + passed)) all_failed=$((all_failed + failed))
  printf '%s: %s s\n' "$part" "$(seconds_since "$part_start")"
  [[ ! -s $TSPLINK_CONFORMANCE_REPORT ]] || { grep '^conformance: ' "$TSPLINK_CONFORMANCE_REPORT"; rm "$TSPLINK_CONFORMANCE_REPORT"; }
  printf '%d passed, %d failed\n\n' "$passed" "$failed"
done
for each in "${not_run[@]}"; do printf '== not run: %s (no 32-bit programs on this machine)\n' "$each"; done
printf '== sum of %d parts, %s s%s%s\n%d passed, %d failed\n' "$count" "$(seconds_since "$run_start")" \
  "${not_run[*]:+; not run: ${#not_run[@]}, see above}" "${failing[*]:+; failed: ${failing[*]}}" "$all_passed" "$all_failed"
((all_failed == 0))
