// Vectors of sixteen floats, which the compiler splits where the processor has shorter ones.
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

// The sum of a vector, pairwise by halves.
INLINED float sum_of(const line *x) {
    float sums[lanes];
    memcpy(sums, x, sizeof sums);
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) sums[i] += sums[i + half];
    return sums[0];
}

// Interleaves the first half of the rows with the second.
INLINED void interleave(const line *from, line *to) {
    for (int i = 0; i < lanes / 2; i++) {
        const line a = from[i], b = from[i + lanes / 2];
        to[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        to[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
}

// Transposes a square of 16 x 16 in four rounds of interleaving.
INLINED void transpose_square(line *rows) {
    line other[lanes];
    interleave(rows, other);
    interleave(other, rows);
    interleave(rows, other);
    interleave(other, rows);
}

// The same for vectors of half the size, a square of which takes three rounds.
INLINED void interleave_half_lines(const half_line *from, half_line *to) {
    for (int i = 0; i < half_lanes / 2; i++) {
        const half_line a = from[i], b = from[i + half_lanes / 2];
        to[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
        to[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    }
}

// exp(-u) for u >= 0: 2^n times the exponential of the remainder, which is at most log(2) / 2 in magnitude.
INLINED void exp_of_negative(const line *from, line *to) {
    line u = *from;
    const line limit = (line){0} + 87.0f;
    const words is_above = u > limit;
    u = (line)(((words)u & ~is_above) | ((words)limit & is_above));
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
