/* Phases in which clients lose their connections and come back: storm, jitter and avalanche (see phases.c). */
#include "load.h"

enum { STEP_US = 20000, EVERY_US = 500000, UP_US = 15000000, AWAY_US = 2000000, QUIET_US = 5000000 };
enum { RETURN_US = 120000000 };

static void wait_for_the_end(int64_t deadline) {
    printf("{\"event\":\"ready\"}\n");
    while (connections_up && now_us() < deadline)
        poll_until(now_us() + STEP_US);
}

/* The first connection alone knocks until the port answers; then the clock starts and everybody comes. */
static void knock_until_answered(int64_t deadline) {
    struct connection *c = &connections[0];
    while (c->state <= CONNECTING) {
        if (now_us() > deadline)
            fail("the server did not come back");
        if (c->state == CLOSED)
            connection_start(c);
        poll_until(now_us() + 2000);
    }
    counters.retries = connect_times.used = 0;
}

void phase_storm(double seconds) {
    int64_t deadline = now_us() + (int64_t)(seconds * 1e6);
    on_loss = LOSS_RETRIES;
    wait_for_the_end(deadline);
    knock_until_answered(deadline);
    int64_t start = now_us();
    connections_bring_up(deadline);
    double took = (now_us() - start) / 1e6;
    on_loss = LOSS_FAILS;
    samples_sort(&connect_times);
    printf("{\"event\":\"storm\",\"count\":%d,\"seconds\":%.4f,\"retries\":%lld,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
           options.count, took, (long long)counters.retries, samples_ms(&connect_times, 0.5),
           samples_ms(&connect_times, 0.99));
}

/* Until everybody has all, or nothing comes any more. */
static void settle(void) {
    int64_t came = -1, since = 0;
    while (announcements_outstanding() && (counters.announced != came || now_us() - since < QUIET_US)) {
        if (counters.announced != came)
            since = now_us();
        came = counters.announced;
        poll_until(now_us() + STEP_US);
    }
}

/* What a peer loses is shown; Deskbell must not. */
static void report(const char *name, double seconds) {
    int64_t rounds = counters.announcements, wanted = rounds * options.count;
    if (options.dialect == DESKBELL && (announcements_outstanding() || counters.announced != wanted || counters.astray))
        fail("%s: %lld of %lld deliveries, %lld twice or out of order, %lld of %lld acknowledged", name,
             (long long)counters.announced, (long long)wanted, (long long)counters.astray, (long long)counters.answered,
             (long long)rounds);
    samples_sort(&connect_times);
    printf("{\"event\":\"%s\",\"rounds\":%lld,\"share\":%.6f,\"astray\":%lld,\"seconds\":%.4f,\"cuts\":%lld,\"lost\":%lld,"
           "\"retries\":%lld,\"back_p50_ms\":%.3f,\"back_p99_ms\":%.3f}\n",
           name, (long long)rounds, (double)counters.announced / wanted, (long long)counters.astray, seconds,
           (long long)counters.cuts, (long long)counters.lost, (long long)counters.retries,
           samples_ms(&connect_times, 0.5), samples_ms(&connect_times, 0.99));
    on_loss = LOSS_FAILS;
}

/* Half of it to one and a half. */
static int64_t about(int64_t middle) {
    return middle / 2 + roll(middle);
}

/* Everybody but the first, who announces. */
static void cut_some(int64_t now) {
    for (int i = 1; i < options.count; i++) {
        struct connection *c = &connections[i];
        if (c->cut_at > now || c->state == CLOSED)
            continue;
        connection_close(c);
        c->retry_at = now + about(AWAY_US);
        c->cut_at = c->retry_at + about(UP_US);
        counters.cuts++;
    }
}

void phase_jitter(double seconds) {
    resume_begin();
    on_loss = LOSS_RETRIES;
    connect_times.used = counters.retries = 0;
    int64_t start = now_us(), end = start + (int64_t)(seconds * 1e6), due = start, sent = start;
    for (int i = 1; i < options.count; i++)
        connections[i].cut_at = start + roll(UP_US);
    for (int64_t now; (now = now_us()) < end; poll_until(now + 5000)) {
        if (now >= due) {
            ledger_announce();
            sent = now;
            due += EVERY_US;
        }
        cut_some(now);
        connections_start_some();
    }
    connections_bring_up(now_us() + RETURN_US);
    settle();
    report("jitter", (counters.announced_at - sent) / 1e6);
}

void phase_avalanche(double seconds) {
    int64_t deadline = now_us() + (int64_t)(seconds * 1e6);
    options.concurrency = options.count; /* all at once, whatever the server makes of that */
    resume_begin();
    on_loss = LOSS_RETRIES;
    ledger_announce();
    while (!counters.answered && now_us() < deadline)
        poll_until(now_us() + STEP_US);
    wait_for_the_end(deadline);
    counters.lost = 0;
    knock_until_answered(deadline);
    int64_t start = now_us();
    while (connections[0].state != UP && now_us() < deadline) {
        connections_start_some();
        poll_until(now_us() + 5000);
    }
    ledger_announce(); /* most are still on their way */
    connections_bring_up(deadline);
    double took = (now_us() - start) / 1e6;
    ledger_announce();
    settle();
    report("avalanche", took);
}
