/* Publishing over HTTP: a few keep-alive connections, one request outstanding on each. The people who are written to hold
   their sockets meanwhile, so the same book shows that everything arrived. */
#include "load.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 16384, REQUEST_MAX = 20000 };

struct line {
    struct watcher watcher;
    uint32_t sender, number;
    bool connected, open; /* open: a request is outstanding */
    size_t used;
    char answer[ANSWER_MAX];
};

static struct line *lines;
static bool sending;
static uint64_t next_recipient;

static void request(struct line *l) {
    char text[REQUEST_MAX], body[REQUEST_MAX];
    uint32_t recipient = (l->sender + 1 + next_recipient++ % (options.count - 1)) % options.count;
    l->number = ledger_enter(l->sender, recipient, now_us());
    int n = snprintf(body, sizeof body, "{\"to\":[\"%s\"],\"body\":\"%s\"}", accounts[recipient].name,
                     ledger_body('m', l->number));
    n = snprintf(text, sizeof text,
                 "POST /api/v1/messages HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: Bearer %s\r\n"
                 "Idempotency-Key: %s-%u\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                 options.host, options.port, accounts[l->sender].token, options.tag, l->number, n, body);
    l->open = true;
    l->used = 0;
    if (send(l->watcher.fd, text, n, MSG_NOSIGNAL) != n)
        fail("http: a request of %d bytes did not leave at once", n);
}

static void check_answer(struct line *l, const char *body, size_t n) {
    const char *duplicate = field(body, n, "duplicate");
    if (memcmp(l->answer + 9, "201", 3))
        fail("http: %.200s ... %.200s", l->answer, body);
    if (!duplicate || *duplicate != 'f')
        fail("http: unexpected answer %.200s", body);
    ledger_acked(l->number, l->sender, 0);
}

/* True when the whole answer is there and was right. */
static bool complete(struct line *l) {
    l->answer[l->used] = 0;
    char *end = strstr(l->answer, "\r\n\r\n");
    if (!end)
        return false;
    char *length = strcasestr(l->answer, "\r\nContent-Length:");
    if (!length || length > end)
        fail("http: an answer without a length: %.200s", l->answer);
    size_t n = strtoul(length + 17, NULL, 10);
    if (l->used < end + 4 - l->answer + n)
        return false;
    check_answer(l, end + 4, n);
    return true;
}

static void line_ready(struct watcher *w, uint32_t events) {
    struct line *l = (struct line *)w;
    if (!l->connected) {
        if (dial_error(w))
            fail("http: %s", strerror(dial_error(w)));
        if (!(events & EPOLLOUT))
            return;
        l->connected = true;
        watch(w, EPOLLIN, false);
        request(l);
        return;
    }
    ssize_t n = recv(w->fd, l->answer + l->used, ANSWER_MAX - 1 - l->used, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        fail("http: connection lost");
    l->used += n;
    if (!complete(l))
        return;
    l->open = false;
    if (sending)
        request(l);
}

void phase_http(double window, double seconds) {
    int count = window;
    int64_t start = now_us(), end = start + (int64_t)(seconds * 1e6);
    if (count > options.count)
        fail("http: more connections than accounts");
    sending = true;
    lines = must(calloc(count, sizeof *lines));
    for (int i = 0; i < count; i++) {
        lines[i] = (struct line){.watcher = {line_ready, -1}, .sender = i};
        if (!dial(&lines[i].watcher))
            fail("http: cannot connect");
    }
    while (now_us() < end)
        poll_until(end);
    double took = (now_us() - start) / 1e6;
    int64_t acked = counters.acked;
    sending = false;
    ledger_drain();
    for (int i = 0; i < count; i++)
        close(lines[i].watcher.fd);
    samples_sort(&acked_after);
    printf("{\"event\":\"http\",\"acked\":%lld,\"per_second\":%.1f,\"ack_p50_ms\":%.3f,\"ack_p99_ms\":%.3f}\n",
           (long long)counters.acked, acked / took, samples_ms(&acked_after, 0.5), samples_ms(&acked_after, 0.99));
    free(lines);
}
