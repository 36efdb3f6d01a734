// The memory-bound loops of a training step.
#ifndef VIT_TRAINING_H
#define VIT_TRAINING_H

#include <stddef.h>

// sums[c] += the sum of column c over all rows, in the order of the rows. Rows lie `stride` floats apart.
void vit_add_column_sums(const float *x, size_t rows, size_t columns, size_t stride, float *sums);

// y[i] += x[i].
void vit_add(const float *x, size_t count, float *y);

// y[i] += share * (x[i] - y[i]).
void vit_approach(const float *x, size_t count, float share, float *y);

// y = x + scale * columns * branch over rows of `width`; columns may be null.
void vit_add_branch(
    const float *x, const float *branch, const float *columns, float scale, size_t rows, size_t width, float *y);

// d_branch = scale * columns * dy; column_sums += scale * dy * branch, summed over the rows. columns and column_sums
// may be null.
void vit_add_branch_backward(
    const float *dy, const float *branch, const float *columns, float scale, size_t rows, size_t width,
    float *d_branch, float *column_sums);

// AdamW (Loshchilov and Hutter 2019, algorithm 2, as PyTorch computes it): decay first, then the step.
typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    float bias_correction1;  // 1 - beta1^t
    float bias_correction2_root;  // sqrt(1 - beta2^t)
    float gradient_scale;  // multiplies each gradient first: clipping
} vit_adamw_settings;

void vit_adamw(
    float *weights, const float *gradients, float *first_moments, float *second_moments, size_t count,
    vit_adamw_settings settings);

// The sum of squares, in double.
double vit_sum_of_squares(const float *x, size_t count);

#endif
