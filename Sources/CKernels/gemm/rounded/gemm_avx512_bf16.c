#if defined(__x86_64__)
#include "../avx512.h"

// As in single precision, but that a step multiplies and adds pairs.
enum { mr = 12, vectors = 2, reads_b_again = 0, rows_ahead = 16, prefetch_period = 1, prefetch_locality = 2, parts = 1 };

#define TARGET __attribute__((target("avx512f,avx512bf16")))
#define MULTIPLY_ADD(a, b, c) _mm512_dpbf16_ps(c, (__m512bh)(a), (__m512bh)(b))

#include "../micro_kernel.h"

TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12)

TARGET static void round_rows(
    const float *a, int64_t stride, int64_t rows, int64_t k, float *words, int64_t word_stride, float *scales) {
    (void)scales;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < k; i += 2 * lanes) {
            const float *from = a + row * stride + i;
            const vector first = load_some(from, mask_of(k - i));
            const vector second = load_some(from + lanes, mask_of(k - i - lanes));
            const vector pairs = (vector)_mm512_cvtne2ps_pbh(second, first);
            store_some(words + row * word_stride + i / 2, mask_of((k - i + 1) / 2), pairs);
        }
}

// Words of two rows, as vit_pack_rows_as_bfloat16 makes them.
__attribute__((target("avx512f,avx512bw,avx512bf16"))) static void pack_rows(
    const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed) {
    const int64_t words = (matrix->k + 1) / 2, nr = matrix->nr, rows_ahead = 16;
    const __m512i order = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (int64_t word = 0; word < words; word++)
        for (int64_t panel = first; panel < first + count; panel++) {
            const int64_t start = panel * nr, left = matrix->n - start, present = left < nr ? left : nr;
            const float *one = matrix->b + 2 * word * matrix->row_stride + start, *other = one + matrix->row_stride;
            const int has_other = 2 * word + 1 < matrix->k;
            float *to = packed + (panel * words + word) * nr;
            for (int64_t i = 0; i < nr; i += lanes) {
                __builtin_prefetch(one + rows_ahead * matrix->row_stride + i);
                __builtin_prefetch(other + rows_ahead * matrix->row_stride + i);
                const mask some = mask_of(present - i);
                const vector low = load_some(one + i, some), high = load_some(other + i, has_other ? some : 0);
                const __m512i pairs = _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(high, low));
                store_some(to + i, mask_of(nr - i), (vector)pairs);
            }
        }
}

ROUNDED_KERNEL(
    vit_gemm_avx512_bf16, vit_bf16_kc, 2, round_rows, vit_round_b_to_bfloat16,
    pack_rows, pack_rows,
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12},
    {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6, packed_tile_7,
     packed_tile_8, packed_tile_9, packed_tile_10, packed_tile_11, packed_tile_12})

#endif
