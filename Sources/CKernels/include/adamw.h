// AdamW (Loshchilov and Hutter 2019, algorithm 2, as PyTorch computes it): weight decay first, then the step.
#ifndef VIT_ADAMW_H
#define VIT_ADAMW_H

#include <stddef.h>

typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    float bias_correction1;  // 1 - beta1^t
    float bias_correction2_root;  // sqrt(1 - beta2^t)
    float gradient_scale;  // multiplies each gradient first: clipping
} vit_adamw_settings;

void vit_adamw(
    float *weights, const float *gradients, float *first_moments, float *second_moments, size_t count,
    vit_adamw_settings settings);

#endif
