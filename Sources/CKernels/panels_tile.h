// The tile of a product for one width of vectors. What includes it says before: `lanes` and `strip_rows`; `near`, how many rows
// of the panel ahead are asked for, or 0, and `later_period` and `later_locality` of the next; the types `vector` and `mask`;
// WIDE, the attribute of its functions; the functions mask_of, load_some and store_some; LOAD, ADD, MULTIPLY, MULTIPLY_ADD,
// ZERO and SPREAD; and KEEP, the constraint of a vector for the assembler.
#include "clones.h"
#include "panels_kernel.h"

#define WIDE_INLINED INLINED WIDE

// For each vector of a tile.
#define EACH                                        \
    _Pragma("clang loop unroll(full)")              \
    for (int row = 0; row < rows; row++)            \
        _Pragma("clang loop unroll(full)")          \
        for (int half = 0; half < 2; half++)

// Inner numbers at a time, and rows of A at a time that are reached from one address.
enum { steps = 4, trio = 3 };

// Hides how an address came about: the compiler would keep its sums with all strides in registers, of which there are too
// few, where the instructions that read add a stride and a constant by themselves.
#define HIDE(address) __asm__ volatile("" : "+r"(address))

// What a row of the panel adds, the `step`th after the addresses; `starts` are those of every third row of the strip.
WIDE_INLINED void add_step(
    vector sums[][2], const int rows, const float *const starts[], int64_t row_stride, int64_t column_stride, const float *panel,
    int64_t panel_row_stride, const int step) {
    const vector left = LOAD(panel + step * panel_row_stride), right = LOAD(panel + step * panel_row_stride + lanes);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        const vector x = SPREAD(*(starts[row / trio] + row % trio * row_stride + step * column_stride));
        sums[row][0] = MULTIPLY_ADD(x, left, sums[row][0]);
        sums[row][1] = MULTIPLY_ADD(x, right, sums[row][1]);
        // Keeps the compiler from reading numbers of A ahead, for which there are no registers.
        __asm__ volatile("" : KEEP(sums[row][0]), KEEP(sums[row][1])::"memory");
    }
}

WIDE_INLINED void add_products(
    vector sums[][2], const int rows, const int has_adjacent_rows, const vit_tile_source *from) {
    const int64_t row_stride = has_adjacent_rows ? 1 : from->row_stride;
    const int64_t column_stride = has_adjacent_rows ? from->column_stride : 1;
    const int64_t panel_row_stride = from->panel_row_stride, later_stride = from->later_stride;
    const int64_t whole = from->inner / steps * steps;
    const float *starts[strip_rows / trio], *panel = from->panel, *later = from->later;
    for (int i = 0; i * trio < rows; i++) starts[i] = from->a + i * trio * row_stride;
    for (int64_t i = 0; i < whole; i += steps) {
        HIDE(panel);
        HIDE(starts[0]);
#pragma clang loop unroll(full)
        for (int j = 1; j * trio < rows; j++) {
            if (has_adjacent_rows) starts[j] = starts[0] + j * trio;
            else HIDE(starts[j]);
        }
        const float *ahead = panel + near * panel_row_stride;
        if (near > 0) HIDE(ahead);
#pragma clang loop unroll(full)
        for (int step = 0; step < steps; step++) {
            if (near > 0)
                for (int half = 0; half < 2; half++) __builtin_prefetch(ahead + step * panel_row_stride + half * lanes);
            if (step % later_period == 0) {
                __builtin_prefetch(later, 0, later_locality);
                later += later_stride;
            }
            add_step(sums, rows, starts, row_stride, column_stride, panel, panel_row_stride, step);
        }
        for (int j = 0; j * trio < rows; j++) starts[j] += steps * column_stride;
        panel += steps * panel_row_stride;
    }
    for (int64_t i = whole; i < from->inner; i++) {
        add_step(sums, rows, starts, row_stride, column_stride, panel, panel_row_stride, 0);
        for (int j = 0; j * trio < rows; j++) starts[j] += column_stride;
        panel += panel_row_stride;
    }
}

// Asks for what is read of as many rows once the sums are complete.
WIDE_INLINED void prefetch(const int rows, const float *x, int64_t stride) {
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < 2 * lanes; column += vit_floats_of_line)
            __builtin_prefetch(x + row * stride + column);
}

// Adds what follows the product, an operand at a time, and writes the tile; only the last panel may be cut off.
WIDE_INLINED void finish(
    vector sums[][2], const int rows, const int is_whole, const vit_tile_target *to) {
    const vit_panel_product *product = to->product;
    const float *residual = to->residual;
    float *c = to->c;
    const int64_t c_stride = product->c_row_stride, residual_stride = product->residual_row_stride;
    const int64_t count = product->columns - to->column;
    const mask masks[2] = {mask_of(is_whole ? lanes : count), mask_of(is_whole ? lanes : count - lanes)};
    if (product->scale != 1)
        EACH sums[row][half] = MULTIPLY(sums[row][half], SPREAD(product->scale));
    if (to->adds)
        EACH sums[row][half] =
            ADD(load_some(c + row * c_stride + half * lanes, masks[half]), sums[row][half]);
    if (to->ends && product->bias)
        EACH sums[row][half] = ADD(sums[row][half], load_some(product->bias + to->column + half * lanes, masks[half]));
    if (to->ends && product->column_scale)
        EACH sums[row][half] =
            MULTIPLY(sums[row][half], load_some(product->column_scale + to->column + half * lanes, masks[half]));
    if (residual)
        EACH sums[row][half] = ADD(
            sums[row][half], load_some(residual + row * residual_stride + half * lanes, masks[half]));
    EACH store_some(c + row * c_stride + half * lanes, masks[half], sums[row][half]);
}

WIDE_INLINED void tile(
    const int rows, const int has_adjacent_rows, const vit_tile_source *from, const vit_tile_target *to) {
    const vit_panel_product *product = to->product;
    vector sums[strip_rows][2];
    EACH sums[row][half] = ZERO;
    if (to->adds) prefetch(rows, to->c, product->c_row_stride);
    if (to->residual) prefetch(rows, to->residual, product->residual_row_stride);
    add_products(sums, rows, has_adjacent_rows, from);
    if (product->columns - to->column >= 2 * lanes) finish(sums, rows, 1, to);
    else finish(sums, rows, 0, to);
}

// What they take goes by address: a copy in vectors would read what was just written in words, and wait for the last tile
// to reach memory.
#define TILES(ROWS)                                                                     \
    static WIDE void tile_##ROWS(const vit_tile_source *from, const vit_tile_target *to) { \
        tile(ROWS, 0, from, to);                                                        \
    }                                                                                   \
    static WIDE void adjacent_##ROWS(const vit_tile_source *from, const vit_tile_target *to) { tile(ROWS, 1, from, to); }
