/** Work that may crash, in a process of its own. Library-private.
 *
 * libhdf5 trusts the files it reads: damaged ones make it read beyond its buffers or run without end. A copy of this
 * process (fork) does the work instead, sends what it found through a pipe, and says how it went; if it crashes, that
 * is an error here. The copy shares nothing back: no file that is open here is flushed, no exit handler runs.
 */
#ifndef DN_CORE_CHILD_H
#define DN_CORE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/** Runs in the child. @param pipe for dn__child_send() */
typedef dn_status dn__child_work(void *context, int pipe);

/** Runs here, meanwhile. @param pipe for dn__child_receive() */
typedef dn_status dn__child_take(void *context, int pipe);

/** Runs `work` in a child and `take` here. @param path the file that is read, for the error's text
 *  @param take NULL if nothing is sent
 *  @return the first error of the two, with its text; DN_ERROR_FORMAT if the child crashed or stood still */
dn_status dn__child_run(const char *path, dn__child_work *work, dn__child_take *take, void *context) DN_NODISCARD;

/** Sends bytes to the parent. @return DN_ERROR_FILE if it does not listen any more */
dn_status dn__child_send(int pipe, const void *from, size_t bytes) DN_NODISCARD;

/** @return DN_ERROR_FILE if the child ended before, or sent nothing for minutes */
dn_status dn__child_receive(int pipe, void *to, size_t bytes) DN_NODISCARD;

/** For the child: it has gone on, and may use another ten seconds of processor time until the next call. */
void dn__child_alive(void);

/** The same before one call into a library that gives no sign until it has worked on so many bytes: for each 16 MiB of
 *  them it may use a second more. */
void dn__child_busy(uint64_t bytes);

/** For the child: from here on the process gets no more than so many bytes of memory beside what it has, so that a
 *  library which believes a file's sizes fails early. Where the system does not say what it has, nothing changes. */
void dn__child_limit_memory(uint64_t bytes);

#endif
