// SHA-256 (FIPS 180-4), with the processor's own instructions where it has them.
#ifndef VIT_SHA256_H
#define VIT_SHA256_H

#include <stddef.h>
#include <stdint.h>

// Takes `block_count` blocks of 64 bytes into the state.
void vit_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t block_count);

// The same without those instructions.
void vit_sha256_blocks_portable(uint32_t state[8], const uint8_t *blocks, size_t block_count);

#endif
