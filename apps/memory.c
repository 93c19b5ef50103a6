#include "apps/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of /proc/self/status such as "VmHWM:   123 kB". */
static size_t read_status(const char *key)
{
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return 0;
    char line[256];
    size_t bytes = 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) bytes = (size_t)strtoull(line + strlen(key), NULL, 10) * 1024;
    fclose(file);
    return bytes;
}

size_t dn_memory_now(void)
{
    return read_status("VmRSS:");
}

size_t dn_memory_peak(void)
{
    return read_status("VmHWM:");
}
