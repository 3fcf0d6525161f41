# solve.awk - the figures of one set: `awk -v name=SET -f solve.awk best_known.csv LINES`, where a
# line is as solve.sh keeps it. Prints METRIC,VALUE,UNIT. A gap is to the best known cost, of plans
# that serve everybody; the others are counted.
FNR == NR && FILENAME ~ /best_known/ {
    split($0, pair, ",")
    best[pair[1]] = pair[2]
    next
}
$2 == "failed" { failed++; next }
{
    plans++
    cpu += $2
    if ($3 > peak) peak = $3
    travel += $5; vehicles += $6; unserved += $7; priority += $8
    if (!($1 in best)) next
    known++
    if ($7 > 0) { short++; next }
    gap = 100 * ($4 - best[$1]) / best[$1]
    sum += gap; measured++
    if (gap > worst) worst = gap
    if ($4 <= best[$1]) at_best++
}
function put(metric, value, unit) { print name "_" metric "," value "," unit }
END {
    put("plans", plans + 0, "count")
    put("failed", failed + 0, "count")
    if (known > 0) {
        put("gap_mean", measured > 0 ? sprintf("%.3f", sum / measured) : 0, "percent")
        put("gap_max", sprintf("%.3f", worst), "percent")
        put("at_best", at_best + 0, "count")
        put("not_all_served", short + 0, "count")
    }
    put("unserved", unserved + 0, "count")
    put("travel", travel + 0, "count")
    put("vehicles", vehicles + 0, "count")
    if (priority > 0) put("priority_served", priority, "count")
    put("cpu", plans > 0 ? sprintf("%.2f", cpu / plans) : 0, "s")
    put("peak", sprintf("%.1f", peak / 1024), "MiB")
    exit failed > 0
}
