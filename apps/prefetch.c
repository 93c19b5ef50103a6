#include "apps/prefetch.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"

enum { THREADS = 4, MOST_PLACES = 16, LEAST_PLACES = 2, RING_BYTES = 64 << 20 };

/* A place of the ring: step s stands in place s mod the number of places. */
typedef struct place {
    char *data;
    bool ready;
    dn_status status;
    char text[1024];
} place;

struct dn_prefetch {
    dn_prefetch_options options;
    int team; /* of OpenMP threads that each thread may work with */
    place places[MOST_PLACES];
    int n_places;
    pthread_t threads[THREADS];
    int n_threads;
    pthread_mutex_t lock;          /* of all below, and of `ready` */
    pthread_cond_t made, released; /* a place became ready, or free */
    int64_t next;                  /* the next step that a thread takes */
    int64_t given;                 /* the next step that is asked for; the one before may still be looked at */
    bool holding;                  /* the step before `given` is looked at */
    bool ending;
};

static int places_for(size_t bytes)
{
    const size_t fit = bytes ? RING_BYTES / bytes : MOST_PLACES;
    return fit < LEAST_PLACES ? LEAST_PLACES : fit > MOST_PLACES ? MOST_PLACES : (int)fit;
}

size_t dn_prefetch_bytes(size_t bytes)
{
    enum { READING = 4 << 20 }; /* of each thread, whatever it reads from */
    return bytes ? (size_t)places_for(bytes) * bytes + THREADS * (size_t)READING : 0;
}

/* ---- threads ---- */

/* The next step whose place is free; -1: there is nothing more to do. */
static int64_t take_step(dn_prefetch *p)
{
    pthread_mutex_lock(&p->lock);
    while (!p->ending && p->next < p->options.end && p->next >= p->given - p->holding + p->n_places)
        pthread_cond_wait(&p->released, &p->lock);
    const int64_t step = p->ending || p->next >= p->options.end ? -1 : p->next++;
    pthread_mutex_unlock(&p->lock);
    return step;
}

static void *work(void *context)
{
    dn_prefetch *p = context;
    omp_set_num_threads(p->team); /* of this thread alone: it would have all cores, whatever was asked for */
    for (int64_t step; (step = take_step(p)) >= 0;) {
        place *to = &p->places[step % p->n_places];
        to->status = p->options.read(p->options.context, step, to->data);
        if (to->status != DN_OK) snprintf(to->text, sizeof to->text, "%s", dn_error_last());
        pthread_mutex_lock(&p->lock);
        to->ready = true;
        pthread_cond_broadcast(&p->made);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

/* Signals are for the thread that asked for them. */
static dn_status start_threads(dn_prefetch *p)
{
    sigset_t all, before;
    int reason = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; p->n_threads < THREADS && reason == 0; p->n_threads += reason == 0)
        reason = pthread_create(&p->threads[p->n_threads], NULL, work, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (p->n_threads > 0) return DN_OK;
    return dn_fail(DN_ERROR_MEMORY, "cannot start a thread that reads images: %s", strerror(reason));
}

/* ---- whoever waits ---- */

dn_status dn_prefetch_open(dn_prefetch **out, const dn_prefetch_options *options)
{
    *out = NULL;
    dn_prefetch *p = dn_calloc(1, sizeof *p);
    if (!p) return DN_ERROR_MEMORY;
    p->options = *options;
    p->team = omp_get_max_threads() > THREADS ? omp_get_max_threads() / THREADS : 1;
    p->next = p->given = options->first;
    p->n_places = places_for(options->bytes);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->made, NULL);
    pthread_cond_init(&p->released, NULL);
    dn_status status = DN_OK;
    for (int i = 0; i < p->n_places && status == DN_OK; i++) {
        p->places[i].data = dn_calloc(options->bytes, 1);
        if (!p->places[i].data) status = DN_ERROR_MEMORY;
    }
    if (status == DN_OK) status = start_threads(p);
    if (status != DN_OK) {
        dn_prefetch_close(p);
        return status;
    }
    *out = p;
    return DN_OK;
}

void dn_prefetch_close(dn_prefetch *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->released);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_threads; i++) pthread_join(p->threads[i], NULL);
    for (int i = 0; i < p->n_places; i++) dn_free(p->places[i].data);
    pthread_cond_destroy(&p->released);
    pthread_cond_destroy(&p->made);
    pthread_mutex_destroy(&p->lock);
    dn_free(p);
}

dn_status dn_prefetch_next(dn_prefetch *p, const void **data)
{
    *data = NULL;
    if (p->given >= p->options.end) return dn_fail(DN_ERROR_ARGUMENT, "there is no step to read ahead any more");
    place *at = &p->places[p->given % p->n_places];
    pthread_mutex_lock(&p->lock);
    if (p->holding) {
        p->places[(p->given - 1) % p->n_places].ready = false;
        p->holding = false;
        pthread_cond_broadcast(&p->released);
    }
    while (!at->ready) pthread_cond_wait(&p->made, &p->lock);
    p->given++;
    p->holding = true;
    pthread_mutex_unlock(&p->lock);
    *data = at->data;
    return at->status == DN_OK ? DN_OK : dn_fail(at->status, "%s", at->text);
}
