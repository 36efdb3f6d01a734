#if defined(__x86_64__)
#include "../avx512.h"

// As in single precision, but that pairs of B are widened on the way.
enum { mr = 12, vectors = 2, reads_b_again = 0, rows_ahead = 16, prefetch_period = 1, prefetch_locality = 2, parts = 2 };

#define TARGET AVX512
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#define PART(pairs, i) number_of(pairs, i)

INLINED AVX512 vector number_of(vector pairs, const int i) {
    return (vector)(i == 0 ? _mm512_slli_epi32((__m512i)pairs, 16)
                           : _mm512_and_epi32((__m512i)pairs, _mm512_set1_epi32((int)0xffff0000)));
}

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)

const vit_gemm_kernel vit_gemm_avx512_emulated_bf16 = {
    .mr = mr,
    .nr = nr,
    .kc = vit_bf16_kc,
    .kc_across = vit_bf16_kc,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = INT64_MAX,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12}},
    .numbers_per_word = 2,
    .parts = 2,
    .round_a = vit_round_a_to_wide_bfloat16,
    .round_b = vit_round_b_to_bfloat16,
};

#endif
