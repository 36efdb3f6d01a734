// Layer normalisation (Ba, Kiros and Hinton 2016) of rows of `width` numbers.
#ifndef VIT_LAYER_NORM_H
#define VIT_LAYER_NORM_H

#include <stddef.h>

// y = (x - mean) / sqrt(variance + epsilon) * scale + shift; a mean and a variance a row are kept for the way back.
void vit_layer_norm(
    const float *x, size_t rows, size_t width, const float *scale, const float *shift, float epsilon, float *y,
    float *means, float *variances);

// dx, which may be dy, and what these rows add to the gradients of scale and shift. The residual, a gradient that goes
// past the norm, is added to dx where there is one.
void vit_layer_norm_backward(
    const float *x, const float *dy, size_t rows, size_t width, const float *scale, float epsilon, const float *means,
    const float *variances, const float *residual, float *dx, float *d_scale, float *d_shift);

#endif
