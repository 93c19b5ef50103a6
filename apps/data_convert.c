/* `dunlin data convert`: any set into one packed file. */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/data_commands.h"
#include "apps/interrupt.h"
#include "apps/progress.h"
#include "datasets/packed.h"

typedef struct arguments {
    const char *expression, *out;
    dn_dataset_options options;
    dn_packed_options packed;
    bool quiet;
} arguments;

static const struct argp_option option_table[] = {
    {"out", 'o', "FILE.h5", 0, "The file to write; an older one is replaced when the new one is whole", 0},
    {"compress", 'c', "LEVEL", 0,
     "0 (default: none) to 9: smaller, but each image drawn in training unpacks a whole chunk of 64 KiB", 0},
    {"limit", DN_KEY_LIMIT, "N", 0, "At most N items, after the choice of classes", 0},
    DN_OPTION_SEED,
    DN_OPTION_DATA,
    DN_OPTION_QUIET,
    {0}};

static dn_status take(arguments *a, int key, const char *text)
{
    int64_t level = 0;
    switch (key) {
    case 'o': a->out = text; return DN_OK;
    case 'c':
        DN_TRY(dn_cli_parse_int("--compress", text, 0, 9, &level));
        a->packed.compress = (int)level;
        return DN_OK;
    case DN_KEY_LIMIT: return dn_cli_parse_int("--limit", text, 1, INT64_MAX, &a->options.limit);
    case DN_KEY_SEED: return dn_cli_parse_u64("--seed", text, &a->options.seed);
    case DN_KEY_DATA: a->options.data_dir = text; return DN_OK;
    case 'q': a->quiet = true; return DN_OK;
    default:
        if (a->expression) return dn_fail(DN_ERROR_ARGUMENT, "expected one set, found '%s' too", text);
        a->expression = text;
        return DN_OK;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    const bool known = key == 'o' || key == 'c' || key == 'q' || key == ARGP_KEY_ARG || key == DN_KEY_LIMIT ||
                       key == DN_KEY_SEED || key == DN_KEY_DATA;
    if (key == ARGP_KEY_END && !a->expression) argp_error(state, "which set?");
    if (key == ARGP_KEY_END && !a->out) argp_error(state, "into which file? -o FILE.h5");
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(a, key, text) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse,
    .args_doc = "EXPRESSION",
    .doc =
        "Packs a data set into one HDF5 file, which `file:FILE.h5` names from then on, in any size: what does not fit "
        "into memory is read while it is needed.\v"
        "Example: dunlin data convert cifar10:train@64x64x3 -o cifar64.h5",
};

/* What is done is shown in bytes of images. */
typedef struct conversion {
    dn_progress *progress;
    int64_t image_bytes;
} conversion;

static dn_status on_block(void *context, int64_t done)
{
    const conversion *c = context;
    dn_progress_update(c->progress, done * c->image_bytes, NULL);
    return dn_interrupted() ? dn_fail(DN_ERROR_INTERRUPTED, "stopped; nothing was written") : DN_OK;
}

static dn_status write_set(arguments *a, const dn_dataset *set)
{
    conversion c = {.image_bytes = (int64_t)dn_dataset_image_bytes(set)};
    const dn_progress_options o = {
        .label = "convert", .total = set->n * c.image_bytes, .bytes = true, .quiet = a->quiet};
    DN_TRY(dn_progress_open(&c.progress, &o));
    a->packed.on_block = on_block;
    a->packed.context = &c;
    const dn_status status = dn_packed_write(a->out, set, &a->packed);
    dn_progress_close(c.progress);
    return status;
}

static dn_status convert(arguments *a)
{
    dn_dataset *set = NULL;
    a->options.stream = true;
    a->options.memory = 1; /* what can stay in its file does, however small */
    DN_TRY(dn_dataset_open(&set, a->expression, &a->options));
    const dn_status status = write_set(a, set);
    if (status == DN_OK && !a->quiet)
        fprintf(stderr, "%s: %" PRId64 " images of %dx%dx%d, %d classes\n", a->out, set->n, set->height, set->width,
                set->channels, set->classes);
    dn_dataset_close(set);
    return status;
}

int dn_data_convert(int argc, char **argv)
{
    arguments a = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    dn_interrupt_install();
    return dn_cli_fail(convert(&a));
}
