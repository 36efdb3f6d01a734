// Rounding to bfloat16, as the processor's own instructions have it.
#ifndef VIT_ROUNDING_H
#define VIT_ROUNDING_H

#include <stdint.h>

#include "clones.h"

// A float's bits rounded to the nearest bfloat16, to even: denormal numbers become zero, and what is no number stays none.
INLINED uint32_t rounded(uint32_t bits) {
    const uint32_t magnitude = bits & 0x7fffffffu;
    const uint32_t sum = bits + 0x7fffu + (bits >> 16 & 1);
    const uint32_t number = magnitude < 0x00800000u ? bits & 0x80000000u : sum;
    return (magnitude > 0x7f800000u ? bits | 0x00400000u : number) & 0xffff0000u;
}

#endif
