#if defined(__x86_64__)
#include "avx2.h"

#include <string.h>

// Six rows of two vectors, which leaves four registers for a row of B and a number of A. The micro-panel of B stays in the
// first-level cache while A is read from the second.
enum { mr = 6, vectors = 2, reads_b_again = 0, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 1 };

#define TARGET AVX2
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)

#include "micro_kernel.h"

TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)

static void pack_a_columns(const vit_gemm_operands *operands, int64_t first, int64_t k, float *y) {
    pack_columns(operands, first, k, y);
}

TARGET_INLINED void transpose_square(vector rows[lanes]) {
    vector pairs[lanes], fours[lanes];
    for (int i = 0; i < lanes; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < lanes; i += 4)
        for (int j = 0; j < 2; j++) {
            fours[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
            fours[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xee);
        }
    for (int i = 0; i < lanes / 2; i++) {
        rows[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
}

// Whole vectors are stored: the next one overwrites the excess, which the workspace's reserve takes at the end.
TARGET static void pack_a_rows(const float *a, int64_t stride, int64_t rows, int64_t k, float *y) {
    for (int64_t i = 0; i < k; i += lanes) {
        const int64_t count = k - i < lanes ? k - i : lanes;
        vector square[lanes];
        for (int j = 0; j < lanes; j++) square[j] = j < rows ? load_some(a + j * stride + i, mask_of(count)) : ZERO;
        transpose_square(square);
        for (int64_t j = 0; j < count; j++) _mm256_storeu_ps(y + (i + j) * rows, square[j]);
    }
}

const vit_gemm_kernel vit_gemm_avx2 = {
    .mr = mr,
    .nr = nr,
    .kc = 768,
    .kc_across = 256,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = 192,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6},
              {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6}},
    .numbers_per_word = 1,
    .parts = parts,
    .pack_a_columns = pack_a_columns,
    .pack_a_rows = pack_a_rows,
};

#endif
