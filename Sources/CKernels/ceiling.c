#include "ceiling.h"

#include "clones.h"

enum { WIDTH = 16 };

typedef float lanes __attribute__((vector_size(WIDTH * sizeof(float))));

// Independent sums hide the latency of a multiply-add; they have to fit the registers.
#define MULTIPLY_ADDS(SUMS)                                                              \
    lanes sums[SUMS];                                                                    \
    const lanes factors = (lanes){0} + factor;                                           \
    for (int i = 0; i < SUMS; i++) sums[i] = (lanes){0} + (float)i;                      \
    for (size_t round = 0; round < rounds; round++)                                      \
        for (int i = 0; i < SUMS; i++) sums[i] = sums[i] * factors + factors;            \
    float total = 0;                                                                     \
    for (int i = 0; i < SUMS; i++)                                                       \
        for (int lane = 0; lane < WIDTH; lane++) total += sums[i][lane];                 \
    return total;

CLONED static float twelve_sums(size_t rounds, float factor) {
    MULTIPLY_ADDS(12)
}

CLONED static float six_sums(size_t rounds, float factor) {
    MULTIPLY_ADDS(6)
}

float vit_multiply_adds(size_t count, int wide, float factor) {
    return wide ? twelve_sums(count / (12 * WIDTH), factor) : six_sums(count / (6 * WIDTH), factor);
}
