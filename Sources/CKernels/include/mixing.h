// Two images mixed with each other, in place.
#ifndef VIT_MIXING_H
#define VIT_MIXING_H

#include <stddef.h>

// Both at once: a = weight a + rest b and b = weight b + rest a, each product rounded as PyTorch rounds it.
void vit_mix_pair(float *a, float *b, size_t count, float weight, float rest);

// Exchanges a and b.
void vit_swap(float *a, float *b, size_t count);

#endif
