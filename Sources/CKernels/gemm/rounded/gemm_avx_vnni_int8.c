#if defined(__x86_64__)
#include "../avx2.h"

// As in single precision, but that a step multiplies and adds words of four numbers, those of A without a sign.
enum { mr = 6, vectors = 2, reads_b_again = 0, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3 };

#define TARGET __attribute__((target("avx2,fma,avxvnni")))
#define MULTIPLY_ADD(a, b, c) ((vector)_mm256_dpbusd_avx_epi32((__m256i)(c), (__m256i)(a), (__m256i)(b)))
#define TO_FLOATS(sums, b_sums, a_scale, b_scales) to_floats(sums, b_sums, a_scale, b_scales)

INLINED AVX2 vector to_floats(vector sums, vector b_sums, vector a_scale, vector b_scales) {
    const __m256i exact = _mm256_sub_epi32((__m256i)sums, _mm256_slli_epi32((__m256i)b_sums, 7));
    return _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(exact), a_scale), b_scales);
}

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

const vit_gemm_kernel vit_gemm_avx_vnni_int8 = {
    .mr = mr,
    .nr = nr,
    .kc = VIT_INT8_KC,
    .kc_across = VIT_INT8_KC,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = INT64_MAX,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6}},
    .numbers_per_word = 4,
    .parts = 1,
    .round_a = vit_round_a_to_offset_int8,
    .round_b = vit_round_b_to_int8,
};

#endif
