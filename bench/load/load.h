/* A load generator for chat servers: many WebSocket subscribers, a few HTTP senders, one epoll loop.
 *
 * Every text that is sent carries a marker, `bench:RUN:PHASE:SENDER:INDEX:NANOSECONDS:`, so each
 * delivery of any server can be followed: lost, repeated, out of order, in the wrong room.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* options.c */

enum { MAX_PROCESSES = 64 };

struct options {
    int port;
    const char *ws_path;     /* template */
    const char *subprotocol; /* NULL: none */
    const char *hello;       /* template: what a subscriber sends first; NULL: nothing */
    const char *await;       /* what the answer contains; NULL: none is awaited */
    const char *subscribe;   /* template: what it sends then; NULL: nothing */
    const char *http_path;
    const char *body; /* template of what a sender posts */
    char **tokens;
    int token_count;
    int subscribers, rooms, parallel;
    int senders, window, text_size;
    long messages, warmup;
    double rate;    /* messages per second; 0: as fast as the window allows */
    double seconds; /* stop sending after so long; 0: never before the last message */
    double hold;    /* stay connected, and silent, for so long before anything is sent */
    double settle;  /* how long the server may take to be idle when all have connected */
    double timeout;
    pid_t processes[MAX_PROCESSES];
    int process_count;
};

extern struct options options;

void read_options(int argc, char **argv);

/* util.c */

struct buffer {
    char *data;
    size_t length, capacity;
};

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *allocate(size_t count, size_t size);
int64_t now_ns(void);
void append(struct buffer *buffer, const void *data, size_t length);
void append_text(struct buffer *buffer, const char *text);
void append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes a template, replacing %ROOM%, %TOKEN%, %ID%, %NUMBER% (of the subscriber), %TEXT%. */
void append_template(struct buffer *buffer, const char *template, int number, int room,
                     const char *text);

/* usage.c: what the servers' processes have used */

double cpu_seconds(const pid_t *processes, int count);
double resident_kib(const pid_t *processes, int count);
void add_descendants(pid_t *processes, int *count);

/* histogram.c */

enum { HISTOGRAM_BUCKETS = 4096 };

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
};

void histogram_add(struct histogram *histogram, int64_t nanoseconds);
double histogram_ms(const struct histogram *histogram, double quantile);

/* network.c: sockets and the loop */

struct connection {
    int fd;
    bool is_down, is_connecting;
    struct buffer in, out;
    void (*connected)(struct connection *);
    /* Takes what is complete and returns how much that was. */
    size_t (*received)(struct connection *, char *data, size_t length);
    void (*closed)(struct connection *);
};

void open_network(bool is_paced);
void start_connect(struct connection *connection);
void flush(struct connection *connection);
void shut(struct connection *connection);
void turn_loop(int milliseconds);

/* tally.c: what was sent, and what has come of it */

enum phase { PROBING, WARMING, MEASURING };

struct tally {
    enum phase phase;
    int64_t started, last_progress, last_delivery;
    long target, issued, answered, whole; /* whole: delivered to everybody */
    long expected, delivered, repeated, disordered, strayed;
    long failed, response_bytes, responses, frames, frame_bytes;
    struct histogram deliveries, operations;
};

extern struct tally tally;

struct marker {
    enum phase phase;
    int sender;
    long index;
    int64_t due;
};

void open_tally(void);
void begin_phase(enum phase phase, long target);
void note_issued(long index);
void write_marker(char *text, size_t size, struct marker marker);
bool read_marker(const char *frame, size_t length, struct marker *marker);
/* A subscriber's account: one bit a message, and the newest index of each sender. */
struct account {
    uint8_t *seen;
    int64_t *newest;
};
void open_account(struct account *account);
void clear_account(struct account *account);
void note_delivery(struct account *account, int room, struct marker marker);

/* subscriber.c */

struct subscriber {
    struct connection connection; /* first: the loop's pointer is to both */
    enum { UPGRADING, GREETING, READY } state;
    int number, room;
    bool is_probed;
    struct account account;
};

extern struct subscriber *subscribers;
extern int ready_count, closed_count;
extern int *ready_in_room;

void open_subscribers(void);
void start_subscriber(struct subscriber *subscriber);

/* sender.c */

void open_senders(void);
bool send_message(long index, int room, int64_t due); /* false: every sender is busy */
bool is_any_sender_busy(void);

#endif
