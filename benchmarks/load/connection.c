/* Sockets: dialling, the WebSocket upgrade, reading and writing frames without ever blocking. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRATCH = 1 << 20, RETRY_US = 100000, EVENTS = 512 };

struct connection *connections;
struct counters counters;
struct samples connect_times;
enum on_loss on_loss = LOSS_FAILS;
int connections_up;
void (*on_pong)(const uint8_t *payload, size_t n);

static int epoll, in_flight, next_to_start;
static uint8_t scratch[SCRATCH];
static const uint8_t mask_key[4] = {0x37, 0xfa, 0x21, 0x3d};

void watch(struct watcher *w, uint32_t events, bool new) {
    struct epoll_event e = {.events = events, .data.ptr = w};
    if (epoll_ctl(epoll, new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, w->fd, &e) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

bool dial(struct watcher *w) {
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    inet_pton(AF_INET, options.host, &address.sin_addr);
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        fail("socket: %s", strerror(errno));
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(w->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        close(w->fd);
        w->fd = -1;
        return false;
    }
    watch(w, EPOLLIN | EPOLLOUT, true);
    return true;
}

int dial_error(const struct watcher *w) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

void poll_until(int64_t deadline) {
    struct epoll_event events[EVENTS];
    int64_t left = deadline - now_us();
    struct timespec wait = {0};
    if (left > 0)
        wait = (struct timespec){left / 1000000, left % 1000000 * 1000};
    int n = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct watcher *w = events[i].data.ptr;
        if (w->fd >= 0)
            w->ready(w, events[i].events);
    }
}

void connection_close(struct connection *c) {
    if (c->watcher.fd >= 0)
        close(c->watcher.fd);
    if (c->state == UP)
        connections_up--;
    else if (c->state != CLOSED)
        in_flight--;
    c->watcher.fd = -1;
    c->state = CLOSED;
    buffer_free(&c->in);
    buffer_free(&c->out);
}

static void lost(struct connection *c, const char *why) {
    if (on_loss == LOSS_FAILS)
        fail("connection %u lost in state %d: %s", c->index, c->state, why);
    counters.lost++;
    if (c->state != UP) {
        counters.retries++;
        c->retry_at = now_us() + RETRY_US;
    }
    connection_close(c);
}

void connection_refused(struct connection *c) {
    c->refused++;
    lost(c, "login refused");
}

void connection_up(struct connection *c) {
    c->state = UP;
    in_flight--;
    connections_up++;
    samples_add(&connect_times, now_us() - c->started);
}

static void flush_out(struct connection *c) {
    size_t done = 0;
    while (done < c->out.used) {
        ssize_t n = send(c->watcher.fd, c->out.data + done, c->out.used - done, MSG_NOSIGNAL);
        if (n < 0)
            break;
        done += n;
    }
    if (done == c->out.used) {
        buffer_free(&c->out);
        watch(&c->watcher, EPOLLIN, false);
    } else {
        buffer_drop(&c->out, done);
    }
}

static void write_bytes(struct connection *c, const uint8_t *data, size_t n) {
    ssize_t sent = 0;
    if (!c->out.used)
        sent = send(c->watcher.fd, data, n, MSG_NOSIGNAL);
    if (sent < 0)
        sent = 0; /* full, or gone: epoll tells which */
    if ((size_t)sent == n)
        return;
    buffer_add(&c->out, data + sent, n - sent);
    watch(&c->watcher, EPOLLIN | EPOLLOUT, false);
}

void connection_send(struct connection *c, int opcode, const void *data, size_t n) {
    static struct buffer frame;
    frame.used = 0;
    buffer_room(&frame, n + FRAME_HEAD_MAX);
    size_t head = frame_head(frame.data, opcode, n, mask_key);
    memcpy(frame.data + head, data, n);
    mask_bytes(frame.data + head, n, mask_key);
    write_bytes(c, frame.data, head + n);
}

static void send_upgrade(struct connection *c) {
    char request[400];
    int n = snprintf(request, sizeof request,
                     "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n",
                     options.host, options.port);
    c->state = UPGRADING;
    watch(&c->watcher, EPOLLIN, false);
    write_bytes(c, (uint8_t *)request, n);
}

/* The answer to the upgrade; returns its length, 0 while it is not complete or when it was no. */
static size_t read_upgrade(struct connection *c, uint8_t *data, size_t n) {
    uint8_t *end = memmem(data, n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (n < 12 || memcmp(data + 9, "101", 3)) {
        if (on_loss == LOSS_FAILS)
            fail("upgrade refused: %.60s", (char *)data);
        lost(c, "upgrade refused");
        return 0;
    }
    c->state = OPENING;
    return end + 4 - data;
}

static void handle_frame(struct connection *c, const struct frame *f) {
    if (f->opcode == OP_TEXT)
        dialect_text(c, (char *)f->payload, f->length);
    else if (f->opcode == OP_PING)
        connection_send(c, OP_PONG, f->payload, f->length);
    else if (f->opcode == OP_PONG && on_pong)
        on_pong(f->payload, f->length);
    else if (f->opcode == OP_CLOSE)
        lost(c, "closed by the server");
    else if (f->opcode != OP_PONG)
        fail("connection %u got a frame with opcode %d", c->index, f->opcode);
}

static void handle_bytes(struct connection *c, uint8_t *data, size_t n) {
    struct frame f;
    size_t at = 0;
    if (c->state == UPGRADING && !(at = read_upgrade(c, data, n)) && c->state == CLOSED)
        return;
    while (c->state > UPGRADING && frame_read(data + at, n - at, &f)) {
        handle_frame(c, &f);
        at += f.total;
    }
    c->in.used = 0;
    if (c->state != CLOSED && at < n)
        buffer_add(&c->in, data + at, n - at);
    else
        buffer_free(&c->in);
}

static void read_bytes(struct connection *c) {
    size_t kept = c->in.used, room = SCRATCH - kept;
    if (!room)
        fail("connection %u: a frame of more than %d bytes", c->index, SCRATCH);
    if (kept)
        memcpy(scratch, c->in.data, kept);
    ssize_t n = recv(c->watcher.fd, scratch + kept, room, 0);
    if (n > 0)
        handle_bytes(c, scratch, kept + n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        lost(c, n ? strerror(errno) : "end of stream");
}

static void on_ready(struct watcher *w, uint32_t events) {
    struct connection *c = (struct connection *)w;
    if (c->state == CONNECTING) {
        int error = dial_error(w);
        if (error)
            lost(c, strerror(error));
        else if (events & EPOLLOUT)
            send_upgrade(c);
        return;
    }
    if (events & EPOLLOUT)
        flush_out(c);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_bytes(c);
}

void connection_start(struct connection *c) {
    c->started = now_us();
    if (dial(&c->watcher)) {
        c->state = CONNECTING;
        in_flight++;
    } else {
        counters.retries++;
        c->retry_at = now_us() + RETRY_US;
    }
}

void connections_start_some(void) {
    int64_t now = now_us();
    int down = options.count - connections_up - in_flight;
    for (int i = 0; i < options.count && down > 0 && in_flight < options.concurrency; i++) {
        struct connection *c = &connections[next_to_start];
        next_to_start = (next_to_start + 1) % options.count;
        if (c->state == CLOSED && c->retry_at <= now) {
            connection_start(c);
            down--;
        }
    }
}

void connections_bring_up(int64_t deadline) {
    while (connections_up < options.count) {
        connections_start_some();
        poll_until(now_us() + 5000);
        if (now_us() > deadline)
            fail("%d of %d connections came up in time", connections_up, options.count);
    }
}

void connections_make(void) {
    epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = must(calloc(options.count, sizeof *connections));
    for (int i = 0; i < options.count; i++)
        connections[i] =
            (struct connection){.watcher = {on_ready, -1}, .index = i, .last = -1, .announcement = -1};
}
