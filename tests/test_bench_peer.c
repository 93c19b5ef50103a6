/* The peer protocol, against small shell scripts: good ones, and all the ways to go wrong. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/bench_step.h"

#define GREET     "echo 'ready fake 1.2 threads 3'; "
#define HAS(part) cr_expect(strstr(dn_error_last(), (part)), "no '%s' in: %s", (part), dn_error_last())

static const dn_peer_work work = {.model = "cnn3",
                                  .layout = "nchw",
                                  .members = 2,
                                  .batch = 8,
                                  .classes = 10,
                                  .steps = 4,
                                  .images = 40,
                                  .shape = {32, 32, 3},
                                  .dropout = 0.25};

static dn_status run_once(const char *command, double patience, double *seconds)
{
    dn_peer *peer = NULL;
    dn_status status = dn_peer_open(&peer, command, patience);
    if (status == DN_OK) status = dn_peer_run(peer, &work, seconds);
    dn_peer_close(peer);
    return status;
}

static void no_child_is_left(void)
{
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child was not waited for");
}

Test(peer, answers)
{
    dn_peer *peer = NULL;
    double seconds = 0;
    cr_assert_eq(dn_peer_open(&peer, GREET "while read line; do echo 1.5; done", 10), DN_OK, "%s", dn_error_last());
    cr_expect_str_eq(dn_peer_name(peer), "fake 1.2");
    cr_expect_eq(dn_peer_threads(peer), 3);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(dn_peer_run(peer, &work, &seconds), DN_OK, "%s", dn_error_last());
        cr_expect_eq(seconds, 1.5);
    }
    dn_peer_close(peer);
    dn_peer_close(NULL);
    no_child_is_left();
}

/** The script answers only if the line is the one that the protocol promises. */
Test(peer, is_asked_in_the_promised_words)
{
    double seconds = 0;
    cr_expect_eq(run_once(GREET
                          "read line; case \"$line\" in 'run model=cnn3 width=0 dropout=0.25 members=2 batch=8 "
                          "images=40 shape=32x32x3 classes=10 layout=nchw steps=4') echo 2;; *) echo error no;; esac",
                          10, &seconds),
                 DN_OK, "%s", dn_error_last());
    cr_expect_eq(seconds, 2.0);
}

/** An answer that comes in pieces, and two lines in one piece. */
Test(peer, pieces)
{
    double seconds = 0;
    cr_expect_eq(run_once("printf 'ready fa'; sleep 0.1; printf 'ke 1 threads 1\\n0.2'; sleep 0.1; echo 5; read x", 10,
                          &seconds),
                 DN_OK, "%s", dn_error_last());
    cr_expect_eq(seconds, 0.25);
}

Test(peer, junk_instead_of_a_greeting)
{
    static const char *const greetings[] = {"echo hello",
                                            "echo 'ready torch'",
                                            "echo 'ready torch 1.13 threads x'",
                                            "echo 'ready torch 1.13 threads 0'",
                                            "echo 'ready torch 1.13 threads 2 or so'",
                                            "echo"};
    double seconds = 0;
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        cr_expect_eq(run_once(greetings[i], 10, &seconds), DN_ERROR_FORMAT, "%s", greetings[i]);
        HAS("expected 'ready NAME VERSION threads N'");
    }
    cr_expect_eq(run_once("printf '\\033[31mred\\n'", 10, &seconds), DN_ERROR_FORMAT);
    cr_expect_null(strchr(dn_error_last(), '\033'), "control characters of others are not for our terminal");
    cr_expect_eq(run_once("head -c 100000 /dev/zero", 10, &seconds), DN_ERROR_FORMAT);
    HAS("without a line break");
    no_child_is_left();
}

Test(peer, junk_instead_of_seconds)
{
    static const char *const answers[] = {"1.5s", "nan", "inf", "-1", "0", "''", "1 2", "ready", "error"};
    double seconds = 7;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char command[128];
        snprintf(command, sizeof command, GREET "read line; echo %s", answers[i]);
        cr_expect_eq(run_once(command, 10, &seconds), DN_ERROR_FORMAT, "%s", answers[i]);
        HAS("expected seconds or 'error TEXT'");
    }
    cr_expect_eq(seconds, 7, "nothing is stored");
    cr_expect_eq(run_once(GREET "read line; echo error there is no such model", 10, &seconds), DN_ERROR_UNSUPPORTED);
    HAS("the peer 'fake 1.2' cannot run model cnn3, layout nchw: there is no such model");
}

Test(peer, death)
{
    double seconds = 0;
    cr_expect_eq(run_once("exit 3", 10, &seconds), DN_ERROR_FILE);
    HAS("ended with exit code 3 before it was ready");
    cr_expect_eq(run_once("dn-no-such-program 2>/dev/null", 10, &seconds), DN_ERROR_FILE);
    HAS("ended with exit code 127");
    cr_expect_eq(run_once(GREET "read line; exit 4", 10, &seconds), DN_ERROR_FILE);
    HAS("ended with exit code 4 while it ran");
    cr_expect_eq(run_once(GREET "read line; kill -9 $$", 10, &seconds), DN_ERROR_FILE);
    HAS("was ended by signal 9 while it ran");
    no_child_is_left();
}

/** Writing to a peer that is gone is an error, not this program's end by SIGPIPE. */
Test(peer, gone_before_it_is_asked)
{
    dn_peer *peer = NULL;
    double seconds = 0;
    cr_assert_eq(dn_peer_open(&peer, GREET "exit 5", 10), DN_OK);
    sleep(1);
    cr_expect_eq(dn_peer_run(peer, &work, &seconds), DN_ERROR_FILE);
    HAS("ended with exit code 5 before it was asked");
    dn_peer_close(peer);
    struct sigaction now;
    sigaction(SIGPIPE, NULL, &now);
    cr_expect_eq(now.sa_handler, SIG_DFL, "SIGPIPE does what it did before");
}

Test(peer, silence, .timeout = 30)
{
    double seconds = 0;
    cr_expect_eq(run_once("sleep 100", 0.2, &seconds), DN_ERROR_FILE);
    HAS("said nothing for 0.2 seconds before it was ready");
    no_child_is_left();
}

Test(peer, a_whole_comparison)
{
    static const char *const tiny[] = {"train.batch=8", "model.width=4"};
    dn_workload w;
    dn_peer *peer = NULL;
    dn_step_report report;
    const dn_workload_options o = {
        .recipe = "glyphs-single", .overrides = tiny, .n_overrides = 2, .images = 40, .threads = 1};
    cr_assert_eq(dn_workload_open(&w, &o), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_peer_open(&peer,
                              GREET
                              "while read line; do case \"$line\" in *layout=nchw*) echo 20;; *model=other*) echo "
                              "10;; *) echo error; esac; done",
                              10),
                 DN_OK);
    const dn_step_options s = {.steps = 2, .rounds = 4, .peer = peer, .peer_model = "other"};
    cr_assert_eq(dn_bench_step(&report, &w, &s), DN_OK, "%s", dn_error_last());
    cr_expect(report.n_sides == 3 && report.best == 2, "channels_last takes half the time");
    cr_expect(report.sides[1].spread.median == 10000.0 && report.sides[2].spread.median == 5000.0);
    cr_expect_float_eq(report.sides[2].speedup_min, 5000.0 / report.sides[0].spread.min, 1e-9);
    cr_expect(report.sides[2].speedup.min <= report.sides[2].speedup.median);
    cr_expect_eq(report.n_differences, 0);
    FILE *file = tmpfile();
    char text[4000] = "";
    cr_assert_eq(dn_bench_step_print(&report, &w, peer, file), DN_OK);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    cr_expect(strstr(text, "NOT EQUAL: dunlin uses 1 threads"), "%s", text);
    cr_expect(strstr(text, "against the peer's best, channels_last"), "%s", text);
    dn_step_report_close(&report);
    dn_peer_close(peer);
    dn_workload_close(&w);
}

Test(peer, only_plain_ensembles)
{
    dn_workload w;
    dn_peer *peer = NULL;
    dn_step_report report;
    const dn_workload_options o = {.recipe = "glyphs-smoke", .images = 40, .threads = 1};
    cr_assert_eq(dn_workload_open(&w, &o), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_peer_open(&peer, GREET "cat", 10), DN_OK);
    cr_expect_eq(dn_bench_step(&report, &w, &(dn_step_options){.peer = peer}), DN_ERROR_ARGUMENT);
    HAS("ensemble.kind=deep");
    dn_step_report_close(&report);
    dn_peer_close(peer);
    dn_workload_close(&w);
}
