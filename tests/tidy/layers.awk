# layers.awk - includes run downwards only, and every foreign library has one home.
#   awk -f layers.awk layers.txt homes.txt FILE...
# Prints one line per violation and ends with 1 if there is any.

function room_of(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
}
# The room of an include "a/b.h"; the include path is proto/ and the root.
function target_room(name) {
    if (name ~ /\.pb-c\.h$/) return "pb"
    if (name !~ /\//) return "proto"
    if (name ~ /^(base|model|day)\//) return "proto/" room_of(name)
    return room_of(name)
}
function complain(text) {
    print FILENAME ":" FNR ": " text
    bad = 1
}
function check_ours(name, from, to) {
    from = room_of(FILENAME)
    to = target_room(name)
    if (from == to || (from, to) in allowed) return
    complain(from " may not include " to " (" name "); see tests/tidy/layers.txt")
}
function check_foreign(name, from, prefix) {
    from = room_of(FILENAME)
    if (from ~ /\/core$/ || from == "proto/model") {
        if (!(name in pure)) complain("a pure room may not include <" name ">")
        return
    }
    for (prefix in homes)
        if (index(name, prefix) == 1 && !((prefix, FILENAME) in home || (prefix, from) in home))
            complain("<" name "> has its home in" homes[prefix] "; see tests/tidy/homes.txt")
}

FNR == 1 { file_index++ }
file_index <= 2 && (/^#/ || NF == 0) { next }
file_index == 1 {
    sub(/:$/, "", $1)
    for (i = 2; i <= NF; i++) allowed[$1, $i] = 1
    next
}
file_index == 2 {
    sub(/:$/, "", $1)
    for (i = 2; i <= NF; i++) {
        if ($1 == "pure") pure[$i] = 1
        else home[$1, $i] = 1
    }
    if ($1 != "pure") homes[$1] = substr($0, index($0, ":") + 1)
    next
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    if (FILENAME != "dispatcher/main.c") check_ours(part[2])
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    split($0, part, /[<>]/)
    check_foreign(part[2])
}
END { exit bad }
