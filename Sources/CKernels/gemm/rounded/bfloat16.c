#include <string.h>

#include "../../clones.h"
#include "../gemm_kernel.h"

// A float's bits rounded to the nearest bfloat16, to even: denormal numbers become zero, and what is no number stays none.
INLINED uint32_t rounded(uint32_t bits) {
    const uint32_t magnitude = bits & 0x7fffffffu;
    const uint32_t sum = bits + 0x7fffu + (bits >> 16 & 1);
    const uint32_t number = magnitude < 0x00800000u ? bits & 0x80000000u : sum;
    return (magnitude > 0x7f800000u ? bits | 0x00400000u : number) & 0xffff0000u;
}

// A row of an odd length ends in zero.
CLONED ROUND_B(bfloat16) {
    (void)scales, (void)sums;
    for (int64_t column = 0; column < columns; column++) {
        const float *from = b + column * stride;
        float *to = words + column * word_stride;
        for (int64_t i = 0; i < k / 2; i++) {
            uint32_t pair[2], word;
            memcpy(pair, from + 2 * i, sizeof pair);
            word = rounded(pair[0]) >> 16 | rounded(pair[1]);
            memcpy(to + i, &word, sizeof word);
        }
        if (k % 2 == 1) {
            uint32_t last;
            memcpy(&last, from + k - 1, sizeof last);
            last = rounded(last) >> 16;
            memcpy(to + k / 2, &last, sizeof last);
        }
    }
}

CLONED ROUND_A(wide_bfloat16) {
    (void)scales;
    for (int64_t row = 0; row < rows; row++) {
        const float *from = a + row * stride;
        float *to = words + row * word_stride;
        for (int64_t i = 0; i < k; i++) {
            uint32_t bits;
            memcpy(&bits, from + i, sizeof bits);
            bits = rounded(bits);
            memcpy(to + i, &bits, sizeof bits);
        }
        if (k % 2 == 1) to[k] = 0;
    }
}
