#if defined(__x86_64__)
#include "avx512.h"

// Twelve rows of two vectors, which leaves eight registers for a row of B and a number of A. Packed A and B are read in order,
// from the first-level cache and the second.
enum { mr = 12, vectors = 2, reads_b_again = 0, rows_ahead = 16, prefetch_period = 1, prefetch_locality = 2, parts = 1 };

#define TARGET AVX512
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)

#include "micro_kernel.h"

TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12)

TARGET static void pack_a_columns(const vit_gemm_operands *operands, int64_t first, int64_t k, float *y) {
    for (int64_t i = 0; i < k; i++) {
        const float *a = operands->a + (first + i) * operands->a_column_stride;
        for (int64_t row = 0; row < operands->m; row += mr) {
            const int64_t rows = operands->m - row < mr ? operands->m - row : mr;
            store_some(y + row * k + i * rows, mask_of(rows), load_some(a + row, mask_of(rows)));
        }
    }
}

TARGET static void pack_a_rows(const float *a, int64_t stride, int64_t rows, int64_t k, float *y) {
    for (int64_t i = 0; i < k; i += lanes) {
        const int64_t count = k - i < lanes ? k - i : lanes;
        line square[lanes];
        for (int j = 0; j < lanes; j++) square[j] = j < rows ? load_some(a + j * stride + i, mask_of(count)) : ZERO;
        transpose_square(square);
        for (int64_t j = 0; j < count; j++) store_some(y + (i + j) * rows, mask_of(rows), square[j]);
    }
}

const vit_gemm_kernel vit_gemm_avx512 = {
    .mr = mr,
    .nr = nr,
    .kc = 1024,
    .kc_across = 256,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = INT64_MAX,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12},
              {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6, packed_tile_7,
               packed_tile_8, packed_tile_9, packed_tile_10, packed_tile_11, packed_tile_12}},
    .numbers_per_word = 1,
    .parts = parts,
    .pack_a_columns = pack_a_columns,
    .pack_a_rows = pack_a_rows,
};

#endif
