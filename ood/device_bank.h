/** Products of a bank's rows with queries on another device: what dn__products() computes on this CPU: library-private.
 *
 * The rows lie on the device in chunks, all of them if there is room. Otherwise the last chunks take turns, and come
 * from the host's memory again for every 256 queries.
 */
#ifndef DN_OOD_DEVICE_BANK_H
#define DN_OOD_DEVICE_BANK_H

#include <stddef.h>

#include "core/device.h"

typedef struct dn__device_bank dn__device_bank;

/** @param rows [count,dim] borrowed @param memory bytes of the device that may be taken for chunks; one chunk is taken
 *  in any case @param device must outlive the bank @param out free with dn__device_bank_close()
 *  @return DN_ERROR_MEMORY if the device has no room for a chunk; the device's errors */
dn_status dn__device_bank_open(dn__device_bank **out, dn_device *device, const float *rows, size_t count, size_t dim,
                               size_t memory) DN_NODISCARD;
void dn__device_bank_close(dn__device_bank *bank); /**< NULL is allowed */

/** @return the number of rows of a chunk, at most `count` */
size_t dn__device_bank_chunk(const dn__device_bank *bank);

/** products[j,i] = row[first + j] . query[i], in single precision and any order of summation; waits for the device,
 *  which it uses alone: any number of threads may call it.
 *  @param products [chunk, DN__PRODUCT_QUERIES]; what stands behind the bank's last row is undefined
 *  @param first a multiple of the chunk's rows @param queries [DN__PRODUCT_QUERIES, dim] */
dn_status dn__device_bank_products(float *products, dn__device_bank *bank, size_t first,
                                   const float *queries) DN_NODISCARD;

#endif
