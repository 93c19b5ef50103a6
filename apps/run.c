#include "apps/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/checkpoint.h"
#include "core/alloc.h"

static const char no_name[] = "the name of a folder is needed, found an empty one";

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

char *dn_run_checkpoint(const char *run)
{
    if (!*run) {
        dn_fail(DN_ERROR_ARGUMENT, "run '': %s", no_name);
        return NULL;
    }
    return is_file(run) ? dn_strdup(run) : dn_format("%s/checkpoint.h5", run);
}

dn_status dn_run_check(const char *run)
{
    if (!*run) return dn_fail(DN_ERROR_ARGUMENT, "--out: %s", no_name);
    if (is_file(run)) return dn_fail(DN_ERROR_ARGUMENT, "--out: '%s' is a file; name a folder", run);
    return DN_OK;
}

bool dn_run_exists(const char *run)
{
    struct stat info;
    char *path = dn_run_checkpoint(run);
    const bool exists = path && stat(path, &info) == 0;
    dn_free(path);
    return exists;
}

/* ---- names ---- */

static size_t begin_of_part(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] != '/') end--;
    return end;
}

/* @return the last part of a path; slashes at its end do not count. RUN/best is a network of RUN: its name has both */
static char *last_part(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = begin_of_part(path, end);
    if (begin > 1 && end - begin == 4 && strncmp(path + begin, "best", 4) == 0) begin = begin_of_part(path, begin - 1);
    return dn_format("%.*s", (int)(end - begin), path + begin);
}

/* @return whether another path ends in the same part */
static bool is_shared(char *const *parts, const char *const *runs, int n, int run)
{
    for (int i = 0; i < n; i++)
        if (i != run && strcmp(runs[i], runs[run]) != 0 && strcmp(parts[i], parts[run]) == 0) return true;
    return false;
}

dn_status dn_run_names(char **names, const char *const *runs, int n)
{
    char **parts = dn_calloc((size_t)n, sizeof *parts);
    bool ok = parts != NULL;
    for (int i = 0; i < n; i++) names[i] = NULL;
    for (int i = 0; ok && i < n; i++) ok = (parts[i] = last_part(runs[i])) != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = (names[i] = dn_strdup(is_shared(parts, runs, n, i) ? runs[i] : parts[i])) != NULL;
    for (int i = 0; i < n; i++) {
        if (!ok) dn_free(names[i]);
        if (!ok) names[i] = NULL;
        if (parts) dn_free(parts[i]);
    }
    dn_free(parts);
    return ok ? DN_OK : DN_ERROR_MEMORY;
}

/* ---- making a run's folder ---- */

static dn_status make_folder(dn_run_made *made, const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0) {
        made->folders++;
        return DN_OK;
    }
    if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "cannot create the folder '%s': %s", path, strerror(errno));
}

static dn_status make_folders(dn_run_made *made, const char *run)
{
    char *path = dn_strdup(run);
    if (!path) return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    for (char *slash = path + 1; status == DN_OK && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        status = make_folder(made, path);
        *slash = '/';
    }
    if (status == DN_OK) status = make_folder(made, path);
    dn_free(path);
    return status;
}

/* Closes the file in any case. */
static bool put_and_close(FILE *file, const char *text)
{
    const bool put = fputs(text, file) >= 0;
    return fclose(file) == 0 && put;
}

static dn_status write_recipe(dn_run_made *made, const char *run, const dn_recipe *recipe)
{
    char *text = dn_recipe_text(recipe), *path = dn_format("%s/recipe.yaml", run);
    const bool is_new = path && access(path, F_OK) != 0;
    FILE *file = text && path ? fopen(path, "w") : NULL;
    dn_status status = DN_OK;
    made->recipe = file && is_new;
    if (!file)
        status = dn_fail(DN_ERROR_FILE, "cannot write '%s': %s", path ? path : "recipe.yaml", strerror(errno));
    else if (!put_and_close(file, text))
        status = dn_fail(DN_ERROR_FILE, "cannot write '%s': %s", path, strerror(errno));
    dn_free(path);
    dn_free(text);
    return status;
}

dn_status dn_run_make_folder(dn_run_made *made, const char *folder)
{
    *made = (dn_run_made){0};
    DN_TRY(dn_run_check(folder));
    return make_folders(made, folder);
}

dn_status dn_run_make(dn_run_made *made, const char *run, const dn_recipe *recipe)
{
    DN_TRY(dn_run_make_folder(made, run));
    return write_recipe(made, run, recipe);
}

dn_status dn_run_save(const char *run, const dn_network *network)
{
    dn_run_made made;
    dn_history none = {0};
    char *path = dn_format("%s/checkpoint.h5", run);
    dn_status status = path ? dn_run_make(&made, run, network->recipe) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_history_new(&none, network->members, 0);
    if (status == DN_OK) status = dn_checkpoint_save(path, network, &none);
    if (status != DN_OK && path) dn_run_unmake(&made, run);
    dn_history_close(&none);
    dn_free(path);
    return status;
}

void dn_run_unmake(const dn_run_made *made, const char *run)
{
    char *path = dn_format("%s/recipe.yaml", run);
    if (!path) return;
    if (made->recipe) unlink(path);
    /* The folders that were made are the last ones of the path, or of the part of it that could be made. */
    for (int left = made->folders; left > 0;) {
        char *slash = strrchr(path, '/');
        if (!slash) break;
        *slash = '\0';
        if (rmdir(path) == 0)
            left--;
        else if (errno == ENOTEMPTY || errno == EEXIST)
            break;
    }
    dn_free(path);
}

/* ---- reading it ---- */

dn_status dn_run_find(char **checkpoint, const char *run)
{
    *checkpoint = dn_run_checkpoint(run);
    if (!*checkpoint) return *run ? DN_ERROR_MEMORY : DN_ERROR_ARGUMENT;
    if (dn_run_exists(run)) return DN_OK;
    const dn_status status =
        dn_fail(DN_ERROR_FILE, "'%s': there is no trained run (no %s); give the folder that `dunlin train --out` wrote",
                run, *checkpoint);
    dn_free(*checkpoint);
    *checkpoint = NULL;
    return status;
}

dn_status dn_run_load(dn_network **out, const char *run, dn_device *device)
{
    char *path = NULL;
    *out = NULL;
    DN_TRY(dn_run_find(&path, run));
    const dn_status status = dn_network_load(out, path, device);
    dn_free(path);
    return status;
}
