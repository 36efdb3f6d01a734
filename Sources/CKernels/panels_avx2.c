#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "clones.h"

// A tile of C stays in registers: six rows of two vectors, which leaves four for a row of the panel and a number of A. Its
// panel stays in the first cache while the strips of A are read from the second.
enum { lanes = 8, strip_rows = 6, near = 0, later_period = 4, later_locality = 3 };

typedef __m256 vector;
typedef struct {
    int is_whole;
    __m256i present;
} mask;

#define WIDE __attribute__((target("avx2,fma")))
#define ZERO _mm256_setzero_ps()
#define SPREAD(x) _mm256_set1_ps(x)
#define LOAD(from) _mm256_loadu_ps(from)
#define ADD(a, b) _mm256_add_ps(a, b)
#define MULTIPLY(a, b) _mm256_mul_ps(a, b)
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#define KEEP(x) "+x"(x)

INLINED WIDE mask mask_of(int64_t count) {
    const int some = count >= lanes ? lanes : count <= 0 ? 0 : (int)count;
    const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (mask){some == lanes, _mm256_cmpgt_epi32(_mm256_set1_epi32(some), numbers)};
}
// Storing by a mask takes tens of cycles on some processors.
INLINED WIDE vector load_some(const float *from, mask mask) {
    return mask.is_whole ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask.present);
}
INLINED WIDE void store_some(float *to, mask mask, vector x) {
    if (mask.is_whole) _mm256_storeu_ps(to, x);
    else _mm256_maskstore_ps(to, mask.present, x);
}

#include "panels_tile.h"

TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)

static void copy_columns(const vit_panel_product *product, int64_t first, int64_t inner, float *y) {
    for (int64_t i = 0; i < inner; i++) {
        const float *a = product->a + (first + i) * product->a_column_stride;
        const int64_t whole = product->rows / strip_rows * strip_rows, rest = product->rows - whole;
        for (int64_t row = 0; row < whole; row += strip_rows)
            memcpy(y + row * inner + i * strip_rows, a + row, strip_rows * sizeof(float));
        for (int64_t row = 0; row < rest; row++) y[whole * inner + i * rest + row] = a[whole + row];
    }
}

WIDE_INLINED void turn_square(vector rows[lanes]) {
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

// Whole vectors are written: what they have too much is overwritten by the next, or lies in the room's reserve.
WIDE static void copy_strip(const float *a, int64_t stride, int64_t rows, int64_t inner, float *y) {
    for (int64_t i = 0; i < inner; i += lanes) {
        const int64_t count = inner - i < lanes ? inner - i : lanes;
        vector square[lanes];
        for (int j = 0; j < lanes; j++) square[j] = j < rows ? load_some(a + j * stride + i, mask_of(count)) : ZERO;
        turn_square(square);
        for (int64_t j = 0; j < count; j++) _mm256_storeu_ps(y + (i + j) * rows, square[j]);
    }
}

const vit_panel_kernel vit_panels_of_avx2 = {
    .panel_width = 2 * lanes,
    .strip_rows = strip_rows,
    .longest_inner = 768,
    .longest_across = 256,
    .later_period = later_period,
    .columns_worth_copying = 192,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6},
              {adjacent_1, adjacent_2, adjacent_3, adjacent_4, adjacent_5, adjacent_6}},
    .copy_columns = copy_columns,
    .copy_strip = copy_strip,
};

#endif
