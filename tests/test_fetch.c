/* Fetching data sets from servers and connections with faults, and from files brought by hand. */
#include <sys/resource.h>

#include "core/random.h"
#include "datasets/dataset.h"
#include "datasets/fetch/fetch.h"
#include "datasets/fetch/libraries.h"
#include "http_server.h"
#include "make_archive.h"
#include "run_command.h"

enum { BYTES = 300000 };

static unsigned char body[BYTES], other[BYTES];
static char notes[8000];
static dn_fetch_options options;
static http_server server;
static int stop_at_bytes; /* > 0: the user stops there */

static bool on_progress(void *context, const char *what, const char *file, int64_t done, int64_t total)
{
    (void)context, (void)file;
    cr_expect(total == 0 || done <= total, "%s: %lld of %lld", what, (long long)done, (long long)total);
    return !(stop_at_bytes > 0 && strcmp(what, "downloading") == 0 && done >= stop_at_bytes);
}

static void on_note(void *context, const char *text)
{
    (void)context;
    const size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

static void setup(void)
{
    dn_random_sequence r = {.seed = 9};
    snprintf(work, sizeof work, "/tmp/dn-fetch-XXXXXX");
    cr_assert_not_null(mkdtemp(work));
    setenv("no_proxy", "127.0.0.1", 1);
    for (int i = 0; i < BYTES; i++) {
        body[i] = (unsigned char)dn_random_next_below(&r, 256);
        other[i] = (unsigned char)~body[i];
    }
    options = (dn_fetch_options){
        .data_dir = work, .pause = 0.01, .attempts = 3, .patience = 0.3, .progress = on_progress, .note = on_note};
    threads = NULL; /* not an option of these commands */
}

TestSuite(fetch, .init = setup, .fini = close_work, .timeout = 60);

/* ---- helpers ---- */

/** @return the SHA-256, or MD5, in hexadecimal; one of four texts that are used in turn */
static const char *digest_of(const void *bytes, size_t n, bool md5)
{
    static char texts[4][65];
    static int next;
    char *text = texts[next++ % 4];
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    const dn__crypto *c = NULL;
    cr_assert_eq(dn__load_crypto(&c), DN_OK, "%s", dn_error_last());
    EVP_MD_CTX *state = c->EVP_MD_CTX_new();
    cr_assert(c->EVP_DigestInit_ex(state, md5 ? c->EVP_md5() : c->EVP_sha256(), NULL) == 1);
    cr_assert(c->EVP_DigestUpdate(state, bytes, n) == 1 && c->EVP_DigestFinal_ex(state, raw, &length) == 1);
    c->EVP_MD_CTX_free(state);
    for (unsigned i = 0; i < length; i++) snprintf(text + (size_t)2 * i, 3, "%02x", raw[i]);
    return text;
}

/** A set of one file, set/data.bin, under /data.bin of the server and under further paths. */
static dn_fetch_set *set_of(const void *bytes, size_t n, const char *second)
{
    static char addresses[2][64];
    static dn_fetch_set set;
    snprintf(addresses[0], sizeof addresses[0], "http://127.0.0.1:%d/data.bin", server.port);
    snprintf(addresses[1], sizeof addresses[1], "http://127.0.0.1:%d%s", server.port, second ? second : "");
    set = (dn_fetch_set){"made",
                         "none",
                         {{"set/data.bin",
                           {addresses[0], second ? addresses[1] : NULL},
                           (int64_t)n,
                           digest_of(bytes, n, false),
                           NULL,
                           NULL,
                           {NULL}}}};
    return &set;
}

static size_t read_file(const char *path, void *into, size_t size)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    const size_t n = fread(into, 1, size, file);
    fclose(file);
    return n;
}

static void write_file(const char *path, const void *from, size_t n)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(from, 1, n, file), n);
    fclose(file);
}

static long size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

/** The file is in place, whole, and nothing else is left. */
static void expect_fetched(void)
{
    static unsigned char got[BYTES + 1];
    cr_expect_eq(read_file(at("set/data.bin"), got, sizeof got), BYTES);
    cr_expect(memcmp(got, body, BYTES) == 0);
    cr_expect(!exists(at("set/data.bin.part")));
    cr_expect(!exists(at("set/data.bin.part.from")));
    cr_expect(!exists(at(".made.fetching")));
}

static void expect_ok(const dn_fetch_set *set)
{
    cr_expect_eq(dn_fetch(set, &options), DN_OK, "%s", dn_error_last());
}

/** Fetching fails with a text that holds `part`, and nothing has the file's name. */
static void expect_error(const dn_fetch_set *set, dn_status status, const char *part)
{
    cr_expect_eq(dn_fetch(set, &options), status, "%s", dn_error_last());
    HAS(dn_error_last(), part);
    cr_expect(!exists(at("set/data.bin")));
    cr_expect(!exists(at(".made.fetching")));
}

#define SERVE(...)                     \
    http_page pages[] = {__VA_ARGS__}; \
    open_server(&server, pages, (int)(sizeof pages / sizeof *pages))

#define AT(where, what) .path = (where), .body = (what), .bytes = BYTES
#define PAGE            AT("/data.bin", body)

/* ---- downloads ---- */

Test(fetch, whole)
{
    cr_expect_str_eq(digest_of("abc", 3, false), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_expect_str_eq(digest_of("abc", 3, true), "900150983cd24fb0d6963f7d28e17f72");
    SERVE({PAGE});
    expect_ok(set_of(body, BYTES, NULL));
    expect_fetched();
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_eq(pages[0].requests, 1, "what is there is not downloaded");
    HAS(notes, "set/data.bin is there");
    options.again = true;
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_eq(pages[0].requests, 2);
    close_server(&server);
}

Test(fetch, broken_connection_goes_on)
{
    SERVE({PAGE, .etag = "\"v1\"", .breaks = 5, .break_after = 50000});
    expect_ok(set_of(body, BYTES, NULL)); /* more breaks than attempts: each came further */
    cr_expect_eq(pages[0].requests, 6);
    cr_expect_str_eq(pages[0].range, "bytes=250000-");
    cr_expect_str_eq(pages[0].if_range, "\"v1\"");
    HAS(notes, "again in 0.01 s");
    expect_fetched();
    close_server(&server);
}

Test(fetch, stopped_by_the_user_goes_on_in_the_next_call)
{
    SERVE({PAGE, .modified = "Sun, 06 Nov 1994 08:49:37 GMT", .pause_us = 2000});
    stop_at_bytes = 50000;
    expect_error(set_of(body, BYTES, NULL), DN_ERROR_INTERRUPTED, "the same command goes on from here");
    cr_expect_geq(size_of(at("set/data.bin.part")), 50000);
    stop_at_bytes = 0;
    pages[0].pause_us = 0;
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_str_eq(pages[0].if_range, "Sun, 06 Nov 1994 08:49:37 GMT");
    cr_expect_geq(number_after(pages[0].range, "bytes="), 50000);
    expect_fetched();
    close_server(&server);
}

Test(fetch, server_without_ranges)
{
    SERVE({PAGE, .no_ranges = true, .breaks = 1, .break_after = 100000});
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_str_eq(pages[0].range, "bytes=100000-");
    HAS(notes, "from the start again");
    expect_fetched();
    close_server(&server);
}

Test(fetch, server_that_sends_another_range)
{
    SERVE({PAGE, .wrong_range = true, .breaks = 1, .break_after = 1000});
    expect_error(set_of(body, BYTES, NULL), DN_ERROR_FORMAT, "sent bytes from 1001 on, asked for 1000");
    close_server(&server);
}

Test(fetch, file_that_changed_meanwhile_is_not_glued_together)
{
    SERVE({AT("/data.bin", other), .etag = "\"v1\"", .pause_us = 2000});
    stop_at_bytes = 50000;
    expect_error(set_of(body, BYTES, NULL), DN_ERROR_INTERRUPTED, "stopped");
    stop_at_bytes = 0;
    pages[0].body = body;
    pages[0].etag = "\"v2\"";
    pages[0].pause_us = 0;
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_str_eq(pages[0].if_range, "\"v1\"");
    cr_expect_eq(pages[0].requests, 2);
    expect_fetched();
    close_server(&server);
}

/* A weak ETag may not be asked with; without anything to ask with the digest decides. */
Test(fetch, weak_etag)
{
    SERVE({PAGE, .etag = "W/\"v1\"", .breaks = 1, .break_after = 100000});
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_str_eq(pages[0].range, "bytes=100000-");
    cr_expect_str_eq(pages[0].if_range, "");
    expect_fetched();
    close_server(&server);
}

Test(fetch, part_of_another_address_is_not_used)
{
    SERVE({PAGE});
    mkdir(at("set"), 0777);
    write_file(at("set/data.bin.part"), other, 1000);
    write_file(at("set/data.bin.part.from"), "http://elsewhere/data.bin\n\"v1\"\n", 31);
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_str_eq(pages[0].range, "");
    expect_fetched();
    close_server(&server);
}

Test(fetch, part_that_is_whole_needs_no_server)
{
    SERVE({PAGE, .code = 404});
    mkdir(at("set"), 0777);
    write_file(at("set/data.bin.part"), body, BYTES);
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_eq(pages[0].requests, 0);
    expect_fetched();
    close_server(&server);
}

Test(fetch, part_that_is_too_long_starts_over)
{
    static unsigned char longer[BYTES + 10];
    char note[128];
    SERVE({PAGE});
    const dn_fetch_set *set = set_of(body, BYTES, NULL);
    mkdir(at("set"), 0777);
    write_file(at("set/data.bin.part"), longer, sizeof longer);
    snprintf(note, sizeof note, "%s\n\n", set->files[0].addresses[0]);
    write_file(at("set/data.bin.part.from"), note, strlen(note));
    expect_ok(set);
    expect_fetched();
    close_server(&server);
}

Test(fetch, wrong_bytes)
{
    SERVE({AT("/data.bin", other)});
    expect_error(set_of(body, BYTES, NULL), DN_ERROR_FORMAT, "is not the published file: SHA-256 ");
    HAS(dn_error_last(), digest_of(body, BYTES, false));
    HAS(dn_error_last(), digest_of(other, BYTES, false));
    cr_expect(!exists(at("set/data.bin.part")), "wrong bytes are not gone on with");
    close_server(&server);
}

Test(fetch, md5_where_nothing_else_and_no_size_is_published)
{
    SERVE({PAGE, .breaks = 1, .break_after = 1000, .etag = "\"v1\""});
    dn_fetch_set *set = set_of(body, BYTES, NULL);
    set->files[0].md5 = digest_of(body, BYTES, true);
    set->files[0].sha256 = NULL;
    set->files[0].bytes = 0;
    expect_ok(set);
    expect_fetched();
    unlink(at("set/data.bin"));
    set->files[0].md5 = digest_of(other, BYTES, true);
    expect_error(set, DN_ERROR_FORMAT, "MD5");
    close_server(&server);
}

Test(fetch, lengths_that_lie)
{
    SERVE({PAGE, .claimed = BYTES - 7}, {AT("/more", body), .claimed = BYTES + 7});
    expect_error(set_of(body, BYTES, "/more"), DN_ERROR_FORMAT, "is a file of 299993 bytes, expected 300000");
    HAS(dn_error_last(), "is a file of 300007 bytes, expected 300000");
    close_server(&server);
}

Test(fetch, endless_body)
{
    SERVE({PAGE, .endless = true, .claimed = -1});
    expect_error(set_of(body, BYTES, NULL), DN_ERROR_FORMAT, "sends more than the expected 300000 bytes");
    cr_expect_leq(size_of(at("set/data.bin.part")), BYTES);
    close_server(&server);
}

Test(fetch, body_that_ends_early_without_a_length)
{
    SERVE({PAGE, .claimed = -1, .breaks = 1, .break_after = 5000});
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_eq(pages[0].requests, 2);
    expect_fetched();
    close_server(&server);
}

Test(fetch, silence_counts_as_a_break)
{
    SERVE({PAGE, .stalls = 1, .break_after = 5000});
    expect_ok(set_of(body, BYTES, NULL));
    cr_expect_str_eq(pages[0].range, "bytes=5000-");
    HAS(notes, "sent nothing for 0.3 s");
    expect_fetched();
    close_server(&server);
}

Test(fetch, servers_that_say_no)
{
    SERVE({PAGE, .code = 404}, {AT("/busy", body), .code = 503});
    expect_error(set_of(body, BYTES, "/busy"), DN_ERROR_FORMAT, "the server says 404");
    HAS(dn_error_last(), "the server says 503");
    HAS(dn_error_last(), "--from");
    HAS(notes, "trying another address");
    cr_expect(!exists(at("set/data.bin.part")), "nothing came");
    cr_expect_eq(pages[0].requests, 1, "no is no");
    cr_expect_eq(pages[1].requests, 3, "busy may be over soon");
    close_server(&server);
}

Test(fetch, second_address)
{
    SERVE({AT("/data.bin", other)}, {AT("/well", body)});
    expect_ok(set_of(body, BYTES, "/well"));
    expect_fetched();
    close_server(&server);
}

Test(fetch, redirects)
{
    SERVE({PAGE, .code = 302, .location = "/well"}, {AT("/well", body)},
          {.path = "/loop", .body = "", .code = 302, .location = "/loop"});
    expect_ok(set_of(body, BYTES, NULL));
    expect_fetched();
    remove_folder(at("set"));
    pages[0].location = "/loop";
    expect_error(set_of(body, BYTES, NULL), DN_ERROR_FORMAT, "redirects");
    cr_expect_leq(pages[2].requests, 6);
    close_server(&server);
}

Test(fetch, other_protocols)
{
    char address[128];
    snprintf(address, sizeof address, "file://%s/right.bin", work);
    write_file(at("right.bin"), body, BYTES);
    SERVE({PAGE, .code = 302, .location = address});
    dn_fetch_set *set = set_of(body, BYTES, NULL);
    expect_error(set, DN_ERROR_FORMAT, "Unsupported protocol");
    set->files[0].addresses[0] = address;
    expect_error(set, DN_ERROR_FORMAT, "Unsupported protocol");
    close_server(&server);
}

Test(fetch, mirror)
{
    SERVE({AT("/all/of/them/data.bin", body)});
    char mirror[64];
    snprintf(mirror, sizeof mirror, "http://127.0.0.1:%d/all/of/them", server.port);
    options.mirror = mirror;
    expect_ok(set_of(body, BYTES, NULL));
    expect_fetched();
    options.mirror = "ftp://127.0.0.1";
    options.again = true;
    cr_expect_eq(dn_fetch(set_of(body, BYTES, NULL), &options), DN_ERROR_ARGUMENT);
    HAS(dn_error_last(), "http://");
    close_server(&server);
}

/* ---- processes ---- */

/** @return a child that fetches the set, and ends with 0 if that goes well */
static pid_t start_fetching(const dn_fetch_set *set)
{
    const pid_t child = fork();
    if (child == 0) _exit(dn_fetch(set, &options) == DN_OK ? 0 : 1);
    return child;
}

static int wait_for(pid_t child)
{
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Test(fetch, killed_in_the_middle)
{
    SERVE({PAGE, .etag = "\"v1\"", .pause_us = 3000});
    const dn_fetch_set *set = set_of(body, BYTES, NULL);
    const pid_t child = start_fetching(set);
    while (size_of(at("set/data.bin.part")) < 40000) wait_us(2000);
    kill(child, SIGKILL);
    cr_expect_eq(wait_for(child), -SIGKILL);
    cr_expect(!exists(at("set/data.bin")));
    pages[0].pause_us = 0;
    expect_ok(set); /* the dead process's lock is none */
    cr_expect_geq(number_after(pages[0].range, "bytes="), 40000);
    expect_fetched();
    close_server(&server);
}

Test(fetch, two_at_once)
{
    SERVE({PAGE, .pause_us = 1000});
    const dn_fetch_set *set = set_of(body, BYTES, NULL);
    const pid_t first = start_fetching(set), second = start_fetching(set);
    cr_expect_eq(wait_for(first), 0);
    cr_expect_eq(wait_for(second), 0);
    cr_expect_eq(pages[0].requests, 1, "the second found what the first brought");
    expect_fetched();
    close_server(&server);
}

Test(fetch, full_disk)
{
    SERVE({PAGE});
    const dn_fetch_set *set = set_of(body, BYTES, NULL);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, 100000});
        const dn_status status = dn_fetch(set, &options);
        _exit(status == DN_ERROR_FILE && strstr(dn_error_last(), "cannot write after 100000 bytes") ? 0 : 1);
    }
    cr_expect_eq(wait_for(child), 0);
    cr_expect(!exists(at("set/data.bin")));
    expect_ok(set);
    expect_fetched();
    close_server(&server);
}

/* ---- by hand ---- */

Test(fetch, file_brought_by_hand)
{
    const dn_fetch_set *set = set_of(body, BYTES, NULL);
    mkdir(at("stick"), 0777);
    write_file(at("stick/data.bin"), body, BYTES);
    options.from = at("stick");
    expect_ok(set);
    expect_fetched();
    cr_expect(exists(at("stick/data.bin")), "what was brought stays");
    unlink(at("set/data.bin"));
    write_file(at("stick/any name"), other, BYTES);
    options.from = at("stick/any name"); /* the only file of the set may have any */
    expect_error(set, DN_ERROR_FORMAT, "is not the published file");
    write_file(at("stick/any name"), body, 1000);
    expect_error(set, DN_ERROR_FORMAT, "1000 bytes, expected 300000");
    options.from = at("nowhere");
    expect_error(set, DN_ERROR_FILE, "nowhere");
    unlink(at("stick/data.bin"));
    options.from = at("stick");
    expect_error(set, DN_ERROR_FILE, "does not hold data.bin");
}

Test(fetch, link_in_the_place_of_a_file_is_not_written_through)
{
    static unsigned char got[BYTES + 1];
    const dn_fetch_set *set = set_of(body, BYTES, NULL);
    mkdir(at("stick"), 0777);
    mkdir(at("set"), 0777);
    write_file(at("stick/data.bin"), body, BYTES);
    cr_assert_eq(symlink("../stick/data.bin", at("set/data.bin")), 0);
    options.from = at("stick");
    options.again = true;
    cr_expect_eq(dn_fetch(set, &options), DN_ERROR_FILE);
    HAS(dn_error_last(), "remove it first");
    cr_expect_eq(read_file(at("stick/data.bin"), got, sizeof got), BYTES, "the file that was brought is emptied");
    cr_expect(memcmp(got, body, BYTES) == 0);
}

Test(fetch, file_put_in_its_place_by_hand)
{
    const dn_fetch_set *set = set_of(body, BYTES, NULL);
    mkdir(at("set"), 0777);
    write_file(at("set/data.bin"), body, BYTES);
    expect_ok(set);
    expect_fetched();
    write_file(at("set/data.bin"), other, BYTES);
    cr_expect_eq(dn_fetch(set, &options), DN_ERROR_FORMAT);
    HAS(dn_error_last(), "Remove it, or replace it with --again");
    cr_expect(exists(at("set/data.bin")), "what somebody put there is not removed");
}

/* ---- the catalogue ---- */

/** @return whether fetching the set brings this file, which a reader looks for */
static bool brings(const dn_fetch_set *set, const char *wanted)
{
    for (const dn_fetch_file *file = set->files; file->path; file++) {
        const size_t length = file->folder ? strlen(file->folder) : 0;
        if (!file->folder && strcmp(file->path, wanted) == 0) return true;
        if (file->folder && strncmp(wanted, file->folder, length) == 0 && (wanted[length] == '/' || !wanted[length]))
            return true;
    }
    return false;
}

Test(fetch, catalogue_brings_what_the_readers_want)
{
    int known = 0;
    for (int i = 0; i < dn_fetch_count(); i++) {
        const dn_fetch_set *set = dn_fetch_get(i);
        for (const dn_fetch_file *file = set->files; file->path; file++) {
            const char *digest = file->sha256 ? file->sha256 : file->md5;
            cr_expect_eq(strlen(digest), file->sha256 ? 64 : 32, "%s", file->path);
            cr_expect_eq(strspn(digest, "0123456789abcdef"), strlen(digest), "%s", file->path);
            cr_expect(file->addresses[0] && strncmp(file->addresses[0], "http", 4) == 0, "%s", file->path);
            cr_expect_eq(!file->folder, !file->needs[0], "%s", file->path);
        }
        for (int k = 0; k < dn_dataset_info_count(); k++) {
            dn_dataset_info info;
            cr_assert_eq(dn_dataset_info_get(&info, k, NULL), DN_OK);
            if (strcmp(info.name, set->name) != 0 || strcmp(info.split, "extra") == 0) continue;
            for (const char *const *file = info.files; *file; file++, known++)
                cr_expect(brings(set, *file), "%s lacks %s", set->name, *file);
        }
    }
    cr_expect_geq(known, 20);
}

/* ---- the command ---- */

Test(fetch, command)
{
    cr_expect_eq(RUN("data", "fetch", "--list"), 0, "%s", err);
    HAS(out, "cifar10");
    HAS(out, "non-commercial use only");
    HAS(out, "MD5");
    cr_expect_eq(RUN("data", "fetch", "--list", "--json", "-"), 0, "%s", err);
    HAS(out, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd");
    cr_expect_eq(RUN("data", "fetch", "cifar11", "--data", work), 2);
    HAS(err, "the nearest is 'cifar10'");
    cr_expect_eq(RUN("data", "fetch"), 2);
    write_file(at("t10k-labels-idx1-ubyte.gz"), body, 4542);
    cr_expect_eq(RUN("data", "fetch", "mnist", "--data", work, "--from", at("t10k-labels-idx1-ubyte.gz")), 1);
    HAS(err, "terms of use: CC BY-SA 3.0");
    HAS(err, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6");
    cr_expect_eq(RUN("data", "fetch", "mnist", "--data", work, "--from", at("set/data.bin")), 1);
    write_file(at("other.gz"), body, 1);
    cr_expect_eq(RUN("data", "fetch", "mnist", "--data", work, "--from", at("other.gz")), 2);
    HAS(err, "none of its files has the name");
    SERVE({AT("/m/train-images-idx3-ubyte.gz", body)});
    char mirror[64];
    snprintf(mirror, sizeof mirror, "http://127.0.0.1:%d/m/", server.port);
    cr_expect_eq(RUN("data", "fetch", "mnist", "--data", work, "--mirror", mirror), 1);
    HAS(err, "is a file of 300000 bytes, expected 9912422");
    close_server(&server);
}

Test(fetch, command_interrupted)
{
    SERVE({AT("/train-images-idx3-ubyte.gz", body), .claimed = 9912422, .etag = "\"v1\"", .pause_us = 10000});
    char mirror[64];
    snprintf(mirror, sizeof mirror, "http://127.0.0.1:%d", server.port);
    const pid_t child = START("data", "fetch", "mnist", "--data", work, "--mirror", mirror);
    while (size_of(at("mnist/train-images-idx3-ubyte.gz.part")) < 10000) wait_us(2000);
    kill(child, SIGINT);
    cr_expect_eq(wait_command(child), 1);
    HAS(err, "stopped while downloading; the same command goes on from here");
    cr_expect_geq(size_of(at("mnist/train-images-idx3-ubyte.gz.part")), 10000);
    cr_expect(!exists(at("mnist/train-images-idx3-ubyte.gz")));
    close_server(&server);
}
