/** Mail: the content of a few tensors, on its way to the host while the device goes on.
 *
 * A letter holds the tensors as they were when everything asked of the executor before it was done, whatever runs
 * afterwards. On a GPU two letters are under way, so that the host reads one while the device works towards the next;
 * where running waits for the end anyway, one is.
 */
#ifndef DN_CORE_MAILBOX_H
#define DN_CORE_MAILBOX_H

#include "core/executor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_mailbox dn_mailbox;

/** Starts the executor. @param tensors [count] what each letter holds: tensors that dn_executor_read() could read
 *  @param out free with dn_mailbox_close(), before the executor */
dn_status dn_mailbox_open(dn_mailbox **out, dn_executor *executor, const dn_tensor *tensors, int count);

/** Waits for the letters that are under way; NULL is allowed. */
void dn_mailbox_close(dn_mailbox *mailbox);

/** @return how many letters can be under way: 1 or 2 */
int dn_mailbox_room(const dn_mailbox *mailbox);

/** @return how many are: posted, not yet collected */
int dn_mailbox_waiting(const dn_mailbox *mailbox);

/** Posts a letter; does not wait. @return DN_ERROR_ARGUMENT if as many as there is room for are under way */
dn_status dn_mailbox_post(dn_mailbox *mailbox);

/** Waits for the oldest letter. @param contents [count] receives where each tensor's [E or 1, shape] elements are,
 *  until the next post. @return DN_ERROR_ARGUMENT if none is under way; a fault of what ran before the letter */
dn_status dn_mailbox_collect(dn_mailbox *mailbox, const void **contents);

#ifdef __cplusplus
}
#endif
#endif
