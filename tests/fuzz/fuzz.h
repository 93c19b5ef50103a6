/* What the fuzz targets share: each reads its input from a file, as the readers do. */
#ifndef DN_TESTS_FUZZ_FUZZ_H
#define DN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/npy.h"

/* Keeps the input in a file of this process, in memory where the system has a place for that.
 * @return its path, valid until the next call */
const char *fuzz_file(const uint8_t *bytes, size_t n);

/* Removes it. */
void fuzz_remove_file(void);

/* Ends the process unless a failure left a text, or the array is what it says. @param array NULL after a failure */
void fuzz_expect(dn_status status, const dn_npy *array);

/* Reads one input in one of the ways below; never crashes, always leaves a text. */
void fuzz_npy(const uint8_t *bytes, size_t n);
void fuzz_array_file(const uint8_t *bytes, size_t n);
void fuzz_store(const uint8_t *bytes, size_t n);
void fuzz_mat(const uint8_t *bytes, size_t n);
void fuzz_keras(const uint8_t *bytes, size_t n);
void fuzz_archive(const uint8_t *bytes, size_t n);
void fuzz_image(const uint8_t *bytes, size_t n); /* PNG and JPEG, in memory */
void fuzz_packed(const uint8_t *bytes, size_t n);
void fuzz_records(const uint8_t *bytes, size_t n); /* IDX and CIFAR; the first two bytes say how they are read */

/* Adds what the child processes covered to this process's counters. */
void fuzz_take_coverage(void);

#endif
