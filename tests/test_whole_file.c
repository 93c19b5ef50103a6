/* Files that appear whole or not at all, and names that stand for something else. */
#include <fcntl.h>

#include "core/whole_file.h"
#include "test_dataset_files.h"

static dn_status write_text(const char *path, const char *text, bool commit)
{
    dn_whole_file file;
    dn_status status = dn_whole_file_open(&file, path);
    if (status == DN_OK) {
        (void)fputs(text, file.file);
        if (commit) status = dn_whole_file_commit(&file);
    }
    dn_whole_file_close(&file);
    return status;
}

static void expect_text(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    (void)!fread(text, 1, sizeof text - 1, file);
    fclose(file);
    cr_expect_str_eq(text, expected);
}

Test(whole_file, replaces_or_leaves_the_old_one)
{
    folder f;
    folder_open(&f);
    const char *path = folder_file(&f, "it");
    cr_expect_eq(write_text(path, "old", true), DN_OK);
    cr_expect_eq(write_text(path, "half", false), DN_OK);
    expect_text(path, "old");
    cr_expect_eq(write_text(path, "new", true), DN_OK);
    expect_text(path, "new");
    folder_close(&f);
    cr_expect_neq(access(f.path, F_OK), 0, "something stayed in the folder");
}

Test(whole_file, has_the_rights_of_new_files)
{
    folder f;
    struct stat info;
    folder_open(&f);
    const char *path = folder_file(&f, "it");
    const mode_t before = umask(027);
    cr_expect_eq(write_text(path, "text", true), DN_OK);
    umask(before);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0640, "%o", info.st_mode);
    folder_close(&f);
}

/* As root, a rename onto /dev/null would leave a file there. */
Test(whole_file, writes_to_pipes_and_through_links)
{
    folder f;
    struct stat info;
    char text[8] = "";
    folder_open(&f);
    const char *pipe = folder_file(&f, "pipe"), *target = folder_file(&f, "target"), *link = folder_file(&f, "link");
    cr_assert_eq(mkfifo(pipe, 0600), 0);
    const int reader = open(pipe, O_RDONLY | O_NONBLOCK);
    cr_assert_geq(reader, 0);
    cr_expect_eq(write_text(pipe, "text", true), DN_OK, "%s", dn_error_last());
    cr_expect_eq(read(reader, text, sizeof text), 4);
    cr_expect_str_eq(text, "text");
    close(reader);
    cr_expect(lstat(pipe, &info) == 0 && S_ISFIFO(info.st_mode));
    cr_assert_eq(symlink(target, link), 0);
    cr_expect_eq(write_text(link, "through", true), DN_OK, "%s", dn_error_last());
    expect_text(target, "through");
    cr_expect(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
    folder_close(&f);
}

Test(whole_file, errors_name_the_file)
{
    folder f;
    folder_open(&f);
    cr_expect_eq(write_text(f.path, "text", true), DN_ERROR_FILE);
    cr_expect_not_null(strstr(dn_error_last(), f.path), "%s", dn_error_last());
    cr_expect_eq(write_text("/no/such/folder/it", "text", true), DN_ERROR_FILE);
    cr_expect_not_null(strstr(dn_error_last(), "/no/such/folder/it"), "%s", dn_error_last());
    cr_expect_eq(write_text("/dev/full", "text", true), DN_ERROR_FILE);
    cr_expect_not_null(strstr(dn_error_last(), "/dev/full: cannot write"), "%s", dn_error_last());
    folder_close(&f);
}
