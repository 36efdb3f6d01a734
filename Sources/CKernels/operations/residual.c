#include "residual.h"

#include "../clones.h"

CLONED void vit_add_branch(
    const float *x, const float *branch, const float *column_scale, float scale, size_t rows, size_t width, float *y) {
    if (column_scale == NULL) {
        for (size_t i = 0; i < rows * width; i++) y[i] = x[i] + scale * branch[i];
        return;
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < width; i++)
            y[row * width + i] = x[row * width + i] + scale * column_scale[i] * branch[row * width + i];
}

CLONED void vit_add_branch_backward(
    const float *dy, const float *branch, const float *column_scale, float scale, size_t rows, size_t width,
    float *restrict d_branch, float *restrict d_column_scale) {
    for (size_t row = 0; row < rows; row++) {
        const size_t first = row * width;
        if (column_scale == NULL) {
            for (size_t i = 0; i < width; i++) d_branch[first + i] = scale * dy[first + i];
        } else {
            for (size_t i = 0; i < width; i++) d_branch[first + i] = scale * column_scale[i] * dy[first + i];
        }
        if (d_column_scale == NULL) continue;
        for (size_t i = 0; i < width; i++) d_column_scale[i] += scale * dy[first + i] * branch[first + i];
    }
}
