#include "dots.h"

#include "clones.h"
#include "vectors.h"

// So many sums at once hide the latency of a multiply-add.
enum { rows_at_once = 4, vectors_at_once = 8 };

INLINED void dot_some(const float *rows, size_t stride, const int count, size_t width, const float *x, float *sums) {
    const size_t whole = width / lanes * lanes;
    line total[rows_at_once] = {{0}}, a, b;
    for (size_t i = 0; i < whole; i += lanes) {
        load(&b, x + i);
        for (int row = 0; row < count; row++) {
            load(&a, rows + row * stride + i);
            total[row] += a * b;
        }
    }
    for (int row = 0; row < count; row++) {
        sums[row] = sum_of(&total[row]);
        for (size_t i = whole; i < width; i++) sums[row] += rows[row * stride + i] * x[i];
    }
}

CLONED void vit_dot_rows(
    const float *rows, size_t stride, size_t count, size_t width, const float *x, float scale, int accumulates, float *y) {
    float sums[rows_at_once];
    for (size_t row = 0; row < count; row += rows_at_once) {
        const float *first = rows + row * stride;
        const int some = count - row < rows_at_once ? (int)(count - row) : rows_at_once;
        if (some == rows_at_once) dot_some(first, stride, rows_at_once, width, x, sums);
        else dot_some(first, stride, some, width, x, sums);
        for (int i = 0; i < some; i++) y[row + i] = (accumulates ? y[row + i] : 0) + scale * sums[i];
    }
}

INLINED void mix_some(
    const float *rows, size_t stride, size_t count, const int vectors, const float *weights, float *y) {
    line sums[vectors_at_once] = {{0}}, a;
    for (size_t row = 0; row < count; row++)
        for (int i = 0; i < vectors; i++) {
            load(&a, rows + row * stride + i * lanes);
            sums[i] += weights[row] * a;
        }
    for (int i = 0; i < vectors; i++) store(y + i * lanes, &sums[i]);
}

CLONED void vit_mix_rows(const float *rows, size_t stride, size_t count, size_t width, const float *weights, float *y) {
    size_t column = 0;
    for (; column + vectors_at_once * lanes <= width; column += vectors_at_once * lanes)
        mix_some(rows + column, stride, count, vectors_at_once, weights, y + column);
    for (; column + lanes <= width; column += lanes) mix_some(rows + column, stride, count, 1, weights, y + column);
    for (; column < width; column++) {
        y[column] = 0;
        for (size_t row = 0; row < count; row++) y[column] += weights[row] * rows[row * stride + column];
    }
}
