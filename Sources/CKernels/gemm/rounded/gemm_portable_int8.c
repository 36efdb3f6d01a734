#include "../vector128.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Words of two numbers of 16 bits.
enum { mr = 3, vectors = 4, reads_b_again = 1, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3 };

typedef int32_t word_vector __attribute__((vector_size(lanes * sizeof(int32_t))));

#define TARGET
#define MULTIPLY_ADD(a, b, c) ((vector)((word_vector)(c) + products((word_vector)(a), (word_vector)(b))))
#define TO_FLOATS(sums, b_sums, a_scale, b_scales) \
    (__builtin_convertvector((word_vector)(sums), vector) * (a_scale) * (b_scales))

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

const vit_gemm_kernel vit_gemm_portable_int8 = {
    .mr = mr,
    .nr = nr,
    .kc = VIT_INT8_KC,
    .kc_across = VIT_INT8_KC,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = INT64_MAX,
    .tiles = {{tile_1, tile_2, tile_3}},
    .numbers_per_word = 2,
    .parts = 1,
    .round_a = vit_round_a_to_int16,
    .round_b = vit_round_b_to_int16,
};
