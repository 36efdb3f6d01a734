#include "layer_norm.h"

#include <math.h>

#include "../clones.h"
#include "../vectors.h"

// Sums that do not wait for each other.
enum { sum_count = 4 };

// The sum over whole vectors of TERM, which is made of the vector `a`.
#define SUM_OF_VECTORS(TERM)                                  \
    const size_t whole = width / lanes * lanes;               \
    line a, sums[sum_count] = {{0}};                          \
    size_t i = 0;                                             \
    for (; i + sum_count * lanes <= whole; i += sum_count * lanes) \
        for (size_t j = 0; j < sum_count; j++) {              \
            load(&a, x + i + j * lanes);                      \
            sums[j] += TERM;                                  \
        }                                                     \
    for (; i < whole; i += lanes) {                           \
        load(&a, x + i);                                      \
        sums[0] += TERM;                                      \
    }                                                         \
    sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);      \
    float sum = sum_of(sums);

INLINED float mean_of(const float *x, size_t width) {
    SUM_OF_VECTORS(a)
    for (; i < width; i++) sum += x[i];
    return sum / (float)width;
}

INLINED float variance_of(const float *x, size_t width, float mean) {
    SUM_OF_VECTORS((a - mean) * (a - mean))
    for (; i < width; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sum / (float)width;
}

CLONED void vit_layer_norm(
    const float *x, size_t rows, size_t width, const float *weight, const float *bias, float epsilon, float *y,
    float *means, float *variances) {
    for (size_t row = 0; row < rows; row++) {
        const float *from = x + row * width;
        float *to = y + row * width;
        const float mean = mean_of(from, width), variance = variance_of(from, width, mean);
        const float factor = 1 / sqrtf(variance + epsilon);
        for (size_t i = 0; i < width; i++) to[i] = (from[i] - mean) * factor * weight[i] + bias[i];
        means[row] = mean;
        variances[row] = variance;
    }
}

// The means over a row of dy * weight and of dy * weight * the normalised x.
INLINED void backward_means(
    const float *x, const float *dy, const float *weight, size_t width, float mean, float factor, float means[2]) {
    const size_t whole = width / lanes * lanes;
    line a, b, c, sums = {0}, products = {0};
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, x + i);
        load(&b, dy + i);
        load(&c, weight + i);
        b *= c;
        sums += b;
        products += b * (a - mean);
    }
    float sum = sum_of(&sums), product = sum_of(&products);
    for (size_t i = whole; i < width; i++) {
        sum += dy[i] * weight[i];
        product += dy[i] * weight[i] * (x[i] - mean);
    }
    means[0] = sum / (float)width;
    means[1] = product * factor / (float)width;
}

// The gradient by x, given those means. dx may be dy or residual.
INLINED void input_gradient(
    const float *x, const float *dy, const float *weight, size_t width, float mean, float factor, const float means[2],
    const float *residual, float *dx) {
    const size_t whole = width / lanes * lanes;
    line a, b, c, added = {0};
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, x + i);
        load(&b, dy + i);
        load(&c, weight + i);
        if (residual) load(&added, residual + i);
        a = (b * c - means[0] - (a - mean) * factor * means[1]) * factor + added;
        store(dx + i, &a);
    }
    for (size_t i = whole; i < width; i++) {
        const float normalized = (x[i] - mean) * factor;
        const float gradient = (dy[i] * weight[i] - means[0] - normalized * means[1]) * factor;
        dx[i] = gradient + (residual ? residual[i] : 0);
    }
}

CLONED void vit_layer_norm_backward(
    const float *x, const float *dy, size_t rows, size_t width, const float *weight, float epsilon, const float *means,
    const float *variances, const float *residual, float *dx, float *restrict d_weight, float *restrict d_bias) {
    for (size_t row = 0; row < rows; row++) {
        const float *from = x + row * width, *gradient = dy + row * width;
        float *to = dx + row * width;
        const float mean = means[row], factor = 1 / sqrtf(variances[row] + epsilon);
        float across[2];
        backward_means(from, gradient, weight, width, mean, factor, across);
        for (size_t i = 0; i < width; i++) {
            d_weight[i] += gradient[i] * (from[i] - mean) * factor;
            d_bias[i] += gradient[i];
        }
        input_gradient(from, gradient, weight, width, mean, factor, across, residual ? residual + row * width : NULL, to);
    }
}
