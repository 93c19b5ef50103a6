/** What `dunlin devices` says about GPUs, made from what the CUDA runtime reports; pure functions, for any machine. */
#ifndef DN_CUDA_REASON_H
#define DN_CUDA_REASON_H

#include <stdbool.h>
#include <stddef.h>

#include "core/device.h"

/** What is known before a GPU is. Versions as CUDA counts them: 13.0 is 13000. */
typedef struct dn_gpu_facts {
    int driver;          /**< the newest CUDA version that the driver supports; 0: no driver */
    int toolkit;         /**< the version that this build was made with */
    int devices;         /**< how many the driver shows */
    const char *visible; /**< CUDA_VISIBLE_DEVICES, or NULL if it is not set */
    const char *error;   /**< what counting the devices failed with, or NULL */
} dn_gpu_facts;

/** What is known about one GPU. */
typedef struct dn_gpu_properties {
    char name[64];
    int major, minor; /**< compute capability */
    int multiprocessors;
    size_t bytes;    /**< of its memory */
    bool prohibited; /**< its compute mode forbids contexts */
} dn_gpu_properties;

/** Writes why there is no GPU to use at all, or "" if there is one. @return text */
const char *dn__gpu_no_device(const dn_gpu_facts *facts, char *text, size_t size);

/** Fills the row of GPU number `ordinal`: what it is, and why it cannot be used. */
void dn__gpu_row(dn_device_info *row, int ordinal, const dn_gpu_properties *properties);

#endif
