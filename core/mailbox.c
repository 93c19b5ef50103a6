#include "core/mailbox.h"

#include "core/alloc.h"
#include "core/executor_private.h"

enum { MOST_LETTERS = 2, ALIGNMENT = 64 };

struct dn_mailbox {
    dn_executor *executor;
    dn_tensor *tensors; /* [count] */
    size_t *bytes;      /* [count] of all copies of a tensor */
    int count;
    int room, waiting;
    int next; /* the letter that the next post writes: 0..room-1 */
    void *letters[MOST_LETTERS];
};

static const dn_backend *backend_of(const dn_mailbox *m)
{
    return m->executor->device->backend;
}

static int copies_of(const dn_mailbox *m, int i)
{
    const dn_program *p = m->executor->program;
    return dn__info(p, m->tensors[i])->shared ? 1 : p->members;
}

/* How far tensor i reaches in a letter. */
static size_t room_of(const dn_mailbox *m, int i)
{
    return (m->bytes[i] + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static dn_status measure(dn_mailbox *m, const dn_tensor *tensors, size_t *total)
{
    const dn_program *p = m->executor->program;
    for (int i = 0; i < m->count; i++) {
        if (tensors[i].id < 0 || (size_t)tensors[i].id >= p->n_tensors)
            return dn_fail(DN_ERROR_ARGUMENT, "%s: no such tensor", p->name);
        m->tensors[i] = tensors[i];
        m->bytes[i] = dn__bytes(dn__info(p, tensors[i])) * (size_t)copies_of(m, i);
        *total += room_of(m, i);
    }
    return DN_OK;
}

static dn_status open_letters(dn_mailbox *m, size_t bytes)
{
    const dn_backend *backend = backend_of(m);
    m->room = backend->mail_post ? MOST_LETTERS : 1;
    for (int i = 0; i < m->room; i++) {
        if (backend->mail_post) {
            DN_TRY(backend->mail_open(m->executor->device, bytes, &m->letters[i]));
        } else {
            m->letters[i] = dn_calloc_aligned(bytes);
            if (!m->letters[i]) return DN_ERROR_MEMORY;
        }
    }
    return DN_OK;
}

dn_status dn_mailbox_open(dn_mailbox **out, dn_executor *executor, const dn_tensor *tensors, int count)
{
    *out = NULL;
    DN_TRY(dn_executor_start(executor));
    dn_mailbox *m = dn_calloc(1, sizeof *m);
    if (!m) return DN_ERROR_MEMORY;
    *m = (dn_mailbox){.executor = executor, .count = count};
    m->tensors = dn_calloc((size_t)count, sizeof *m->tensors);
    m->bytes = dn_calloc((size_t)count, sizeof *m->bytes);
    size_t total = 0;
    dn_status status = m->tensors && m->bytes ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) status = measure(m, tensors, &total);
    if (status == DN_OK) status = open_letters(m, total);
    if (status == DN_OK)
        *out = m;
    else
        dn_mailbox_close(m);
    return status;
}

void dn_mailbox_close(dn_mailbox *m)
{
    if (!m) return;
    const dn_backend *backend = backend_of(m);
    for (int i = 0; i < MOST_LETTERS; i++) {
        if (backend->mail_post && m->letters[i])
            backend->mail_close(m->executor->device, m->letters[i]);
        else
            dn_free(m->letters[i]);
    }
    dn_free(m->tensors);
    dn_free(m->bytes);
    dn_free(m);
}

int dn_mailbox_room(const dn_mailbox *m)
{
    return m->room;
}

int dn_mailbox_waiting(const dn_mailbox *m)
{
    return m->waiting;
}

static dn_status post_copy(const dn_mailbox *m, int i, int member, char *to, size_t bytes)
{
    const dn_executor *ex = m->executor;
    size_t offset = 0;
    const dn_buffer *buffer = dn__locate(ex->program, &ex->memory, m->tensors[i].id, member, &offset);
    if (!backend_of(m)->mail_post) return dn_buffer_download(buffer, offset, to, bytes);
    return backend_of(m)->mail_post(ex->device, to, (const char *)buffer->data + offset, bytes, m->next);
}

dn_status dn_mailbox_post(dn_mailbox *m)
{
    if (m->waiting == m->room)
        return dn_fail(DN_ERROR_ARGUMENT, "%d letters are under way already, collect one first", m->waiting);
    char *to = m->letters[m->next];
    for (int i = 0; i < m->count; i++) {
        const int copies = copies_of(m, i);
        const size_t each = m->bytes[i] / (size_t)copies;
        for (int e = 0; e < copies; e++) DN_TRY(post_copy(m, i, e, to + each * (size_t)e, each));
        to += room_of(m, i);
    }
    m->next = (m->next + 1) % m->room;
    m->waiting++;
    return DN_OK;
}

dn_status dn_mailbox_collect(dn_mailbox *m, const void **contents)
{
    if (m->waiting == 0) return dn_fail(DN_ERROR_ARGUMENT, "no letter is under way, post one first");
    const int oldest = (m->next + m->room - m->waiting) % m->room;
    if (backend_of(m)->mail_post) DN_TRY(backend_of(m)->mail_wait(m->executor->device, oldest));
    m->waiting--;
    const char *at = m->letters[oldest];
    for (int i = 0; i < m->count; i++) {
        contents[i] = at;
        at += room_of(m, i);
    }
    return DN_OK;
}
