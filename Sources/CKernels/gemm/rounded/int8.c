#include <math.h>
#include <string.h>

#include "../../clones.h"
#include "../gemm_kernel.h"

// The bits of the largest magnitude; those of what is no finite number are larger than all others.
INLINED uint32_t largest_magnitude(const float *x, int64_t k) {
    uint32_t largest = 0;
    for (int64_t i = 0; i < k; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7fffffffu;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

float vit_int8_factor(uint32_t largest_bits, float *scale) {
    float largest;
    memcpy(&largest, &largest_bits, sizeof largest);
    *scale = largest_bits >= 0x7f800000u ? NAN : largest / 127;
    // A factor that is infinite would turn zeros into what is no number.
    return largest_bits >= 0x7f800000u || largest < 0x1p-100f ? 0 : 127 / largest;
}

// Rounds columns to numbers of a type, so many a word. A column ends in zeros where its length is no multiple of a word's.
#define ROUND_COLUMNS(TYPE, NUMBERS_PER_WORD)                                                        \
    for (int64_t column = 0; column < columns; column++) {                                           \
        const float *from = b + column * stride;                                                     \
        TYPE *to = (TYPE *)(words + column * word_stride);                                           \
        const float factor = vit_int8_factor(largest_magnitude(from, k), &scales[column]);           \
        const int64_t end = (k + NUMBERS_PER_WORD - 1) / NUMBERS_PER_WORD * NUMBERS_PER_WORD;         \
        int32_t sum = 0;                                                                             \
        for (int64_t i = 0; i < k; i++) {                                                            \
            const TYPE number = (TYPE)(int32_t)rintf(from[i] * factor);                              \
            to[i] = number;                                                                          \
            sum += number;                                                                           \
        }                                                                                            \
        for (int64_t i = k; i < end; i++) to[i] = 0;                                                 \
        if (sums) sums[column] = sum;                                                                \
    }

CLONED ROUND_B(int8) {
    ROUND_COLUMNS(int8_t, 4)
}

CLONED ROUND_B(int16) {
    ROUND_COLUMNS(int16_t, 2)
}

ROUND_A(int16) { vit_round_b_to_int16(a, stride, rows, k, words, word_stride, scales, NULL); }

ROUND_A(offset_int8) {
    vit_round_b_to_int8(a, stride, rows, k, words, word_stride, scales, NULL);
    for (int64_t row = 0; row < rows; row++) {
        uint8_t *to = (uint8_t *)(words + row * word_stride);
        for (int64_t i = 0; i < (k + 3) / 4 * 4; i++) to[i] ^= 0x80;
    }
}
