/* What the parts of the load generator share: one thread, one epoll, every connection in one array. */
#ifndef LOAD_H
#define LOAD_H

#include "wire.h"

enum dialect { DESKBELL, PEER };
enum state { CLOSED, CONNECTING, UPGRADING, OPENING, LOGGING_IN, SYNCING, UP };

struct options {
    const char *host, *tag;
    int port, count, concurrency, body_bytes;
    enum dialect dialect;
};

struct account {
    char *name, *token;
};

/* Whatever epoll reports on. It is the first member of what it belongs to. */
struct watcher {
    void (*ready)(struct watcher *, uint32_t events);
    int fd;
};

struct connection {
    struct watcher watcher;
    struct buffer in, out;
    enum state state;
    uint32_t index;
    uint32_t refused; /* login attempts that were answered with no */
    int64_t started, retry_at, cut_at;
    int64_t last;         /* Deskbell: seq of the last event; peers: id of the last message; -1: none yet */
    int64_t announcement; /* round of the last announcement of ours, -1: none yet */
    int64_t seen;         /* Deskbell: how far the log goes, of what was heard */
    bool asked;           /* a sync is under way */
    char pid[32], offset[32];
};

struct samples {
    uint32_t *values; /* microseconds */
    size_t used, size;
};

struct counters {
    int64_t sent, acked, delivered, echoed, foreign, heads, pings, lost, retries, cuts;
    int64_t announcements, answered, announced, announced_at; /* sent, acknowledged, arrivals, the last arrival */
    int64_t astray;                                           /* arrivals that were not new: twice or out of order */
};

/* What happens to connections that the server closes or refuses. */
enum on_loss { LOSS_FAILS, LOSS_RETRIES, LOSS_IGNORED };

extern struct options options;
extern struct account *accounts;
extern struct connection *connections;
extern struct counters counters;
extern enum on_loss on_loss;
extern int connections_up;

/* load.c */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void samples_add(struct samples *s, int64_t microseconds);
void samples_sort(struct samples *s);
double samples_ms(const struct samples *s, double fraction); /* of sorted samples */

/* connection.c */
void connections_make(void);
void watch(struct watcher *w, uint32_t events, bool new);
bool dial(struct watcher *w); /* false: refused at once */
int dial_error(const struct watcher *w);
void poll_until(int64_t deadline);
void connection_start(struct connection *c);
void connection_close(struct connection *c);
void connection_send(struct connection *c, int opcode, const void *data, size_t n);
void connection_up(struct connection *c);
void connection_refused(struct connection *c);
void connections_bring_up(int64_t deadline);
void connections_start_some(void);
extern struct samples connect_times;
extern void (*on_pong)(const uint8_t *payload, size_t n);

/* dialect.c: texts of both dialects */
void dialect_text(struct connection *c, char *text, size_t n);
void dialect_send(struct connection *c, const char *recipient, const char *body, uint32_t ack_id);
void dialect_announce(struct connection *c, const char *body, uint32_t ack_id);
const char *field(const char *text, size_t n, const char *key); /* the value behind "key":, or NULL */

int64_t number(const char *text, size_t n, const char *key);    /* -1: there is none */

/* resume.c: coming back to what was missed */
extern bool resuming; /* connections may be lost, so gaps are filled, by those who can, and counted */
void resume_begin(void);
void resume_accepted(struct connection *c, const char *text, size_t n);
void resume_offset(struct connection *c, const char *text, size_t n);
bool resume_applies(struct connection *c, int64_t prev, int64_t seq);
bool resume_answered(struct connection *c, uint32_t ack_id, const char *text, size_t n); /* false: not to a sync */

/* ledger.c: what was sent, and that exactly this came back */
uint32_t roll(uint32_t sides); /* the same numbers in each run */
void ledger_begin(void);
void ledger_send(int64_t scheduled);
uint32_t ledger_enter(uint32_t sender, uint32_t recipient, int64_t scheduled);
const char *ledger_body(char kind, uint32_t number);
void ledger_announce(void);
void ledger_ack(struct connection *c, uint32_t ack_id, int64_t seq);
void ledger_acked(uint32_t number, uint32_t sender, int64_t seq);
void ledger_body_arrived(struct connection *c, const char *body, size_t n, int64_t sequence);
void ledger_drain(void); /* waits for all that is outstanding; fails on a loss */
int announcements_outstanding(void);
extern struct samples acked_after, delivered_after, first_after, last_after;
extern bool refill; /* send the next message when one is acknowledged */

/* phases.c, returns.c, http.c */
void run_phases(char *phases);
bool released(void); /* a line came on standard input */
void phase_storm(double seconds);
void phase_jitter(double seconds);
void phase_avalanche(double seconds);
void phase_http(double window, double seconds);

#endif
