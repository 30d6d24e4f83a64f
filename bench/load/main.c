#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const int64_t SECOND = 1000000000;

static volatile sig_atomic_t is_told_to_stop;

static void stop(int number) {
    (void)number;
    is_told_to_stop = 1;
}

static double server_cpu(void) {
    return cpu_seconds(options.processes, options.process_count);
}

static double server_kib(void) {
    return resident_kib(options.processes, options.process_count);
}

static int64_t deadline(void) {
    return now_ns() + (int64_t)(options.timeout * 1e9);
}

static void turn_for(double seconds) {
    for (int64_t end = now_ns() + (int64_t)(seconds * 1e9); now_ns() < end;)
        turn_loop(5);
}

/* Until nothing has come for a while. */
static void settle(void) {
    int64_t limit = deadline();
    do
        turn_for(0.25);
    while ((is_any_sender_busy() || now_ns() - tally.last_progress < SECOND / 2) && now_ns() < limit);
}

static double connect_all(void) {
    int64_t began = now_ns(), limit = deadline();
    int started = 0;
    while (ready_count < options.subscribers) {
        while (started < options.subscribers && started - ready_count < options.parallel)
            start_subscriber(&subscribers[started++]);
        turn_loop(20);
        if (closed_count)
            die("a subscriber was closed while it connected");
        if (now_ns() > limit)
            die("only %d of %d subscribers got through", ready_count, options.subscribers);
    }
    return (double)(now_ns() - began) / 1e9;
}

static int unprobed(void) {
    int count = 0;
    for (int i = 0; i < options.subscribers; i++)
        count += !subscribers[i].is_probed;
    return count;
}

/* Until the server has done what it has been told: its processor is quiet. */
static void wait_until_idle(void) {
    const double slice = 0.2, quiet = 0.05;
    int64_t limit = now_ns() + (int64_t)(options.settle * 1e9);
    int quiet_slices = 0;
    while (quiet_slices < 3 && now_ns() < limit) {
        double before = server_cpu();
        turn_for(slice);
        quiet_slices = server_cpu() - before < quiet * slice ? quiet_slices + 1 : 0;
    }
}

/* The sub-protocol does not confirm a subscription: send to every room until all have heard. */
static void probe_all(void) {
    int64_t limit = deadline();
    while (unprobed()) {
        for (int room = 0; room < options.rooms; room++)
            while (!send_message(0, room, now_ns()) && now_ns() < limit)
                turn_loop(5);
        tally.last_progress = now_ns();
        while (unprobed() && now_ns() - tally.last_progress < SECOND / 2)
            turn_for(0.02);
        if (now_ns() > limit)
            die("%d of %d subscribers heard nothing", unprobed(), options.subscribers);
    }
}

/* Send whatever is due: on schedule, or as much as the window allows. */
static void send_due(void) {
    int64_t now = now_ns();
    if (is_told_to_stop ||
        (options.seconds > 0 && (double)(now - tally.started) > options.seconds * 1e9))
        tally.target = tally.issued;
    while (tally.issued < tally.target) {
        int64_t due = now;
        if (options.rate > 0) {
            due = tally.started + (int64_t)((double)tally.issued / options.rate * 1e9);
            if (due > now)
                return;
        } else if (options.subscribers && tally.issued - tally.whole >= options.window) {
            return;
        }
        long index = tally.issued;
        if (!send_message(index, (int)(index % options.rooms), due))
            return;
        note_issued(index);
    }
}

static void run_phase(enum phase phase, long messages) {
    begin_phase(phase, messages);
    while (tally.answered < tally.target || tally.delivered < tally.expected) {
        send_due();
        turn_loop(options.rate > 0 ? 1 : 5);
        if ((double)(now_ns() - tally.last_progress) > options.timeout * 1e9)
            break;
    }
}

static void field(const char *name, double value) {
    static bool is_first = true;
    printf("%s\"%s\":%.9g", is_first ? "{" : ",", name, value);
    is_first = false;
}

int main(int argc, char **argv) {
    pid_t self = getpid();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    read_options(argc, argv);
    open_network(options.rate > 0);
    open_tally();
    open_senders();
    open_subscribers();

    double idle_kib = server_kib(), cpu = server_cpu();
    field("subscribers", options.subscribers);
    field("connect_s", connect_all());
    if (options.subscribers)
        wait_until_idle();
    field("connect_cpu_s", server_cpu() - cpu);
    begin_phase(PROBING, 0);
    probe_all();
    if (options.subscribers)
        settle();
    field("idle_kib", idle_kib);
    field("connected_kib", server_kib());
    cpu = server_cpu();
    turn_for(options.hold);
    field("hold_s", options.hold);
    field("hold_cpu_s", server_cpu() - cpu);
    if (options.warmup)
        run_phase(WARMING, options.warmup);
    long unwarmed = tally.expected - tally.delivered;

    cpu = server_cpu();
    double own = cpu_seconds(&self, 1);
    run_phase(MEASURING, options.messages);
    int64_t end = tally.last_delivery > tally.last_progress ? tally.last_delivery
                                                            : tally.last_progress;
    double wall = (double)(end - tally.started) / 1e9;
    field("cpu_s", server_cpu() - cpu);
    field("own_cpu_s", cpu_seconds(&self, 1) - own);
    field("wall_s", wall);
    turn_for(0.2); /* what comes too much comes late */

    field("messages", (double)tally.issued);
    field("answered", (double)tally.answered);
    field("expected", (double)tally.expected);
    field("delivered", (double)tally.delivered);
    field("lost", (double)(tally.expected - tally.delivered + unwarmed));
    field("repeated", (double)tally.repeated);
    field("disordered", (double)tally.disordered);
    field("strayed", (double)tally.strayed);
    field("failed", (double)tally.failed);
    field("closed", closed_count);
    field("delivery_p50_ms", histogram_ms(&tally.deliveries, 0.5));
    field("delivery_p99_ms", histogram_ms(&tally.deliveries, 0.99));
    field("delivery_max_ms", histogram_ms(&tally.deliveries, 1));
    field("operation_p50_ms", histogram_ms(&tally.operations, 0.5));
    field("operation_p99_ms", histogram_ms(&tally.operations, 0.99));
    field("final_kib", server_kib());
    field("frame_bytes", tally.frames ? (double)tally.frame_bytes / (double)tally.frames : 0);
    field("response_bytes",
          tally.responses ? (double)tally.response_bytes / (double)tally.responses : 0);
    puts("}");
    return 0;
}
