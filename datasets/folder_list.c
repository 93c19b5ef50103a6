/* What is in a folder: names first, then the first bytes of each file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/folder_private.h"
#include "datasets/image.h"

/* A growing list of texts. */
typedef struct texts {
    char **text;
    size_t n, room;
} texts;

static void texts_clear(texts *t)
{
    for (size_t i = 0; i < t->n; i++) dn_free(t->text[i]);
    dn_free(t->text);
}

/* Takes the text over, NULL (no memory) too. */
static dn_status texts_add(texts *t, char *text)
{
    dn_status status = text ? dn_grow((void **)&t->text, &t->room, t->n, sizeof *t->text) : DN_ERROR_MEMORY;
    if (status == DN_OK)
        t->text[t->n++] = text;
    else
        dn_free(text);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- names ---- */

typedef struct walk {
    const char *path; /* of all */
    texts files;      /* below it */
    texts folders;    /* the first below it */
    int32_t *folder;  /* [files.n] which of them; -1: none */
    size_t room;
} walk;

/* The names in a folder that are not hidden, in the order of their bytes. */
static dn_status list_names(texts *names, const char *path)
{
    DIR *directory = opendir(path);
    if (!directory) return dn_fail(DN_ERROR_FILE, "%s: cannot open the folder: %s", path, strerror(errno));
    dn_status status = DN_OK;
    const struct dirent *entry = NULL;
    for (errno = 0; status == DN_OK && (entry = readdir(directory)); errno = 0)
        if (entry->d_name[0] != '.') status = texts_add(names, dn_strdup(entry->d_name));
    if (status == DN_OK && errno != 0)
        status = dn_fail(DN_ERROR_FILE, "%s: cannot read the folder: %s", path, strerror(errno));
    closedir(directory);
    if (names->n > 1) qsort(names->text, names->n, sizeof *names->text, by_bytes);
    return status;
}

static dn_status add_file(walk *w, const char *below, const char *name, int32_t folder)
{
    DN_TRY(dn_grow((void **)&w->folder, &w->room, w->files.n, sizeof *w->folder));
    w->folder[w->files.n] = folder;
    return texts_add(&w->files, dn_format("%s%s", below, name));
}

static dn_status walk_folder(walk *w, const char *below, int32_t folder, int depth);

/* @param below "" or the way from the path to here, with '/' at its end */
static dn_status walk_entry(walk *w, const char *below, const char *name, int32_t folder, int depth)
{
    struct stat info;
    char *full = dn_format("%s/%s%s", w->path, below, name);
    if (!full) return DN_ERROR_MEMORY;
    const bool is_folder = stat(full, &info) == 0 && S_ISDIR(info.st_mode);
    dn_free(full);
    if (!is_folder) return add_file(w, below, name, folder);
    if (depth == DN__DEEPEST_FOLDER)
        return dn_fail(DN_ERROR_FORMAT, "%s/%s%s: more than %d folders deep; a link to a folder that it is in?",
                       w->path, below, name, DN__DEEPEST_FOLDER);
    if (depth == 0) {
        if (w->folders.n == DN__MOST_FOLDER_CLASSES)
            return dn_fail(DN_ERROR_FORMAT, "%s: more than %d folders, expected one for each class", w->path,
                           DN__MOST_FOLDER_CLASSES);
        folder = (int32_t)w->folders.n;
        DN_TRY(texts_add(&w->folders, dn_strdup(name)));
    }
    char *next = dn_format("%s%s/", below, name);
    const dn_status status = next ? walk_folder(w, next, folder, depth + 1) : DN_ERROR_MEMORY;
    dn_free(next);
    return status;
}

static dn_status walk_folder(walk *w, const char *below, int32_t folder, int depth)
{
    texts names = {0};
    char *path = dn_format("%s%s%s", w->path, *below ? "/" : "", below);
    dn_status status = path ? list_names(&names, path) : DN_ERROR_MEMORY;
    for (size_t i = 0; i < names.n && status == DN_OK; i++) status = walk_entry(w, below, names.text[i], folder, depth);
    texts_clear(&names);
    dn_free(path);
    return status;
}

/* ---- which of them are images ---- */

static bool named_like_an_image(const char *file)
{
    static const char *const endings[] = {".png", ".jpg",  ".jpeg", ".jpe",  ".jfif", ".gif",
                                          ".bmp", ".webp", ".tif",  ".tiff", ".heic", ".avif"};
    const char *dot = strrchr(file, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

/* Looks at the file's first bytes. @return how many there are; -1: it cannot be read */
static ssize_t first_bytes(const char *path, uint8_t bytes[DN_IMAGE_SIGNATURE])
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return -1;
    struct stat info;
    const bool regular = fstat(file, &info) == 0 && S_ISREG(info.st_mode);
    const ssize_t n = regular ? read(file, bytes, DN_IMAGE_SIGNATURE) : -1;
    close(file);
    return n;
}

typedef struct sniffing {
    const dn_folder *folder;
    bool *keep; /* [N] */
} sniffing;

static dn_status sniff(void *context, int64_t i)
{
    const sniffing *s = context;
    uint8_t bytes[DN_IMAGE_SIGNATURE];
    char *path = dn__folder_file(s->folder, i);
    if (!path) return DN_ERROR_MEMORY;
    const ssize_t n = first_bytes(path, bytes);
    dn_status status = DN_OK;
    s->keep[i] = n >= 0 && dn_image_format_of(bytes, (size_t)n) != DN_IMAGE_OTHER;
    if (!s->keep[i] && named_like_an_image(path)) {
        if (n < 0)
            status = dn_fail(DN_ERROR_FILE, "%s: cannot be read, or is no regular file", path);
        else
            status =
                dn_fail(DN_ERROR_FORMAT,
                        "%s: neither PNG nor JPEG, or damaged at its beginning; convert it to PNG, or remove it", path);
    }
    dn_free(path);
    return status;
}

/* Drops what is no image. */
static dn_status drop_others(dn_folder *f)
{
    sniffing s = {f, dn_calloc((size_t)f->n + 1, sizeof *s.keep)};
    if (!s.keep) return DN_ERROR_MEMORY;
    dn_status status = dn__for_files(sniff, &s, f->n);
    for (int64_t i = 0; i < f->n && status == DN_OK; i++) {
        if (s.keep[i]) continue;
        if (!f->first_skipped && !(f->first_skipped = dn_strdup(f->files[i]))) status = DN_ERROR_MEMORY;
        f->skipped++;
    }
    if (status == DN_OK) dn__folder_keep(f, s.keep);
    dn_free(s.keep);
    return status;
}

dn_status dn__folder_list(dn_folder *f, const char *only)
{
    walk w = {.path = f->path};
    const dn_status status = only ? add_file(&w, "", only, -1) : walk_folder(&w, "", -1, 0);
    f->files = w.files.text, f->n = (int64_t)w.files.n, f->labels = w.folder;
    f->class_names = w.folders.text, f->classes = (int)w.folders.n;
    DN_TRY(status);
    return drop_others(f);
}
