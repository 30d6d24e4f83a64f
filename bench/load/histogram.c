/* 64 buckets for each power of two of nanoseconds: an error of at most 1.6 %. */
#include "load.h"

enum { PER_OCTAVE = 64, LINEAR_BITS = 6 };

static int bucket_of(int64_t value) {
    if (value < PER_OCTAVE)
        return value < 0 ? 0 : (int)value;
    int exponent = 63 - __builtin_clzll((uint64_t)value);
    return (exponent - LINEAR_BITS + 1) * PER_OCTAVE +
           (int)(value >> (exponent - LINEAR_BITS) & (PER_OCTAVE - 1));
}

static double lower_bound(int bucket) {
    if (bucket < PER_OCTAVE)
        return bucket;
    int exponent = bucket / PER_OCTAVE + LINEAR_BITS - 1;
    return (double)((uint64_t)(PER_OCTAVE + bucket % PER_OCTAVE) << (exponent - LINEAR_BITS));
}

void histogram_add(struct histogram *histogram, int64_t nanoseconds) {
    histogram->buckets[bucket_of(nanoseconds)]++;
    histogram->count++;
}

double histogram_ms(const struct histogram *histogram, double quantile) {
    double wanted = quantile * (double)histogram->count;
    uint64_t passed = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        passed += histogram->buckets[i];
        if (passed && (double)passed >= wanted)
            return lower_bound(i) / 1e6;
    }
    return -1;
}
