// Numbers of bfloat16 in memory: the upper halves of floats.
#ifndef VIT_BFLOAT16_H
#define VIT_BFLOAT16_H

#include <stddef.h>
#include <stdint.h>

// To nearest even; what is smaller than a normal number becomes zero, and what is no number stays none.
void vit_round_to_bfloat16(const float *x, size_t count, uint16_t *y);
void vit_float32_from_bfloat16(const uint16_t *x, size_t count, float *y);

#endif
