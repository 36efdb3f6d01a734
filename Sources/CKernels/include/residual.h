// Residual connections with layer scale and stochastic depth.
#ifndef VIT_RESIDUAL_H
#define VIT_RESIDUAL_H

#include <stddef.h>

// y = x + scale * column_scale * branch over rows of `width`; column_scale may be null.
void vit_add_branch(
    const float *x, const float *branch, const float *column_scale, float scale, size_t rows, size_t width, float *y);

// d_branch = scale * column_scale * dy; d_column_scale += scale * dy * branch, summed over the rows. column_scale and
// d_column_scale may be null.
void vit_add_branch_backward(
    const float *dy, const float *branch, const float *column_scale, float scale, size_t rows, size_t width,
    float *d_branch, float *d_column_scale);

#endif
