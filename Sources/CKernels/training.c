#include "training.h"

#include <math.h>

#include "clones.h"

// sqrtf must set errno for negative numbers, which keeps a loop from being vectorised; the builtin need not.
#if defined(__has_builtin)
#if __has_builtin(__builtin_elementwise_sqrt)
#define ROOT(x) __builtin_elementwise_sqrt(x)
#endif
#endif
#ifndef ROOT
#define ROOT(x) sqrtf(x)
#endif

CLONED void vit_add_column_sums(const float *x, size_t rows, size_t columns, size_t stride, float *restrict sums) {
    for (size_t row = 0; row < rows; row++) {
        const float *line = x + row * stride;
        for (size_t column = 0; column < columns; column++) sums[column] += line[column];
    }
}

CLONED void vit_add(const float *restrict x, size_t count, float *restrict y) {
    for (size_t i = 0; i < count; i++) y[i] += x[i];
}

CLONED void vit_approach(const float *restrict x, size_t count, float share, float *restrict y) {
    for (size_t i = 0; i < count; i++) y[i] += share * (x[i] - y[i]);
}

CLONED void vit_add_branch(
    const float *x, const float *branch, const float *columns, float scale, size_t rows, size_t width, float *y) {
    if (columns == NULL) {
        for (size_t i = 0; i < rows * width; i++) y[i] = x[i] + scale * branch[i];
        return;
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < width; i++)
            y[row * width + i] = x[row * width + i] + scale * columns[i] * branch[row * width + i];
}

CLONED void vit_add_branch_backward(
    const float *dy, const float *branch, const float *columns, float scale, size_t rows, size_t width,
    float *restrict d_branch, float *restrict column_sums) {
    for (size_t row = 0; row < rows; row++) {
        const size_t first = row * width;
        if (columns == NULL) {
            for (size_t i = 0; i < width; i++) d_branch[first + i] = scale * dy[first + i];
        } else {
            for (size_t i = 0; i < width; i++) d_branch[first + i] = scale * columns[i] * dy[first + i];
        }
        if (column_sums == NULL) continue;
        for (size_t i = 0; i < width; i++) column_sums[i] += scale * dy[first + i] * branch[first + i];
    }
}

CLONED void vit_adamw(
    float *restrict weights, const float *restrict gradients, float *restrict first_moments,
    float *restrict second_moments, size_t count, vit_adamw_settings s) {
    const float keep = 1.f - s.learning_rate * s.weight_decay;
    const float step = s.learning_rate / s.bias_correction1;
    const float rest1 = 1.f - s.beta1, rest2 = 1.f - s.beta2;
    for (size_t i = 0; i < count; i++) {
        const float gradient = gradients[i] * s.gradient_scale;
        const float first = first_moments[i] + rest1 * (gradient - first_moments[i]);
        const float second = s.beta2 * second_moments[i] + rest2 * gradient * gradient;
        first_moments[i] = first;
        second_moments[i] = second;
        weights[i] = weights[i] * keep - step * first / (ROOT(second) / s.bias_correction2_root + s.epsilon);
    }
}

// Eight running sums, added up in a fixed order, so that the loop can be vectorised without changing its result.
CLONED double vit_sum_of_squares(const float *x, size_t count) {
    double sums[8] = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (size_t lane = 0; lane < 8; lane++) sums[lane] += (double)x[i + lane] * (double)x[i + lane];
    for (; i < count; i++) sums[i % 8] += (double)x[i] * (double)x[i];
    double sum = 0;
    for (size_t lane = 0; lane < 8; lane++) sum += sums[lane];
    return sum;
}
