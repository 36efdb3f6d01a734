#include "gelu.h"

#include <string.h>

#include "../clones.h"
#include "../vectors.h"

// The normal distribution's cumulative function Phi(x), and exp(-x^2 / 2), which it takes (Abramowitz and Stegun 1964, 7.1.26).
INLINED void normal_cdf(const line *x, line *cdf, line *gaussian) {
    const words sign = (words)*x & (int32_t)0x80000000;
    const line magnitude = (line)((words)*x ^ sign);
    const line half_square = magnitude * magnitude * 0.5f;
    exp_of_negative(&half_square, gaussian);
    const line t = 1.0f / (magnitude * (0.3275911f * 0.70710678118654752f) + 1.0f);
    line p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const line tail = p * t * *gaussian * 0.5f;
    const words is_negative = *x < 0;
    *cdf = (line)(((words)tail & is_negative) | ((words)(1.0f - tail) & ~is_negative));
}

INLINED void gelu(line *x) {
    line cdf, gaussian;
    normal_cdf(x, &cdf, &gaussian);
    *x *= cdf;
}

INLINED void gelu_backward(const line *x, line *dy) {
    line cdf, gaussian;
    normal_cdf(x, &cdf, &gaussian);
    *dy *= *x * gaussian * 0.398942280401432678f + cdf;
}

// 1 / (1 + exp(-2 u)), from the exponential of -2 |u|.
INLINED void tanh_cdf(const line *x, line *cdf) {
    const line twice = *x * (*x * *x * 0.044715f + 1.0f) * 1.59576912160573071f;
    const words sign = (words)twice & (int32_t)0x80000000;
    const line magnitude = (line)((words)twice ^ sign);
    line small;
    exp_of_negative(&magnitude, &small);
    const line rest = 1.0f / (small + 1.0f);
    const words is_negative = twice < 0;
    *cdf = (line)(((words)(small * rest) & is_negative) | ((words)rest & ~is_negative));
}

INLINED void gelu_tanh(line *x) {
    line cdf;
    tanh_cdf(x, &cdf);
    *x *= cdf;
}

INLINED void gelu_tanh_backward(const line *x, line *dy) {
    line cdf;
    tanh_cdf(x, &cdf);
    const line slope = (*x * *x * (3 * 0.044715f) + 1.0f) * 1.59576912160573071f;
    *dy *= *x * cdf * (1.0f - cdf) * slope + cdf;
}

#define FORWARD(FUNCTION)                                      \
    line a = {0};                                              \
    const size_t whole = count / lanes * lanes;                \
    for (size_t i = 0; i < whole; i += lanes) {                \
        load(&a, x + i);                                       \
        FUNCTION(&a);                                          \
        store(y + i, &a);                                      \
    }                                                          \
    memcpy(&a, x + whole, (count - whole) * sizeof(float));    \
    FUNCTION(&a);                                              \
    memcpy(y + whole, &a, (count - whole) * sizeof(float));

#define BACKWARD(FUNCTION)                                     \
    line a = {0}, b = {0};                                     \
    const size_t whole = count / lanes * lanes;                \
    for (size_t i = 0; i < whole; i += lanes) {                \
        load(&a, x + i);                                       \
        load(&b, dy + i);                                      \
        FUNCTION(&a, &b);                                      \
        store(dx + i, &b);                                     \
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
