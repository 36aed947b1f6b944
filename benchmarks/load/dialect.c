/* The two dialects: Deskbell's own protocol, and the smallest one with which a peer does the comparable work.

   Deskbell   40{"v":2,"token":T,"client":C}   42ID["send",{"cid":K,"to":[NAME],"body":B}]
              42["event",{"epoch":E,"prev":M,"seq":N,"kind":"message",...,"data":{...,"body":B}}]   43ID[{"ok":true,"seq":N,...}]
   peer       40{"token":T}   42ID["send",{"to":NAME,"body":B}]   42ID["announce",{"body":B}]
              42["message",{"id":N,"from":NAME,"body":B,"at":MS}]   43ID[{"ok":true,"id":N}]

   How either comes back to what it missed is in resume.c. */
#include "load.h"

enum { TEXT_MAX = 20000 };

const char *field(const char *text, size_t n, const char *key) {
    char quoted[40];
    int length = snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = memmem(text, n, quoted, length);
    if (!at)
        return NULL;
    at += length;
    while (at < text + n && *at == ' ')
        at++;
    return at;
}

int64_t number(const char *text, size_t n, const char *key) {
    const char *at = field(text, n, key);
    return at && *at >= '0' && *at <= '9' ? strtoll(at, NULL, 10) : -1;
}

static bool literal(const char *text, size_t n, const char *key, const char *expected) {
    const char *at = field(text, n, key);
    size_t length = strlen(expected);
    return at && (size_t)(text + n - at) >= length && !memcmp(at, expected, length);
}

static void log_in(struct connection *c) {
    char text[600];
    const char *token = accounts[c->index].token;
    int n = options.dialect == DESKBELL
                ? snprintf(text, sizeof text, "40{\"v\":2,\"token\":\"%s\",\"client\":\"deskbell-load/1 linux\"}", token)
            : resuming && c->offset[0]
                ? snprintf(text, sizeof text, "40{\"pid\":\"%s\",\"offset\":\"%s\",\"token\":\"%s\"}", c->pid, c->offset, token)
                : snprintf(text, sizeof text, "40{\"token\":\"%s\"}", token);
    c->state = LOGGING_IN;
    connection_send(c, OP_TEXT, text, n);
}

void dialect_send(struct connection *c, const char *recipient, const char *body, uint32_t ack_id) {
    char text[TEXT_MAX];
    int n = options.dialect == DESKBELL
                ? snprintf(text, sizeof text, "42%u[\"send\",{\"cid\":\"%s-%u\",\"to\":[\"%s\"],\"body\":\"%s\"}]",
                           ack_id, options.tag, ack_id, recipient, body)
                : snprintf(text, sizeof text, "42%u[\"send\",{\"to\":\"%s\",\"body\":\"%s\"}]", ack_id, recipient, body);
    connection_send(c, OP_TEXT, text, n);
}

void dialect_announce(struct connection *c, const char *body, uint32_t ack_id) {
    char text[TEXT_MAX];
    if (options.dialect == DESKBELL) {
        dialect_send(c, "@everyone", body, ack_id);
        return;
    }
    int n = snprintf(text, sizeof text, "42%u[\"announce\",{\"body\":\"%s\"}]", ack_id, body);
    connection_send(c, OP_TEXT, text, n);
}

/* Deskbell says of each event after which place it comes (`before`), and nothing of this person's lies between; a peer's
   ids only ever grow. */
static void check_order(struct connection *c, int64_t before, int64_t sequence, const char *text) {
    bool follows = options.dialect == PEER || c->last < 0 || before <= c->last;
    if (sequence <= c->last || !follows)
        fail("connection %u: %lld came after %lld: %.120s", c->index, (long long)sequence, (long long)c->last, text);
    c->last = sequence;
}

/* Whether the client takes it. */
static bool place_came(struct connection *c, const char *text, size_t n) {
    int64_t sequence = number(text, n, options.dialect == DESKBELL ? "seq" : "id");
    int64_t before = options.dialect == DESKBELL ? number(text, n, "prev") : 0;
    if (!resuming)
        check_order(c, before, sequence, text);
    return !resuming || options.dialect == PEER || resume_applies(c, before, sequence);
}

static void message_came(struct connection *c, const char *text, size_t n) {
    if (options.dialect == DESKBELL && !literal(text, n, "kind", "\"message\""))
        fail("connection %u got an event of another kind: %.120s", c->index, text);
    resume_offset(c, text, n);
    if (!place_came(c, text, n))
        return;
    const char *body = field(text, n, "body");
    if (!body || *body != '"')
        fail("connection %u got a message without a body: %.120s", c->index, text);
    ledger_body_arrived(c, body + 1, text + n - body - 1, number(text, n, "seq"));
}

/* Where the log ends: the next event comes after that place. */
static void head_came(struct connection *c, const char *text, size_t n) {
    int64_t before = number(text, n, "prev"), place = number(text, n, "seq");
    counters.heads++;
    if (resuming)
        resume_applies(c, before, place);
    else if (c->last >= 0 && before > c->last)
        fail("connection %u: a head after %lld, but %lld came last", c->index, (long long)before, (long long)c->last);
    else if (place > c->last)
        c->last = place;
}

static void event_came(struct connection *c, const char *text, size_t n) {
    const char *wanted = options.dialect == DESKBELL ? "[\"event\"" : "[\"message\"";
    if (n > 12 && !memcmp(text + 2, wanted, strlen(wanted)))
        message_came(c, text, n);
    else if (n > 9 && options.dialect == DESKBELL && !memcmp(text + 2, "[\"head\"", 7))
        head_came(c, text, n);
    else if (on_loss == LOSS_FAILS)
        fail("connection %u got an unexpected event: %.120s", c->index, text);
}

static void answer_came(struct connection *c, const char *text, size_t n) {
    uint32_t ack_id = strtoul(text + 2, NULL, 10);
    if (!literal(text, n, "ok", "true"))
        fail("refused: %.200s", text);
    if (resume_answered(c, ack_id, text, n))
        return;
    if (options.dialect == DESKBELL && !literal(text, n, "duplicate", "false"))
        fail("a new message was answered as a duplicate: %.200s", text);
    ledger_ack(c, ack_id, options.dialect == DESKBELL ? number(text, n, "seq") : -1);
}

static void accepted(struct connection *c, const char *text, size_t n) {
    if (c->state != LOGGING_IN)
        fail("connection %u was accepted twice", c->index);
    if (options.dialect == PEER)
        c->last = -1; /* a restarted peer counts from the start again */
    resume_accepted(c, text, n);
}

static void refused(struct connection *c, const char *text, size_t n) {
    if (on_loss == LOSS_FAILS)
        fail("login of %s refused: %.*s", accounts[c->index].name, (int)(n < 200 ? n : 200), text);
    connection_refused(c);
}

void dialect_text(struct connection *c, char *text, size_t n) {
    if (!n)
        fail("connection %u got an empty text", c->index);
    if (text[0] == '0' && c->state == OPENING) {
        log_in(c);
    } else if (text[0] == '2') {
        counters.pings++;
        connection_send(c, OP_TEXT, "3", 1);
    } else if (n > 1 && text[0] == '4') {
        if (text[1] == '0')
            accepted(c, text, n);
        else if (text[1] == '2')
            event_came(c, text, n);
        else if (text[1] == '3')
            answer_came(c, text, n);
        else
            refused(c, text, n);
    }
}
