#include "adamw.h"

#include <math.h>

#include "../clones.h"

// sqrtf must set errno for negative numbers, which keeps a loop from being vectorised; the builtin need not.
#if defined(__has_builtin)
#if __has_builtin(__builtin_elementwise_sqrt)
#define ROOT(x) __builtin_elementwise_sqrt(x)
#endif
#endif
#ifndef ROOT
#define ROOT(x) sqrtf(x)
#endif

CLONED void vit_adamw(
    float *restrict weights, const float *restrict gradients, float *restrict first_moments,
    float *restrict second_moments, size_t count, vit_adamw_settings s) {
    const float keep = 1.f - s.learning_rate * s.weight_decay;
    const float step = s.learning_rate / s.bias_correction1;
    const float rest1 = 1.f - s.beta1, rest2 = 1.f - s.beta2;
    for (size_t i = 0; i < count; i++) {
        const float gradient = gradients[i] * s.gradient_scale;
        const float first = first_moments[i] + rest1 * (gradient - first_moments[i]);
        const float second = s.beta2 * second_moments[i] + rest2 * gradient * gradient;
        first_moments[i] = first;
        second_moments[i] = second;
        weights[i] = weights[i] * keep - step * first / (ROOT(second) / s.bias_correction2_root + s.epsilon);
    }
}
