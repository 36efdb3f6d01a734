#ifndef VIT_FLOAT16_H
#define VIT_FLOAT16_H

#include <stddef.h>
#include <stdint.h>

// Converts IEEE 754 binary16 numbers to float32, exactly; the source need not be aligned.
void vit_float32_from_float16(const void *source, size_t count, float *target);

#endif
