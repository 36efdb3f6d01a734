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
    const int64_t whole = k / (2 * lanes) * (2 * lanes);
    for (int64_t row = 0; row < rows; row++) {
        const float *from = a + row * stride;
        float *to = words + row * word_stride;
        for (int64_t i = 0; i < whole; i += 2 * lanes)
            _mm512_storeu_ps(to + i / 2, (vector)_mm512_cvtne2ps_pbh(LOAD(from + i + lanes), LOAD(from + i)));
        if (whole == k) continue;
        const vector first = load_some(from + whole, mask_of(k - whole));
        const vector second = load_some(from + whole + lanes, mask_of(k - whole - lanes));
        store_some(to + whole / 2, mask_of((k - whole + 1) / 2), (vector)_mm512_cvtne2ps_pbh(second, first));
    }
}

#define PACKING __attribute__((target("avx512f,avx512bw,avx512bf16")))

// Two rows of a panel as words, the columns that are missing as zeros; `other` is null where k is odd.
PACKING INLINED void pair_rows(const float *one, const float *other, int64_t present, const int64_t width, float *to) {
    const __m512i order = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    UNROLLED
    for (int64_t i = 0; i < width; i += lanes) {
        const mask some = mask_of(present - i);
        const vector low = load_some(one + i, some), high = other ? load_some(other + i, some) : ZERO;
        const __m512i pairs = _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(high, low));
        store_some(to + i, mask_of(width - i), (vector)pairs);
    }
}

// As vit_pack_rows_as_bfloat16 has it.
PACKING INLINED void pack_panels(
    const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed, const int64_t width) {
    const int64_t words = (matrix->k + 1) / 2, stride = matrix->row_stride, far = 16;
    for (int64_t word = 0; word < words; word++) {
        const float *one = matrix->b + 2 * word * stride + first * width;
        const float *other = 2 * word + 1 < matrix->k ? one + stride : NULL;
        float *to = packed + (first * words + word) * width;
        for (int64_t i = 0; i < count * width; i += vit_floats_per_line) {
            __builtin_prefetch(one + far * stride + i);
            __builtin_prefetch(one + (far + 1) * stride + i);
        }
        for (int64_t panel = 0; panel < count; panel++, to += words * width) {
            const int64_t column = panel * width, present = matrix->n - first * width - column;
            if (other && present >= width) pair_rows(one + column, other + column, width, width, to);
            else pair_rows(one + column, other ? other + column : NULL, present, width, to);
        }
    }
}

PACKING static void pack_rows(const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed) {
    if (matrix->nr == mr) pack_panels(matrix, first, count, packed, mr);
    else pack_panels(matrix, first, count, packed, nr);
}

ROUNDED_KERNEL(
    vit_gemm_avx512_bf16, vit_bf16_kc, 2, round_rows, vit_round_b_to_bfloat16,
    pack_rows, pack_rows,
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12},
    {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6, packed_tile_7,
     packed_tile_8, packed_tile_9, packed_tile_10, packed_tile_11, packed_tile_12})

#endif
