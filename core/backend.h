/** What a backend is: the table behind a device, and how a backend sees a program's memory. */
#ifndef DN_CORE_BACKEND_H
#define DN_CORE_BACKEND_H

#include "core/device.h"
#include "core/graph.h"

typedef struct dn_backend dn_backend;

/** A program made ready for a device: kernels chosen, primitives made. */
typedef struct dn_compiled dn_compiled;

struct dn_device {
    const dn_backend *backend;
    char name[32];
    int threads;
};

struct dn_buffer {
    dn_device *device;
    size_t bytes;
    void *data; /**< a device address: only the backend knows whether the host can read it */
};

/** The blocks of a program on a device; NULL where the program has no such block. */
typedef struct dn_memory {
    dn_buffer *block[DN_STORAGE_COUNT]; /**< [E slices]; program memory: then the shared slice */
    dn_buffer *slots[4];                /**< optimizer slots by number */
    dn_buffer **external;               /**< [n_tensors]: the buffer bound to each external tensor */
} dn_memory;

struct dn_backend {
    const char *name; /**< "ref", "cpu", "cuda", "cuda-emu" */
    bool uses_heap;   /**< its memory is that of core/alloc.h: a buffer may take over what the host has allocated */

    /** @param spec the device name after the backend's, such as ":0", or "" */
    dn_status (*open)(dn_device **out, const char *spec, const dn_device_options *options);
    void (*close)(dn_device *device);
    int (*list)(dn_device_info *rows, int capacity);
    size_t (*available)(const dn_device *device);

    dn_status (*allocate)(dn_device *device, size_t bytes, void **data);
    void (*release)(dn_device *device, void *data);
    dn_status (*upload)(dn_device *device, void *to, const void *from, size_t bytes);
    dn_status (*download)(dn_device *device, void *to, const void *from, size_t bytes);

    /** Chooses a kernel for every op. Allocates nothing whose size depends on the program's tensors. */
    dn_status (*compile)(dn_compiled **out, dn_device *device, const dn_program *program);
    void (*discard)(dn_compiled *compiled);
    /** @return bytes of scratch memory that the kernels need beside the program's; part of the plan */
    size_t (*workspace)(const dn_compiled *compiled);
    /** @return the kernel of an op, such as "onednn brgconv:avx512_core" or "ref" */
    const char *(*kernel_name)(const dn_compiled *compiled, int op);
    /** Called once, after all blocks are there. */
    dn_status (*attach)(dn_compiled *compiled, const dn_memory *memory);
    /** Runs ops first..last-1 `steps` times in order. It may return before they are done: whatever is asked of the
     *  device afterwards sees them done. */
    dn_status (*run)(dn_compiled *compiled, int first, int last, int64_t steps);

    /* What a backend may leave out (NULL) whose run() returns when all is done. */

    /** Makes room for the `count` pieces that will be allocated next, as one block of the device's memory. */
    dn_status (*reserve)(dn_device *device, const size_t *pieces, int count);
    /** Waits until all that was asked of the device is done. */
    dn_status (*wait)(dn_device *device);
    /** Host memory that mail comes to. */
    dn_status (*mail_open)(dn_device *device, size_t bytes, void **mail);
    void (*mail_close)(dn_device *device, void *mail); /**< waits for what is on its way there */
    /** Copies device memory into mail, as it is when all that was asked for before is done; does not wait.
     *  @param ticket 0 or 1, for mail_wait() */
    dn_status (*mail_post)(dn_device *device, void *mail, const void *from, size_t bytes, int ticket);
    /** Waits until all that was posted with this ticket is there. */
    dn_status (*mail_wait)(dn_device *device, int ticket);
};

/** The backends. One that this build lacks is a table too, whose devices say why they cannot be used. */
extern const dn_backend dn__backend_ref, dn__backend_cpu, dn__backend_cuda, dn__backend_cuda_emu, dn__backend_check;

/** @return bytes from one member's copy of a tensor to the next; 0 where members share it */
size_t dn__member_stride(const dn_program *program, const dn_tensor_info *tensor);

/** @return the host address of member e's copy of a tensor, for backends whose memory the host can read */
char *dn__address(const dn_program *program, const dn_memory *memory, int tensor, int member);

#endif
