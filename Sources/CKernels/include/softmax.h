#ifndef VIT_SOFTMAX_H
#define VIT_SOFTMAX_H

#include <stddef.h>

// Each of `rows` rows of `width` numbers, `stride` floats apart, becomes exp(x) divided by the row's sum of that, in place.
void vit_softmax(float *x, size_t rows, size_t width, size_t stride);

// From the output y and its gradient dy, which becomes that of the input, y * (dy - sum(y * dy)), in place.
void vit_softmax_backward(const float *y, size_t rows, size_t width, size_t stride, float *dy);

#endif
