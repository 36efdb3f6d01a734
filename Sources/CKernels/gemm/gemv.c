#include "gemv.h"

#include "../vectors.h"

// So many sums at once hide the latency of a multiply-add.
enum { rows_at_once = 4, vectors_at_once = 8 };

INLINED void dot_products(const float *rows, size_t stride, const int count, size_t n, const float *x, float *sums) {
    const size_t whole = n / lanes * lanes;
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
        for (size_t i = whole; i < n; i++) sums[row] += rows[row * stride + i] * x[i];
    }
}

CLONED void vit_gemv(
    const float *a, size_t stride, size_t m, size_t n, const float *x, float alpha, int accumulates, float *y) {
    float sums[rows_at_once];
    for (size_t row = 0; row < m; row += rows_at_once) {
        const float *first = a + row * stride;
        const int some = m - row < rows_at_once ? (int)(m - row) : rows_at_once;
        if (some == rows_at_once) dot_products(first, stride, rows_at_once, n, x, sums);
        else dot_products(first, stride, some, n, x, sums);
        for (int i = 0; i < some; i++) y[row + i] = (accumulates ? y[row + i] : 0) + alpha * sums[i];
    }
}

INLINED void weighted_sum(const float *rows, size_t stride, size_t m, const int vectors, const float *x, float *y) {
    line sums[vectors_at_once] = {{0}}, a;
    for (size_t row = 0; row < m; row++)
        for (int i = 0; i < vectors; i++) {
            load(&a, rows + row * stride + i * lanes);
            sums[i] += x[row] * a;
        }
    for (int i = 0; i < vectors; i++) store(y + i * lanes, &sums[i]);
}

CLONED void vit_gemv_transposed(const float *a, size_t stride, size_t m, size_t n, const float *x, float *y) {
    size_t column = 0;
    for (; column + vectors_at_once * lanes <= n; column += vectors_at_once * lanes)
        weighted_sum(a + column, stride, m, vectors_at_once, x, y + column);
    for (; column + lanes <= n; column += lanes) weighted_sum(a + column, stride, m, 1, x, y + column);
    for (; column < n; column++) {
        y[column] = 0;
        for (size_t row = 0; row < m; row++) y[column] += x[row] * a[row * stride + column];
    }
}
