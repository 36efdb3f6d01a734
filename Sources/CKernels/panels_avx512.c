#if defined(__x86_64__)
#include <immintrin.h>

#include "vectors.h"

// A tile of C stays in registers: twelve rows of two vectors, which leaves eight for a row of the panel and a number
// of A. Its strip of A and its panel are read in order, from the first cache and the second.
enum { strip_rows = 12, near = 16 };

typedef __m512 vector;
typedef __mmask16 mask;

#define WIDE __attribute__((target("avx512f")))
#define ZERO _mm512_setzero_ps()
#define SPREAD(x) _mm512_set1_ps(x)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY(a, b) _mm512_mul_ps(a, b)

INLINED WIDE mask mask_of(int64_t count) {
    return count >= lanes ? 0xffff : count <= 0 ? 0 : (mask)((1u << count) - 1);
}
INLINED WIDE vector load_some(const float *from, mask present) { return _mm512_maskz_loadu_ps(present, from); }
INLINED WIDE void store_some(float *to, mask present, vector x) { _mm512_mask_storeu_ps(to, present, x); }

#include "panels_tile.h"

WIDE_INLINED void add_products(
    vector sums[][2], const int rows, const int has_adjacent_rows, const vit_tile_source *from) {
    const int64_t row_stride = has_adjacent_rows ? 1 : from->row_stride;
    const int64_t column_stride = has_adjacent_rows ? from->column_stride : 1;
    const int64_t panel_row_stride = from->panel_row_stride, later_stride = from->later_stride, inner = from->inner;
    const float *a = from->a, *panel = from->panel, *later = from->later;
    for (int64_t i = 0; i < inner; i++) {
        const vector left = _mm512_loadu_ps(panel), right = _mm512_loadu_ps(panel + lanes);
        __builtin_prefetch(panel + near * panel_row_stride);
        __builtin_prefetch(panel + near * panel_row_stride + lanes);
        __builtin_prefetch(later, 0, 2);
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            const vector x = SPREAD(a[row * row_stride]);
            sums[row][0] = _mm512_fmadd_ps(x, left, sums[row][0]);
            sums[row][1] = _mm512_fmadd_ps(x, right, sums[row][1]);
        }
        a += column_stride;
        panel += panel_row_stride;
        later += later_stride;
    }
}

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
    .later_period = 1,
    .columns_worth_copying = INT64_MAX,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12},
              {adjacent_1, adjacent_2, adjacent_3, adjacent_4, adjacent_5, adjacent_6, adjacent_7, adjacent_8, adjacent_9,
               adjacent_10, adjacent_11, adjacent_12}},
    .copy_columns = copy_columns,
    .copy_strip = copy_strip,
};

#endif
