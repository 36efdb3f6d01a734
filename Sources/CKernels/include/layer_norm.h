// Layer normalisation (Ba, Kiros and Hinton 2016) of rows of `width` numbers.
#ifndef VIT_LAYER_NORM_H
#define VIT_LAYER_NORM_H

#include <stddef.h>

// y = (x - mean) / sqrt(variance + epsilon) * weight + bias; the mean and variance of each row are kept for the backward pass.
void vit_layer_norm(
    const float *x, size_t rows, size_t width, const float *weight, const float *bias, float epsilon, float *y,
    float *means, float *variances);

// dx, which may be dy, and what these rows add to the gradients of weight and bias. The residual, a gradient that bypasses
// the norm, is added to dx where it is not null.
void vit_layer_norm_backward(
    const float *x, const float *dy, size_t rows, size_t width, const float *weight, float epsilon, const float *means,
    const float *variances, const float *residual, float *dx, float *d_weight, float *d_bias);

#endif
