#!/usr/bin/env bash
# run.sh BUILD-DIR - the tidy test: include layers, homes of foreign headers, purity of the cores,
# the auditor standing apart, and the rules of the house. It first proves on broken samples that
# each rule can fail (samples.sh).
set -u
tidy=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: run.sh BUILD-DIR}" && pwd)
cd "$tidy/../.." || exit 1
bad=0
rooms="proto optimizer dispatcher gateway sim"

"$tidy/samples.sh" || bad=1

sources=$(find $rooms -name '*.[ch]' | sort)
# shellcheck disable=SC2086 # one word per file
awk -f "$tidy/layers.awk" "$tidy/layers.txt" "$tidy/homes.txt" $sources || bad=1

# shellcheck disable=SC2086
all=$(find $rooms tests .ci CMakeLists.txt run README.md CHANGELOG.md \
    -path '*/node_modules' -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.proto' -o -name '*.sh' -o -name '*.md' -o -name '*.awk' \
    -o -name CMakeLists.txt -o -name run \) -print | sort)
# shellcheck disable=SC2086
awk -f "$tidy/house.awk" $all || bad=1

for header in $(echo "$sources" | grep '\.h$'); do
    grep -rqF "${header#proto/}\"" --include='*.[ch]' $rooms tests || {
        echo "$header: nobody includes it"
        bad=1
    }
done

"$tidy/purity.sh" "$build"/libmodel.a "$build"/lib{optimizer,dispatcher,gateway}_core.a || bad=1
"$tidy/apart.sh" "$build"/libaudit.a "$build"/lib{model,optimizer_core,optimizer}.a || bad=1
"$tidy/apart.sh" "$build"/libverify.a \
    "$build"/lib{model,optimizer_core,bound,audit,optimizer}.a || bad=1
exit $bad
