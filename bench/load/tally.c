#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tally tally;

static int run;         /* tells our messages from those of another run */
static int *undelivered; /* by message: to how many it has still to come */

static long longest_phase(void) {
    return options.messages > options.warmup ? options.messages : options.warmup;
}

static size_t account_bytes(void) {
    return (size_t)longest_phase() / 8 + 1;
}

void open_tally(void) {
    run = getpid();
    undelivered = allocate((size_t)longest_phase(), sizeof *undelivered);
}

void begin_phase(enum phase phase, long target) {
    struct tally before = tally;
    memset(&tally, 0, sizeof tally);
    /* What must not be counts whenever it was. */
    tally.failed = before.failed;
    tally.repeated = before.repeated;
    tally.disordered = before.disordered;
    tally.strayed = before.strayed;
    tally.phase = phase;
    tally.target = target;
    tally.started = tally.last_progress = tally.last_delivery = now_ns();
    for (int i = 0; i < options.subscribers; i++)
        clear_account(&subscribers[i].account);
}

void note_issued(long index) {
    int count = options.subscribers ? ready_in_room[index % options.rooms] : 0;
    undelivered[index] = count;
    tally.expected += count;
    tally.issued++;
    if (!count)
        tally.whole++;
}

void write_marker(char *text, size_t size, struct marker marker) {
    static const char filling[] = "lorem ipsum dolor sit amet ";
    int length = snprintf(text, size, "bench:%d:%d:%d:%ld:%lld:", run, (int)marker.phase,
                          marker.sender, marker.index, (long long)marker.due);
    for (; length < options.text_size && length < (int)size - 1; length++)
        text[length] = filling[(size_t)length % (sizeof filling - 1)];
    text[length] = 0;
}

bool read_marker(const char *frame, size_t length, struct marker *marker) {
    const char *found = memmem(frame, length, "bench:", 6);
    if (!found)
        return false;
    char text[128];
    size_t rest = length - (size_t)(found - frame);
    size_t size = rest < sizeof text - 1 ? rest : sizeof text - 1;
    memcpy(text, found, size);
    text[size] = 0;
    int its_run, phase;
    long long due;
    if (sscanf(text, "bench:%d:%d:%d:%ld:%lld:", &its_run, &phase, &marker->sender, &marker->index,
               &due) != 5)
        return false;
    marker->phase = (enum phase)phase;
    marker->due = due;
    return its_run == run;
}

void open_account(struct account *account) {
    account->seen = allocate(account_bytes(), 1);
    account->newest = allocate((size_t)options.senders, sizeof *account->newest);
    clear_account(account);
}

void clear_account(struct account *account) {
    memset(account->seen, 0, account_bytes());
    for (int i = 0; i < options.senders; i++)
        account->newest[i] = -1;
}

void note_delivery(struct account *account, int room, struct marker marker) {
    if (marker.phase != tally.phase) {
        tally.repeated++; /* a phase ends when all of it was delivered */
        return;
    }
    if (marker.index < 0 || marker.index >= tally.issued || marker.sender < 0 ||
        marker.sender >= options.senders || marker.index % options.rooms != room) {
        tally.strayed++;
        return;
    }
    uint8_t bit = (uint8_t)(1 << marker.index % 8), *byte = &account->seen[marker.index / 8];
    if (*byte & bit) {
        tally.repeated++;
        return;
    }
    *byte |= bit;
    if (marker.index < account->newest[marker.sender])
        tally.disordered++;
    else
        account->newest[marker.sender] = marker.index;
    tally.delivered++;
    if (--undelivered[marker.index] == 0)
        tally.whole++;
    tally.last_progress = tally.last_delivery = now_ns();
    histogram_add(&tally.deliveries, tally.last_delivery - marker.due);
}
