#include "pack.h"

#include <string.h>

#include "clones.h"
#include "vectors.h"

// How far ahead memory is asked for: for the second cache where many rows are read side by side.
enum { rows_ahead = 16, columns_ahead = 128 };

INLINED void transpose_tile(const float *x, size_t x_stride, float *y, size_t y_stride) {
    line square[lanes];
    for (int i = 0; i < lanes; i++) load(&square[i], x + (size_t)i * x_stride);
    turn_square(square);
    for (int i = 0; i < lanes; i++) store(y + (size_t)i * y_stride, &square[i]);
}

// The same for eight rows and columns, which fit the registers of processors with shorter vectors.
INLINED void transpose_small_tile(const float *x, size_t x_stride, float *y, size_t y_stride) {
    half_line square[half_lanes], dealt[half_lanes];
    for (int i = 0; i < half_lanes; i++) memcpy(&square[i], x + (size_t)i * x_stride, sizeof square[i]);
    deal_halves(square, dealt);
    deal_halves(dealt, square);
    deal_halves(square, dealt);
    for (int i = 0; i < half_lanes; i++) memcpy(y + (size_t)i * y_stride, &dealt[i], sizeof dealt[i]);
}

INLINED void transpose(
    const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride, const size_t side) {
    const size_t whole_rows = rows / side * side, whole_columns = columns / side * side;
    for (size_t row = 0; row < whole_rows; row += side)
        for (size_t column = 0; column < whole_columns; column += side) {
            const float *from = x + row * x_stride + column;
            float *to = y + column * y_stride + row;
            if (side == lanes) transpose_tile(from, x_stride, to, y_stride);
            else transpose_small_tile(from, x_stride, to, y_stride);
        }
    for (size_t row = 0; row < rows; row++)
        for (size_t column = row < whole_rows ? whole_columns : 0; column < columns; column++)
            y[column * y_stride + row] = x[row * x_stride + column];
}

CLONED void vit_transpose(
    const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride) {
    transpose(x, rows, columns, x_stride, y, y_stride, lanes);
}

// Rows that lie in order: all blocks of a row before the next one, since they are read from neighbouring places.
INLINED void copy_rows(const vit_packing *p, int64_t first, int64_t count, float *target, int64_t padded) {
    for (int64_t row = 0; row < p->inner; row++)
        for (int64_t block = 0; block < count; block++) {
            const int64_t start = (first + block) * p->width;
            const int64_t present = p->columns - start < p->width ? p->columns - start : p->width;
            const int64_t whole = present / lanes * lanes;
            const float *from = p->b + row * p->row_stride + start;
            float *to = target + (block * padded + row) * p->width;
            for (int64_t column = 0; column < whole; column += lanes) {
                __builtin_prefetch(from + rows_ahead * p->row_stride + column);
                memcpy(to + column, from + column, sizeof(line));
            }
            for (int64_t column = whole; column < present; column++) to[column] = from[column];
        }
}

// Columns that lie in order: a tile of rows at a time, which stays in the first cache while all of its columns are written.
INLINED void turn_columns(const vit_packing *p, int64_t first, int64_t present, float *target) {
    const int64_t tile_rows = vit_packed_tile_rows;
    for (int64_t row = 0; row < p->inner; row += tile_rows) {
        const float *from = p->b + first * p->column_stride + row;
        for (int64_t column = 0; column < present; column++)
            __builtin_prefetch(from + column * p->column_stride + columns_ahead, 0, 2);
        const size_t count = (size_t)(p->inner - row < tile_rows ? p->inner - row : tile_rows);
        const size_t stride = (size_t)p->column_stride, width = (size_t)p->width;
        if (p->width == lanes) transpose(from, (size_t)present, count, stride, target + row * p->width, width, half_lanes);
        else transpose(from, (size_t)present, count, stride, target + row * p->width, width, lanes);
    }
}

CLONED void vit_pack_blocks(const vit_packing *packing, int64_t first, int64_t count, float *packed) {
    const int64_t tile_rows = vit_packed_tile_rows, width = packing->width, inner = packing->inner;
    const int64_t padded = (inner + tile_rows - 1) / tile_rows * tile_rows;
    float *target = packed + first * padded * width;
    for (int64_t block = 0; block < count; block++) {
        const int64_t start = (first + block) * width, missing = start + width - packing->columns;
        float *to = target + block * padded * width;
        if (missing > 0) memset(to, 0, sizeof(float) * (size_t)(padded * width));
        else memset(to + inner * width, 0, sizeof(float) * (size_t)((padded - inner) * width));
        if (packing->column_stride != 1) turn_columns(packing, start, missing > 0 ? width - missing : width, to);
    }
    if (packing->column_stride == 1) copy_rows(packing, first, count, target, padded);
}
