#include "core/cpu/host.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the first line that starts with `key` and copies what follows the key. */
static bool find_line(const char *path, const char *key, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    if (!file) return false;
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(text, size, "%s", line + strlen(key));
        found = true;
    }
    fclose(file);
    return found;
}

/* @return the number after the key, or SIZE_MAX: no such file or line, or "max" */
static size_t read_number(const char *path, const char *key)
{
    char text[64], *end;
    if (!find_line(path, key, text, sizeof text)) return SIZE_MAX;
    const unsigned long long value = strtoull(text, &end, 10);
    return end == text ? SIZE_MAX : (size_t)value;
}

size_t dn__host_available(void)
{
    static const char *const groups[][2] = {
        {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
    const size_t kibibytes = read_number("/proc/meminfo", "MemAvailable:");
    size_t bytes = kibibytes > SIZE_MAX / 1024 ? SIZE_MAX : kibibytes * 1024;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const size_t limit = read_number(groups[i][0], ""), used = read_number(groups[i][1], "");
        if (limit == SIZE_MAX || used == SIZE_MAX) continue;
        const size_t left = limit > used ? limit - used : 0;
        if (left < bytes) bytes = left;
    }
    return bytes;
}

void dn__host_model(char *text, size_t size)
{
    char line[128];
    const bool found = find_line("/proc/cpuinfo", "model name", line, sizeof line);
    const char *name = found ? strchr(line, ':') : NULL;
    snprintf(text, size, "%s", name ? name + 1 + strspn(name + 1, " ") : "unknown processor");
}
