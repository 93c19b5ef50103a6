#include "core/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 63 }; /* longer names are never suggested */

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int lower(char c)
{
    return tolower((unsigned char)c);
}

/** Edits between two texts of at most LONGEST letters: the restricted Damerau-Levenshtein distance, with three rows of
 *  the usual table, since a swap looks two rows back. */
static int edits(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int rows[3][LONGEST + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++) last[j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            const int differs = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        int *const oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

static int is_beginning(const char *name, size_t length, const char *candidate)
{
    size_t same = 0;
    while (same < length && lower(name[same]) == lower(candidate[same])) same++;
    return same == length && length >= 2;
}

const char *dn_nearest(const char *name, const char *const *candidates, size_t n)
{
    const size_t length = strlen(name);
    if (length == 0 || length > LONGEST) return NULL;
    const char *nearest = NULL;
    int fewest = (int)(length + 2) / 3 + 1; /* one more than is allowed */
    for (size_t i = 0; i < n; i++) {
        const size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > LONGEST) continue;
        int distance = edits(name, length, candidates[i], candidate_length);
        if (distance > 1 && is_beginning(name, length, candidates[i])) distance = 1;
        if (distance < fewest) {
            fewest = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
