#if defined(__x86_64__)
#include "../avx2.h"

// Words of two numbers of 16 bits: multiplying and adding pairs of those takes two instructions, one of which has three ports,
// where numbers of 8 bits take four, since one operand of theirs must have no sign.
enum { mr = 6, vectors = 2, reads_b_again = 0, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 1 };

#define TARGET AVX2
#define MULTIPLY_ADD(a, b, c) \
    ((vector)_mm256_add_epi32((__m256i)(c), _mm256_madd_epi16((__m256i)(a), (__m256i)(b))))
#define A_OFFSET 0

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

ROUNDED_KERNEL(
    vit_gemm_avx2_int8, VIT_INT8_KC, 2, vit_round_a_to_int16, vit_round_b_to_int16,
    NULL, NULL,
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6})

#endif
