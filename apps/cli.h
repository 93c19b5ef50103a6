/** What all subcommands share: exit codes, numbers on the command line, options of the same name and meaning. */
#ifndef DN_APPS_CLI_H
#define DN_APPS_CLI_H

#include <stddef.h>
#include <stdint.h>

#include "core/device.h"

enum { DN_EXIT_DONE = 0, DN_EXIT_FAILED = 1, DN_EXIT_USAGE = 2 };

/** Prints "dunlin: TEXT" with the last error's text on stderr, '?' in place of control characters.
 *  @return DN_EXIT_USAGE for DN_ERROR_ARGUMENT, else DN_EXIT_FAILED; DN_EXIT_DONE, and nothing is printed, for DN_OK */
int dn_cli_fail(dn_status status);

/** Read a whole text as one number. @param what names it in errors, such as "--seed"
 *  @return DN_ERROR_ARGUMENT, with the range in the text, for anything else than a number from low to high */
dn_status dn_cli_parse_int(const char *what, const char *text, int64_t low, int64_t high, int64_t *value) DN_NODISCARD;
dn_status dn_cli_parse_u64(const char *what, const char *text, uint64_t *value) DN_NODISCARD;
/** Finite numbers only. */
dn_status dn_cli_parse_double(const char *what, const char *text, double low, double high, double *value) DN_NODISCARD;

/** Finds a text among names. @param names [n] @param index receives its place
 *  @return DN_ERROR_ARGUMENT with the nearest name, or all of them, in the text */
dn_status dn_cli_choose(const char *what, const char *text, const char *const *names, size_t n,
                        size_t *index) DN_NODISCARD;

/** Opens the device of a command, and has all else that works in threads, such as reading images, take as many.
 *  @param name NULL: the CPU @param threads 0: all cores, or what OMP_NUM_THREADS says */
dn_status dn_cli_open_device(dn_device **out, const char *name, int threads) DN_NODISCARD;

/** Rows for an argp option table, and the keys that the parser gets. Options of one command alone take letters. */
enum { DN_KEY_JSON = 0x1000, DN_KEY_DATA, DN_KEY_SEED, DN_KEY_LIMIT };
#define DN_OPTION_JSON                                                                                 \
    {                                                                                                  \
        "json", DN_KEY_JSON, "FILE", 0, "Write the results as JSON to FILE, '-' is standard output", 0 \
    }
#define DN_OPTION_DATA                                                                                      \
    {                                                                                                       \
        "data", DN_KEY_DATA, "DIR", 0, "The data sets' folder (else $DUNLIN_DATA, else ~/.cache/dunlin)", 0 \
    }
#define DN_OPTION_SEED                                                          \
    {                                                                           \
        "seed", DN_KEY_SEED, "N", 0, "Seed of everything random (default 0)", 0 \
    }
#define DN_OPTION_QUIET                                      \
    {                                                        \
        "quiet", 'q', NULL, 0, "No progress and no notes", 0 \
    }

#endif
