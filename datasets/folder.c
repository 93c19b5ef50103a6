#include "datasets/folder.h"

#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "datasets/expression.h"
#include "datasets/folder_private.h"

void dn__folder_keep(dn_folder *f, const bool *keep)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < f->n; i++) {
        if (!keep[i]) {
            dn_free(f->files[i]);
            continue;
        }
        if (f->labels) f->labels[kept] = f->labels[i];
        f->files[kept++] = f->files[i];
    }
    f->n = kept;
}

static void drop_classes(dn_folder *f)
{
    for (int c = 0; f->class_names && c < f->classes; c++) dn_free(f->class_names[c]);
    dn_free(f->class_names);
    dn_free(f->labels);
    f->class_names = NULL, f->labels = NULL, f->classes = 0;
}

/* ---- what a listing means ---- */

static dn_status check_name(const dn_folder *f, const char *name)
{
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return dn_fail(DN_ERROR_FORMAT, "%s: the name of the class folder '%s' holds the byte 0x%02x; rename it",
                           f->path, name, (unsigned char)*at);
    return DN_OK;
}

static bool is_split(const char *name)
{
    static const char *const names[] = {"train", "training", "test", "testing", "val", "valid", "validation"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* Every class needs an image; splits are no classes. */
static dn_status check_classes(const dn_folder *f, const char *what)
{
    int splits = 0;
    int64_t i = 0; /* labels rise */
    for (int c = 0; c < f->classes; c++) {
        while (i < f->n && f->labels[i] < c) i++;
        if (i == f->n || f->labels[i] != c)
            return dn_fail(DN_ERROR_FORMAT, "%s: no image in %s'%s'; remove this folder, or put images into it",
                           f->path, what, f->class_names[c]);
        DN_TRY(check_name(f, f->class_names[c]));
        splits += is_split(f->class_names[c]);
    }
    if (splits < f->classes) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT,
                   "%s: its folders look like parts of a data set, not like classes; name one of them, "
                   "such as folder:%s/%s",
                   f->path, f->path, f->class_names[0]);
}

/* Images lie in sub-folders, or beside each other. */
static dn_status take_layout(dn_folder *f)
{
    int64_t flat = 0, at = 0;
    if (f->n == 0)
        return dn_fail(DN_ERROR_FORMAT, "%s: no PNG or JPEG file in it%s%s", f->path,
                       f->first_skipped ? ", only other files such as " : "", f->first_skipped ? f->first_skipped : "");
    for (int64_t i = 0; i < f->n; i++) {
        flat += f->labels[i] < 0;
        if (f->labels[i] < 0) at = i;
    }
    if (flat > 0 && flat < f->n)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: images in sub-folders and beside them (%s); put each into the folder of its class, or all "
                       "into one without sub-folders",
                       f->path, f->files[at]);
    if (flat == 0) return check_classes(f, "");
    drop_classes(f);
    return DN_OK;
}

/* ---- what is chosen ---- */

/* FNV-1a, and a mixing of its bits by multiplication. */
static uint64_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    return h ^ h >> 33;
}

static dn_status choose_part(dn_folder *f, dn_folder_part part, bool *keep)
{
    if (part == DN_FOLDER_ALL) return DN_OK;
    for (int64_t i = 0; i < f->n; i++) keep[i] = (hash(f->files[i]) % 5 == 0) == (part == DN_FOLDER_TEST);
    dn__folder_keep(f, keep);
    const char *name = part == DN_FOLDER_TEST ? "test" : "train";
    if (f->n == 0) return dn_fail(DN_ERROR_FORMAT, "%s: too few images, none is in the part '%s'", f->path, name);
    if (!f->labels) return DN_OK;
    return check_classes(f, part == DN_FOLDER_TEST ? "the part 'test' of " : "the part 'train' of ");
}

/* number[] is by old label; -1 drops the class. */
static dn_status renumber(dn_folder *f, const int *chosen, int count, int *number, bool *keep)
{
    char **names = dn_calloc((size_t)count, sizeof *names);
    if (!names) return DN_ERROR_MEMORY;
    for (int c = 0; c < f->classes; c++) number[c] = -1;
    for (int i = 0; i < count; i++) number[chosen[i]] = i;
    for (int64_t i = 0; i < f->n; i++) {
        f->labels[i] = number[f->labels[i]];
        keep[i] = f->labels[i] >= 0;
    }
    dn__folder_keep(f, keep);
    for (int c = 0; c < f->classes; c++)
        if (number[c] >= 0)
            names[number[c]] = f->class_names[c];
        else
            dn_free(f->class_names[c]);
    dn_free(f->class_names);
    f->class_names = names, f->classes = count;
    return DN_OK;
}

static dn_status choose_classes(dn_folder *f, const char *list, bool *keep)
{
    int *chosen = NULL, count = 0;
    if (!list) return DN_OK;
    if (!f->labels)
        return dn_fail(DN_ERROR_ARGUMENT, "classes [%s] of %s, which has no sub-folders and so no classes", list,
                       f->path);
    DN_TRY(dn__classes_parse(&chosen, &count, list, f->classes, f->class_names));
    int *number = dn_calloc((size_t)f->classes, sizeof *number);
    const dn_status status = number ? renumber(f, chosen, count, number, keep) : DN_ERROR_MEMORY;
    dn_free(number);
    dn_free(chosen);
    return status;
}

/* Files are in the order of their classes: the first of them would be of one class only. */
static void choose_some(dn_folder *f, int64_t limit, bool *keep)
{
    if (limit <= 0 || limit >= f->n) return;
    memset(keep, 0, (size_t)f->n * sizeof *keep);
    for (int64_t i = 0; i < limit; i++) {
        const int64_t steps = f->n / limit, rest = f->n % limit;
        keep[i * steps + i * rest / limit] = true;
    }
    dn__folder_keep(f, keep);
}

static dn_status choose(dn_folder *f, const dn_folder_options *options)
{
    bool *keep = dn_calloc((size_t)f->n, sizeof *keep);
    dn_status status = keep ? choose_part(f, options->part, keep) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = choose_classes(f, options->classes, keep);
    if (status == DN_OK) choose_some(f, options->limit, keep);
    dn_free(keep);
    return status;
}

/* ---- opening ---- */

static dn_status open_folder(dn_folder *f, const char *path, const dn_folder_options *options)
{
    struct stat info;
    size_t length = strlen(path);
    const char *slash = strrchr(path, '/'), *only = NULL;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) { /* one image: its folder, and nothing else there */
        only = slash ? slash + 1 : path;
        length = slash ? (size_t)(slash - path) : 0;
        if (slash == path) length = 1; /* of the root */
    }
    while (length > 1 && path[length - 1] == '/') length--;
    f->path = length ? dn_format("%.*s", (int)length, path) : dn_strdup(".");
    if (!f->path) return DN_ERROR_MEMORY;
    DN_TRY(dn__folder_list(f, only));
    DN_TRY(take_layout(f));
    DN_TRY(choose(f, options));
    f->size = options->size;
    return f->size.height ? DN_OK : dn__folder_measure(f);
}

dn_status dn_folder_open(dn_folder **out, const char *path, const dn_folder_options *options)
{
    static const dn_folder_options all = {0};
    *out = NULL;
    dn_folder *f = dn_calloc(1, sizeof *f);
    if (!f) return DN_ERROR_MEMORY;
    const dn_status status = open_folder(f, path, options ? options : &all);
    if (status == DN_OK)
        *out = f;
    else
        dn_folder_close(f);
    return status;
}

void dn_folder_close(dn_folder *f)
{
    if (!f) return;
    drop_classes(f);
    for (int64_t i = 0; i < f->n; i++) dn_free(f->files[i]);
    dn_free(f->files);
    dn_free(f->first_skipped);
    dn_free(f->path);
    dn_free(f);
}
