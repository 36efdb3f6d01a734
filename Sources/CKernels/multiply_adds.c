#include "multiply_adds.h"

#include "vectors.h"

// Independent sums hide the latency of a multiply-add; they must fit the registers.
#define MULTIPLY_ADDS(SUMS)                                                              \
    line sums[SUMS];                                                                     \
    const line factors = (line){0} + factor;                                             \
    for (int i = 0; i < SUMS; i++) sums[i] = (line){0} + (float)i;                       \
    for (size_t round = 0; round < rounds; round++)                                      \
        for (int i = 0; i < SUMS; i++) sums[i] = sums[i] * factors + factors;            \
    float total = 0;                                                                     \
    for (int i = 0; i < SUMS; i++)                                                       \
        for (int lane = 0; lane < lanes; lane++) total += sums[i][lane];                 \
    return total;

CLONED static float twelve_sums(size_t rounds, float factor) {
    MULTIPLY_ADDS(12)
}

CLONED static float six_sums(size_t rounds, float factor) {
    MULTIPLY_ADDS(6)
}

float vit_multiply_adds(size_t count, int wide, float factor) {
    return wide ? twelve_sums(count / (12 * lanes), factor) : six_sums(count / (6 * lanes), factor);
}
