/* Unpacking archives, harmless and hostile ones. Part of test_fetch. */
#include "datasets/fetch/unpack.h"
#include "http_server.h"
#include "make_archive.h"
#include "run_command.h"

static made archive;
static dn_fetch_options options;
static const dn__job job = {.options = &options, .label = "made.tar"};
static const dn__unpack_limits few = {.bytes = 100000, .entries = 50};

static void setup(void)
{
    snprintf(work, sizeof work, "/tmp/dn-unpack-XXXXXX");
    cr_assert_not_null(mkdtemp(work));
    options = (dn_fetch_options){.data_dir = work};
    setenv("no_proxy", "127.0.0.1", 1);
}

TestSuite(unpack, .init = setup, .fini = close_work, .timeout = 60);

static void write_archive(const char *name)
{
    FILE *file = fopen(at(name), "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(archive.bytes, 1, archive.n, file), archive.n);
    fclose(file);
}

static void begin(void)
{
    archive.n = archive.directory_n = 0;
    archive.entries = 0;
}

static dn_status unpack(const dn__unpack_limits *limits)
{
    write_archive("a");
    return dn__unpack(&job, at("a"), at("target"), limits);
}

/** Nothing is unpacked, and the text says why. */
static void expect_refused(const char *why)
{
    cr_expect_eq(unpack(&few), DN_ERROR_FORMAT, "%s: %s", why, dn_error_last());
    HAS(dn_error_last(), why);
    cr_expect(!exists(at("target")), "%s", why);
    cr_expect(!exists(at("evil")), "%s", why);
    begin();
}

static void expect_file(const char *path, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(at(path), "rb");
    cr_assert_not_null(file, "%s", path);
    cr_expect_eq(fread(got, 1, sizeof got - 1, file), strlen(text), "%s", path);
    cr_expect_str_eq(got, text);
    fclose(file);
}

/* ---- harmless ---- */

Test(unpack, tar_gzip_and_zip)
{
    for (int form = 0; form < 3; form++) {
        begin();
        if (form < 2) {
            tar_header(&archive, "./set/", '5', NULL, 0);
            tar_file(&archive, "./set/a.bin", "alpha", 5);
            tar_file(&archive, "set/deep/er/b.bin", "", 0);
            tar_file(&archive, "set/deep/c..d", "gamma", 5);
            tar_end(&archive);
            if (form == 1) gzip(&archive);
        } else {
            zip_file(&archive, "set/a.bin", "alpha", 5);
            zip_file(&archive, "set/deep/er/b.bin", "", 0);
            zip_file(&archive, "set/deep/c..d", "gamma", 5);
            zip_end(&archive);
        }
        cr_expect_eq(unpack(&few), DN_OK, "%d: %s", form, dn_error_last());
        expect_file("target/set/a.bin", "alpha");
        expect_file("target/set/deep/er/b.bin", "");
        expect_file("target/set/deep/c..d", "gamma");
        cr_expect_eq(dn__remove_tree(at("target")), DN_OK);
        cr_expect(!exists(at("target")));
    }
}

/* ---- hostile ---- */

Test(unpack, names_that_leave_the_target)
{
    static const char *const names[] = {"../evil", "set/../../evil", "set/..", "..", "./../evil"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tar_file(&archive, "set/a.bin", "alpha", 5);
        tar_file(&archive, names[i], "x", 1);
        tar_end(&archive);
        expect_refused("leaves the target by '..'");
        zip_file(&archive, names[i], "x", 1);
        zip_end(&archive);
        expect_refused("leaves the target by '..'");
    }
    tar_file(&archive, at("evil"), "x", 1);
    tar_end(&archive);
    expect_refused("absolute name");
    zip_file(&archive, at("evil"), "x", 1);
    zip_end(&archive);
    expect_refused("absolute name");
}

Test(unpack, links_and_devices)
{
    tar_header(&archive, "way", '2', work, 0); /* then a file through it */
    tar_file(&archive, "way/evil", "x", 1);
    tar_end(&archive);
    expect_refused("'way' is a link");
    tar_file(&archive, "a", "x", 1);
    tar_header(&archive, "b", '1', "a", 0);
    tar_end(&archive);
    expect_refused("'b' is a link");
    tar_header(&archive, "null", '3', NULL, 0);
    tar_end(&archive);
    expect_refused("neither a file nor a folder");
    tar_header(&archive, "pipe", '6', NULL, 0);
    tar_end(&archive);
    expect_refused("neither a file nor a folder");
}

Test(unpack, the_same_name_twice)
{
    tar_file(&archive, "set/a", "x", 1);
    tar_file(&archive, "set/./a", "y", 1);
    tar_end(&archive);
    expect_refused("is there twice");
    tar_file(&archive, "set", "x", 1);
    tar_file(&archive, "set/a", "y", 1);
    tar_end(&archive);
    expect_refused("is there twice");
    tar_header(&archive, "set/", '5', NULL, 0);
    tar_file(&archive, "set", "y", 1);
    tar_end(&archive);
    expect_refused("is there twice");
}

Test(unpack, names_that_are_none)
{
    tar_file(&archive, "set/\x1b[2J", "x", 1); /* clears a terminal */
    tar_end(&archive);
    expect_refused("'set/?[2J' has a control character");
    char deep[100] = "";
    for (int i = 0; i < 40; i++) memcpy(deep + 2 * i, "d/", 3);
    tar_file(&archive, deep, "x", 1);
    tar_end(&archive);
    expect_refused("too many folders");
}

Test(unpack, bombs)
{
    static char zeros[200000];
    zip_streamed(&archive, "zeros", zeros, sizeof zeros);
    expect_refused("'zeros' makes the whole larger");
    tar_file(&archive, "zeros", zeros, sizeof zeros);
    tar_end(&archive);
    gzip(&archive);
    cr_assert_lt(archive.n, 2000);
    expect_refused("makes the whole larger");
    for (int i = 0; i < 4; i++) { /* each is small enough, not all together */
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        tar_file(&archive, name, zeros, 30000);
    }
    tar_end(&archive);
    expect_refused("'3' makes the whole larger");
    for (int i = 0; i < 51; i++) {
        char name[8];
        snprintf(name, sizeof name, "%d", i);
        tar_header(&archive, name, '5', NULL, 0);
    }
    tar_end(&archive);
    expect_refused("'50' is one of too many entries");
    tar_header(&archive, "huge", '0', NULL, 077777777777ULL);
    tar_end(&archive);
    expect_refused("'huge' makes the whole larger");
    cr_expect_eq(dn__unpack_limits_for(1000).bytes, 16000 + (1 << 20));
    cr_expect_gt(dn__unpack_limits_for(INT64_MAX).bytes, INT64_MAX / 2);
}

Test(unpack, truncated_and_damaged)
{
    static const char text[5000] = "text";
    tar_file(&archive, "a", text, sizeof text);
    tar_file(&archive, "b", text, sizeof text);
    tar_end(&archive);
    const size_t whole = archive.n;
    archive.n = whole / 2;
    expect_refused("truncated");
    tar_file(&archive, "a", text, sizeof text);
    tar_end(&archive);
    gzip(&archive);
    archive.n -= 10;
    expect_refused("truncated");
    zip_file(&archive, "a", text, sizeof text);
    archive.bytes[60] ^= 1; /* its sum is wrong */
    zip_end(&archive);
    expect_refused("damaged");
    add_bytes(&archive, "this is no archive at all, but long enough to look like one", 58);
    expect_refused("no archive");
    tar_end(&archive);
    expect_refused("an empty archive");
    expect_refused("archive"); /* no bytes */
}

Test(unpack, folder_that_is_there_stays)
{
    tar_file(&archive, "a", "x", 1);
    tar_end(&archive);
    mkdir(at("target"), 0777);
    cr_expect_eq(unpack(&few), DN_ERROR_FILE);
    cr_expect(exists(at("target")));
}

Test(unpack, removing_follows_no_link)
{
    mkdir(at("target"), 0777);
    mkdir(at("kept"), 0777);
    write_archive("kept/file");
    cr_assert_eq(symlink(at("kept"), at("target/link")), 0);
    cr_expect_eq(dn__remove_tree(at("target")), DN_OK, "%s", dn_error_last());
    cr_expect(!exists(at("target")));
    cr_expect(exists(at("kept/file")));
}

/* ---- sets that are archives ---- */

/** Makes made.tar, a folder with one file, and the set that it belongs to. */
static dn_fetch_set *make_set(const char *address)
{
    static dn_fetch_set set;
    begin();
    tar_file(&archive, "made/a.bin", "alpha", 5);
    tar_file(&archive, "README", "beside the folder", 17);
    tar_end(&archive);
    set = (dn_fetch_set){"made", "none", {{.path = "made.tar", .addresses = {address}, .folder = "made"}}};
    set.files[0].bytes = (int64_t)archive.n;
    set.files[0].sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
    set.files[0].needs[0] = "a.bin";
    return &set;
}

/** Puts the archive's true digest, which an error tells, into the set. */
static void learn_digest(dn_fetch_set *set)
{
    static char digest[65];
    cr_assert_eq(dn_fetch(set, &options), DN_ERROR_FORMAT);
    HAS(dn_error_last(), "Remove it, or download it with --again");
    const char *found = strstr(dn_error_last(), "SHA-256 ");
    cr_assert_not_null(found);
    memcpy(digest, found + 8, 64);
    set->files[0].sha256 = digest;
    cr_expect(!exists(at("made")));
}

Test(unpack, archive_put_there_by_hand)
{
    dn_fetch_set *set = make_set("http://127.0.0.1:9/made.tar");
    write_archive("made.tar");
    learn_digest(set);
    cr_expect_eq(dn_fetch(set, &options), DN_OK, "%s", dn_error_last());
    expect_file("made/a.bin", "alpha");
    cr_expect(exists(at("made.tar")), "it is the user's");
    cr_expect(!exists(at("README")) && !exists(at("made.unpacking")) && !exists(at(".made.fetching")));
    unlink(at("made.tar"));
    cr_expect_eq(dn_fetch(set, &options), DN_OK, "%s", dn_error_last()); /* nothing to do, no address is asked */
}

Test(unpack, archive_from_a_server)
{
    char address[64] = "";
    dn_fetch_set *set = make_set(address);
    write_archive("made.tar");
    learn_digest(set);
    unlink(at("made.tar"));
    http_server server;
    http_page pages[] = {{.path = "/made.tar", .body = archive.bytes, .bytes = archive.n}};
    open_server(&server, pages, 1);
    snprintf(address, sizeof address, "http://127.0.0.1:%d/made.tar", server.port);
    mkdir(at("made.unpacking"), 0777); /* of a call that was killed */
    write_archive("made.unpacking/half");
    cr_expect_eq(dn_fetch(set, &options), DN_OK, "%s", dn_error_last());
    expect_file("made/a.bin", "alpha");
    cr_expect(!exists(at("made.tar")) && !exists(at("made.tar.part")) && !exists(at("made.tar.part.from")));
    cr_expect(!exists(at("made/half")) && !exists(at("made.unpacking")));
    write_archive("made/own");
    options.again = options.keep = true;
    cr_expect_eq(dn_fetch(set, &options), DN_OK, "%s", dn_error_last());
    cr_expect(exists(at("made.old/own")) && !exists(at("made/own")) && exists(at("made.tar")));
    cr_expect_eq(dn_fetch(set, &options), DN_ERROR_FILE, "made.old is not overwritten");
    HAS(dn_error_last(), "made.old: is there already");
    expect_file("made/a.bin", "alpha");
    set->files[0].needs[0] = "b.bin";
    cr_expect_eq(dn_fetch(set, &options), DN_ERROR_FORMAT);
    HAS(dn_error_last(), "has no made/b.bin");
    set->files[0].folder = "other";
    cr_expect_eq(dn_fetch(set, &options), DN_ERROR_FORMAT);
    HAS(dn_error_last(), "does not hold the folder other");
    cr_expect(!exists(at("other")) && !exists(at("other.unpacking")));
    close_server(&server);
}
