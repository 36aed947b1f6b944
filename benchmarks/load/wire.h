/* Bytes of RFC 6455 frames and a growing buffer: what the load generator and the ceiling server both need. */
#ifndef WIRE_H
#define WIRE_H

#define _GNU_SOURCE /* memmem, accept4, epoll_pwait2: this header comes first everywhere */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FRAME_HEAD_MAX = 14 };

struct buffer {
    uint8_t *data;
    size_t used, size;
};

struct frame {
    int opcode;
    uint8_t *payload;
    size_t length;
    size_t total; /* head and payload */
};

static inline int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static inline void *must(void *memory) {
    if (!memory) {
        perror("memory");
        exit(1);
    }
    return memory;
}

/* Room for `more` bytes behind those in use. */
static inline uint8_t *buffer_room(struct buffer *b, size_t more) {
    if (b->used + more > b->size) {
        b->size = (b->used + more) * 2;
        b->data = must(realloc(b->data, b->size));
    }
    return b->data + b->used;
}

static inline void buffer_add(struct buffer *b, const void *data, size_t n) {
    memcpy(buffer_room(b, n), data, n);
    b->used += n;
}

static inline void buffer_drop(struct buffer *b, size_t n) {
    b->used -= n;
    memmove(b->data, b->data + n, b->used);
}

static inline void buffer_free(struct buffer *b) {
    free(b->data);
    *b = (struct buffer){0};
}

static inline void mask_bytes(uint8_t *data, size_t n, const uint8_t key[4]) {
    for (size_t i = 0; i < n; i++)
        data[i] ^= key[i & 3];
}

/* The head of one unfragmented frame; returns its length. With a key, the caller masks the payload. */
static inline size_t frame_head(uint8_t *out, int opcode, size_t n, const uint8_t *key) {
    size_t at = 2;
    out[0] = 0x80 | opcode;
    if (n < 126) {
        out[1] = n;
    } else if (n < 65536) {
        out[1] = 126;
        out[2] = n >> 8;
        out[3] = n;
        at = 4;
    } else {
        out[1] = 127;
        for (int i = 0; i < 8; i++)
            out[2 + i] = (uint64_t)n >> (56 - 8 * i);
        at = 10;
    }
    if (key) {
        out[1] |= 0x80;
        memcpy(out + at, key, 4);
        at += 4;
    }
    return at;
}

/* Reads the frame at `data`, unmasking it in place; false while it is not complete. Nobody here sends fragments. */
static inline bool frame_read(uint8_t *data, size_t have, struct frame *f) {
    if (have < 2)
        return false;
    size_t at = 2;
    uint64_t length = data[1] & 127;
    if (length >= 126) {
        int bytes = length == 126 ? 2 : 8;
        if (have < at + bytes)
            return false;
        length = 0;
        for (int i = 0; i < bytes; i++)
            length = length << 8 | data[at++];
    }
    const uint8_t *key = data + at;
    if (data[1] & 0x80)
        at += 4;
    if (have < at || have - at < length)
        return false;
    *f = (struct frame){.opcode = data[0] & 15, .payload = data + at, .length = length, .total = at + length};
    if (data[1] & 0x80)
        mask_bytes(f->payload, length, key);
    return true;
}

/* As many descriptors as the system lets this process have. */
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

#endif
