#ifndef VIT_HALVES_H
#define VIT_HALVES_H

#include <stddef.h>
#include <stdint.h>

// The 32-bit floats that 16-bit ones stand for, exactly; the halves need not be aligned.
void vit_floats_from_halves(const void *halves, size_t count, float *floats);

#endif
