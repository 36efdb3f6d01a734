#include "softmax.h"

#include <math.h>

#include "../clones.h"
#include "../vectors.h"

INLINED void take_larger(line *maxima, const line *next) {
    const words is_more = *next > *maxima;
    *maxima = (line)(((words)*next & is_more) | ((words)*maxima & ~is_more));
}

INLINED float largest_of(const line *x) {
    float values[lanes];
    store(values, x);
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) values[i] = values[i] > values[i + half] ? values[i] : values[i + half];
    return values[0];
}

// All but the first `count` numbers.
INLINED void drop_first(line *x, size_t count) {
    const words number = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const words is_kept = number >= (words){0} + (int32_t)count;
    *x = (line)((words)*x & is_kept);
}

// A row of at least one vector. The last vector overlaps the one before, where it computes the same numbers again.
INLINED void softmax_row(float *x, size_t width) {
    const size_t whole = width / lanes * lanes, last = width - lanes;
    line a, end, power, maxima, sums = {0};
    load(&end, x + last);
    maxima = end;
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, x + i);
        take_larger(&maxima, &a);
    }
    const float max = largest_of(&maxima);
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, x + i);
        a = max - a;
        exp_of_negative(&a, &power);
        sums += power;
        store(x + i, &power);
    }
    a = max - end;
    exp_of_negative(&a, &end);
    power = end;
    drop_first(&power, whole - last);
    sums += power;
    const float factor = 1 / sum_of(&sums);
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, x + i);
        a *= factor;
        store(x + i, &a);
    }
    end *= factor;
    store(x + last, &end);
}

// A shorter one, filled up with numbers that count for nothing.
INLINED void short_softmax_row(float *x, size_t width) {
    float row[lanes];
    for (size_t i = 0; i < lanes; i++) row[i] = -INFINITY;
    memcpy(row, x, width * sizeof(float));
    line a, power;
    load(&a, row);
    a = largest_of(&a) - a;
    exp_of_negative(&a, &power);
    store(row, &power);
    for (size_t i = width; i < lanes; i++) row[i] = 0;
    load(&power, row);
    power *= 1 / sum_of(&power);
    memcpy(x, &power, width * sizeof(float));
}

CLONED void vit_softmax(float *x, size_t rows, size_t width, size_t stride) {
    for (size_t row = 0; row < rows; row++) {
        if (width >= lanes) softmax_row(x + row * stride, width);
        else short_softmax_row(x + row * stride, width);
    }
}

CLONED void vit_causal_softmax(float *x, size_t rows, size_t seen, size_t width, size_t stride) {
    for (size_t row = 0; row < rows; row++) {
        float *start = x + row * stride;
        const size_t count = seen + row;
        if (count >= lanes) softmax_row(start, count);
        else short_softmax_row(start, count);
        memset(start + count, 0, (width - count) * sizeof(float));
    }
}

INLINED void softmax_row_backward(const float *y, size_t width, float *dy) {
    const size_t whole = width / lanes * lanes, last = width - lanes;
    line a, b, end, products, sums = {0};
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, y + i);
        load(&b, dy + i);
        sums += a * b;
    }
    load(&a, y + last);
    load(&end, dy + last);
    products = a * end;
    drop_first(&products, whole - last);
    const line sum = sums + products, across = (line){0} + sum_of(&sum);
    end = a * (end - across);
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, y + i);
        load(&b, dy + i);
        b = a * (b - across);
        store(dy + i, &b);
    }
    store(dy + last, &end);
}

INLINED void short_softmax_row_backward(const float *y, size_t width, float *dy) {
    float sum = 0;
    for (size_t i = 0; i < width; i++) sum += y[i] * dy[i];
    for (size_t i = 0; i < width; i++) dy[i] = y[i] * (dy[i] - sum);
}

CLONED void vit_softmax_backward(const float *y, size_t rows, size_t width, size_t stride, float *dy) {
    for (size_t row = 0; row < rows; row++) {
        if (width >= lanes) softmax_row_backward(y + row * stride, width, dy + row * stride);
        else short_softmax_row_backward(y + row * stride, width, dy + row * stride);
    }
}
