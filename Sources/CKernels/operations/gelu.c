#include "gelu.h"

#include <math.h>
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

// x where it lies between two numbers, else the nearer one. What is no number stays none.
INLINED void clamp(line *x, float least, float most) {
    const line low = (line){0} + least, high = (line){0} + most;
    const words is_below = *x < low;
    *x = (line)(((words)low & is_below) | ((words)*x & ~is_below));
    const words is_above = *x > high;
    *x = (line)(((words)high & is_above) | ((words)*x & ~is_above));
}

// x Phi(x) with Phi(x) = 1/2 + x p(x^2) / q(x^2), a minimax approximation for |x| <= 5.5: the product is off by 6e-8 at most before
// it is rounded. Beyond, Phi is 0 or 1.
INLINED void gelu(line *x) {
    line inner = *x, outer = *x;
    clamp(&inner, -5.5f, 5.5f);
    clamp(&outer, -5.5f, INFINITY);
    const line t = inner * inner;
    line p = t * 1.1134797e-10f - 2.3126782e-08f;
    p = p * t + 3.6631218e-06f;
    p = p * t + 2.0258063e-04f;
    p = p * t + 4.7040037e-03f;
    p = p * t + 3.8872477e-02f;
    p = p * t + 0.39894167f;
    line q = t * 7.3754323e-05f + 2.0101923e-03f;
    q = q * t + 3.0818032e-02f;
    q = q * t + 0.26409855f;
    q = q * t + 1.0f;
    *x = outer * (inner * (p / q) + 0.5f);
}

INLINED void gelu_backward(const line *x, line *dy) {
    line cdf, gaussian;
    normal_cdf(x, &cdf, &gaussian);
    *dy *= *x * gaussian * 0.398942280401432678f + cdf;
}

// 1 / (1 + exp(-u)), from the exponential of -|u|.
INLINED void logistic(const line *u, line *value) {
    const words sign = (words)*u & (int32_t)0x80000000;
    const line magnitude = (line)((words)*u ^ sign);
    line small;
    exp_of_negative(&magnitude, &small);
    const line rest = 1.0f / (small + 1.0f);
    const words is_negative = *u < 0;
    *value = (line)(((words)(small * rest) & is_negative) | ((words)rest & ~is_negative));
}

INLINED void tanh_cdf(const line *x, line *cdf) {
    const line twice = *x * (*x * *x * 0.044715f + 1.0f) * 1.59576912160573071f;
    logistic(&twice, cdf);
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

INLINED void quick_gelu(line *x) {
    const line u = *x * 1.702f;
    line value;
    logistic(&u, &value);
    *x *= value;
}

INLINED void quick_gelu_backward(const line *x, line *dy) {
    const line u = *x * 1.702f;
    line value;
    logistic(&u, &value);
    *dy *= u * value * (1.0f - value) + value;
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

CLONED void vit_quick_gelu(const float *x, size_t count, float *y) {
    FORWARD(quick_gelu)
}

CLONED void vit_quick_gelu_backward(const float *x, const float *dy, size_t count, float *dx) {
    BACKWARD(quick_gelu_backward)
}
