#if defined(__x86_64__)
#include <immintrin.h>

#include "vectors.h"

// A tile of C stays in registers: twelve rows of two vectors, which leaves eight for a row of the panel and a number
// of A. Its strip of A and its panel are read in order, from the first cache and the second.
enum { strip_rows = 12, near = 16, later_period = 1, later_locality = 2 };

typedef __m512 vector;
typedef __mmask16 mask;

#define WIDE __attribute__((target("avx512f")))
#define ZERO _mm512_setzero_ps()
#define SPREAD(x) _mm512_set1_ps(x)
#define LOAD(from) _mm512_loadu_ps(from)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY(a, b) _mm512_mul_ps(a, b)
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#define KEEP(x) "+v"(x)

INLINED WIDE mask mask_of(int64_t count) {
    return count >= lanes ? 0xffff : count <= 0 ? 0 : (mask)((1u << count) - 1);
}
INLINED WIDE vector load_some(const float *from, mask present) { return _mm512_maskz_loadu_ps(present, from); }
INLINED WIDE void store_some(float *to, mask present, vector x) { _mm512_mask_storeu_ps(to, present, x); }

#include "panels_tile.h"

TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12)

WIDE static void copy_columns(const vit_panel_product *product, int64_t first, int64_t inner, float *y) {
    for (int64_t i = 0; i < inner; i++) {
        const float *a = product->a + (first + i) * product->a_column_stride;
        for (int64_t row = 0; row < product->rows; row += strip_rows) {
            const int64_t rows = product->rows - row < strip_rows ? product->rows - row : strip_rows;
            store_some(y + row * inner + i * rows, mask_of(rows), load_some(a + row, mask_of(rows)));
        }
    }
}

WIDE static void copy_strip(const float *a, int64_t stride, int64_t rows, int64_t inner, float *y) {
    for (int64_t i = 0; i < inner; i += lanes) {
        const int64_t count = inner - i < lanes ? inner - i : lanes;
        line square[lanes];
        for (int j = 0; j < lanes; j++) square[j] = j < rows ? load_some(a + j * stride + i, mask_of(count)) : ZERO;
        turn_square(square);
        for (int64_t j = 0; j < count; j++) store_some(y + (i + j) * rows, mask_of(rows), square[j]);
    }
}

const vit_panel_kernel vit_panels_of_avx512 = {
    .panel_width = 2 * lanes,
    .strip_rows = strip_rows,
    .longest_inner = 1024,
    .longest_across = 256,
    .later_period = later_period,
    .columns_worth_copying = INT64_MAX,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12},
              {adjacent_1, adjacent_2, adjacent_3, adjacent_4, adjacent_5, adjacent_6, adjacent_7, adjacent_8, adjacent_9,
               adjacent_10, adjacent_11, adjacent_12}},
    .copy_columns = copy_columns,
    .copy_strip = copy_strip,
};

#endif
