/* What the load generator can do, one phase after the other:

   connect             bring every connection up
   idle:SECONDS        hold them and answer pings
   hold                hold them until a line comes on standard input
   closed:W:SECONDS    W messages outstanding all the time
   rate:R:SECONDS      R messages a second on a fixed schedule; latency counts from the scheduled time
   announce:N:GAP_MS   N announcements, each after the one before has reached everybody
   pipe:W:SECONDS      W announcements outstanding all the time
   probe:MS            a WebSocket ping every MS milliseconds until a line comes: how long was the server's loop busy?
   leave               close all connections at once, then wait for a line
   storm:SECONDS       wait for the server to die and come back, then connect everybody again
   jitter:SECONDS      two announcements a second, while each connection is cut about every 15 s for about 2 s
   avalanche:SECONDS   announce; when the server has died and come back, everybody comes; announce meanwhile, and again
   http:W:SECONDS      publish over W keep-alive HTTP connections, one request outstanding on each

   Each prints {"event":"begin"} when it starts, and its figures when all it sent is settled. */
#include "load.h"

#include <fcntl.h>
#include <unistd.h>

enum { CONNECT_US = 120000000, STEP_US = 20000 };

static struct samples pongs;
static int64_t pings_sent;

static double seconds_since(int64_t start) {
    return (now_us() - start) / 1e6;
}

bool released(void) {
    char line[64];
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    if (n == 0)
        fail("whoever started this is gone");
    return n > 0;
}

static void hold_until_released(void) {
    while (!released())
        poll_until(now_us() + STEP_US);
}

static void hold_for(double seconds) {
    int64_t end = now_us() + (int64_t)(seconds * 1e6);
    while (now_us() < end)
        poll_until(end);
}

static void phase_connect(void) {
    int64_t start = now_us();
    on_loss = LOSS_FAILS;
    connections_bring_up(start + CONNECT_US);
    double seconds = seconds_since(start);
    samples_sort(&connect_times);
    printf("{\"event\":\"connect\",\"count\":%d,\"seconds\":%.4f,\"per_second\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
           "\"retries\":%lld}\n",
           options.count, seconds, options.count / seconds, samples_ms(&connect_times, 0.5),
           samples_ms(&connect_times, 0.99), (long long)counters.retries);
}

static void phase_idle(double seconds) {
    hold_for(seconds);
    printf("{\"event\":\"idle\",\"seconds\":%.2f,\"pings\":%lld,\"heads\":%lld}\n", seconds, (long long)counters.pings,
           (long long)counters.heads);
}

static void print_latencies(void) {
    samples_sort(&acked_after);
    samples_sort(&delivered_after);
    printf("\"ack_p50_ms\":%.3f,\"ack_p99_ms\":%.3f,\"delivered_p50_ms\":%.3f,\"delivered_p99_ms\":%.3f,"
           "\"delivered_max_ms\":%.3f}\n",
           samples_ms(&acked_after, 0.5), samples_ms(&acked_after, 0.99), samples_ms(&delivered_after, 0.5),
           samples_ms(&delivered_after, 0.99), samples_ms(&delivered_after, 1.0));
}

static void phase_closed(double window, double seconds) {
    int64_t start = now_us(), end = start + (int64_t)(seconds * 1e6);
    refill = true;
    for (int i = 0; i < window; i++)
        ledger_send(now_us());
    while (now_us() < end)
        poll_until(end);
    double took = seconds_since(start);
    int64_t acked = counters.acked;
    ledger_drain();
    printf("{\"event\":\"closed\",\"acked\":%lld,\"per_second\":%.1f,", (long long)counters.acked, acked / took);
    print_latencies();
}

static void phase_rate(double rate, double seconds) {
    int64_t start = now_us(), total = (int64_t)(rate * seconds), late = 0;
    for (int64_t i = 0; i < total;) {
        int64_t due = start + (int64_t)(i * 1e6 / rate), now = now_us();
        if (due > now) {
            poll_until(due);
            continue;
        }
        late = now - due > late ? now - due : late;
        ledger_send(due);
        i++;
    }
    double took = seconds_since(start);
    ledger_drain();
    printf("{\"event\":\"rate\",\"acked\":%lld,\"per_second\":%.1f,\"late_max_ms\":%.3f,", (long long)counters.acked,
           total / took, late / 1000.0);
    print_latencies();
}

static void print_announcements(const char *name, double took, int64_t delivered) {
    samples_sort(&first_after);
    samples_sort(&last_after);
    printf("{\"event\":\"%s\",\"rounds\":%zu,\"deliveries\":%lld,\"per_second\":%.1f,\"first_p50_ms\":%.3f,"
           "\"last_p50_ms\":%.3f,\"last_p90_ms\":%.3f}\n",
           name, last_after.used, (long long)counters.announced, delivered / took, samples_ms(&first_after, 0.5),
           samples_ms(&last_after, 0.5), samples_ms(&last_after, 0.9));
}

static void phase_announce(double rounds, double gap_ms) {
    int64_t start = now_us();
    for (int i = 0; i < rounds; i++) {
        ledger_announce();
        ledger_drain();
        hold_for(gap_ms / 1000);
    }
    print_announcements("announce", seconds_since(start), counters.announced);
}

static void phase_pipe(double window, double seconds) {
    int64_t start = now_us(), end = start + (int64_t)(seconds * 1e6);
    while (now_us() < end) {
        while (announcements_outstanding() < window)
            ledger_announce();
        poll_until(end);
    }
    double took = seconds_since(start);
    int64_t delivered = counters.announced;
    ledger_drain();
    print_announcements("pipe", took, delivered);
}

static void count_pong(const uint8_t *payload, size_t n) {
    int64_t sent;
    if (n != sizeof sent)
        fail("a pong that answers none of our pings");
    memcpy(&sent, payload, sizeof sent);
    samples_add(&pongs, now_us() - sent);
}

static void phase_probe(double every_ms) {
    int64_t due = now_us(), deadline;
    on_pong = count_pong;
    pongs.used = pings_sent = 0;
    while (!released()) {
        for (; due <= now_us(); due += (int64_t)(every_ms * 1000), pings_sent++)
            connection_send(&connections[0], OP_PING, &due, sizeof due);
        poll_until(due);
    }
    for (deadline = now_us() + CONNECT_US; (int64_t)pongs.used < pings_sent && now_us() < deadline;)
        poll_until(now_us() + STEP_US);
    if ((int64_t)pongs.used != pings_sent)
        fail("%zu pongs for %lld pings", pongs.used, (long long)pings_sent);
    samples_sort(&pongs);
    printf("{\"event\":\"probe\",\"count\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n", pongs.used,
           samples_ms(&pongs, 0.5), samples_ms(&pongs, 0.99), samples_ms(&pongs, 1.0));
}

static void phase_leave(void) {
    int64_t start = now_us();
    for (int i = 0; i < options.count; i++)
        connection_close(&connections[i]);
    printf("{\"event\":\"leave\",\"count\":%d,\"seconds\":%.4f}\n", options.count, seconds_since(start));
    hold_until_released();
}

static void run_phase(const char *name, double a, double b) {
    if (!strcmp(name, "connect"))
        phase_connect();
    else if (!strcmp(name, "idle"))
        phase_idle(a);
    else if (!strcmp(name, "hold"))
        hold_until_released();
    else if (!strcmp(name, "closed"))
        phase_closed(a, b);
    else if (!strcmp(name, "rate"))
        phase_rate(a, b);
    else if (!strcmp(name, "announce"))
        phase_announce(a, b);
    else if (!strcmp(name, "pipe"))
        phase_pipe(a, b);
    else if (!strcmp(name, "probe"))
        phase_probe(a);
    else if (!strcmp(name, "leave"))
        phase_leave();
    else if (!strcmp(name, "storm"))
        phase_storm(a);
    else if (!strcmp(name, "jitter"))
        phase_jitter(a);
    else if (!strcmp(name, "avalanche"))
        phase_avalanche(a);
    else if (!strcmp(name, "http"))
        phase_http(a, b);
    else
        fail("unknown phase %s", name);
}

void run_phases(char *phases) {
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    for (char *rest = phases, *phase; (phase = strsep(&rest, ","));) {
        char name[20] = "";
        double a = 0, b = 0;
        sscanf(phase, "%19[^:]:%lf:%lf", name, &a, &b);
        ledger_begin();
        printf("{\"event\":\"begin\",\"phase\":\"%s\"}\n", name);
        run_phase(name, a, b);
    }
    printf("{\"event\":\"done\"}\n");
}
