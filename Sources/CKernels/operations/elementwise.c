#include "elementwise.h"

#include "../clones.h"

CLONED void vit_add(const float *restrict x, size_t count, float *restrict y) {
    for (size_t i = 0; i < count; i++) y[i] += x[i];
}

CLONED void vit_lerp(const float *restrict x, size_t count, float t, float *restrict y) {
    for (size_t i = 0; i < count; i++) y[i] += t * (x[i] - y[i]);
}
