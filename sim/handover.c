#include "sim/handover.h"

#include "base/check.h"
#include "base/clock.h"
#include "sim/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1024 };

static const int64_t patience_us = 20 * US_PER_SECOND; /* for a device to be silent, or to come */

/* A change of hands that is under way. */
struct change {
    bool open, gives;
    struct control_caller caller;
    size_t index;
    int64_t until_us;
    char was[160]; /* what he was doing */
};

struct handover {
    struct handover_options options;
    struct control *control;
    struct change changes[CONTROL_CALLERS];
    uint32_t taken, given;
    bool ended;
};

static struct person *person_of(const struct handover *handover, size_t index)
{
    return fleet_person(handover->options.fleet, index);
}

static void refuse(struct handover *handover, struct control_caller caller, const char *why)
{
    control_answer(handover->control, caller, false, why);
}

/* --- what he does, for people ---------------------------------------------------------------- */

static void describe(const struct handover *handover, size_t index, char *out, size_t size)
{
    const struct person *person = person_of(handover, index);
    const struct day_technician *row = &handover->options.day->technicians[index];
    const char *visit = person_visit(person);
    snprintf(out, size, "%s %s%s%s%s", row->id, person_doing_text(person_doing(person)),
             visit[0] == '\0' ? "" : ": ", visit, visit[0] == '\0' ? "" : " is in hand");
}

static void list(struct handover *handover, struct control_caller caller)
{
    size_t count = fleet_size(handover->options.fleet), size = 0;
    size_t room = count * (2 * LIMIT_ID + 32) + 1;
    char *text = calloc(room, 1);
    CHECK(text != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct person *person = person_of(handover, i);
        const char *visit = person_visit(person);
        size += (size_t)snprintf(
            text + size, room - size, "%s\t%s\t%s\n", handover->options.day->technicians[i].id,
            person_doing_text(person_doing(person)), visit[0] == '\0' ? "-" : visit);
    }
    control_answer(handover->control, caller, true, text);
    free(text);
}

/* --- changes of hands ------------------------------------------------------------------------ */

static struct change *find_change(struct handover *handover, size_t index)
{
    for (size_t i = 0; i < CONTROL_CALLERS; i++)
        if (handover->changes[i].open && handover->changes[i].index == index)
            return &handover->changes[i];
    return NULL;
}

static struct change *begin_change(struct handover *handover, struct control_caller caller,
                                   size_t index)
{
    for (size_t i = 0; i < CONTROL_CALLERS; i++)
        if (!handover->changes[i].open) {
            handover->changes[i] = (struct change){.open = true,
                                                   .caller = caller,
                                                   .index = index,
                                                   .until_us = clock_mono_us() + patience_us};
            return &handover->changes[i];
        }
    refuse(handover, caller, "too much is asked at once; try again");
    return NULL;
}

static void begin_take(struct handover *handover, struct control_caller caller, size_t index)
{
    if (person_doing(person_of(handover, index)) == PERSON_TAKEN) {
        refuse(handover, caller, "he is taken over already; give him back first");
        return;
    }
    struct change *change = begin_change(handover, caller, index);
    if (change == NULL) return;
    describe(handover, index, change->was, sizeof change->was);
    person_let_go(person_of(handover, index));
}

static void begin_give(struct handover *handover, struct control_caller caller, size_t index,
                       const char *token)
{
    char folder[PATH_BYTES];
    struct problem problem;
    if (person_doing(person_of(handover, index)) != PERSON_TAKEN) {
        refuse(handover, caller, "he is not taken over");
        return;
    }
    int size = snprintf(folder, sizeof folder, "%s/%zu-%u", handover->options.folder, index,
                        ++handover->given);
    if (size >= (int)sizeof folder) {
        refuse(handover, caller, "the path of the devices is too long");
        return;
    }
    struct change *change = begin_change(handover, caller, index);
    if (change == NULL) return;
    change->gives = true;
    if (person_take_back(person_of(handover, index), folder, token, &problem) == ERR_OK) return;
    change->open = false;
    refuse(handover, caller, problem.text);
}

static void end_change(struct handover *handover, struct change *change, bool ok, const char *text)
{
    change->open = false;
    control_answer(handover->control, change->caller, ok, text);
}

static void look_after_take(struct handover *handover, struct change *change)
{
    struct person *person = person_of(handover, change->index);
    char text[224];
    if (person_is_silent(person)) {
        person_give_up(person);
        handover->taken++;
        end_change(handover, change, true, change->was);
    } else if (clock_mono_us() > change->until_us || handover->ended) {
        person_stay(person);
        snprintf(text, sizeof text,
                 "he stays: %llu commands of his device are not acknowledged yet",
                 (unsigned long long)person_unsent(person));
        end_change(handover, change, false, text);
    }
}

static void look_after_give(struct handover *handover, struct change *change)
{
    struct person *person = person_of(handover, change->index);
    if (person_doing(person) != PERSON_TAKEN)
        end_change(handover, change, true, "");
    else if (person_state(person) == CLIENT_STOPPED)
        end_change(handover, change, false, "his new device was refused: is the token fresh?");
    else if (clock_mono_us() > change->until_us)
        end_change(handover, change, false, "his new device got no answer yet");
}

/* --- the door -------------------------------------------------------------------------------- */

/* Words are separated by one tab each; behind the last one come empty ones. */
static char *next_word(char **rest)
{
    char *word = *rest, *end = word + strcspn(word, "\t");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static void on_line(void *context, struct control_caller caller, const char *line)
{
    struct handover *handover = context;
    char text[CONTROL_LINE];
    snprintf(text, sizeof text, "%s", line);
    char *rest = text, *verb = next_word(&rest), *id = next_word(&rest), *token = next_word(&rest);
    if (strcmp(line, "list") == 0) {
        list(handover, caller);
        return;
    }
    bool takes = strcmp(verb, "take") == 0 && id[0] != '\0';
    bool gives = strcmp(verb, "give") == 0 && token[0] != '\0';
    size_t index = fleet_find(handover->options.fleet, id);
    if (!takes && !gives)
        refuse(handover, caller, "list, take ID, or give ID TOKEN");
    else if (handover->ended)
        refuse(handover, caller, "the fleet's day is over");
    else if (index == fleet_size(handover->options.fleet))
        refuse(handover, caller, "there is no such technician in the fleet");
    else if (find_change(handover, index) != NULL)
        refuse(handover, caller, "he is changing hands just now");
    else if (takes)
        begin_take(handover, caller, index);
    else
        begin_give(handover, caller, index, token);
}

enum err handover_open(struct handover **out, const struct handover_options *options,
                       struct problem *problem)
{
    struct handover *handover = calloc(1, sizeof *handover);
    CHECK(handover != NULL);
    handover->options = *options;
    enum err err = control_open(&handover->control, options->path, problem);
    if (err == ERR_OK)
        *out = handover;
    else
        free(handover);
    return err;
}

void handover_close(struct handover *handover)
{
    if (handover == NULL) return;
    control_close(handover->control);
    free(handover);
}

/* Whoever has a token for him need not ask: he enrols. */
static void look_for_replaced(struct handover *handover)
{
    for (size_t i = 0; i < fleet_size(handover->options.fleet); i++) {
        if (!person_is_replaced(person_of(handover, i))) continue;
        person_make_way(person_of(handover, i));
        handover->taken++;
    }
}

void handover_serve(struct handover *handover)
{
    control_serve(handover->control, on_line, handover);
    look_for_replaced(handover);
    for (size_t i = 0; i < CONTROL_CALLERS; i++) {
        struct change *change = &handover->changes[i];
        if (!change->open) continue;
        if (change->gives)
            look_after_give(handover, change);
        else
            look_after_take(handover, change);
    }
}

void handover_end(struct handover *handover)
{
    handover->ended = true;
    handover_serve(handover);
}

uint32_t handover_count(const struct handover *handover)
{
    return handover->taken;
}
