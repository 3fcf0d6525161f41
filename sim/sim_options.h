/* sim_options.h - the command lines of `callout sim demo` and `live`, and the texts for who asks.
 * Texts are borrowed from argv. Thread: none.
 */
#ifndef CALLOUT_SIM_SIM_OPTIONS_H
#define CALLOUT_SIM_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SIM_NOT_SET = -1 };

struct sim_options {
    bool demo;
    const char *data, *gateway, *key_file, *ca_file, *tokens_file, *day, *fleet, *territory, *zone;
    const char *metrics, *work, *control;
    const char *http;   /* NULL: see console_address */
    double for_s, rate; /* 0: not told */
    uint64_t seed;
    long ill, emergencies, cancels; /* or SIM_NOT_SET */
    bool json, help;
};

/* argv[0] is the verb. False: the words make no sense, and getopt said why. */
bool sim_options_read(struct sim_options *out, int argc, char **argv);

/* How to call `verb`, or with another word all verbs. An exit code: EXIT_DONE on stdout, where it
 * was asked for, else EXIT_USAGE. */
int sim_usage(FILE *out, const char *verb);

#endif
