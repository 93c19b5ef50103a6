#include "apps/bench_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/memory.h"

#if defined(__clang__)
static const char compiler[] = "clang " __clang_version__;
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

#if defined(__OPTIMIZE__)
static const bool optimized = true;
#else
static const bool optimized = false;
#endif

/* What `dunlin devices` says of the device. */
static void describe_device(const dn_workload *w, char *text, size_t size)
{
    enum { MOST = 32 };
    dn_device_info rows[MOST];
    const int count = dn_device_list(rows, MOST);
    snprintf(text, size, "%s", dn_device_name(w->device));
    for (int i = 0; i < count && i < MOST; i++)
        if (strcmp(rows[i].name, dn_device_name(w->device)) == 0) snprintf(text, size, "%s", rows[i].description);
}

/* Processes that wanted to run during the last minute: above 0, other work disturbed; -1: unknown. */
static double load(void)
{
    double average = -1.0;
    return getloadavg(&average, 1) == 1 ? average : -1.0;
}

void dn_bench_print_head(const dn_workload *w, const char *what, FILE *to)
{
    char device[sizeof((dn_device_info *)0)->description];
    describe_device(w, device, sizeof device);
    const dn_network *n = w->network;
    fprintf(to, "%s: %s, model %s, %d member%s, batch %d, %lld random images %dx%dx%d\n", what, n->recipe->name,
            n->recipe->model.name, n->members, n->members == 1 ? "" : "s", n->recipe->train.batch,
            (long long)w->data->n, n->height, n->width, n->channels);
    fprintf(to, "dunlin " DN_VERSION " (%s%s) on %s: %s; %d of %ld cores used, load %.1f\n\n", compiler,
            optimized ? "" : ", NOT OPTIMIZED", dn_device_name(w->device), device, dn_device_threads(w->device),
            sysconf(_SC_NPROCESSORS_ONLN), load());
}

static double mebibytes(size_t bytes)
{
    return (double)bytes / 1048576.0;
}

void dn_bench_print_memory(const dn_workload *w, FILE *to)
{
    const dn_plan *plan = dn_executor_plan(w->executor);
    if (!dn_device_is_host(w->device))
        fprintf(to, "memory: program %.1f MiB on the device, %.1f MiB of the host in use while running\n",
                mebibytes(plan->total), mebibytes(dn_memory_now()));
    else
        fprintf(to,
                "memory: program %.1f MiB, with process and libraries %.1f MiB planned, %.1f MiB in use while running "
                "(%.1f MiB at the peak, while the images were made)\n",
                mebibytes(plan->total), mebibytes(w->planned), mebibytes(dn_memory_now()), mebibytes(dn_memory_peak()));
}

static void add_memory(cJSON *tree, const dn_workload *w)
{
    cJSON *memory = cJSON_AddObjectToObject(tree, "memory");
    cJSON_AddNumberToObject(memory, "program_bytes", (double)dn_executor_plan(w->executor)->total);
    cJSON_AddNumberToObject(memory, "planned_bytes", (double)w->planned);
    cJSON_AddNumberToObject(memory, "running_bytes", (double)dn_memory_now());
    cJSON_AddNumberToObject(memory, "peak_bytes", (double)dn_memory_peak());
}

cJSON *dn_bench_json(const dn_workload *w, const char *what)
{
    char device[sizeof((dn_device_info *)0)->description];
    describe_device(w, device, sizeof device);
    const dn_network *n = w->network;
    const int shape[] = {n->height, n->width, n->channels};
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "benchmark", what);
    cJSON_AddStringToObject(tree, "recipe", n->recipe->name);
    cJSON_AddStringToObject(tree, "model", n->recipe->model.name);
    cJSON_AddNumberToObject(tree, "members", n->members);
    cJSON_AddNumberToObject(tree, "batch", n->recipe->train.batch);
    cJSON_AddNumberToObject(tree, "images", (double)w->data->n);
    cJSON_AddItemToObject(tree, "shape", cJSON_CreateIntArray(shape, 3));
    cJSON *machine = cJSON_AddObjectToObject(tree, "machine");
    cJSON_AddStringToObject(machine, "device", dn_device_name(w->device));
    cJSON_AddStringToObject(machine, "description", device);
    cJSON_AddNumberToObject(machine, "cores", (double)sysconf(_SC_NPROCESSORS_ONLN));
    cJSON_AddNumberToObject(machine, "threads", dn_device_threads(w->device));
    cJSON_AddNumberToObject(machine, "load", load());
    cJSON_AddStringToObject(tree, "dunlin", DN_VERSION);
    cJSON_AddStringToObject(tree, "compiler", compiler);
    cJSON_AddBoolToObject(tree, "optimized", optimized);
    add_memory(tree, w);
    return tree;
}

void dn_bench_add_spread(cJSON *object, const char *name, const dn_spread *s)
{
    cJSON *spread = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(spread, "n", s->n);
    cJSON_AddNumberToObject(spread, "min", s->min);
    cJSON_AddNumberToObject(spread, "low", s->low);
    cJSON_AddNumberToObject(spread, "median", s->median);
    cJSON_AddNumberToObject(spread, "high", s->high);
}
