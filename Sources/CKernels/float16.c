#include "float16.h"

#include <string.h>

#include "clones.h"

CLONED void vit_float32_from_float16(const void *source, size_t count, float *restrict target) {
    const unsigned char *bytes = source;
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, bytes + 2 * i, sizeof half);
        // A multiplication rebases the exponent, of subnormal numbers too.
        uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13;
        float rebased;
        memcpy(&rebased, &magnitude, sizeof rebased);
        rebased *= 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &rebased, sizeof bits);
        bits |= magnitude >= 0x7C00u << 13 ? 0x7F800000u : 0u;
        bits |= (uint32_t)(half & 0x8000) << 16;
        memcpy(&target[i], &bits, sizeof bits);
    }
}
