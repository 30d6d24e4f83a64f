/* A sender: an HTTP connection that is kept, with one request on its way at a time. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sender {
    struct connection connection; /* first: the loop's pointer is to both */
    int number;
    bool is_busy;
    int64_t due;
};

static struct sender *senders;

static struct sender *of(struct connection *connection) {
    return (struct sender *)connection;
}

static void answered(struct sender *sender) {
    sender->is_busy = false;
    tally.last_progress = now_ns();
    tally.responses++;
    tally.answered++;
    histogram_add(&tally.operations, tally.last_progress - sender->due);
}

static void failed(const char *what, size_t length) {
    if (tally.failed++ == 0)
        fprintf(stderr, "load: failed operation: %.*s\n", (int)(length < 600 ? length : 600), what);
}

static void closed(struct connection *connection) {
    struct sender *sender = of(connection);
    if (sender->is_busy) {
        failed("the connection was closed", 25);
        answered(sender);
    }
}

/* How long the body is; false while that cannot be told. */
static bool body_length(char *head, char *body, size_t available, size_t *length) {
    body[-1] = 0; /* for strcasestr; a line's end again below */
    const char *stated = strcasestr(head, "\r\ncontent-length:");
    bool is_chunked = strcasestr(head, "\r\ntransfer-encoding: chunked") != NULL;
    body[-1] = '\n';
    if (stated) {
        *length = strtoul(stated + 17, NULL, 10);
        return available >= *length;
    }
    if (!is_chunked)
        die("a response without a length");
    *length = available; /* only one response is ever on its way */
    return available >= 5 && memcmp(body + available - 5, "0\r\n\r\n", 5) == 0;
}

static size_t received(struct connection *connection, char *data, size_t available) {
    char *end = memmem(data, available, "\r\n\r\n", 4);
    size_t length;
    if (!end)
        return 0;
    char *body = end + 4;
    size_t head = (size_t)(body - data);
    if (!body_length(data, body, available - head, &length))
        return 0;
    if (strncmp(data, "HTTP/1.1 200", 12) != 0 || memmem(body, length, "\"errors\"", 8))
        failed(data, head + length);
    tally.response_bytes += (long)length;
    answered(of(connection));
    return head + length;
}

void open_senders(void) {
    senders = allocate((size_t)options.senders, sizeof *senders);
    for (int i = 0; i < options.senders; i++) {
        senders[i].number = i;
        senders[i].connection = (struct connection){
            .is_down = true, .connected = flush, .received = received, .closed = closed};
    }
}

static struct sender *free_sender(void) {
    static int turn;
    for (int i = 0; i < options.senders; i++) {
        struct sender *sender = &senders[turn++ % options.senders];
        if (!sender->is_busy)
            return sender;
    }
    return NULL;
}

bool is_any_sender_busy(void) {
    for (int i = 0; i < options.senders; i++)
        if (senders[i].is_busy)
            return true;
    return false;
}

bool send_message(long index, int room, int64_t due) {
    struct sender *sender = free_sender();
    if (!sender)
        return false;
    char text[4096];
    struct buffer body = {0}, *out = &sender->connection.out;
    write_marker(text, sizeof text, (struct marker){tally.phase, sender->number, index, due});
    append_template(&body, options.body, sender->number, room, text);
    append_format(out,
                  "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                  "Accept: application/json\r\nContent-Length: %zu\r\nAuthorization: ",
                  options.http_path, options.port, body.length);
    append_template(out, "Bearer %TOKEN%\r\n\r\n", sender->number, room, "");
    append(out, body.data, body.length);
    free(body.data);
    sender->is_busy = true;
    sender->due = due;
    if (sender->connection.is_down)
        start_connect(&sender->connection);
    else
        flush(&sender->connection);
    return true;
}
