#ifndef VIT_ELEMENTWISE_H
#define VIT_ELEMENTWISE_H

#include <stddef.h>

// y[i] += x[i].
void vit_add(const float *x, size_t count, float *y);

// y[i] += t * (x[i] - y[i]).
void vit_lerp(const float *x, size_t count, float t, float *y);

#endif
