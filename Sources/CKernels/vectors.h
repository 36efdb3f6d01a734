// Vectors of sixteen numbers, which the compiler divides where the processor has shorter ones.
#ifndef VIT_VECTORS_H
#define VIT_VECTORS_H

#include <stdint.h>
#include <string.h>

#include "clones.h"

enum { lanes = 16, half_lanes = lanes / 2 };

typedef float line __attribute__((vector_size(lanes * sizeof(float))));
typedef float half_line __attribute__((vector_size(half_lanes * sizeof(float))));
typedef int32_t words __attribute__((vector_size(lanes * sizeof(int32_t))));

INLINED void load(line *to, const float *from) { memcpy(to, from, sizeof *to); }
INLINED void store(float *to, const line *from) { memcpy(to, from, sizeof *from); }

// The sum of a vector, by halves.
INLINED float sum_of(const line *x) {
    float sums[lanes];
    memcpy(sums, x, sizeof sums);
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) sums[i] += sums[i + half];
    return sums[0];
}

INLINED void deal(const line *from, line *to) {
    for (int i = 0; i < lanes / 2; i++) {
        const line a = from[i], b = from[i + lanes / 2];
        to[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        to[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
}

// Turns the rows of a square into columns: four rounds of dealing out two halves alternately.
INLINED void turn_square(line *rows) {
    line dealt[lanes];
    deal(rows, dealt);
    deal(dealt, rows);
    deal(rows, dealt);
    deal(dealt, rows);
}

// The same for vectors of half the size, three rounds of which turn a square.
INLINED void deal_halves(const half_line *from, half_line *to) {
    for (int i = 0; i < half_lanes / 2; i++) {
        const half_line a = from[i], b = from[i + half_lanes / 2];
        to[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
        to[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    }
}

// exp(-u) for u from 0 on: 2^n times the exponential of what is left, at most half of log 2 in size.
INLINED void exp_of_negative(const line *from, line *to) {
    line u = *from;
    const line most = (line){0} + 87.0f;
    const words is_more = u > most;
    u = (line)(((words)u & ~is_more) | ((words)most & is_more));
    // Adding and subtracting 1.5 * 2^23 rounds to a whole number.
    const float shifter = 12582912.0f;
    const line n = (u * -1.44269504088896f + shifter) - shifter;
    const line r = (-u - n * 0.693145751953125f) - n * 1.42860682030941723e-6f;
    line p = r * (1.0f / 720) + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const words exponent = (__builtin_convertvector(n, words) + 127) << 23;
    *to = p * (line)exponent;
}

#endif
