/* A subscriber: a WebSocket that says hello, subscribes and follows what comes. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct subscriber *subscribers;
int ready_count, closed_count;
int *ready_in_room;

static long unexpected;

static struct subscriber *of(struct connection *connection) {
    return (struct subscriber *)connection;
}

static void send_frame(struct connection *connection, int opcode, const char *data, size_t length) {
    unsigned char head[8] = {(unsigned char)(0x80 | opcode)};
    size_t size = 2;
    if (length < 126) {
        head[1] = (unsigned char)(0x80 | length);
    } else if (length < 65536) {
        head[1] = 0x80 | 126;
        head[2] = (unsigned char)(length >> 8);
        head[3] = (unsigned char)length;
        size = 4;
    } else {
        die("a frame of more than 64 KiB");
    }
    /* The masking key is zero, so the payload needs no pass over it here. The server's is made. */
    append(&connection->out, head, size);
    append(&connection->out, "\0\0\0\0", 4);
    append(&connection->out, data, length);
    flush(connection);
}

static void send_template(struct subscriber *subscriber, const char *template) {
    struct buffer text = {0};
    append_template(&text, template, subscriber->number, subscriber->room, "");
    send_frame(&subscriber->connection, TEXT, text.data, text.length);
    free(text.data);
}

static void upgrade(struct connection *connection) {
    struct subscriber *subscriber = of(connection);
    append_text(&connection->out, "GET ");
    append_template(&connection->out, options.ws_path, subscriber->number, subscriber->room, "");
    append_format(&connection->out,
                  " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
                  options.port);
    if (options.subprotocol)
        append_format(&connection->out, "Sec-WebSocket-Protocol: %s\r\n", options.subprotocol);
    append_text(&connection->out, "\r\n");
    subscriber->state = UPGRADING;
    flush(connection);
}

static void become_ready(struct subscriber *subscriber) {
    if (options.subscribe)
        send_template(subscriber, options.subscribe);
    subscriber->state = READY;
    ready_count++;
    ready_in_room[subscriber->room]++;
}

static void upgraded(struct subscriber *subscriber) {
    subscriber->state = GREETING;
    if (options.hello)
        send_template(subscriber, options.hello);
    if (!options.await)
        become_ready(subscriber);
}

static void closed(struct connection *connection) {
    struct subscriber *subscriber = of(connection);
    if (subscriber->state == READY) {
        ready_count--;
        ready_in_room[subscriber->room]--;
    }
    closed_count++;
}

static bool answer_ping(struct connection *connection, const char *text, size_t length) {
    if (length < 64 && memmem(text, length, "\"ping\"", 6))
        send_frame(connection, TEXT, "{\"type\":\"pong\"}", 15);
    else if (length == 1 && *text == '2') /* engine.io's */
        send_frame(connection, TEXT, "3", 1);
    else
        return false;
    return true;
}

static void received_text(struct subscriber *subscriber, const char *text, size_t length) {
    struct marker marker;
    if (answer_ping(&subscriber->connection, text, length))
        return;
    if (subscriber->state == GREETING) {
        if (memmem(text, length, options.await, strlen(options.await)))
            become_ready(subscriber);
        return;
    }
    if (!read_marker(text, length, &marker)) {
        if (memmem(text, length, "\"error", 6)) {
            tally.failed++;
            if (unexpected++ == 0)
                fprintf(stderr, "load: unexpected: %.*s\n", (int)(length < 400 ? length : 400), text);
        }
        return;
    }
    tally.frames++;
    tally.frame_bytes += (long)length;
    if (marker.phase == PROBING) {
        subscriber->is_probed = true;
        tally.last_progress = now_ns();
    } else {
        note_delivery(&subscriber->account, subscriber->room, marker);
    }
}

static void received_frame(struct subscriber *subscriber, int opcode, const char *data,
                           size_t length) {
    if (opcode == TEXT || opcode == BINARY) {
        received_text(subscriber, data, length);
    } else if (opcode == PING) {
        send_frame(&subscriber->connection, PONG, data, length);
    } else if (opcode == CLOSE) {
        int code = length > 1 ? (uint8_t)data[0] << 8 | (uint8_t)data[1] : 0;
        if (closed_count == 0)
            fprintf(stderr, "load: closed: %d %.*s\n", code, length > 2 ? (int)length - 2 : 0,
                    data + 2);
        shut(&subscriber->connection);
    }
}

/* The size of the frame's head and the length of its payload; 0 while the head is not whole. */
static size_t read_head(const unsigned char *data, size_t available, size_t *length) {
    size_t size = 2;
    if (available < size)
        return 0;
    *length = data[1] & 127;
    if (*length < 126)
        return size;
    size_t extra = *length == 126 ? 2 : 8;
    if (available < size + extra)
        return 0;
    *length = 0;
    for (size_t i = 0; i < extra; i++)
        *length = *length << 8 | data[size + i];
    return size + extra;
}

static size_t received(struct connection *connection, char *data, size_t available) {
    struct subscriber *subscriber = of(connection);
    size_t used = 0;
    if (subscriber->state == UPGRADING) {
        const char *end = memmem(data, available, "\r\n\r\n", 4);
        if (!end)
            return 0;
        if (strncmp(data, "HTTP/1.1 101", 12) != 0)
            die("no upgrade: %.*s", (int)(available < 300 ? available : 300), data);
        used = (size_t)(end - data) + 4;
        upgraded(subscriber);
    }
    while (!connection->is_down) {
        size_t length, head = read_head((unsigned char *)data + used, available - used, &length);
        if (!head || available - used < head + length)
            break;
        received_frame(subscriber, data[used] & 15, data + used + head, length);
        used += head + length;
    }
    return used;
}

void open_subscribers(void) {
    subscribers = allocate((size_t)options.subscribers, sizeof *subscribers);
    ready_in_room = allocate((size_t)options.rooms, sizeof *ready_in_room);
    for (int i = 0; i < options.subscribers; i++) {
        struct subscriber *subscriber = &subscribers[i];
        subscriber->number = i;
        subscriber->room = i % options.rooms;
        subscriber->connection = (struct connection){
            .is_down = true, .connected = upgrade, .received = received, .closed = closed};
        open_account(&subscriber->account);
    }
}

void start_subscriber(struct subscriber *subscriber) {
    start_connect(&subscriber->connection);
}
