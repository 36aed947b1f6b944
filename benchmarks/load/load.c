/* Load generator for Socket.IO 5 over WebSocket that checks all it receives: every message is acknowledged once,
   reaches its recipient once and in order, and nobody else.

   load --port P --dialect deskbell|peer --accounts FILE --phases LIST
        [--host H] [--count N] [--first K] [--concurrency C] [--body BYTES] [--tag HEX]
   load --calibrate

   FILE has one "name token" a line; connection i logs in as line K+i. Phases are listed in phases.c. One JSON object a
   line is printed; {"event":"failed"} and exit code 3 tell of a loss or a mismatch. */
#include "load.h"

#include <signal.h>
#include <stdarg.h>

struct options options = {
    .host = "127.0.0.1", .tag = "00000000", .count = 1000, .concurrency = 64, .body_bytes = 300, .dialect = DESKBELL};
struct account *accounts;

void fail(const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *p = text; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < 32)
            *p = '\'';
    printf("{\"event\":\"failed\",\"why\":\"%s\"}\n", text);
    fflush(stdout);
    exit(3);
}

void samples_add(struct samples *s, int64_t microseconds) {
    if (s->used == s->size) {
        s->size = s->size ? s->size * 2 : 4096;
        s->values = must(realloc(s->values, s->size * sizeof *s->values));
    }
    s->values[s->used++] = microseconds < 0 ? 0 : microseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)microseconds;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void samples_sort(struct samples *s) {
    if (s->used)
        qsort(s->values, s->used, sizeof *s->values, compare);
}

double samples_ms(const struct samples *s, double fraction) {
    if (!s->used)
        return -1;
    size_t at = fraction * s->used;
    return s->values[at < s->used ? at : s->used - 1] / 1000.0;
}

static void read_accounts(const char *path, int first) {
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        fail("cannot read the accounts");
    char name[128], token[400];
    accounts = must(calloc(options.count, sizeof *accounts));
    for (int line = 0; line < first + options.count; line++) {
        if (fscanf(file, "%127s %399s", name, token) != 2)
            fail("%d accounts are needed, the file has %d", first + options.count, line);
        if (line >= first)
            accounts[line - first] = (struct account){must(strdup(name)), must(strdup(token))};
    }
    fclose(file);
}

/* The same arithmetic each time: how fast is this core just now? */
static int calibrate(void) {
    int64_t started = now_us();
    volatile uint64_t sink = 0;
    uint64_t x = 88172645463325252ULL;
    for (int i = 0; i < 100000000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    sink = x;
    (void)sink;
    printf("{\"event\":\"calibrated\",\"ms\":%.1f}\n", (now_us() - started) / 1000.0);
    return 0;
}

int main(int argc, char **argv) {
    const char *path = NULL, *phases = "idle:1";
    int first = 0;
    if (argc == 2 && !strcmp(argv[1], "--calibrate"))
        return calibrate();
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--host"))
            options.host = value;
        else if (!strcmp(name, "--port"))
            options.port = atoi(value);
        else if (!strcmp(name, "--count"))
            options.count = atoi(value);
        else if (!strcmp(name, "--first"))
            first = atoi(value);
        else if (!strcmp(name, "--concurrency"))
            options.concurrency = atoi(value);
        else if (!strcmp(name, "--body"))
            options.body_bytes = atoi(value);
        else if (!strcmp(name, "--tag") && strlen(value) == 8)
            options.tag = value;
        else if (!strcmp(name, "--dialect"))
            options.dialect = strcmp(value, "peer") ? DESKBELL : PEER;
        else if (!strcmp(name, "--accounts"))
            path = value;
        else if (!strcmp(name, "--phases"))
            phases = value;
        else
            fail("unknown argument %s", name);
    }
    if (!(argc & 1) || options.count < 2 || options.body_bytes < 32 || options.body_bytes > 16384)
        fail("wrong arguments: see the top of load.c");
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    setvbuf(stdout, NULL, _IOLBF, 0);
    read_accounts(path, first);
    connections_make();
    run_phases(must(strdup(phases)));
    return 0;
}
