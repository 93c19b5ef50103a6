#include "apps/half.h"

#include <string.h>

#include "core/random.h"

enum { PURPOSE = 0x68616c66 };

bool dn_half_chooses(size_t row, size_t rows)
{
    return dn_random_permute((uint32_t)row, (uint32_t)rows, 0, PURPOSE, 0, 0) < (rows + 1) / 2;
}

size_t dn_half_split(double *scores, size_t n, double *other)
{
    size_t chosen = 0, left = 0;
    for (size_t i = 0; i < n; i++) {
        if (dn_half_chooses(i, n))
            scores[chosen++] = scores[i];
        else
            other[left++] = scores[i];
    }
    memcpy(scores + chosen, other, left * sizeof *scores);
    return chosen;
}
