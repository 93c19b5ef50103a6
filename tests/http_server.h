/** A small HTTP server in a thread, with the faults that servers and connections have. One request at a time. */
#ifndef DN_TESTS_HTTP_SERVER_H
#define DN_TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/** What stands under a path, and how it is served. All zeros but path and body: well. */
typedef struct http_page {
    const char *path; /* "/file.gz" */
    const void *body;
    size_t bytes;
    const char *etag, *modified; /* header values, NULL: not sent */
    bool no_ranges;              /* Range is not understood */
    bool wrong_range;            /* sends another one than was asked for */
    int code;                    /* 0: 200; others are sent without the body */
    const char *location;        /* where a code of 3xx leads */
    int breaks;                  /* so many requests are broken off */
    size_t break_after;          /* bytes of the body */
    long long claimed;           /* Content-Length; 0: the truth, -1: none */
    bool endless;                /* after the body come zeros, until the client goes */
    long pause_us;               /* after each 4 KiB */
    int stalls;                  /* so many requests get nothing more after break_after bytes */

    atomic_int requests; /* so far */
    char range[64], if_range[128];
} http_page;

typedef struct http_server {
    int listener, port;
    pthread_t thread;
    http_page *pages; /* [n] */
    int n;
    atomic_bool stop;
} http_server;

static inline bool send_all(int to, const void *from, size_t bytes)
{
    for (const char *at = from; bytes > 0;) {
        const ssize_t sent = send(to, at, bytes, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
        bytes -= (size_t)sent;
    }
    return true;
}

/** Copies the value of a header, "" where it is missing. */
static inline void find_header(const char *request, const char *name, char *value, size_t size)
{
    value[0] = '\0';
    for (const char *line = strstr(request, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, strlen(name)) != 0) continue;
        const char *at = line + 2 + strlen(name);
        snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
        return;
    }
}

static inline void wait_us(long us)
{
    nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

/** Sends body[first..], with the page's faults. */
static inline void send_body(http_server *s, http_page *page, int to, size_t first)
{
    const bool breaks = page->breaks > 0, stalls = page->stalls > 0;
    size_t left = page->bytes - first;
    page->breaks -= breaks;
    page->stalls -= stalls;
    if ((breaks || stalls) && left > page->break_after) left = page->break_after;
    for (const char *at = (const char *)page->body + first; left > 0;) {
        const size_t n = left < 4096 ? left : 4096;
        if (!send_all(to, at, n)) return;
        at += n;
        left -= n;
        if (page->pause_us) wait_us(page->pause_us);
    }
    static const char zeros[4096];
    while (page->endless && !breaks && !s->stop && send_all(to, zeros, sizeof zeros)) continue;
    while (stalls && !s->stop) {
        char byte;
        if (recv(to, &byte, 1, MSG_DONTWAIT) == 0) return; /* the client went */
        wait_us(5000);
    }
}

/** @return the code of the answer; *first is where in the body it starts */
static inline int judge_request(const http_page *page, size_t *first)
{
    const bool fits = !page->if_range[0] || (page->etag && strcmp(page->if_range, page->etag) == 0) ||
                      (page->modified && strcmp(page->if_range, page->modified) == 0);
    *first = 0;
    if (page->code) return page->code;
    if (page->no_ranges || !fits || strncmp(page->range, "bytes=", 6) != 0) return 200;
    *first = (size_t)strtoull(page->range + 6, NULL, 10) + page->wrong_range;
    return *first < page->bytes ? 206 : 416;
}

static inline void add_header(char head[1024], const char *name, const char *value)
{
    const size_t used = strlen(head);
    if (value) snprintf(head + used, 1024 - used, "%s: %s\r\n", name, value);
}

/** @return where in the body the answer starts, after writing its head */
static inline size_t write_head(const http_page *page, char head[1024])
{
    size_t first;
    char text[96];
    const int code = judge_request(page, &first);
    const bool body = code == 200 || code == 206;
    const long long claimed = page->claimed ? page->claimed : (long long)(body ? page->bytes - first : 0);
    snprintf(head, 1024, "HTTP/1.1 %d x\r\nConnection: close\r\n", code);
    snprintf(text, sizeof text, "%lld", claimed);
    add_header(head, "Content-Length", claimed >= 0 ? text : NULL);
    snprintf(text, sizeof text, "bytes %zu-%zu/%zu", first, page->bytes - 1, page->bytes);
    if (code == 416) snprintf(text, sizeof text, "bytes */%zu", page->bytes);
    add_header(head, "Content-Range", code == 206 || code == 416 ? text : NULL);
    add_header(head, "ETag", page->etag);
    add_header(head, "Last-Modified", page->modified);
    add_header(head, "Location", page->location);
    const size_t used = strlen(head);
    snprintf(head + used, 1024 - used, "\r\n");
    return body ? first : page->bytes;
}

static inline void answer(http_server *s, int client)
{
    char request[4096] = "", head[1024], path[256] = "";
    for (size_t got = 0; !strstr(request, "\r\n\r\n") && got + 1 < sizeof request;) {
        const ssize_t n = recv(client, request + got, sizeof request - 1 - got, 0);
        if (n <= 0) return;
        request[got += (size_t)n] = '\0';
    }
    sscanf(request, "GET %255s", path);
    for (http_page *page = s->pages; page < s->pages + s->n; page++) {
        if (strcmp(page->path, path) != 0) continue;
        page->requests++;
        find_header(request, "Range: ", page->range, sizeof page->range);
        find_header(request, "If-Range: ", page->if_range, sizeof page->if_range);
        const size_t first = write_head(page, head);
        if (send_all(client, head, strlen(head))) send_body(s, page, client, first);
        return;
    }
    static const char missing[] = "HTTP/1.1 404 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    send_all(client, missing, sizeof missing - 1);
}

static inline void *serve(void *context)
{
    http_server *s = context;
    struct pollfd waiting = {.fd = s->listener, .events = POLLIN};
    while (!s->stop) {
        if (poll(&waiting, 1, 20) <= 0) continue;
        const int client = accept(s->listener, NULL, NULL);
        if (client < 0) continue;
        answer(s, client);
        shutdown(client, SHUT_WR);
        close(client);
    }
    return NULL;
}

static inline void open_server(http_server *s, http_page *pages, int n)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    *s = (http_server){.pages = pages, .n = n, .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    cr_assert_eq(bind(s->listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(s->listener, 8), 0);
    cr_assert_eq(getsockname(s->listener, (struct sockaddr *)&address, &length), 0);
    s->port = ntohs(address.sin_port);
    cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static inline void close_server(http_server *s)
{
    s->stop = true;
    pthread_join(s->thread, NULL);
    close(s->listener);
}

#endif
