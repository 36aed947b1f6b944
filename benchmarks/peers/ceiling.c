/* The ceiling: the same routing in bare C on one epoll loop. It keeps connections by account number, copies bodies through
   and sends one frame per write. No token is checked, no JSON parsed, nothing stored: about what one core of this machine
   can do at all. Usage: ceiling PORT. It speaks the peers' dialect, for accounts named bench00000, bench00001 ... */
#include "../load/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCOUNTS = 100000, DESCRIPTORS = 1 << 17, EVENTS = 512, SCRATCH = 1 << 18, FRAME_MAX = 70000 };

struct client {
    int fd, account;
    size_t place; /* in `members` */
    bool upgraded;
    struct buffer in, out;
};

static struct client *clients[DESCRIPTORS];
static struct client *by_account[ACCOUNTS];
static struct client *members[DESCRIPTORS];
static size_t member_count;
static int epoll, listener;
static long next_id = 1;

static void watch(struct client *c, uint32_t events, int operation) {
    struct epoll_event e = {.events = events, .data.fd = c->fd};
    epoll_ctl(epoll, operation, c->fd, &e);
}

static void forget(struct client *c) {
    if (c->account >= 0) {
        members[c->place] = members[--member_count];
        members[c->place]->place = c->place;
        if (by_account[c->account] == c)
            by_account[c->account] = NULL;
    }
    close(c->fd);
    clients[c->fd] = NULL;
    buffer_free(&c->in);
    buffer_free(&c->out);
    free(c);
}

static void write_bytes(struct client *c, const void *data, size_t n) {
    ssize_t sent = c->out.used ? 0 : send(c->fd, data, n, MSG_NOSIGNAL);
    if (sent < 0)
        sent = 0;
    if ((size_t)sent == n)
        return;
    buffer_add(&c->out, (const char *)data + sent, n - sent);
    watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void flush_out(struct client *c) {
    ssize_t sent = send(c->fd, c->out.data, c->out.used, MSG_NOSIGNAL);
    if (sent > 0)
        buffer_drop(&c->out, sent);
    if (!c->out.used) {
        buffer_free(&c->out);
        watch(c, EPOLLIN, EPOLL_CTL_MOD);
    }
}

static size_t text_frame(uint8_t *out, const char *text, size_t n) {
    size_t head = frame_head(out, OP_TEXT, n, NULL);
    memcpy(out + head, text, n);
    return head + n;
}

static void send_text(struct client *c, const char *text, size_t n) {
    uint8_t frame[600];
    write_bytes(c, frame, text_frame(frame, text, n));
}

static int account_in(const char *text, size_t n, const char *before) {
    const char *at = memmem(text, n, before, strlen(before));
    int account = at ? atoi(at + strlen(before)) : 0;
    return account >= 0 && account < ACCOUNTS ? account : 0;
}

static void log_in(struct client *c, const char *text, size_t n) {
    char answer[64];
    c->account = account_in(text, n, "\"token\":\"bench");
    by_account[c->account] = c;
    c->place = member_count;
    members[member_count++] = c;
    send_text(c, answer, snprintf(answer, sizeof answer, "40{\"sid\":\"s%d\"}", c->fd));
}

/* 42ID["send",{...,"body":B}] or 42ID["announce",{"body":B}]: the body goes on as it came. */
static void handle_event(struct client *c, const char *text, size_t n) {
    char message[FRAME_MAX], answer[64];
    uint8_t frame[FRAME_MAX];
    const char *body = memmem(text, n, "\"body\":", 7), *event = memchr(text, '"', n);
    if (!body || !event || n > FRAME_MAX - 200)
        return;
    int used = snprintf(message, 200, "42[\"message\",{\"id\":%ld,\"from\":\"bench%05d\",", next_id, c->account);
    memcpy(message + used, body, text + n - body);
    size_t length = text_frame(frame, message, used + (text + n - body));
    if (event[1] == 'a') {
        for (size_t i = 0; i < member_count; i++)
            write_bytes(members[i], frame, length);
    } else {
        struct client *to = by_account[account_in(text, n, "\"to\":\"bench")];
        if (to)
            write_bytes(to, frame, length);
    }
    used = snprintf(answer, sizeof answer, "43%lu[{\"ok\":true,\"id\":%ld}]", strtoul(text + 2, NULL, 10), next_id++);
    send_text(c, answer, used);
}

static void handle_text(struct client *c, const char *text, size_t n) {
    if (n < 2 || text[0] != '4')
        return;
    if (text[1] == '0' && c->account < 0)
        log_in(c, text, n);
    else if (text[1] == '2' && c->account >= 0)
        handle_event(c, text, n);
}

static size_t upgrade(struct client *c, const uint8_t *data, size_t n) {
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    char open[200];
    const uint8_t *end = memmem(data, n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    c->upgraded = true;
    write_bytes(c, answer, sizeof answer - 1);
    send_text(c, open,
              snprintf(open, sizeof open, "0{\"sid\":\"%d\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}",
                       c->fd));
    return end + 4 - data;
}

/* False when the client said goodbye. */
static bool handle_bytes(struct client *c, uint8_t *data, size_t n) {
    struct frame f;
    size_t at = c->upgraded ? 0 : upgrade(c, data, n);
    bool alive = true;
    for (; alive && c->upgraded && frame_read(data + at, n - at, &f); at += f.total) {
        if (f.opcode == OP_TEXT)
            handle_text(c, (char *)f.payload, f.length);
        alive = f.opcode != OP_CLOSE;
    }
    c->in.used = 0;
    if (at < n)
        buffer_add(&c->in, data + at, n - at);
    else
        buffer_free(&c->in);
    return alive;
}

static void read_bytes(struct client *c) {
    static uint8_t scratch[SCRATCH];
    size_t kept = c->in.used;
    if (kept > SCRATCH / 2) {
        forget(c);
        return;
    }
    if (kept)
        memcpy(scratch, c->in.data, kept);
    ssize_t n = recv(c->fd, scratch + kept, SCRATCH - kept, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN) || (n > 0 && !handle_bytes(c, scratch, kept + n)))
        forget(c);
}

static void accept_all(void) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0 && fd < DESCRIPTORS) {
        struct client *c = must(calloc(1, sizeof *c));
        *c = (struct client){.fd = fd, .account = -1};
        clients[fd] = c;
        watch(c, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void listen_on(int port) {
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("listen");
        exit(1);
    }
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener};
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
}

int main(int argc, char **argv) {
    struct epoll_event events[EVENTS];
    if (argc != 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    listen_on(atoi(argv[1]));
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all();
            else if (clients[fd] && events[i].events & EPOLLOUT)
                flush_out(clients[fd]);
            if (fd != listener && clients[fd] && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                read_bytes(clients[fd]);
        }
    }
}
