#include "pack.h"

#include <string.h>

#include "clones.h"
#include "vectors.h"

// How far ahead memory is asked for: for the second cache where many rows are read side by side.
enum { rows_ahead = 16, columns_ahead = 128 };

INLINED void transpose_tile(
    const float *x, size_t x_stride, float *y, size_t y_stride) {
    line square[lanes];
    for (int i = 0; i < lanes; i++) load(&square[i], x + (size_t)i * x_stride);
    turn_square(square);
    for (int i = 0; i < lanes; i++) store(y + (size_t)i * y_stride, &square[i]);
}

INLINED void transpose(
    const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride) {
    const size_t whole_rows = rows / lanes * lanes, whole_columns = columns / lanes * lanes;
    for (size_t row = 0; row < whole_rows; row += lanes)
        for (size_t column = 0; column < whole_columns; column += lanes)
            transpose_tile(x + row * x_stride + column, x_stride, y + column * y_stride + row, y_stride);
    for (size_t row = 0; row < rows; row++)
        for (size_t column = row < whole_rows ? whole_columns : 0; column < columns; column++)
            y[column * y_stride + row] = x[row * x_stride + column];
}

CLONED void vit_transpose(
    const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride) {
    transpose(x, rows, columns, x_stride, y, y_stride);
}

CLONED void vit_pack_block(
    const float *b, int64_t row_stride, int64_t column_stride, int64_t inner, int64_t columns, int64_t width,
    int64_t block, float *packed) {
    const int64_t tile_rows = vit_packed_tile_rows;
    const int64_t padded = (inner + tile_rows - 1) / tile_rows * tile_rows;
    const int64_t first = block * width;
    const int64_t present = columns - first < width ? columns - first : width;
    float *target = packed + block * padded * width;
    if (present < width) memset(target, 0, sizeof(float) * (size_t)(padded * width));
    else memset(target + inner * width, 0, sizeof(float) * (size_t)((padded - inner) * width));
    if (column_stride == 1) {
        const int64_t whole = present / lanes * lanes;
        for (int64_t row = 0; row < inner; row++) {
            const float *from = b + row * row_stride + first;
            float *to = target + row * width;
            for (int64_t column = 0; column < whole; column += lanes)
                __builtin_prefetch(from + rows_ahead * row_stride + column);
            for (int64_t column = 0; column < whole; column += lanes) memcpy(to + column, from + column, sizeof(line));
            for (int64_t column = whole; column < present; column++) to[column] = from[column];
        }
        return;
    }
    // A tile of rows at a time, which stays in the first cache while all of its columns are written.
    for (int64_t row = 0; row < inner; row += tile_rows) {
        for (int64_t column = 0; column < present; column++)
            __builtin_prefetch(b + (first + column) * column_stride + row + columns_ahead, 0, 2);
        const int64_t count = inner - row < tile_rows ? inner - row : tile_rows;
        transpose(
            b + first * column_stride + row, (size_t)present, (size_t)count, (size_t)column_stride,
            target + row * width, (size_t)width);
    }
}
