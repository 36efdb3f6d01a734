#include "vector128.h"

// Vectors of 128 bits. Of 32 registers, six rows of four vectors leave eight for a row of B and numbers of A. Of 16, three rows
// leave four, too few for a row of B: a load takes the place of the copy that an instruction with two operands needs anyway.
#if defined(__aarch64__)
enum { mr = 6, reads_b_again = 0 };
#else
enum { mr = 3, reads_b_again = 1 };
#endif
enum { vectors = 4, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 1 };

// Where the processor has it, the compiler makes one instruction of multiplying and adding.
#define TARGET
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#include "micro_kernel.h"

TILES(1) TILES(2) TILES(3)
#if defined(__aarch64__)
TILES(4) TILES(5) TILES(6)
#endif

static void pack_a_columns(const vit_gemm_operands *operands, int64_t first, int64_t k, float *y) {
    pack_columns(operands, first, k, y);
}

static void pack_a_rows(const float *a, int64_t stride, int64_t rows, int64_t k, float *y) {
    for (int64_t i = 0; i < k; i++)
        for (int64_t row = 0; row < rows; row++) y[i * rows + row] = a[row * stride + i];
}

const vit_gemm_kernel vit_gemm_portable = {
    .mr = mr,
    .nr = nr,
    .kc = 256,
    .kc_across = 256,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = 192,
#if defined(__aarch64__)
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6},
              {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6}},
#else
    .tiles = {{tile_1, tile_2, tile_3}, {packed_tile_1, packed_tile_2, packed_tile_3}},
#endif
    .numbers_per_word = 1,
    .parts = parts,
    .pack_a_columns = pack_a_columns,
    .pack_a_rows = pack_a_rows,
};
