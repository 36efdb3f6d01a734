#include "panels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "vectors.h"

// A tile of C stays in registers: twelve rows of two vectors, which leaves eight for a row of the panel and a number
// of A. Its strip of A and its panel are read in order, from the first cache and the second.
enum { strip_rows = vit_strip_rows, longest_inner = 1024, longest_across = 256, near = 16 };

#define WIDE __attribute__((target("avx512f")))
#define WIDE_INLINED INLINED WIDE

// What a tile reads: its strip of A, the part of a panel, and the memory that the next panels need soon.
typedef struct {
    const float *a;
    int64_t row_stride, column_stride;
    const float *panel, *later;
    int64_t panel_row_stride, later_stride;
    int64_t inner;
} tile_source;

// Where its sums go. What follows the product follows its last part alone.
typedef struct {
    const vit_panel_product *product;
    int64_t row, column;
    int32_t begins, ends;
} tile_target;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

WIDE_INLINED void add_products(__m512 sums[][2], const int rows, const int has_adjacent_rows, const tile_source *from) {
    const int64_t row_stride = has_adjacent_rows ? 1 : from->row_stride;
    const int64_t column_stride = has_adjacent_rows ? from->column_stride : 1;
    const int64_t panel_row_stride = from->panel_row_stride, later_stride = from->later_stride, inner = from->inner;
    const float *a = from->a, *panel = from->panel, *later = from->later;
    for (int64_t i = 0; i < inner; i++) {
        const __m512 left = _mm512_loadu_ps(panel), right = _mm512_loadu_ps(panel + lanes);
        _mm_prefetch((const char *)(panel + near * panel_row_stride), _MM_HINT_T0);
        _mm_prefetch((const char *)(panel + near * panel_row_stride + lanes), _MM_HINT_T0);
        _mm_prefetch((const char *)later, _MM_HINT_T1);
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            const __m512 x = _mm512_set1_ps(a[row * row_stride]);
            sums[row][0] = _mm512_fmadd_ps(x, left, sums[row][0]);
            sums[row][1] = _mm512_fmadd_ps(x, right, sums[row][1]);
        }
        a += column_stride;
        panel += panel_row_stride;
        later += later_stride;
    }
}

WIDE_INLINED __m512 finish(__m512 sum, const vit_panel_product *product, int64_t row, int64_t column, __mmask16 present) {
    if (product->bias) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(present, product->bias + column));
    if (product->column_scale) sum = _mm512_mul_ps(sum, _mm512_maskz_loadu_ps(present, product->column_scale + column));
    if (product->residual) {
        const float *residual = product->residual + row * product->residual_row_stride + column;
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(present, residual));
    }
    return sum;
}

WIDE_INLINED void tile(const int rows, const int has_adjacent_rows, const tile_source *from, const tile_target *to) {
    const vit_panel_product *product = to->product;
    const int64_t count = product->columns - to->column;
    const __mmask16 masks[2] = {
        count >= lanes ? 0xffff : (__mmask16)((1u << count) - 1),
        count >= 2 * lanes ? 0xffff : count <= lanes ? 0 : (__mmask16)((1u << (count - lanes)) - 1)};
    __m512 sums[strip_rows][2];
    float *c = product->c + to->row * product->c_row_stride + to->column;
    const float *residual =
        to->ends && product->residual ? product->residual + to->row * product->residual_row_stride + to->column : NULL;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        _mm_prefetch((const char *)(c + row * product->c_row_stride), _MM_HINT_T0);
        _mm_prefetch((const char *)(c + row * product->c_row_stride + lanes), _MM_HINT_T0);
        if (residual) {
            _mm_prefetch((const char *)(residual + row * product->residual_row_stride), _MM_HINT_T0);
            _mm_prefetch((const char *)(residual + row * product->residual_row_stride + lanes), _MM_HINT_T0);
        }
        sums[row][0] = sums[row][1] = _mm512_setzero_ps();
    }
    add_products(sums, rows, has_adjacent_rows, from);
    const int adds = !to->begins || product->accumulates;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
        for (int half = 0; half < 2; half++) {
            float *target = c + row * product->c_row_stride + half * lanes;
            __m512 sum = sums[row][half];
            if (product->scale != 1) sum = _mm512_mul_ps(sum, _mm512_set1_ps(product->scale));
            if (adds) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(masks[half], target), sum);
            if (to->ends) sum = finish(sum, product, to->row + row, to->column + half * lanes, masks[half]);
            _mm512_mask_storeu_ps(target, masks[half], sum);
        }
}

typedef void (*tile_function)(const tile_source *, const tile_target *);

// A function for each number of rows, for A as it is and for A with the rows of a strip next to each other. What they take
// goes by address: a copy in vectors would read what was just written in words, and wait for the last tile to reach memory.
#define TILES(ROWS)                                                                                        \
    static WIDE void tile_##ROWS(const tile_source *from, const tile_target *to) { tile(ROWS, 0, from, to); } \
    static WIDE void adjacent_##ROWS(const tile_source *from, const tile_target *to) { tile(ROWS, 1, from, to); }
TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12)

static const tile_function tiles[2][strip_rows] = {
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12},
    {adjacent_1, adjacent_2, adjacent_3, adjacent_4, adjacent_5, adjacent_6, adjacent_7, adjacent_8, adjacent_9,
     adjacent_10, adjacent_11, adjacent_12}};

// Copies A so that the rows of each strip are next to each other: y[i * rows + row], one strip after the other.
WIDE static void copy_columns(const vit_panel_product *product, int64_t first, int64_t inner, float *y) {
    for (int64_t i = 0; i < inner; i++) {
        const float *a = product->a + (first + i) * product->a_column_stride;
        for (int64_t row = 0; row < product->rows; row += strip_rows) {
            const int64_t rows = smaller(strip_rows, product->rows - row);
            const __mmask16 present = (__mmask16)((1u << rows) - 1);
            _mm512_mask_storeu_ps(y + row * inner + i * rows, present, _mm512_maskz_loadu_ps(present, a + row));
        }
    }
}

WIDE static void copy_strip(const float *a, int64_t stride, int64_t rows, int64_t inner, float *y) {
    const __mmask16 present = (__mmask16)((1u << rows) - 1);
    for (int64_t i = 0; i < inner; i += lanes) {
        const int64_t count = smaller(lanes, inner - i);
        const __mmask16 counted = (__mmask16)((1u << count) - 1);
        line square[lanes];
        for (int j = 0; j < lanes; j++)
            square[j] = j < rows ? _mm512_maskz_loadu_ps(counted, a + j * stride + i) : _mm512_setzero_ps();
        turn_square(square);
        for (int64_t j = 0; j < count; j++) _mm512_mask_storeu_ps(y + (i + j) * rows, present, square[j]);
    }
}

static void copy_left(const vit_panel_product *product, int64_t first, int64_t inner, float *y) {
    if (product->a_row_stride == 1) return copy_columns(product, first, inner, y);
    for (int64_t row = 0; row < product->rows; row += strip_rows)
        copy_strip(
            product->a + row * product->a_row_stride + first, product->a_row_stride,
            smaller(strip_rows, product->rows - row), inner, y + row * inner);
}

// Parts of the inner length, of nearly one size, whose panels and strips fit the second cache; shorter ones where A is
// read across memory.
static int64_t part_size(int64_t inner, int is_across) {
    const int64_t longest = is_across ? longest_across : longest_inner;
    const int64_t parts = (inner + longest - 1) / longest;
    return parts < 2 ? inner : (inner + parts * lanes - 1) / (parts * lanes) * lanes;
}

// Neighbours in A that lie so that they drive each other out of the caches are copied.
static int is_copied(const vit_panel_product *product) {
    const int64_t stride = product->a_row_stride == 1 ? product->a_column_stride : product->a_row_stride;
    return stride % vit_conflicting_stride == 0;
}

int64_t vit_panel_room(int64_t rows, int64_t inner) { return rows * part_size(inner, 0) + lanes; }

int vit_has_panel_products(void) { return __builtin_cpu_supports("avx512f") != 0; }

static void multiply_part(const vit_panel_product *product, int64_t first, int64_t inner, float *room) {
    const int copies = is_copied(product);
    if (copies) copy_left(product, first, inner, room);
    for (int64_t column = 0; column < product->columns; column += vit_panel_width) {
        const float *panel =
            product->panels + column / vit_panel_width * product->panel_stride + first * product->panel_row_stride;
        const int is_last = column + vit_panel_width >= product->columns;
        const int is_packed = product->panel_row_stride == vit_panel_width;
        for (int64_t row = 0; row < product->rows; row += strip_rows) {
            const int64_t rows = smaller(strip_rows, product->rows - row);
            tile_source from = {product->a + row * product->a_row_stride + first * product->a_column_stride,
                                product->a_row_stride, product->a_column_stride, panel, panel,
                                product->panel_row_stride, 0, inner};
            if (copies) {
                from.a = room + row * inner;
                from.row_stride = 1;
                from.column_stride = rows;
            }
            // The first two strips bring the next panel, half of it each, to the second cache.
            if (!is_last && row < 2 * strip_rows) {
                from.later = panel + product->panel_stride + row / strip_rows * lanes * (is_packed ? inner : 1);
                from.later_stride = is_packed ? lanes : product->panel_row_stride;
            }
            const tile_target to = {product, row, column, first == 0, first + inner == product->inner};
            tiles[from.row_stride == 1][rows - 1](&from, &to);
        }
    }
}

void vit_multiply_panels(const vit_panel_product *product, float *room) {
    const int64_t size = part_size(product->inner, product->a_row_stride == 1);
    for (int64_t first = 0; first < product->inner; first += size)
        multiply_part(product, first, smaller(size, product->inner - first), room);
}

#else

int vit_has_panel_products(void) { return 0; }
int64_t vit_panel_room(int64_t rows, int64_t inner) { return rows * inner; }
void vit_multiply_panels(const vit_panel_product *product, float *room) { (void)product, (void)room; }

#endif
