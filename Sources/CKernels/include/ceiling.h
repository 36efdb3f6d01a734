// How many multiply-adds a core can do at most: a loop that touches no memory.
#ifndef VIT_CEILING_H
#define VIT_CEILING_H

#include <stddef.h>

// About `count` multiply-adds in registers, in twelve vectors of 16 floats (wide) or six, whichever suits the
// processor better. What it returns must be used, so that the loop is not left out.
float vit_multiply_adds(size_t count, int wide, float factor);

#endif
