// Products of a matrix with a vector.
#ifndef VIT_GEMV_H
#define VIT_GEMV_H

#include <stddef.h>

// y = alpha * A x, for A (m x n) with rows `stride` floats apart; where it accumulates, that is added to y.
void vit_gemv(const float *a, size_t stride, size_t m, size_t n, const float *x, float alpha, int accumulates, float *y);

// y = transpose(A) * x, for the same.
void vit_gemv_transposed(const float *a, size_t stride, size_t m, size_t n, const float *x, float *y);

#endif
