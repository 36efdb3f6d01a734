// GELU (Hendrycks and Gimpel 2016), x * Phi(x) with the normal distribution's cumulative function Phi and density phi.
#ifndef VIT_GELU_H
#define VIT_GELU_H

#include <stddef.h>

// y[i] = x[i] * Phi(x[i]); y may be x. Within 2e-7 of |x|.
void vit_gelu(const float *x, size_t count, float *y);

// dx[i] = dy[i] * (Phi(x[i]) + x[i] * phi(x[i])); dx may be dy.
void vit_gelu_backward(const float *x, const float *dy, size_t count, float *dx);

// The same with the approximation by tanh: x / (1 + exp(-2 u)) with u = sqrt(2 / pi) * (x + 0.044715 x^3).
void vit_gelu_tanh(const float *x, size_t count, float *y);
void vit_gelu_tanh_backward(const float *x, const float *dy, size_t count, float *dx);

// The same with the approximation by a logistic function, as CLIP has it: x / (1 + exp(-1.702 x)).
void vit_quick_gelu(const float *x, size_t count, float *y);
void vit_quick_gelu_backward(const float *x, const float *dy, size_t count, float *dx);

#endif
