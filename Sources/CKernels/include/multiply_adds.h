// The peak rate of multiply-adds of a core: a loop that touches no memory.
#ifndef VIT_MULTIPLY_ADDS_H
#define VIT_MULTIPLY_ADDS_H

#include <stddef.h>

// About `count` multiply-adds in registers, in twelve independent vectors of 16 floats (wide) or six, whichever suits the
// processor better. The result must be used, or the compiler drops the loop.
float vit_multiply_adds(size_t count, int wide, float factor);

#endif
