// Matrices copied into other layouts.
#ifndef VIT_PACK_H
#define VIT_PACK_H

#include <stddef.h>
#include <stdint.h>

// y[c][r] = x[r][c] for a matrix of `rows` x `columns`; the strides are distances in floats between rows.
void vit_transpose(const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride);

// The rows of a packed block come in tiles of so many; what the last tile has too much is zero.
enum { vit_packed_tile_rows = 16 };

// A matrix B (inner x columns) that is to be packed into blocks of `width` columns, a multiple of 16, which lie one after the
// other, each row by row. One of its strides, in floats, is 1.
typedef struct {
    const float *b;
    int64_t row_stride, column_stride, inner, columns, width;
} vit_packing;

// Copies `count` blocks, from the one numbered `first` on, to their places in `packed`; columns that the last block has too
// much are zero.
void vit_pack_blocks(const vit_packing *packing, int64_t first, int64_t count, float *packed);

#endif
