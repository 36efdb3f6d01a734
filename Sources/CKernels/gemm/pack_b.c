#include <string.h>

#include "../vectors.h"
#include "gemm.h"

// How far ahead memory is prefetched; down columns into the second-level cache, since many are read side by side.
enum { rows_ahead = 16, floats_ahead = 128 };

INLINED void transpose_tile(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
    line square[lanes];
    for (int i = 0; i < lanes; i++) load(&square[i], x + i * x_stride);
    transpose_square(square);
    for (int i = 0; i < lanes; i++) store(y + i * y_stride, &square[i]);
}

// The same for eight rows and columns, which fit the registers of processors with shorter vectors.
INLINED void transpose_small_tile(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
    half_line square[half_lanes], other[half_lanes];
    for (int i = 0; i < half_lanes; i++) memcpy(&square[i], x + i * x_stride, sizeof square[i]);
    interleave_half_lines(square, other);
    interleave_half_lines(other, square);
    interleave_half_lines(square, other);
    for (int i = 0; i < half_lanes; i++) memcpy(y + i * y_stride, &other[i], sizeof other[i]);
}

// y (columns x rows) = transpose of x (rows x columns), in tiles of side x side.
INLINED void transpose(
    const float *x, int64_t rows, int64_t columns, int64_t x_stride, float *y, int64_t y_stride, const int64_t side) {
    const int64_t whole_rows = rows / side * side, whole_columns = columns / side * side;
    for (int64_t row = 0; row < whole_rows; row += side)
        for (int64_t column = 0; column < whole_columns; column += side) {
            const float *from = x + row * x_stride + column;
            float *to = y + column * y_stride + row;
            if (side == lanes) transpose_tile(from, x_stride, to, y_stride);
            else transpose_small_tile(from, x_stride, to, y_stride);
        }
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = row < whole_rows ? whole_columns : 0; column < columns; column++)
            y[column * y_stride + row] = x[row * x_stride + column];
}

// Contiguous rows: all micro-panels of a row before the next one, since they are read from neighbouring places.
INLINED void copy_rows(const vit_b_matrix *b, int64_t first, int64_t count, float *target) {
    for (int64_t row = 0; row < b->k; row++)
        for (int64_t panel = 0; panel < count; panel++) {
            const int64_t start = (first + panel) * b->nr;
            const int64_t present = b->n - start < b->nr ? b->n - start : b->nr;
            const int64_t whole = present / lanes * lanes;
            const float *from = b->b + row * b->row_stride + start;
            float *to = target + (panel * b->k + row) * b->nr;
            for (int64_t column = 0; column < whole; column += lanes) {
                __builtin_prefetch(from + rows_ahead * b->row_stride + column);
                memcpy(to + column, from + column, sizeof(line));
            }
            for (int64_t column = whole; column < present; column++) to[column] = from[column];
        }
}

// Contiguous columns: sixteen rows at a time, which stay in the first-level cache while all of their columns are written.
INLINED void transpose_columns(const vit_b_matrix *b, int64_t first, int64_t present, float *target) {
    for (int64_t row = 0; row < b->k; row += lanes) {
        const float *from = b->b + first * b->column_stride + row;
        for (int64_t column = 0; column < present; column++)
            __builtin_prefetch(from + column * b->column_stride + floats_ahead, 0, 2);
        const int64_t count = b->k - row < lanes ? b->k - row : lanes;
        float *to = target + row * b->nr;
        if (b->nr == lanes) transpose(from, present, count, b->column_stride, to, b->nr, half_lanes);
        else transpose(from, present, count, b->column_stride, to, b->nr, lanes);
    }
}

CLONED void vit_pack_b(const vit_b_matrix *b, int64_t first, int64_t count, float *packed) {
    float *target = packed + first * b->k * b->nr;
    for (int64_t panel = 0; panel < count; panel++) {
        const int64_t start = (first + panel) * b->nr, missing = start + b->nr - b->n;
        float *to = target + panel * b->k * b->nr;
        if (missing > 0) memset(to, 0, (size_t)(b->k * b->nr) * sizeof(float));
        if (b->column_stride != 1) transpose_columns(b, start, missing > 0 ? b->nr - missing : b->nr, to);
    }
    if (b->column_stride == 1) copy_rows(b, first, count, target);
}
