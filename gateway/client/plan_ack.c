#include "gateway/client/plan_ack.h"

enum err client_ack_plan(struct client *client, Callout__AckStage stage, uint64_t *seq,
                         struct problem *problem)
{
    Callout__Command command;
    Callout__AckPlan ack;
    callout__command__init(&command);
    callout__ack_plan__init(&ack);
    ack.log_seq = client_plan_seq(client);
    ack.stage = stage;
    command.body_case = CALLOUT__COMMAND__BODY_ACK_PLAN;
    command.ack_plan = &ack;
    if (ack.log_seq == 0)
        return problem_set(problem, ERR_NOT_FOUND, "log_seq", "no plan was told yet");
    return client_save(client, &command, seq, problem);
}
