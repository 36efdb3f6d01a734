#include "gelu.h"

#include <string.h>

#include "clones.h"

enum { lanes = 16 };

typedef float line __attribute__((vector_size(lanes * sizeof(float))));
typedef int32_t words __attribute__((vector_size(lanes * sizeof(int32_t))));

#define INLINED static inline __attribute__((always_inline))

// Vectors go by address: by value, their place would depend on the processor.

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

// Phi(x), and exp(-x^2 / 2) on the way (Abramowitz and Stegun 1964, 7.1.26).
INLINED void normal_share(const line *x, line *share, line *bell) {
    const words sign = (words)*x & (int32_t)0x80000000;
    const line size = (line)((words)*x ^ sign);
    const line half_square = size * size * 0.5f;
    exp_of_negative(&half_square, bell);
    const line t = 1.0f / (size * (0.3275911f * 0.70710678118654752f) + 1.0f);
    line p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const line beyond = p * t * *bell * 0.5f;
    const words is_negative = *x < 0;
    *share = (line)(((words)beyond & is_negative) | ((words)(1.0f - beyond) & ~is_negative));
}

INLINED void gelu(line *x) {
    line share, bell;
    normal_share(x, &share, &bell);
    *x *= share;
}

INLINED void gelu_backward(const line *x, line *dy) {
    line share, bell;
    normal_share(x, &share, &bell);
    *dy *= *x * bell * 0.398942280401432678f + share;
}

// 1 / (1 + exp(-2 u)), from the exponential of the side on which it is small.
INLINED void tanh_share(const line *x, line *share) {
    const line twice = *x * (*x * *x * 0.044715f + 1.0f) * 1.59576912160573071f;
    const words sign = (words)twice & (int32_t)0x80000000;
    const line size = (line)((words)twice ^ sign);
    line small;
    exp_of_negative(&size, &small);
    const line rest = 1.0f / (small + 1.0f);
    const words is_negative = twice < 0;
    *share = (line)(((words)(small * rest) & is_negative) | ((words)rest & ~is_negative));
}

INLINED void gelu_tanh(line *x) {
    line share;
    tanh_share(x, &share);
    *x *= share;
}

INLINED void gelu_tanh_backward(const line *x, line *dy) {
    line share;
    tanh_share(x, &share);
    const line slope = (*x * *x * (3 * 0.044715f) + 1.0f) * 1.59576912160573071f;
    *dy *= *x * share * (1.0f - share) * slope + share;
}

#define FORWARD(FUNCTION)                                      \
    line a = {0};                                              \
    const size_t whole = count / lanes * lanes;                \
    for (size_t i = 0; i < whole; i += lanes) {                \
        memcpy(&a, x + i, sizeof a);                           \
        FUNCTION(&a);                                          \
        memcpy(y + i, &a, sizeof a);                           \
    }                                                          \
    memcpy(&a, x + whole, (count - whole) * sizeof(float));    \
    FUNCTION(&a);                                              \
    memcpy(y + whole, &a, (count - whole) * sizeof(float));

#define BACKWARD(FUNCTION)                                     \
    line a = {0}, b = {0};                                     \
    const size_t whole = count / lanes * lanes;                \
    for (size_t i = 0; i < whole; i += lanes) {                \
        memcpy(&a, x + i, sizeof a);                           \
        memcpy(&b, dy + i, sizeof b);                          \
        FUNCTION(&a, &b);                                      \
        memcpy(dx + i, &b, sizeof b);                          \
    }                                                          \
    memcpy(&a, x + whole, (count - whole) * sizeof(float));    \
    memcpy(&b, dy + whole, (count - whole) * sizeof(float));   \
    FUNCTION(&a, &b);                                          \
    memcpy(dx + whole, &b, (count - whole) * sizeof(float));

CLONED void vit_gelu(const float *x, size_t count, float *y) {
    FORWARD(gelu)
}

CLONED void vit_gelu_backward(const float *x, const float *dy, size_t count, float *dx) {
    BACKWARD(gelu_backward)
}

CLONED void vit_gelu_tanh(const float *x, size_t count, float *y) {
    FORWARD(gelu_tanh)
}

CLONED void vit_gelu_tanh_backward(const float *x, const float *dy, size_t count, float *dx) {
    BACKWARD(gelu_tanh_backward)
}
