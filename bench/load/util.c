#define _GNU_SOURCE
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        die("out of memory");
    return memory;
}

int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void append(struct buffer *buffer, const void *data, size_t length) {
    if (!length)
        return;
    if (buffer->length + length > buffer->capacity) {
        buffer->capacity = (buffer->length + length) * 2;
        buffer->data = realloc(buffer->data, buffer->capacity);
        if (!buffer->data)
            die("out of memory");
    }
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

void append_text(struct buffer *buffer, const char *text) {
    append(buffer, text, strlen(text));
}

void append_format(struct buffer *buffer, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof text)
        die("a formatted text is too long");
    append(buffer, text, (size_t)length);
}

/* Real clients make their operation's id with a UUID: the same length, one for each subscriber. */
static void append_id(struct buffer *buffer, int number) {
    uint64_t x = (uint64_t)(number + 1) * 0x9e3779b97f4a7c15ULL;
    uint64_t y = x * 0xbf58476d1ce4e5b9ULL;
    append_format(buffer, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)x, (unsigned)(x >> 32 & 0xffff),
                  (unsigned)(x >> 48 & 0xfff), (unsigned)(y & 0xfff), (unsigned long long)(y >> 16));
}

static bool takes(const char **template, const char *name) {
    size_t length = strlen(name);
    if (strncmp(*template, name, length) != 0)
        return false;
    *template += length;
    return true;
}

void append_template(struct buffer *buffer, const char *template, int number, int room,
                     const char *text) {
    while (*template) {
        if (takes(&template, "%ROOM%"))
            append_format(buffer, "%d", room);
        else if (takes(&template, "%NUMBER%"))
            append_format(buffer, "%d", number);
        else if (takes(&template, "%ID%"))
            append_id(buffer, number);
        else if (takes(&template, "%TEXT%"))
            append_text(buffer, text);
        else if (takes(&template, "%TOKEN%"))
            append_text(buffer,
                        options.token_count ? options.tokens[number % options.token_count] : "");
        else
            append(buffer, template++, 1);
    }
}
