# seeds.awk - what bench_day said of the same day with several seeds, as NAME_seeds_... lines.
function note(metric, value) {
    if (!(metric in most) || value > most[metric]) most[metric] = value
}
$1 == "one_failed" { failed = 1 }
$1 == "one_travel" {
    sum += $2
    runs++
    if (runs == 1 || $2 < least) least = $2
    note("travel", $2 + 0)
}
$1 ~ /^one_(unserved|changed_technician|broken_routes)$/ { note(substr($1, 5), $2 + 0) }
END {
    if (failed || runs == 0) exit 1
    printf "%s_seeds_count,%d,runs\n", name, runs
    printf "%s_seeds_travel_mean,%d,s\n", name, sum / runs
    printf "%s_seeds_travel_least,%d,s\n", name, least
    printf "%s_seeds_travel_most,%d,s\n", name, most["travel"]
    printf "%s_seeds_unserved_most,%d,orders\n", name, most["unserved"]
    printf "%s_seeds_changed_technician_most,%d,orders\n", name, most["changed_technician"]
    printf "%s_seeds_broken_routes_most,%d,routes\n", name, most["broken_routes"]
}
