// Matrices copied into other layouts.
#ifndef VIT_PACK_H
#define VIT_PACK_H

#include <stddef.h>
#include <stdint.h>

// y[c][r] = x[r][c] for a matrix of `rows` x `columns`; the strides are distances in floats between rows.
void vit_transpose(const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride);

// The rows of a packed block come in tiles of so many; what the last tile has too much is zero.
enum { vit_packed_tile_rows = 16 };

// Copies columns `block` * width and following of B (inner x columns) to their place in `packed`, where blocks of `width`
// columns, a multiple of 16, lie one after the other, each row by row; columns that the last block has too much are zero.
// One of the two strides is 1.
void vit_pack_block(
    const float *b, int64_t row_stride, int64_t column_stride, int64_t inner, int64_t columns, int64_t width,
    int64_t block, float *packed);

#endif
