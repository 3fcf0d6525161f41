/* story_ask.h - the questions of a story and what is answered: `candidates W1.1`,
 * `check W1.1 T2 [start 10:00] [place 1]`, `emergency W1.1`.
 *
 * An answer is the technician with place and start, what the move costs more (travel, overtime,
 * lateness, unserved, change of technician and of start), and below it what it breaks and who
 * starts at another time. */
#ifndef CALLOUT_TESTS_STORY_ASK_H
#define CALLOUT_TESTS_STORY_ASK_H

#include "dispatcher/core/answer.h"
#include "story_tell.h"

static void say_part(char *text, const char *name, int64_t value)
{
    size_t used = strlen(text);
    if (value != 0) snprintf(text + used, 200 - used, ", %s %+lld", name, (long long)value);
}

static void say_move(const struct move *move, struct arena *arena, struct lines *lines)
{
    char parts[200] = "";
    const struct cost_parts *route = &move->delta.route;
    say_part(parts, "travel", route->travel);
    say_part(parts, "overtime", route->overtime);
    say_part(parts, "lateness", route->lateness);
    say_part(parts, "preferred window", route->preferred_window);
    say_part(parts, "preferred technician", route->preferred_technician);
    say_part(parts, "unserved", move->delta.unserved);
    say_part(parts, "change of technician", route->change_technician);
    say_part(parts, "change of start", route->change_start);
    SAY(lines, "%s place %u %s: %+lld%s", move->technician_id, move->place,
        clock_text(move->start_us, arena), (long long)plan_parts_total(&move->delta), parts);
    for (uint32_t i = 0; i < move->violation_count; i++) {
        struct problem text;
        violation_text(&move->violations[i], &text);
        SAY(lines, "  breaks: %s", text.text);
    }
    for (uint32_t i = 0; i < move->knock_on_count; i++) {
        const struct knock_on *it = &move->knock_on[i];
        SAY(lines, "  %s %s -> %s%s", it->appointment_id, clock_text(it->start_before_us, arena),
            clock_text(it->start_after_us, arena), it->becomes_late ? ", late" : "");
    }
}

static void say_option(const char *title, const struct emergency_option *option,
                       struct arena *arena, struct lines *lines)
{
    if (!option->found) {
        SAY(lines, "%s: none", title);
        return;
    }
    SAY(lines, "%s:", title);
    struct move move = option->move;
    move.knock_on_count = 0;
    say_move(&move, arena, lines);
    for (uint32_t i = 0; i < option->displaced_count; i++) {
        const struct displacement *it = &option->displaced[i];
        SAY(lines, "  %s: %s -> %s%s", it->appointment_id,
            holder(it->technician_before, it->start_before_us, arena),
            holder(it->technician_after, it->start_after_us, arena),
            it->late_us > 0 ? ", late" : "");
    }
}

static enum err ask_candidates(struct core *core, struct words *words, struct lines *lines,
                               struct problem *problem)
{
    struct candidates found;
    enum err err =
        core_candidates(core, word(words), core_time_us(core), words->arena, &found, problem);
    for (uint32_t i = 0; err == ERR_OK && i < found.count; i++)
        say_move(&found.items[i], words->arena, lines);
    return err;
}

static enum err ask_check(struct core *core, struct words *words, struct lines *lines,
                          struct problem *problem)
{
    struct move_check check;
    const char *id = word(words);
    struct move_wish wish = {.technician_id = word(words)};
    if (word_is(words, "start")) (void)time_read(word(words), &wish.start_us);
    if (word_is(words, "place")) wish.place = (uint32_t)strtoul(word(words), NULL, 10);
    enum err err =
        core_check_move(core, id, &wish, core_time_us(core), words->arena, &check, problem);
    if (err != ERR_OK) return err;
    say_move(&check.move, words->arena, lines);
    if (check.pinned) SAY(lines, "  it is %s", check.frozen ? "frozen" : "pinned");
    if (check.leaves)
        SAY(lines, "  leaves %s with %u, idle %s-%s, %lld s of travel less",
            check.technician_before, check.left_count, clock_text(check.idle_from_us, words->arena),
            clock_text(check.idle_until_us, words->arena), (long long)check.travel_saved_s);
    return ERR_OK;
}

static enum err ask_emergency(struct core *core, struct words *words, struct lines *lines,
                              struct problem *problem)
{
    struct emergency found;
    enum err err =
        core_emergency(core, word(words), core_time_us(core), words->arena, &found, problem);
    if (err != ERR_OK) return err;
    say_option("within the rules", &found.within_rules, words->arena, lines);
    say_option("delaying", &found.delaying, words->arena, lines);
    return ERR_OK;
}

/* False: the line is no question of this kind. */
static bool ask_question(struct core *core, const char *verb, struct words *words,
                         struct lines *lines)
{
    struct problem problem = {{0}, {0}};
    enum err err;
    if (strcmp(verb, "candidates") == 0)
        err = ask_candidates(core, words, lines, &problem);
    else if (strcmp(verb, "check") == 0)
        err = ask_check(core, words, lines, &problem);
    else if (strcmp(verb, "emergency") == 0)
        err = ask_emergency(core, words, lines, &problem);
    else
        return false;
    if (err != ERR_OK) tell_problem(err, &problem, lines);
    return true;
}

#endif
