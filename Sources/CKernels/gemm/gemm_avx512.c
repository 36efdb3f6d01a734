#if defined(__x86_64__)
#include <immintrin.h>

#include "../vectors.h"

// Twelve rows of two vectors, which leaves eight registers for a row of B and a number of A. Packed A and B are read in order,
// from the first-level cache and the second.
enum { mr = 12, vectors = 2, reads_b_again = 0, rows_ahead = 16, prefetch_period = 1, prefetch_locality = 2 };

typedef __m512 vector;
typedef __mmask16 mask;

#define TARGET __attribute__((target("avx512f")))
#define ZERO _mm512_setzero_ps()
#define BROADCAST(x) _mm512_set1_ps(x)
#define LOAD(from) _mm512_loadu_ps(from)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY(a, b) _mm512_mul_ps(a, b)
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#define KEEP(x) "+v"(x)

INLINED TARGET mask mask_of(int64_t count) {
    return count >= lanes ? 0xffff : count <= 0 ? 0 : (mask)((1u << count) - 1);
}
INLINED TARGET vector load_some(const float *from, mask present) { return _mm512_maskz_loadu_ps(present, from); }
INLINED TARGET void store_some(float *to, mask present, vector x) { _mm512_mask_storeu_ps(to, present, x); }

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
    .pack_a_columns = pack_a_columns,
    .pack_a_rows = pack_a_rows,
};

#endif
