#ifndef VIT_DOTS_H
#define VIT_DOTS_H

#include <stddef.h>

// y[row] = (accumulates ? y[row] : 0) + scale * (row · x) for rows of `width` numbers that lie `stride` apart.
void vit_dot_rows(
    const float *rows, size_t stride, size_t count, size_t width, const float *x, float scale, int accumulates, float *y);

// y = the sum of weights[row] * row, for the same.
void vit_mix_rows(const float *rows, size_t stride, size_t count, size_t width, const float *weights, float *y);

#endif
