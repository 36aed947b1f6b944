/* How a client comes back to what it missed, as each server's own client does.

   Deskbell           from its cursor: `sync` until nothing lies beyond (docs/protocol.md, "What a client must do", 2 and 3);
                      what comes too early is not held but asked for, the slower of the two ways that are allowed
   a peer             with the `pid` that it was given and the `offset` of its last event, if it was given any */
#include "load.h"

enum { SYNC = 1 << 29 };

bool resuming;

static char epoch[64];

static void ask(struct connection *c) {
    char text[200];
    int n = c->last < 0 ? snprintf(text, sizeof text, "42%d[\"sync\",{\"epoch\":null,\"after\":0}]", SYNC)
                        : snprintf(text, sizeof text, "42%d[\"sync\",{\"epoch\":\"%s\",\"after\":%lld}]", SYNC, epoch,
                                   (long long)c->last);
    if (c->asked)
        return;
    c->asked = true;
    connection_send(c, OP_TEXT, text, n);
}

void resume_begin(void) {
    bool waiting = options.dialect == DESKBELL;
    resuming = true;
    for (int i = 0; waiting && i < options.count; i++)
        ask(&connections[i]);
    while (waiting) {
        waiting = false;
        poll_until(now_us() + 10000);
        for (int i = 0; i < options.count; i++)
            waiting |= connections[i].asked;
    }
}

void resume_copy(char *to, size_t size, const char *from, const char *end) {
    size_t n = from < end ? strcspn(from, "\"") : 0;
    if (n >= size)
        fail("a longer name than expected: %.80s", from);
    memcpy(to, from, n);
    to[n] = 0;
}

void resume_accepted(struct connection *c, const char *text, size_t n) {
    const char *pid = field(text, n, "pid");
    c->asked = false;
    if (pid && *pid == '"')
        resume_copy(c->pid, sizeof c->pid, pid + 1, text + n);
    if (!resuming || options.dialect == PEER) {
        connection_up(c);
        return;
    }
    c->state = SYNCING;
    ask(c);
}

/* A recovering peer puts its offset behind an event's own arguments: ...},"OFFSET"] */
void resume_offset(struct connection *c, const char *text, size_t n) {
    const char *at = c->pid[0] ? memrchr(text, ',', n) : NULL;
    if (at && at[-1] == '}' && at[1] == '"')
        resume_copy(c->offset, sizeof c->offset, at + 2, text + n);
}

bool resume_applies(struct connection *c, int64_t prev, int64_t seq) {
    if (seq > c->seen)
        c->seen = seq;
    if (prev > c->last)
        ask(c);
    if (prev > c->last || seq <= c->last)
        return false;
    c->last = seq;
    return true;
}

static void check_epoch(const char *text, size_t n, bool first) {
    char told[sizeof epoch] = "";
    const char *at = field(text, n, "epoch");
    if (at)
        resume_copy(told, sizeof told, at + 1, text + n);
    if (!epoch[0])
        memcpy(epoch, told, sizeof epoch);
    if (!told[0] || strcmp(epoch, told) || (!first && field(text, n, "reset")))
        fail("the log became another one, or lost its beginning: %.200s", text);
}

static void apply_events(struct connection *c, const char *text, const char *end) {
    for (const char *at = field(text, end - text, "prev"), *next; at; at = next) {
        next = field(at, end - at, "prev");
        size_t n = (next ? next : end) - at;
        int64_t prev = strtoll(at, NULL, 10), seq = number(at, n, "seq");
        const char *body = field(at, n, "body");
        if (prev > seq || (seq > c->last && prev > c->last) || !body)
            fail("connection %u has %lld; a sync told: %.120s", c->index, (long long)c->last, at);
        if (seq <= c->last)
            continue;
        c->last = seq;
        ledger_body_arrived(c, body + 1, at + n - body - 1, seq);
    }
}

bool resume_answered(struct connection *c, uint32_t ack_id, const char *text, size_t n) {
    if (ack_id != SYNC || options.dialect == PEER)
        return false;
    int64_t after = number(text, n, "after"), upto = number(text, n, "upto"), head = number(text, n, "head");
    bool first = c->last < 0;
    check_epoch(text, n, first);
    if (first)
        c->last = after;
    if (!c->asked || after < 0 || after > c->last || upto < after || head < upto)
        fail("connection %u has %lld; a sync was answered: %.200s", c->index, (long long)c->last, text);
    c->asked = false;
    apply_events(c, text, text + n);
    if (c->last < upto)
        c->last = upto;
    if (c->last < head || c->last < c->seen)
        ask(c);
    else if (c->state == SYNCING)
        connection_up(c);
    return true;
}
