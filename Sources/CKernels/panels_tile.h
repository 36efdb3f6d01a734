// The tile of a product for one width of vectors. What includes it says before: `lanes` and `strip_rows`; the types
// `vector` and `mask`; WIDE, the attribute of its functions; the functions mask_of, load_some and store_some; and ADD,
// MULTIPLY, ZERO and SPREAD. It defines add_products afterwards.
#include "clones.h"
#include "panels_kernel.h"

#define WIDE_INLINED INLINED WIDE

// For each vector of a tile.
#define EACH                                        \
    _Pragma("clang loop unroll(full)")              \
    for (int row = 0; row < rows; row++)            \
        _Pragma("clang loop unroll(full)")          \
        for (int half = 0; half < 2; half++)

WIDE_INLINED void add_products(
    vector sums[][2], const int rows, const int has_adjacent_rows, const vit_tile_source *from);

// Adds what follows the product, an operand at a time, and writes the tile; only the last panel may be cut off.
WIDE_INLINED void finish(
    vector sums[][2], const int rows, const int is_whole, const vit_tile_target *to, float *c, const float *residual) {
    const vit_panel_product *product = to->product;
    const int64_t count = product->columns - to->column;
    const mask masks[2] = {mask_of(is_whole ? lanes : count), mask_of(is_whole ? lanes : count - lanes)};
    if (product->scale != 1)
        EACH sums[row][half] = MULTIPLY(sums[row][half], SPREAD(product->scale));
    if (!to->begins || product->accumulates)
        EACH sums[row][half] =
            ADD(load_some(c + row * product->c_row_stride + half * lanes, masks[half]), sums[row][half]);
    if (to->ends && product->bias)
        EACH sums[row][half] = ADD(sums[row][half], load_some(product->bias + to->column + half * lanes, masks[half]));
    if (to->ends && product->column_scale)
        EACH sums[row][half] =
            MULTIPLY(sums[row][half], load_some(product->column_scale + to->column + half * lanes, masks[half]));
    if (residual)
        EACH sums[row][half] = ADD(
            sums[row][half], load_some(residual + row * product->residual_row_stride + half * lanes, masks[half]));
    EACH store_some(c + row * product->c_row_stride + half * lanes, masks[half], sums[row][half]);
}

WIDE_INLINED void tile(
    const int rows, const int has_adjacent_rows, const vit_tile_source *from, const vit_tile_target *to) {
    const vit_panel_product *product = to->product;
    vector sums[strip_rows][2];
    float *c = product->c + to->row * product->c_row_stride + to->column;
    const float *residual =
        to->ends && product->residual ? product->residual + to->row * product->residual_row_stride + to->column : NULL;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < 2 * lanes; column += vit_floats_of_line) {
            __builtin_prefetch(c + row * product->c_row_stride + column);
            if (residual) __builtin_prefetch(residual + row * product->residual_row_stride + column);
        }
        sums[row][0] = sums[row][1] = ZERO;
    }
    add_products(sums, rows, has_adjacent_rows, from);
    if (product->columns - to->column >= 2 * lanes) finish(sums, rows, 1, to, c, residual);
    else finish(sums, rows, 0, to, c, residual);
}

// What they take goes by address: a copy in vectors would read what was just written in words, and wait for the last tile
// to reach memory.
#define TILES(ROWS)                                                                     \
    static WIDE void tile_##ROWS(const vit_tile_source *from, const vit_tile_target *to) { \
        tile(ROWS, 0, from, to);                                                        \
    }                                                                                   \
    static WIDE void adjacent_##ROWS(const vit_tile_source *from, const vit_tile_target *to) { tile(ROWS, 1, from, to); }
