/* serve.h - the whole system on one machine: starts the three processes and keeps them running.
 *
 * `callout serve --data DIR [--listen URL]... [--http ADDRESS] [--http-name NAME]...
 *  [--admin HOST:PORT] [--clock wall | START,RATE] [--lab] [--behind-proxy] [--seed N] [--work N]
 *  [--lockstep]`
 *
 * An empty or missing DIR is initialised. When everything answers, DIR/endpoints is written (lines
 * "gateway URL", "http ADDRESS", "admin HOST:PORT", "dispatcher URL") and one line "ready ..." goes
 * to standard output. TERM and INT end the children in order, within 10 seconds.
 */
#ifndef CALLOUT_DISPATCHER_SERVE_H
#define CALLOUT_DISPATCHER_SERVE_H

/* The role's main; argv[0] is the role's word. Returns an exit code. */
int serve_main(int argc, char **argv);

#endif
