# stages.sh - the stages of `./run test`, read by `run` (it defines configure, compile, die).
#
# Each stage prints its name and seconds; a failed one does not stop the rest, but fails the whole.
# The last line counts: every test of a ctest suite is one, every other stage is one.

budget_s=$((27 * 60)) # beyond this the whole run fails: people stop running slow tests
kills=${CALLOUT_KILLS:-300}
seeds=${CALLOUT_SEEDS:-200}
stages_passed=0
stages_failed=0
failed_names=

stage() { # NAME COMMAND...: runs it with its output shown only when it fails
    local name=$1 from=$SECONDS log
    shift
    log=$(mktemp)
    if within $((budget_s + 60)) "$log" "$@"; then
        count_tests "$log" 1 0
        grep '^note:' "$log"
        echo "== $name: $((SECONDS - from)) s"
        rm -f "$log"
        return 0
    fi
    tail -n 80 "$log"
    count_tests "$log" 0 1
    failed_names="$failed_names [$name]"
    echo "== $name FAILED after $((SECONDS - from)) s"
    rm -f "$log"
    return 1
}

within() { # SECONDS LOG COMMAND...: a group of its own, ended as a whole when it hangs
    local limit=$1 log=$2 pid dog code
    shift 2
    set -m
    ("$@") >"$log" 2>&1 </dev/null &
    pid=$!
    (sleep "$limit" && kill -- "-$pid") >/dev/null 2>&1 &
    dog=$!
    disown "$dog"
    set +m
    trap 'kill -- "-$pid"; exit 130' INT TERM
    wait "$pid"
    code=$?
    trap - INT TERM
    kill -- "-$dog" 2>/dev/null
    return "$code"
}

count_tests() { # LOG PASSED FAILED: ctest's own figures count where they are, else the stage
    local line failed total
    line=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "$1" | tail -n 1)
    if [ -n "$line" ]; then
        failed=$(echo "$line" | sed -E 's/.*, ([0-9]+) tests failed out of.*/\1/')
        total=$(echo "$line" | sed -E 's/.* out of ([0-9]+)/\1/')
        stages_passed=$((stages_passed + total - failed))
        stages_failed=$((stages_failed + failed))
        [ "$failed" -gt 0 ] || [ "$3" = 0 ] || stages_failed=$((stages_failed + 1))
    else
        stages_passed=$((stages_passed + $2))
        stages_failed=$((stages_failed + $3))
    fi
}

# A command that computes goes beside stages that mostly wait, and gives way to them; it holds a
# lock for as long as it lives. What it printed, and how it ended, is told by who joins it.
beside() { # NAME COMMAND...
    local log=build/beside.$1
    shift
    echo 1 >"$log.code"
    exec 9>"$log.lock"
    flock 9
    set -m
    (
        renice -n 15 -p "$BASHPID" >/dev/null
        "$@"
        echo $? >"$log.code"
    ) >"$log.log" 2>&1 </dev/null &
    beside_pid=$!
    set +m
    exec 9>&-
    # A subshell that is killed young still has the trap.
    trap '[ "$BASHPID" != "$$" ] || kill -- "-$beside_pid" 2>/dev/null' EXIT
}
join() { # NAME
    flock "build/beside.$1.lock" cat "build/beside.$1.log"
    [ "$(cat "build/beside.$1.code")" = 0 ]
}

# Some tests wait more than they compute, so there are more of them at a time than cores. One that
# fails is run again: what passes then is named in a note, and is a fault to look into, but not one
# for which the work of others is held up. A test that hangs is ended.
unit_tests() { # DIR: every test_*.c and the tidy test
    local log code second='note: \1 passed the second time only: \2'
    log=$(mktemp)
    ctest --test-dir "$1" --output-on-failure --timeout 240 --repeat until-pass:2 \
        --parallel "$(($(nproc) * 2))" >"$log" 2>&1
    code=$?
    cat "$log"
    if [ "$code" = 0 ]; then
        sed -nE "s/^.*Test +#[0-9]+: (test_[a-z_]+) .*\*\*\*(.*[a-zA-Z]) .*/$second/p" "$log"
    fi
    rm -f "$log"
    return "$code"
}

# The same for a script that lives against the clock.
twice() { # COMMAND...
    "$@" && return
    echo "failed; once more:"
    "$@" && echo "note: ${1##*/} passed the second time only"
}

build_gcc() {
    configure build -DCMAKE_C_COMPILER=gcc -DCALLOUT_TESTS=ON && compile build
}
build_sanitized() { # DIR SANITIZERS
    configure "$1" -DCMAKE_C_COMPILER=gcc -DCALLOUT_TESTS=ON "-DCALLOUT_SANITIZE=$2" && compile "$1"
}
build_clang() {
    configure build-clang -DCMAKE_C_COMPILER=clang -DCALLOUT_TESTS=ON && compile build-clang
}
build_others() { # by what computes most; both are tried, so that one run tells all warnings
    local code=0
    build_sanitized build-asan address,undefined || code=1
    build_clang || code=1
    return $code
}
unit_asan() { # long tests in their short form: what they show, the plain run has shown in full
    export CALLOUT_SHORT=1
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
    export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.txt:print_suppressions=0
    unit_tests build-asan
}

pages() { # what browsers get: built within its budgets, typed, tested as far as goes without one
    compile build web && (cd gateway/web && npm run types && npm test)
}

json_mapping() { # a few messages of each type; `./run bench json` has 100,000
    tests/json_mapping/run.sh build 600
    local code=$?
    [ "$code" = 0 ] || [ "$code" = 77 ]
}

demo_smoke() { # the demo ends by itself, with one JSON object that says that orders were served
    local out
    out=$(build/callout sim demo --for 20s --json) || return 1
    echo "$out"
    echo "$out" | grep -q '"ok": true' && echo "$out" | grep -q '"served": [1-9]'
}

simulated_faults() { # half of the seeds on each of two cores; a finding names its seed and step
    local half=$((seeds / 2)) first=0
    build/ordeal --restores --seeds "$half" --seed 1 >build/ordeal.1 &
    build/ordeal --restores --seeds $((seeds - half)) --seed $((half + 1)) \
        >build/ordeal.2 || first=1
    wait $! && [ "$first" = 0 ]
    local code=$?
    sed 's/^/note: /' build/ordeal.1 build/ordeal.2
    return "$code"
}

no_leftovers() { # processes of ours that outlive their test are a bug in whoever started them
    for _ in $(seq 100); do # but one that is ending has its time
        pgrep -f "^$PWD/build[^ ]*/callout" >/dev/null || return 0
        sleep 0.1
    done
    pgrep -f "^$PWD/build[^ ]*/callout" -a
    return 1
}

stages_default() {
    stage "gcc build" build_gcc || return
    stage "unit and traces" unit_tests build
    beside builds build_others
    stage "nngcat" twice tests/process/nngcat.sh build/callout
    stage "second client" twice tests/process/second_client.sh build/callout
    stage "json mapping" twice json_mapping
    stage "kills ($kills)" twice tests/process/kill.sh build/callout "$kills"
    stage "a bad day" twice tests/fault/badday.sh build/callout
    stage "crash points" twice tests/fault/crashpoints.sh build/callout
    stage "pages for browsers" pages
    stage "demo" twice demo_smoke
    stage "ASan and UBSan build, clang build" join builds && stage "ASan and UBSan tests" unit_asan
    stage "console in a browser" tests/console/run.sh build/callout
    stage "technician in a browser" technician_in_browser
    stage "simulated faults ($seeds seeds)" simulated_faults
    stage "nothing left running" no_leftovers
}

# All but a day of the fleet with a person in it, who has to be as quick as its clock.
technician_in_browser() {
    tests/technician/run.sh build/callout clash day look pages schedules work
}

days_in_browser() { # random days of the technicians' app, many more than CI has
    CALLOUT_ROUNDS=20 tests/technician/run.sh build/callout pages
}

brute_force() { # many small days against the best plan there is
    CALLOUT_CASES=10000 build/test_brute
}

stages_more() {
    stage "brute force (10000)" brute_force
    stage "technician's days in a browser (20)" days_in_browser
    stage "a person in the fleet" tests/technician/run.sh build/callout fleet
    stage "clang tests" unit_tests build-clang
    stage "TSan build" build_sanitized build-tsan thread && stage "TSan tests" unit_tests build-tsan
    stage "format" tests/tidy/format.sh
    stage "clang-tidy" tests/tidy/clang_tidy.sh build-clang
    stage "cppcheck" tests/tidy/cppcheck.sh
    stage "a bad machine" tests/fault/badmachine.sh build/callout
    stage "a bad network" tests/fault/network.sh build/callout
    stage "planted bugs" tests/fuzz/planted.sh
    stage "fuzzing" tests/fuzz/run.sh
    stage "bare Debian" tests/process/bare_debian.sh
}

run_stages() { # BEGIN ALL
    stages_default
    local took=$((SECONDS - $1))
    echo "== all: $took s of $budget_s"
    if [ "$took" -gt "$budget_s" ]; then
        failed_names="$failed_names budget"
        stages_failed=$((stages_failed + 1))
    fi
    [ -z "$2" ] || stages_more
    [ -z "$failed_names" ] || echo "failed:$failed_names"
    echo "$stages_passed passed, $stages_failed failed"
    [ "$stages_failed" = 0 ]
}
