// The micro-kernel for one instruction set. The including file defines before: `lanes` of a vector, `mr`, `vectors` of a tile's
// row; `reads_b_again`, whether B is loaded anew for each row rather than kept in registers; `rows_ahead`, how many rows of B
// ahead are prefetched, or 0; `prefetch_period` and `prefetch_locality` of the next micro-panel; the types `vector` and `mask`;
// TARGET, the attribute of its functions; the functions mask_of, load_some and store_some; LOAD, ADD, MULTIPLY, MULTIPLY_ADD,
// ZERO and BROADCAST; and KEEP, the operand of inline assembly that names a vector in a register. `parts` is the number of rows
// of k that a row of B holds and A has columns for: 2 where pairs of bfloat16 are widened. Sums of int8 define A_OFFSET, what is
// added to the numbers of A.
#include <string.h>

#include "../clones.h"
#include "gemm_kernel.h"

#define TARGET_INLINED INLINED TARGET

// Part `i` of a row of B, as floats.
TARGET_INLINED vector part_of(vector row, const int i) {
    if (parts == 1) return row;
    return (vector)(i == 0 ? (word_vector)row << 16 : (word_vector)row & (int32_t)0xffff0000);
}

enum { nr = vectors * lanes };

// For each vector of a tile.
#define EACH                                    \
    UNROLLED                                    \
    for (int row = 0; row < rows; row++)        \
        UNROLLED                                \
        for (int i = 0; i < vectors; i++)

// Steps of k at a time, and rows of A that are reached from one address.
enum { steps = 4, rows_per_address = 3, addresses = (mr + rows_per_address - 1) / rows_per_address };

// Hides how an address came about: the compiler would keep its sums with all strides in registers, of which there are too
// few, where loads add a stride and a constant by themselves.
#define HIDE(address) __asm__ volatile("" : "+r"(address))

// Adds the products of one row of B, `step` after the addresses, its last part first; `a` are those of every third row of A.
TARGET_INLINED void add_step(
    vector sums[][vectors], const int rows, const float *const a[], int64_t a_row_stride, int64_t a_column_stride,
    const float *b, int64_t b_row_stride, const int step) {
    const float *b_row = b + step * b_row_stride;
    UNROLLED
    for (int part = parts - 1; part >= 0; part--) {
        const int64_t column = (step * parts + part) * a_column_stride;
        vector y[vectors];
        UNROLLED
        for (int i = 0; i < vectors; i++) y[i] = part_of(LOAD(b_row + i * lanes), part);
        UNROLLED
        for (int row = 0; row < rows; row++) {
            const vector x = BROADCAST(*(a[row / rows_per_address] + row % rows_per_address * a_row_stride + column));
            UNROLLED
            for (int i = 0; i < vectors; i++) {
                const vector again = reads_b_again ? part_of(LOAD(b_row + i * lanes), part) : y[i];
                sums[row][i] = MULTIPLY_ADD(x, again, sums[row][i]);
            }
            // Keeps the compiler from loading numbers of A ahead, for which there are no registers.
            UNROLLED
            for (int i = 0; i < vectors; i += 2)
                __asm__ volatile("" : KEEP(sums[row][i]), KEEP(sums[row][i + 1])::"memory");
        }
    }
}

TARGET_INLINED void add_products(
    vector sums[][vectors], const int rows, const int has_contiguous_columns, const vit_tile_source *from) {
    const int64_t a_row_stride = has_contiguous_columns ? 1 : from->a_row_stride;
    const int64_t a_column_stride = has_contiguous_columns ? from->a_column_stride : 1;
    const int64_t b_row_stride = from->b_row_stride, prefetch_stride = from->prefetch_stride;
    const int64_t whole = from->k / steps * steps;
    const float *a[addresses], *b = from->b, *prefetch = from->prefetch;
    for (int j = 0; j * rows_per_address < rows; j++) a[j] = from->a + j * rows_per_address * a_row_stride;
    for (int64_t k = 0; k < whole; k += steps) {
        HIDE(b);
        HIDE(a[0]);
        UNROLLED
        for (int j = 1; j * rows_per_address < rows; j++) {
            if (has_contiguous_columns) a[j] = a[0] + j * rows_per_address;
            else HIDE(a[j]);
        }
        const float *ahead = b + rows_ahead * b_row_stride;
        if (rows_ahead > 0) HIDE(ahead);
        UNROLLED
        for (int step = 0; step < steps; step++) {
            if (rows_ahead > 0)
                for (int i = 0; i < nr; i += vit_floats_per_line) __builtin_prefetch(ahead + step * b_row_stride + i);
            if (step % prefetch_period == 0) {
                __builtin_prefetch(prefetch, 0, prefetch_locality);
                prefetch += prefetch_stride;
            }
            add_step(sums, rows, a, a_row_stride, a_column_stride, b, b_row_stride, step);
        }
        for (int j = 0; j * rows_per_address < rows; j++) a[j] += steps * parts * a_column_stride;
        b += steps * b_row_stride;
    }
    for (int64_t k = whole; k < from->k; k++) {
        add_step(sums, rows, a, a_row_stride, a_column_stride, b, b_row_stride, 0);
        for (int j = 0; j * rows_per_address < rows; j++) a[j] += parts * a_column_stride;
        b += b_row_stride;
    }
}

// Prefetches what is read once the sums are complete.
TARGET_INLINED void prefetch_rows(const int rows, const float *x, int64_t stride) {
    UNROLLED
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < nr; column += vit_floats_per_line) __builtin_prefetch(x + row * stride + column);
}

#if defined(A_OFFSET)
// Whole numbers become floats, less what the offset of A added to them.
TARGET_INLINED vector to_floats(vector sums, vector b_sums, vector a_scale, vector b_scales) {
    const word_vector exact = (word_vector)sums - (word_vector)b_sums * A_OFFSET;
    return __builtin_convertvector(exact, vector) * a_scale * b_scales;
}
#endif

// Applies what follows the product, an operand at a time, and stores the tile; only the last micro-panel may lack columns.
TARGET_INLINED void store_tile(
    vector sums[][vectors], const int rows, const int is_whole, const vit_tile_target *to) {
    const vit_gemm_operands *operands = to->operands;
    const float *residual = to->residual;
    float *c = to->c;
    const int64_t c_stride = operands->c_row_stride, residual_stride = operands->residual_row_stride;
    const int64_t count = operands->n - to->column;
    mask masks[vectors];
    UNROLLED
    for (int i = 0; i < vectors; i++) masks[i] = mask_of(is_whole ? lanes : count - i * lanes);
#if defined(A_OFFSET)
    EACH sums[row][i] = to_floats(
        sums[row][i], load_some((const float *)operands->b_sum + to->column + i * lanes, masks[i]),
        BROADCAST(to->a_scale[row]), load_some(operands->b_scale + to->column + i * lanes, masks[i]));
#endif
    if (operands->alpha != 1)
        EACH sums[row][i] = MULTIPLY(sums[row][i], BROADCAST(operands->alpha));
    if (to->accumulates)
        EACH sums[row][i] = ADD(load_some(c + row * c_stride + i * lanes, masks[i]), sums[row][i]);
    if (to->is_last && operands->bias)
        EACH sums[row][i] = ADD(sums[row][i], load_some(operands->bias + to->column + i * lanes, masks[i]));
    if (to->is_last && operands->column_scale)
        EACH sums[row][i] =
            MULTIPLY(sums[row][i], load_some(operands->column_scale + to->column + i * lanes, masks[i]));
    if (residual)
        EACH sums[row][i] = ADD(sums[row][i], load_some(residual + row * residual_stride + i * lanes, masks[i]));
    EACH store_some(c + row * c_stride + i * lanes, masks[i], sums[row][i]);
}

TARGET_INLINED void tile(
    const int rows, const int has_contiguous_columns, const vit_tile_source *from, const vit_tile_target *to) {
    const vit_gemm_operands *operands = to->operands;
    vector sums[mr][vectors];
    EACH sums[row][i] = ZERO;
    if (to->accumulates) prefetch_rows(rows, to->c, operands->c_row_stride);
    if (to->residual) prefetch_rows(rows, to->residual, operands->residual_row_stride);
    add_products(sums, rows, has_contiguous_columns, from);
    if (operands->n - to->column >= nr) store_tile(sums, rows, 1, to);
    else store_tile(sums, rows, 0, to);
}

// Arguments go by address: a copy in vectors would read what was just written in words, and wait for the store.
#define TILE(ROWS)                                                                            \
    static TARGET void tile_##ROWS(const vit_tile_source *from, const vit_tile_target *to) {  \
        tile(ROWS, 0, from, to);                                                              \
    }
#define TILES(ROWS)                                                                                   \
    TILE(ROWS)                                                                                        \
    static TARGET void packed_tile_##ROWS(const vit_tile_source *from, const vit_tile_target *to) {   \
        tile(ROWS, 1, from, to);                                                                      \
    }

// All rows of an A whose columns are contiguous, mr at a time.
INLINED void pack_columns(const vit_gemm_operands *operands, int64_t first, int64_t k, float *y) {
    const int64_t whole = operands->m / mr * mr, rest = operands->m - whole;
    for (int64_t i = 0; i < k; i++) {
        const float *a = operands->a + (first + i) * operands->a_column_stride;
        for (int64_t row = 0; row < whole; row += mr) memcpy(y + row * k + i * mr, a + row, mr * sizeof(float));
        for (int64_t row = 0; row < rest; row++) y[whole * k + i * rest + row] = a[whole + row];
    }
}

// A kernel whose A is rounded: it needs no packing. TILES: functions for A by its rows, and for packed tiles of it.
#define ROUNDED_KERNEL(NAME, KC, NUMBERS_PER_WORD, A_ROUNDER, B_ROUNDER, A_PACKER, B_PACKER, ...) \
    const vit_gemm_kernel NAME = {                                                                \
        .mr = mr,                                                                                 \
        .nr = nr,                                                                                 \
        .kc = KC,                                                                                 \
        .kc_across = KC,                                                                          \
        .prefetch_period = prefetch_period,                                                       \
        .min_n_for_packing_a = INT64_MAX,                                                         \
        .tiles = {__VA_ARGS__},                                                                   \
        .numbers_per_word = NUMBERS_PER_WORD,                                                     \
        .parts = parts,                                                                           \
        .round_a = A_ROUNDER,                                                                     \
        .round_b = B_ROUNDER,                                                                     \
        .pack_rows_of_a = A_PACKER,                                                               \
        .pack_rows_of_b = B_PACKER,                                                               \
    };
