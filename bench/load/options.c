#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options = {
    .ws_path = "/graphql",
    .http_path = "/graphql",
    .rooms = 1,
    .parallel = 64,
    .senders = 1,
    .window = 4,
    .text_size = 80,
    .messages = 1000,
    .settle = 20,
    .timeout = 60,
};

static const char HELP[] =
    "usage: load --port N --body TEMPLATE [options]; one line of JSON comes out\n"
    "  templates know %ROOM% %TOKEN% %ID% %NUMBER% %TEXT%\n"
    "subscribers\n"
    "  --subscribers N    how many (0); number i is in room i % rooms\n"
    "  --rooms N          in how many rooms (1)\n"
    "  --parallel N       how many connect at a time (64)\n"
    "  --ws-path P        where (/graphql); a template\n"
    "  --subprotocol S    what is offered (nothing)\n"
    "  --hello T          what each sends first\n"
    "  --await S          a part of the answer to wait for\n"
    "  --subscribe T      what each sends then\n"
    "  --settle S         how long the server may take to be idle when all are there (20)\n"
    "  --hold S           stay silent for so many seconds when all are there\n"
    "senders\n"
    "  --senders N        HTTP connections (1), one request at a time on each\n"
    "  --http-path P      where (/graphql)\n"
    "  --body T           what they post\n"
    "  --messages N       how many are measured (1000), --warmup N before that\n"
    "  --rate R           so many a second; without it, as fast as --window allows:\n"
    "  --window N         how many may be undelivered to somebody (4)\n"
    "  --seconds S        send no longer than that; SIGTERM ends the sending, too\n"
    "  --text-size N      length of a text (80)\n"
    "both\n"
    "  --tokens FILE      tokens, one a line, used in turn\n"
    "  --process PID      whose processor time and memory count, with its descendants\n"
    "  --timeout S        how long nothing may happen (60)\n";

static void read_tokens(const char *path) {
    FILE *file = fopen(path, "r");
    char line[1024];
    if (!file)
        die("%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        size_t size = (size_t)(options.token_count + 1) * sizeof *options.tokens;
        options.tokens = realloc(options.tokens, size);
        char *copy = strdup(line);
        if (!options.tokens || !copy)
            die("out of memory");
        options.tokens[options.token_count++] = copy;
    }
    fclose(file);
}

static double number(const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || value < 0)
        die("'%s' is no number", text);
    return value;
}

static void take_process(const char *text) {
    if (options.process_count == MAX_PROCESSES)
        die("too many processes");
    options.processes[options.process_count++] = (pid_t)number(text);
}

static void check(void) {
    if (!options.port || !options.body)
        die("--port and --body are needed");
    if (options.rooms < 1 || options.senders < 1 || options.window < 1 || options.parallel < 1)
        die("--rooms, --senders, --window and --parallel begin at 1");
    if (options.text_size > 4000)
        die("--text-size goes up to 4000");
}

void read_options(int argc, char **argv) {
    enum { PORT = 1, SUBSCRIBERS, ROOMS, PARALLEL, WS_PATH, SUBPROTOCOL, HELLO, AWAIT, SUBSCRIBE,
           HOLD, SENDERS, HTTP_PATH, BODY, MESSAGES, WARMUP, RATE, WINDOW, SECONDS, TEXT_SIZE,
           TOKENS, PROCESS, SETTLE, TIMEOUT, HELP_ };
    static const struct option known[] = {
        {"port", 1, 0, PORT}, {"subscribers", 1, 0, SUBSCRIBERS}, {"rooms", 1, 0, ROOMS},
        {"parallel", 1, 0, PARALLEL}, {"ws-path", 1, 0, WS_PATH},
        {"subprotocol", 1, 0, SUBPROTOCOL}, {"hello", 1, 0, HELLO}, {"await", 1, 0, AWAIT},
        {"subscribe", 1, 0, SUBSCRIBE}, {"hold", 1, 0, HOLD}, {"senders", 1, 0, SENDERS},
        {"http-path", 1, 0, HTTP_PATH}, {"body", 1, 0, BODY}, {"messages", 1, 0, MESSAGES},
        {"warmup", 1, 0, WARMUP}, {"rate", 1, 0, RATE}, {"window", 1, 0, WINDOW},
        {"seconds", 1, 0, SECONDS}, {"text-size", 1, 0, TEXT_SIZE}, {"tokens", 1, 0, TOKENS},
        {"process", 1, 0, PROCESS}, {"timeout", 1, 0, TIMEOUT}, {"settle", 1, 0, SETTLE}, {"help", 0, 0, HELP_}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case PORT: options.port = (int)number(optarg); break;
        case SUBSCRIBERS: options.subscribers = (int)number(optarg); break;
        case ROOMS: options.rooms = (int)number(optarg); break;
        case PARALLEL: options.parallel = (int)number(optarg); break;
        case WS_PATH: options.ws_path = optarg; break;
        case SUBPROTOCOL: options.subprotocol = optarg; break;
        case HELLO: options.hello = optarg; break;
        case AWAIT: options.await = optarg; break;
        case SUBSCRIBE: options.subscribe = optarg; break;
        case HOLD: options.hold = number(optarg); break;
        case SENDERS: options.senders = (int)number(optarg); break;
        case HTTP_PATH: options.http_path = optarg; break;
        case BODY: options.body = optarg; break;
        case MESSAGES: options.messages = (long)number(optarg); break;
        case WARMUP: options.warmup = (long)number(optarg); break;
        case RATE: options.rate = number(optarg); break;
        case WINDOW: options.window = (int)number(optarg); break;
        case SECONDS: options.seconds = number(optarg); break;
        case TEXT_SIZE: options.text_size = (int)number(optarg); break;
        case TOKENS: read_tokens(optarg); break;
        case PROCESS: take_process(optarg); break;
        case SETTLE: options.settle = number(optarg); break;
        case TIMEOUT: options.timeout = number(optarg); break;
        case HELP_: fputs(HELP, stdout); exit(0);
        default: exit(2);
        }
    }
    check();
    add_descendants(options.processes, &options.process_count);
}
