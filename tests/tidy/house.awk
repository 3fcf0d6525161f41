# house.awk - the rules of the house that a compiler does not know.
#   awk -f house.awk FILE...
# Prints one line per violation and ends with 1 if there is any; lines that begin with "note:" are a
# place to look, not a verdict.

function complain(text) {
    print FILENAME ":" FNR ": " text
    bad = 1
}
# Code without what stands between quotes and in comments; comments may go over lines.
function code_of(line) {
    gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
    if (in_comment) {
        if (line !~ /\*\//) return ""
        sub(/^.*\*\//, "", line)
        in_comment = 0
    }
    gsub(/\/\*[^*]*\*+([^\/*][^*]*\*+)*\//, "", line)
    if (line ~ /\/\*/) {
        in_comment = 1
        sub(/\/\*.*/, "", line)
    }
    sub(/\/\/.*/, "", line)
    return line
}
function file_ends() {
    if (file != "" && lines > 700) print "note: " file " has " lines " lines"
}

FNR == 1 {
    file_ends()
    file = FILENAME
    in_comment = 0
    in_c = FILENAME ~ /\.[ch]$/
    tests = FILENAME ~ /^tests\//
}
{ lines = FNR }
length($0) > 100 && FILENAME !~ /\.(md|txt|lock|csv)$/ { complain("longer than 100 columns") }
/[ \t]$/ && FILENAME !~ /\.md$/ { complain("space at the end of the line") }
/\t/ && FILENAME !~ /(LICENSE|\.csv|\.lock)$/ { complain("a tab") }
# The rules' own words stand split here, so that this file passes its own test.
/(TO)(DO)|(FIX)(ME)|(^|[^X])(X)(XX)([^X]|$)|(HA)(CK)([^A-Z]|$)/ {
    complain("an unfinished mark")
}
FILENAME ~ /\.(c|h|proto)$/ {
    code = code_of($0)
    if (tolower(code) ~ /(^|[^a-z])(job|booking|task)s?([^a-z]|$)/)
        complain("say work order, appointment or visit instead")
}
in_c {
    if (code ~ /NDEBUG/) complain("asserts stay on: no NDEBUG")
    if (code ~ /(^|[^a-z_])assert[ \t]*\(/) complain("use CHECK, which no build leaves out")
    if (code ~ /(^|[^a-z_0-9])(gets|sprintf|vsprintf|alloca|rand|srand|atoi)[ \t]*\(/)
        complain("a banned call")
    if (!tests && FILENAME != "optimizer/lp/lp.c" && code ~ /(^|[^a-z_])(set|long)jmp/)
        complain("setjmp has its home in optimizer/lp/lp.c")
    if (FILENAME ~ /\.c$/ && FILENAME !~ /^proto\/base\// && !tests && code ~ /^[ \t]*#[ \t]*if/)
        complain("another file behind the same header instead of #if")
    # The length of a function: from "{" at the left edge to "}" there.
    if (/^\{/) begin = FNR
    if (/^\}/ && begin) {
        if (FNR - begin > 70)
            print "note: " FILENAME ":" begin ": " FNR - begin " lines in a function"
        begin = 0
    }
}
END {
    file_ends()
    exit bad
}
