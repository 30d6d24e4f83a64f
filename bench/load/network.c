#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 20, MAX_EVENTS = 512, TICK_NS = 250000 };

static int poller, ticker = -1;
static char scratch[READ_SIZE];

void open_network(bool is_paced) {
    poller = epoll_create1(0);
    if (poller < 0)
        die("epoll: %s", strerror(errno));
    if (!is_paced)
        return;
    /* A schedule is kept more finely than by epoll's milliseconds. */
    struct itimerspec every = {{0, TICK_NS}, {0, TICK_NS}};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    ticker = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (ticker < 0 || timerfd_settime(ticker, 0, &every, NULL) < 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, ticker, &event) < 0)
        die("timer: %s", strerror(errno));
}

static void watch(struct connection *connection, int operation, bool for_writing) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (for_writing)
        event.events |= EPOLLOUT;
    if (epoll_ctl(poller, operation, connection->fd, &event) < 0)
        die("epoll: %s", strerror(errno));
}

void start_connect(struct connection *connection) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        die("socket: %s", strerror(errno));
    int one = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection->in.length = 0;
    connection->is_down = false;
    connection->is_connecting = true;
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0 &&
        errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    watch(connection, EPOLL_CTL_ADD, true);
}

void shut(struct connection *connection) {
    if (connection->is_down)
        return;
    close(connection->fd);
    connection->is_down = true;
    connection->out.length = 0;
    connection->closed(connection);
}

void flush(struct connection *connection) {
    struct buffer *out = &connection->out;
    if (connection->is_connecting || connection->is_down)
        return;
    size_t done = 0;
    while (done < out->length) {
        ssize_t count = send(connection->fd, out->data + done, out->length - done, MSG_NOSIGNAL);
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    bool was_waiting = done < out->length;
    if (done && was_waiting)
        memmove(out->data, out->data + done, out->length - done);
    out->length -= done;
    if (was_waiting)
        watch(connection, EPOLL_CTL_MOD, true);
}

static void written(struct connection *connection) {
    if (connection->is_connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error)
            die("connect: %s", strerror(error));
        connection->is_connecting = false;
        connection->connected(connection);
    }
    watch(connection, EPOLL_CTL_MOD, false);
    flush(connection);
}

static void readable(struct connection *connection) {
    struct buffer *in = &connection->in;
    size_t kept = in->length;
    if (kept >= READ_SIZE)
        die("a message of more than %d bytes", READ_SIZE);
    if (kept)
        memcpy(scratch, in->data, kept);
    ssize_t count = read(connection->fd, scratch + kept, READ_SIZE - kept);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        shut(connection);
        return;
    }
    size_t total = kept + (size_t)count;
    size_t used = connection->received(connection, scratch, total);
    if (connection->is_down)
        return;
    in->length = 0;
    append(in, scratch + used, total - used);
}

void turn_loop(int milliseconds) {
    static struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(poller, events, MAX_EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        uint64_t ticks;
        if (!connection) {
            if (read(ticker, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
                die("timer: %s", strerror(errno));
            continue;
        }
        if (!connection->is_down && events[i].events & EPOLLOUT)
            written(connection);
        if (!connection->is_down && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            readable(connection);
    }
}
