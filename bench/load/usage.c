#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Nanoseconds on a processor, of all threads that there are. */
static unsigned long long scheduled_ns(pid_t process) {
    char path[512];
    unsigned long long total = 0, one;
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *threads = opendir(path);
    if (!threads)
        return 0;
    for (struct dirent *thread; (thread = readdir(threads));) {
        if (thread->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", process, thread->d_name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        if (fscanf(file, "%llu", &one) == 1)
            total += one;
        fclose(file);
    }
    closedir(threads);
    return total;
}

/* User and system time in clock ticks, where the kernel keeps nothing finer. */
static double ticked_seconds(pid_t process) {
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    const char *rest = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (rest)
        sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double cpu_seconds(const pid_t *processes, int count) {
    double total = 0;
    for (int i = 0; i < count; i++) {
        unsigned long long ns = scheduled_ns(processes[i]);
        total += ns ? (double)ns / 1e9 : ticked_seconds(processes[i]);
    }
    return total;
}

double resident_kib(const pid_t *processes, int count) {
    double total = 0;
    for (int i = 0; i < count; i++) {
        char path[64];
        long pages = 0;
        snprintf(path, sizeof path, "/proc/%d/statm", processes[i]);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        if (fscanf(file, "%*d %ld", &pages) == 1)
            total += (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
        fclose(file);
    }
    return total;
}

void add_descendants(pid_t *processes, int *count) {
    for (int i = 0; i < *count; i++) { /* grows while it goes */
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", processes[i], processes[i]);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        for (int child; *count < MAX_PROCESSES && fscanf(file, "%d", &child) == 1;)
            processes[(*count)++] = child;
        fclose(file);
    }
}
