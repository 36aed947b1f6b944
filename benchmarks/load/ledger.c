/* The book of all that was sent. A message is settled when it was acknowledged to its sender, delivered to its recipient
   and, with Deskbell, also shown in the sender's own log: each exactly once, with the same number in answer and log. */
#include "load.h"

enum { ACKED = 1, DELIVERED = 2, ECHOED = 4 };
enum { ANNOUNCEMENT = 1 << 30, MARK = 19, DRAIN_US = 15000000 };

struct entry {
    int64_t scheduled, own_seq; /* own_seq: 0 until the answer or the sender's own event told it */
    uint32_t sender, recipient;
    uint8_t done;
};

struct announcement {
    int64_t sent, first, last;
    int count;
    bool acked;
};

struct samples acked_after, delivered_after, first_after, last_after;
bool refill;

static struct entry *entries;
static struct announcement *announcements;
static uint32_t entries_used, entries_size, announcements_used, announcements_size;
static uint32_t entries_base, announcements_base; /* all before these are settled */
static int64_t settled;
static int announcements_done;
static uint64_t dice = 0x9E3779B97F4A7C15ULL;

uint32_t roll(uint32_t sides) {
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (dice >> 33) % sides;
}

static const char *filler(void) {
    static char text[16400];
    if (!text[0])
        for (int i = 0; i < options.body_bytes - MARK; i++)
            text[i] = 'a' + i % 26;
    return text;
}

/* "TTTTTTTT mNNNNNNNN " and a fixed rest: the tag of this process, the kind, the number. */
const char *ledger_body(char kind, uint32_t number) {
    static char body[16500];
    snprintf(body, sizeof body, "%s %c%08x %s", options.tag, kind, number, filler());
    return body;
}

void ledger_begin(void) {
    entries_base = entries_used;
    announcements_base = announcements_used;
    settled = announcements_done = 0;
    counters = (struct counters){.retries = counters.retries};
    acked_after.used = delivered_after.used = first_after.used = last_after.used = 0;
}

uint32_t ledger_enter(uint32_t sender, uint32_t recipient, int64_t scheduled) {
    if (entries_used == entries_size) {
        entries_size = entries_size ? entries_size * 2 : 1 << 16;
        entries = must(realloc(entries, entries_size * sizeof *entries));
    }
    entries[entries_used] = (struct entry){.scheduled = scheduled, .sender = sender, .recipient = recipient};
    counters.sent++;
    return entries_used++;
}

/* One message from anybody to anybody else. */
void ledger_send(int64_t scheduled) {
    uint32_t sender = roll(options.count), recipient = roll(options.count - 1);
    recipient += recipient >= sender;
    uint32_t number = ledger_enter(sender, recipient, scheduled);
    dialect_send(&connections[sender], accounts[recipient].name, ledger_body('m', number), number);
}

void ledger_announce(void) {
    if (announcements_used == announcements_size) {
        announcements_size = announcements_size ? announcements_size * 2 : 1024;
        announcements = must(realloc(announcements, announcements_size * sizeof *announcements));
    }
    uint32_t round = announcements_used++;
    announcements[round] = (struct announcement){.sent = now_us()};
    counters.announcements++;
    dialect_announce(&connections[0], ledger_body('a', round), ANNOUNCEMENT + round);
}

static void mark(uint32_t number, uint8_t what, const char *name) {
    struct entry *e = &entries[number];
    if (e->done & what)
        fail("message %u was %s twice", number, name);
    e->done |= what;
    settled += e->done == (options.dialect == DESKBELL ? ACKED | DELIVERED | ECHOED : ACKED | DELIVERED);
}

static void check_own_seq(uint32_t number, int64_t seq) {
    struct entry *e = &entries[number];
    if (options.dialect != DESKBELL || seq == 0) /* an answer over HTTP does not tell it */
        return;
    if (seq < 0 || (e->own_seq && e->own_seq != seq))
        fail("message %u: seq %lld in one place, %lld in the other", number, (long long)e->own_seq, (long long)seq);
    e->own_seq = seq;
}

void ledger_acked(uint32_t number, uint32_t sender, int64_t seq) {
    if (number < entries_base || number >= entries_used)
        fail("an answer to message %u, which is not outstanding", number);
    if (entries[number].sender != sender)
        fail("the answer to message %u went to %u instead of %u", number, sender, entries[number].sender);
    mark(number, ACKED, "acknowledged");
    check_own_seq(number, seq);
    counters.acked++;
    samples_add(&acked_after, now_us() - entries[number].scheduled);
}

static struct announcement *announcement(uint32_t round) {
    if (round < announcements_base || round >= announcements_used)
        fail("announcement %u is not outstanding", round);
    return &announcements[round];
}

static void settle_announcement(const struct announcement *a) {
    if (a->count == options.count && a->acked) {
        announcements_done++;
        samples_add(&first_after, a->first - a->sent);
        samples_add(&last_after, a->last - a->sent);
    }
}

void ledger_ack(struct connection *c, uint32_t ack_id, int64_t seq) {
    if (!(ack_id & ANNOUNCEMENT)) {
        ledger_acked(ack_id, c->index, seq);
        if (refill)
            ledger_send(now_us());
        return;
    }
    struct announcement *a = announcement(ack_id - ANNOUNCEMENT);
    if (a->acked || c->index)
        fail("announcement %u was answered twice or to a stranger", ack_id - ANNOUNCEMENT);
    a->acked = true;
    counters.answered++;
    settle_announcement(a);
}

static void message_arrived(struct connection *c, uint32_t number, int64_t sequence) {
    if (number < entries_base || number >= entries_used)
        fail("message %u came, which is not outstanding", number);
    struct entry *e = &entries[number];
    if (c->index == e->recipient) {
        mark(number, DELIVERED, "delivered");
        counters.delivered++;
        samples_add(&delivered_after, now_us() - e->scheduled);
    } else if (options.dialect == DESKBELL && c->index == e->sender) {
        mark(number, ECHOED, "logged to its sender");
        check_own_seq(number, sequence);
        counters.echoed++;
    } else {
        fail("message %u to %u reached %u", number, e->recipient, c->index);
    }
}

static void announcement_arrived(struct connection *c, uint32_t round) {
    struct announcement *a = announcement(round);
    if (resuming && c->announcement >= (int64_t)round) {
        counters.astray++;
        return;
    }
    if (!resuming && round != announcements_base && c->announcement != (int64_t)round - 1)
        fail("connection %u got announcement %u after %lld", c->index, round, (long long)c->announcement);
    if (c->announcement == (int64_t)round)
        fail("connection %u got announcement %u twice", c->index, round);
    c->announcement = round;
    counters.announced_at = a->last = now_us();
    if (!a->count++)
        a->first = a->last;
    counters.announced++;
    settle_announcement(a);
}

void ledger_body_arrived(struct connection *c, const char *body, size_t n, int64_t sequence) {
    size_t rest = options.body_bytes - MARK;
    if (n <= (size_t)options.body_bytes || body[options.body_bytes] != '"' || memcmp(body + MARK, filler(), rest))
        fail("connection %u got a damaged body: %.60s", c->index, body);
    uint32_t number = strtoul(body + 10, NULL, 16);
    if (memcmp(body, options.tag, 8)) {
        if (body[9] != 'a')
            fail("connection %u got a message of another process: %.40s", c->index, body);
        counters.foreign++;
    } else if (body[9] == 'a') {
        announcement_arrived(c, number);
    } else {
        message_arrived(c, number, sequence);
    }
}

int announcements_outstanding(void) {
    return (int)(announcements_used - announcements_base) - announcements_done;
}

void ledger_drain(void) {
    int64_t sent = entries_used - entries_base, deadline = now_us() + DRAIN_US;
    refill = false;
    while ((settled < sent || announcements_outstanding()) && now_us() < deadline)
        poll_until(now_us() + 10000);
    if (settled < sent)
        fail("%lld of %lld messages are not settled: %lld acknowledged, %lld delivered, %lld logged",
             (long long)(sent - settled), (long long)sent, (long long)counters.acked, (long long)counters.delivered,
             (long long)counters.echoed);
    if (announcements_outstanding())
        fail("%d announcements did not reach everybody (%lld deliveries)", announcements_outstanding(),
             (long long)counters.announced);
}
