/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands of skl and its main() share. A new command is one file and one row of the table in skl.c.
 */
#ifndef SKL_CLI_SKL_H
#define SKL_CLI_SKL_H

/* What every command but run ends with. */
enum {
	SKL_OK = 0,
	SKL_FAILED = 1,
	SKL_USAGE = 2,
};

/*
 * The commands: argv[0] is the command's name. They return skl's exit code,
 * having told on stderr what went wrong.
 */
int run_main(int argc, char **argv);
int status_main(int argc, char **argv);
int attach_main(int argc, char **argv);
int upgrade_main(int argc, char **argv);
int detach_main(int argc, char **argv);
int trace_main(int argc, char **argv);
int metrics_main(int argc, char **argv);
int doctor_main(int argc, char **argv);

extern const char run_help[];
extern const char status_help[];
extern const char attach_help[];
extern const char upgrade_help[];
extern const char detach_help[];
extern const char trace_help[];
extern const char metrics_help[];
extern const char doctor_help[];

/*
 * Tells something on stderr: each line of it after "skl: ", in one write, with control characters shown as
 * '?'. errno stays as it was.
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Complains about what getopt_long() returned as `c` ('?' or ':', with opterr 0 and ':' in the option
 * string). */
void complain_option(int c, char **argv);

#endif
