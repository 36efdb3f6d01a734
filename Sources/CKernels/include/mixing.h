// Pairs of images mixed in place, for MixUp and CutMix.
#ifndef VIT_MIXING_H
#define VIT_MIXING_H

#include <stddef.h>

// a = weight * a + rest * b and b = weight * b + rest * a, both at once, each product rounded as PyTorch does.
void vit_mix_pair(float *a, float *b, size_t count, float weight, float rest);

// Exchanges a and b.
void vit_swap(float *a, float *b, size_t count);

#endif
