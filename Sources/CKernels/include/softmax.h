#ifndef VIT_SOFTMAX_H
#define VIT_SOFTMAX_H

#include <stddef.h>

// x = exp(x) / the sum of exp(x) over each row, in place, for rows of `width` numbers that lie `stride` floats apart.
void vit_softmax(float *x, size_t rows, size_t width, size_t stride);

// The same of the first `seen` numbers of the first row, one more of each row that follows, and of no more than `width`; what
// follows them becomes 0.
void vit_causal_softmax(float *x, size_t rows, size_t seen, size_t width, size_t stride);

// dx = y * (dy - sum(y * dy)) over each row, in place of dy, from the output y.
void vit_softmax_backward(const float *y, size_t rows, size_t width, size_t stride, float *dy);

#endif
