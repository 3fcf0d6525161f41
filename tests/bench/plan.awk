# plan.awk - of a plan that `callout solve --json` printed: its own figures in one line,
#   OBJECTIVE TRAVEL VEHICLES UNASSIGNED PRIORITY
# With a Solomon text before it (awk -f plan.awk FILE.txt PLAN.json), the routes are driven anew
# first, by the DIMACS convention and nothing of the solver's; what is broken is said on standard
# error, and ends it with 1.

FNR == 1 { file++ }
{ sub(/\r$/, "") }

# --- the text, where there is one ---
FILENAME ~ /\.txt$/ && NF == 2 && $1 ~ /^[0-9]+$/ && fleet == "" { fleet = $1; capacity = $2 }
FILENAME ~ /\.txt$/ && NF == 7 && $1 ~ /^[0-9]+$/ {
    x[$1] = $2; y[$1] = $3; demand[$1] = $4; open[$1] = 10 * $5; close_[$1] = 10 * $6
    service[$1] = 10 * $7; customers++
}
FILENAME ~ /\.txt$/ { text = 1; next }

# --- the plan: one key a line, as it is printed ---
{ value = $2; sub(/,$/, "", value) }
/^ "objective":/ { objective = value }
/^ "travel":/ { travel = value }
/^ "vehicles":/ { vehicles = value }
/^ "priority_served":/ { priority = value }
/^ "unassigned":/ { listing = !/\[\]/; next }
listing && /^ \]/ { listing = 0 }
listing && /^  [^ }]/ { unassigned++ }
/^   "technician":/ { route++ }
/^     "id":/ { stops[route, ++count[route]] = value }

function broken(what) {
    print "plan.awk: " what >"/dev/stderr"
    bad = 1
    exit 1
}
function leg(a, b) { return int(10 * sqrt((x[a] - x[b]) ^ 2 + (y[a] - y[b]) ^ 2)) }
function drive(r,    at, time, load, i, next_) {
    at = 0; time = open[0]; load = 0
    for (i = 1; i <= count[r] + 1; i++) {
        next_ = i <= count[r] ? stops[r, i] : 0
        if (!(next_ in x)) broken("there is no customer " next_)
        if (next_ != 0 && served[next_]++) broken(next_ " is served twice")
        driven += leg(at, next_); time += leg(at, next_)
        if (time < open[next_]) time = open[next_]
        if (time > close_[next_]) broken(next_ " is reached at " time ", after " close_[next_])
        time += service[next_]; load += demand[next_]; at = next_
    }
    if (load > capacity) broken("a vehicle has a load of " load)
}
END {
    if (bad) exit 1
    if (text) {
        for (r = 1; r <= route; r++) { drive(r); sum += count[r] }
        if (route > fleet) broken(route " vehicles of " fleet)
        if (sum + unassigned != customers - 1) broken(sum " customers are served")
        if (driven != travel) broken("the way is " driven ", not " travel)
    }
    print objective, travel, vehicles, unassigned + 0, priority
}
