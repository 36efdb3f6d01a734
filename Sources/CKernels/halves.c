#include "halves.h"

#include <string.h>

#include "clones.h"

CLONED void vit_floats_from_halves(const void *halves, size_t count, float *restrict floats) {
    const unsigned char *bytes = halves;
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, bytes + 2 * i, sizeof half);
        // The exponent is rebased by a multiplication, which also does subnormal numbers.
        uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13;
        float rebased;
        memcpy(&rebased, &magnitude, sizeof rebased);
        rebased *= 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &rebased, sizeof bits);
        bits |= magnitude >= 0x7C00u << 13 ? 0x7F800000u : 0u;
        bits |= (uint32_t)(half & 0x8000) << 16;
        memcpy(&floats[i], &bits, sizeof bits);
    }
}
