/* bench_answers - how long people wait for an answer: each question asked many times through the
 * engine, of a made-up day that was planned greedily.
 *
 *   bench_answers NAME ORDERS TECHNICIANS QUESTIONS
 */
#include "../dispatcher/desk.h"
#include "base/rng.h"
#include "dispatcher/core/answer.h"
#include "figures.h"

enum { TECHNICIANS_BENCH = 1000, SERVICE_S = 2100 };

static struct rng rng = {20261123};

static int32_t spread(int32_t from, int32_t width)
{
    return from + (int32_t)rng_below(&rng, (uint32_t)width);
}

static void make_technician(struct desk *desk, uint32_t number)
{
    char id[16];
    snprintf(id, sizeof id, "T%u", number);
    const ProtobufCMessage *message = desk_technician(desk, id);
    Callout__Technician *it = ((Callout__UpsertTechnicianRequest *)(uintptr_t)message)->technician;
    it->home = desk_point(desk, spread(470000000, 4000000), spread(93000000, 5000000));
    for (size_t i = 0; i < it->n_shifts; i++) {
        Callout__Shift *shift = it->shifts[i];
        shift->overtime_seconds_max = 1800;
        shift->break_earliest_us = shift->start_us + 3 * HOUR_US;
        shift->break_latest_us = shift->start_us + 5 * HOUR_US;
        shift->break_seconds = 1800;
    }
    desk_do(desk, "UpsertTechnician", message);
}

static void make_order(struct desk *desk, uint32_t number)
{
    char id[16];
    snprintf(id, sizeof id, "W%u", number);
    Callout__UpsertWorkOrderRequest *request = desk_order(desk, id);
    Callout__WorkOrder *it = request->work_order;
    DESK_NEW(desk, Callout__ArrivalWindow, window);
    callout__arrival_window__init(window);
    it->site->point = desk_point(desk, spread(470000000, 4000000), spread(93000000, 5000000));
    it->service_seconds = SERVICE_S;
    it->priority = 1 + rng_below(&rng, 9);
    it->emergency = number % 10 == 0;
    window->start_us = DESK_DAY_US + (8 + (int64_t)rng_below(&rng, 6)) * HOUR_US;
    window->end_us = window->start_us + 3 * HOUR_US;
    it->windows = arena_need(&desk->arena, sizeof *it->windows);
    it->windows[0] = window;
    it->n_windows = 1;
    desk_do(desk, "UpsertWorkOrder", &request->base);
}

static Callout__Reply *put_question(struct desk *desk, const char *method,
                                    const ProtobufCMessage *body, struct samples *samples)
{
    Callout__Principal who = a_key("dispatcher", "dispatcher");
    double from_ms = cpu_ms();
    Callout__Reply *reply = desk_ask_as(desk, &who, method, "", body);
    if (samples != NULL) sample(samples, cpu_ms() - from_ms);
    if (reply->status != CALLOUT__STATUS__OK) fail_msg("%s: %s", method, reply->text);
    return reply;
}

static Callout__CandidatesReply *candidates(struct desk *desk, const char *id,
                                            struct samples *samples)
{
    Callout__CandidatesRequest request;
    callout__candidates_request__init(&request);
    request.appointment_id = words(id);
    return desk_body(desk, put_question(desk, "Candidates", &request.base, samples),
                     &callout__candidates_reply__descriptor);
}

/* Each order goes to whom it costs least; it is the bench's plan, no optimizer's. */
static void plan_one(struct desk *desk, const char *id)
{
    Callout__CandidatesReply *found = candidates(desk, id, NULL);
    if (found->fitting == 0) return;
    desk_do(desk, "Assign", &desk_assign(desk, id, found->candidates[0]->technician_id)->base);
    DESK_NEW(desk, Callout__SetPinRequest, unpin);
    DESK_NEW(desk, Callout__Pin, pin);
    callout__set_pin_request__init(unpin);
    callout__pin__init(pin);
    unpin->appointment_id = words(id);
    unpin->pin = pin;
    desk_do(desk, "SetPin", &unpin->base);
}

static void check_move(struct desk *desk, const char *id, uint32_t technicians,
                       struct samples *samples)
{
    char technician[16];
    Callout__CheckMoveRequest request;
    callout__check_move_request__init(&request);
    snprintf(technician, sizeof technician, "T%u", rng_below(&rng, technicians));
    request.appointment_id = words(id);
    request.technician_id = technician;
    put_question(desk, "CheckMove", &request.base, samples);
}

static void explain(struct desk *desk, const char *id, Callout__Question question,
                    struct samples *samples)
{
    char technician[] = "T1";
    Callout__ExplainRequest request;
    callout__explain_request__init(&request);
    request.appointment_id = words(id);
    request.question = question;
    request.technician_id = technician;
    put_question(desk, "Explain", &request.base, samples);
}

static void told(const char *name, const char *question, struct samples *samples)
{
    char metric[64];
    if (samples->count == 0) return;
    snprintf(metric, sizeof metric, "%s_p50", question);
    figure(name, metric, percentile(samples, 50), "ms");
    snprintf(metric, sizeof metric, "%s_p99", question);
    figure(name, metric, percentile(samples, 99), "ms");
}

static void fresh_arena(struct desk *desk)
{
    arena_rewind(&desk->arena);
}

int main(int argc, char **argv)
{
    static struct samples who, move, unserved, why_not, changed, emergency;
    uint32_t orders = argc == 5 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    uint32_t technicians = argc == 5 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    uint32_t questions = argc == 5 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
    if (orders == 0 || technicians == 0 || technicians > TECHNICIANS_BENCH) {
        fputs("usage: bench_answers NAME ORDERS TECHNICIANS QUESTIONS\n", stderr);
        return 2;
    }
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_do(&desk, "UpsertTerritory", desk_territory(&desk, "UTC"));
    for (uint32_t i = 0; i < technicians; i++)
        make_technician(&desk, i);
    for (uint32_t i = 0; i < orders; i++) {
        char id[16];
        fresh_arena(&desk);
        make_order(&desk, i);
        snprintf(id, sizeof id, "W%u.1", i);
        plan_one(&desk, id);
        progress("planning", i + 1, orders);
    }
    for (uint32_t i = 0; i < questions; i++) {
        char id[16];
        uint32_t number = rng_below(&rng, orders);
        fresh_arena(&desk);
        snprintf(id, sizeof id, "W%u.1", number);
        candidates(&desk, id, &who);
        check_move(&desk, id, technicians, &move);
        explain(&desk, id, CALLOUT__QUESTION__WHY_NOT_TECHNICIAN, &why_not);
        explain(&desk, id, CALLOUT__QUESTION__WHY_CHANGED, &changed);
        snprintf(id, sizeof id, "W%u.1", number / 10 * 10);
        Callout__EmergencyOptionsRequest request;
        callout__emergency_options_request__init(&request);
        request.appointment_id = id;
        if (i % 4 == 0) put_question(&desk, "EmergencyOptions", &request.base, &emergency);
        if (i % 4 != 0) continue;
        char late[16];
        snprintf(late, sizeof late, "X%u", i); /* what nobody has */
        Callout__UpsertWorkOrderRequest *left = desk_order(&desk, late);
        desk_do(&desk, "UpsertWorkOrder", &left->base);
        snprintf(late, sizeof late, "X%u.1", i);
        explain(&desk, late, CALLOUT__QUESTION__WHY_UNSERVED, &unserved);
        progress("asking", i + 1, questions);
    }
    told(argv[1], "candidates", &who);
    told(argv[1], "check_move", &move);
    told(argv[1], "explain_technician", &why_not);
    told(argv[1], "explain_unserved", &unserved);
    told(argv[1], "explain_changed", &changed);
    told(argv[1], "emergency", &emergency);
    desk_close(&desk);
    return 0;
}
