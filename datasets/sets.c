#include "datasets/sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/nearest.h"

static const char *const digit_names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
static const char *const letter_names[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
static const char *const fashion_names[] = {"t-shirt", "trouser", "pullover", "dress", "coat",
                                            "sandal",  "shirt",   "sneaker",  "bag",   "ankle_boot"};
static const char *const cifar10_names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                            "dog",      "frog",       "horse", "ship", "truck"};

/* clang-format off */
#define IDX_FILES(folder, part) {folder "/" part "-images-idx3-ubyte.gz", folder "/" part "-labels-idx1-ubyte.gz"}
#define CIFAR10(file)  "cifar-10-batches-bin/" file
#define CIFAR100(file) "cifar-100-binary/" file
#define NO_FILES       {NULL}

/* name, split, about, n, height, width, channels, classes, files, file of class names, class names, loader.
 * The splits of a set stand together, the default first. */
static const dn__set sets[] = {
    {"mnist", "train", "handwritten digits", 60000, 28, 28, 1, 10,
     IDX_FILES("mnist", "train"), NULL, digit_names, dn__load_idx},
    {"mnist", "test", "handwritten digits", 10000, 28, 28, 1, 10,
     IDX_FILES("mnist", "t10k"), NULL, digit_names, dn__load_idx},
    {"fashion_mnist", "train", "clothes, in the form of mnist", 60000, 28, 28, 1, 10,
     IDX_FILES("fashion_mnist", "train"), NULL, fashion_names, dn__load_idx},
    {"fashion_mnist", "test", "clothes, in the form of mnist", 10000, 28, 28, 1, 10,
     IDX_FILES("fashion_mnist", "t10k"), NULL, fashion_names, dn__load_idx},
    {"notmnist", "test", "letters A to J of many typefaces, in the form of mnist", 10000, 28, 28, 1, 10,
     IDX_FILES("notmnist", "t10k"), NULL, letter_names, dn__load_idx},
    {"cifar10", "train", "photographs of animals and vehicles", 50000, 32, 32, 3, 10,
     {CIFAR10("data_batch_1.bin"), CIFAR10("data_batch_2.bin"), CIFAR10("data_batch_3.bin"),
      CIFAR10("data_batch_4.bin"), CIFAR10("data_batch_5.bin")},
     CIFAR10("batches.meta.txt"), cifar10_names, dn__load_cifar},
    {"cifar10", "test", "photographs of animals and vehicles", 10000, 32, 32, 3, 10,
     {CIFAR10("test_batch.bin")}, CIFAR10("batches.meta.txt"), cifar10_names, dn__load_cifar},
    {"cifar100", "train", "photographs, fine labels", 50000, 32, 32, 3, 100,
     {CIFAR100("train.bin")}, CIFAR100("fine_label_names.txt"), NULL, dn__load_cifar},
    {"cifar100", "test", "photographs, fine labels", 10000, 32, 32, 3, 100,
     {CIFAR100("test.bin")}, CIFAR100("fine_label_names.txt"), NULL, dn__load_cifar},
    {"cifar100-coarse", "train", "photographs, coarse labels", 50000, 32, 32, 3, 20,
     {CIFAR100("train.bin")}, CIFAR100("coarse_label_names.txt"), NULL, dn__load_cifar},
    {"cifar100-coarse", "test", "photographs, coarse labels", 10000, 32, 32, 3, 20,
     {CIFAR100("test.bin")}, CIFAR100("coarse_label_names.txt"), NULL, dn__load_cifar},
    {"svhn", "train", "house numbers seen from the street, one digit each", 73257, 32, 32, 3, 10,
     {"svhn/train_32x32.mat"}, NULL, digit_names, dn__load_svhn},
    {"svhn", "test", "house numbers seen from the street, one digit each", 26032, 32, 32, 3, 10,
     {"svhn/test_32x32.mat"}, NULL, digit_names, dn__load_svhn},
    {"svhn", "extra", "house numbers, more and easier ones", 531131, 32, 32, 3, 10,
     {"svhn/extra_32x32.mat"}, NULL, digit_names, dn__load_svhn},
    {"tiny_imagenet", "crop", "test photographs, a random 32x32 window of each", 10000, 32, 32, 3, 0,
     {"tiny_imagenet/tin_test_crop32.bin"}, NULL, NULL, dn__load_cifar},
    {"tiny_imagenet", "resize", "test photographs, resized to 32x32", 10000, 32, 32, 3, 0,
     {"tiny_imagenet/tin_test_resize32.bin"}, NULL, NULL, dn__load_cifar},
    {"tiny_imagenet_odin", "crop", "photographs, 32x32 windows, as published with ODIN", 10000, 32, 32, 3, 0,
     {"Imagenet"}, NULL, NULL, dn__load_odin},
    {"tiny_imagenet_odin", "resize", "photographs, resized, as published with ODIN", 10000, 32, 32, 3, 0,
     {"Imagenet_resize"}, NULL, NULL, dn__load_odin},
    {"lsun", "crop", "photographs of rooms and places, 32x32 windows, as published with ODIN", 10000, 32, 32, 3, 0,
     {"LSUN"}, NULL, NULL, dn__load_odin},
    {"lsun", "resize", "photographs of rooms and places, resized, as published with ODIN", 10000, 32, 32, 3, 0,
     {"LSUN_resize"}, NULL, NULL, dn__load_odin},
    {"isun", "resize", "photographs of rooms and places, resized, as published with ODIN", 8925, 32, 32, 3, 0,
     {"iSUN"}, NULL, NULL, dn__load_odin},
    {"textures", "crop", "photographs of ten textures (of DTD), a 32x32 window of each", 1200, 32, 32, 3, 10,
     {"textures/dtd10_crop32.bin"}, "textures/labels.txt", NULL, dn__load_cifar},
    {"textures", "resize", "photographs of ten textures (of DTD), resized to 32x32", 1200, 32, 32, 3, 10,
     {"textures/dtd10_resize32.bin"}, "textures/labels.txt", NULL, dn__load_cifar},
    {"glyphs", "train", "drawn digits", 20000, 32, 32, 1, 10,
     NO_FILES, NULL, digit_names, dn__load_digits},
    {"glyphs", "test", "drawn digits", 4000, 32, 32, 1, 10,
     NO_FILES, NULL, digit_names, dn__load_digits},
    {"glyphs", "letters", "letters drawn like the digits", 4000, 32, 32, 1, 13,
     NO_FILES, NULL, NULL, dn__load_letters},
    {"glyphs", "textures", "stripes, checks, dots, blobs and gradients drawn like the digits", 4000, 32, 32, 1, 5,
     NO_FILES, NULL, NULL, dn__load_textures},
    {"glyphs", "patches", "test digits with their 8x8 patches shuffled", 4000, 32, 32, 1, 0,
     NO_FILES, NULL, NULL, dn__load_patches},
    {"noise", "uniform", "pixels between 0 and 255, in any size", 10000, 32, 32, 1, 0,
     NO_FILES, NULL, NULL, dn__load_noise},
    {"noise", "gaussian", "pixels around 127.5, in any size", 10000, 32, 32, 1, 0,
     NO_FILES, NULL, NULL, dn__load_noise},
    {"npy", "IMAGES.npy[,LABELS.npy]", "own arrays, [N,H,W] or [N,H,W,C], and labels [N]", 0, 0, 0, 0, 0,
     NO_FILES, NULL, NULL, dn__load_npy},
    {"file", "FILE.h5", "a packed set, as `dunlin data convert` writes one", 0, 0, 0, 0, 0,
     NO_FILES, NULL, NULL, dn__load_packed},
    {"folder", "PATH[:train|:test]", "own PNG and JPEG files, a class for each sub-folder", 0, 0, 0, 0, 0,
     NO_FILES, NULL, NULL, dn__load_folder},
};
/* clang-format on */

enum { SETS = sizeof sets / sizeof *sets };

/* Appends ", text" to a bounded list for an error text. */
static void append(char *list, size_t size, const char *text)
{
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", text);
}

/* A name that is a path was meant as one. */
static dn_status unknown_path(const char *name)
{
    if (access(name, F_OK) != 0)
        return dn_fail(DN_ERROR_ARGUMENT, "'%s': there is no file or folder of this name, nor a data set", name);
    return dn_fail(DN_ERROR_ARGUMENT,
                   "'%s' is a file or folder, not a data set: write folder:%s for PNG and JPEG files, file:%s for a "
                   "packed set, npy:%s for an array",
                   name, name, name, name);
}

static dn_status unknown_set(const char *name)
{
    if (strchr(name, '/') || access(name, F_OK) == 0) return unknown_path(name);
    const char *names[SETS];
    char list[512] = "";
    int count = 0;
    for (int i = 0; i < SETS; i++) {
        if (count && strcmp(names[count - 1], sets[i].name) == 0) continue;
        names[count++] = sets[i].name;
        append(list, sizeof list, sets[i].name);
    }
    const char *near = dn_nearest(name, names, (size_t)count);
    return dn_fail(DN_ERROR_ARGUMENT, "unknown data set '%s'%s%s%s; there are: %s", name,
                   near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "", list);
}

static dn_status unknown_split(const dn__set *set, const char *split)
{
    const char *splits[SETS];
    char list[256] = "";
    int count = 0;
    for (const dn__set *s = set; s < sets + SETS && strcmp(s->name, set->name) == 0; s++) {
        splits[count++] = s->split;
        append(list, sizeof list, s->split);
    }
    const char *near = dn_nearest(split, splits, (size_t)count);
    return dn_fail(DN_ERROR_ARGUMENT, "unknown split '%s' of '%s'%s%s%s; there are: %s", split, set->name,
                   near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "", list);
}

bool dn__set_chooses(const dn__set *set)
{
    return set->load == dn__load_folder;
}

dn_status dn__set_find(const dn__set **out, const dn__expression *e)
{
    const dn__set *set = sets;
    while (set < sets + SETS && strcmp(set->name, e->name) != 0) set++;
    if (set == sets + SETS) return unknown_set(e->name);
    *out = set;
    if (!e->split || set->load == dn__load_npy || set->load == dn__load_packed || set->load == dn__load_folder)
        return DN_OK; /* the split is a path */
    for (; *out < sets + SETS && strcmp((*out)->name, e->name) == 0; ++*out)
        if (strcmp((*out)->split, e->split) == 0) return DN_OK;
    return unknown_split(set, e->split);
}

dn_status dn__set_file(char **path, const char *directory, const char *file)
{
    const size_t length = strlen(file);
    const bool packed = length > 3 && strcmp(file + length - 3, ".gz") == 0;
    const bool bare = !strchr(file, '.');
    for (int spelling = 0; spelling < (packed ? 4 : bare ? 2 : 1); spelling++) {
        *path = dn_format("%s/%.*s%s", directory, (int)(packed && (spelling & 1) ? length - 3 : length), file,
                          bare && spelling ? ".npy" : "");
        if (!*path) return DN_ERROR_MEMORY;
        char *idx = strstr(*path + strlen(directory), "-idx");
        if (idx && (spelling & 2)) *idx = '.';
        if (access(*path, F_OK) == 0) return DN_OK;
        dn_free(*path);
        *path = NULL;
    }
    return dn_fail(DN_ERROR_FILE,
                   "cannot find %s in the data directory %s: put the file there, or name the right directory with "
                   "--data or DUNLIN_DATA; 'dunlin data fetch --list' shows what can be downloaded",
                   file, directory);
}

char *dn__data_directory(const dn_dataset_options *options)
{
    const char *named = options && options->data_dir ? options->data_dir : getenv("DUNLIN_DATA");
    if (named && *named) return dn_strdup(named);
    const char *home = getenv("HOME");
    return dn_format("%s/.cache/dunlin", home ? home : "");
}

int dn_dataset_info_count(void)
{
    return SETS;
}

dn_status dn_dataset_info_get(dn_dataset_info *info, int index, const dn_dataset_options *options)
{
    if (index < 0 || index >= SETS)
        return dn_fail(DN_ERROR_ARGUMENT, "data set number %d, expected 0 to %d", index, SETS - 1);
    const dn__set *s = &sets[index];
    char *directory = dn__data_directory(options), *path = NULL;
    if (!directory) return DN_ERROR_MEMORY;
    *info = (dn_dataset_info){.name = s->name,
                              .split = s->split,
                              .about = s->about,
                              .n = s->n,
                              .height = s->height,
                              .width = s->width,
                              .channels = s->channels,
                              .classes = s->classes,
                              .files = s->files};
    dn_status status = DN_OK;
    for (const char *const *file = s->files; *file && !info->missing && status == DN_OK; file++) {
        status = dn__set_file(&path, directory, *file);
        dn_free(path);
        if (status == DN_ERROR_FILE) info->missing = *file, status = DN_OK;
    }
    dn_free(directory);
    return status;
}
