#include "../vector128.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Words of two numbers of 16 bits.
enum { mr = 3, vectors = 4, reads_b_again = 1, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 1 };

#define TARGET
#define MULTIPLY_ADD(a, b, c) ((vector)((word_vector)(c) + products((word_vector)(a), (word_vector)(b))))
#define A_OFFSET 0

// The sum of both products of each pair.
INLINED word_vector products(word_vector a, word_vector b) {
#if defined(__SSE2__)
    return (word_vector)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3)

ROUNDED_KERNEL(
    vit_gemm_portable_int8, VIT_INT8_KC, 2, vit_round_a_to_int16, vit_round_b_to_int16,
    NULL, NULL,
    {tile_1, tile_2, tile_3})
