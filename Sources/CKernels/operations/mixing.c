#include "mixing.h"

#include "../clones.h"

// A fused multiply-add would round once where PyTorch rounds twice.
#pragma STDC FP_CONTRACT OFF

CLONED void vit_mix_pair(float *restrict a, float *restrict b, size_t count, float weight, float rest) {
    for (size_t i = 0; i < count; i++) {
        const float first = a[i], second = b[i];
        a[i] = first * weight + second * rest;
        b[i] = second * weight + first * rest;
    }
}

CLONED void vit_swap(float *restrict a, float *restrict b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const float first = a[i];
        a[i] = b[i];
        b[i] = first;
    }
}
