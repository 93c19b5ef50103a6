#include "apps/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"

char *dn_run_checkpoint(const char *run)
{
    struct stat info;
    if (stat(run, &info) == 0 && S_ISREG(info.st_mode)) return dn_strdup(run);
    return dn_format("%s/checkpoint.h5", run);
}

bool dn_run_exists(const char *run)
{
    struct stat info;
    char *path = dn_run_checkpoint(run);
    const bool exists = path && stat(path, &info) == 0;
    dn_free(path);
    return exists;
}

static dn_status make_folder(const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode))) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "cannot create the folder '%s': %s", path, strerror(errno));
}

dn_status dn_run_make(const char *run)
{
    char *path = dn_strdup(run);
    if (!path) return DN_ERROR_MEMORY;
    dn_status status = *run ? DN_OK : dn_fail(DN_ERROR_ARGUMENT, "--out: the name of a folder is needed");
    for (char *slash = path + 1; status == DN_OK && *path && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        status = make_folder(path);
        *slash = '/';
    }
    if (status == DN_OK) status = make_folder(path);
    dn_free(path);
    return status;
}

dn_status dn_run_load(dn_network **out, const char *run, dn_device *device)
{
    *out = NULL;
    char *path = dn_run_checkpoint(run);
    const dn_status status = path ? dn_network_load(out, path, device) : DN_ERROR_MEMORY;
    dn_free(path);
    return status;
}

/* Closes the file in any case. */
static bool put_and_close(FILE *file, const char *text)
{
    const bool put = fputs(text, file) >= 0;
    return fclose(file) == 0 && put;
}

dn_status dn_run_write_recipe(const char *run, const dn_recipe *recipe)
{
    char *text = dn_recipe_text(recipe), *path = dn_format("%s/recipe.yaml", run);
    FILE *file = text && path ? fopen(path, "w") : NULL;
    dn_status status = DN_OK;
    if (!file)
        status = dn_fail(DN_ERROR_FILE, "cannot write '%s': %s", path ? path : "recipe.yaml", strerror(errno));
    else if (!put_and_close(file, text))
        status = dn_fail(DN_ERROR_FILE, "cannot write '%s': %s", path, strerror(errno));
    dn_free(path);
    dn_free(text);
    return status;
}
