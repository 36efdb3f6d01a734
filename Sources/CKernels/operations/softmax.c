#include "softmax.h"

#include <math.h>

#include "../clones.h"
#include "../vectors.h"

// The last vector of a row may be short; the rest of it is `filler`.
INLINED void load_some(line *to, const float *from, size_t count, float filler) {
    *to = (line){0} + filler;
    memcpy(to, from, count * sizeof(float));
}

INLINED float maximum(const float *x, size_t width) {
    line maxima, next;
    load_some(&maxima, x, width < lanes ? width : lanes, -INFINITY);
    for (size_t i = lanes; i < width; i += lanes) {
        if (i + lanes <= width) load(&next, x + i);
        else load_some(&next, x + i, width - i, -INFINITY);
        const words is_more = next > maxima;
        maxima = (line)(((words)next & is_more) | ((words)maxima & ~is_more));
    }
    float values[lanes];
    store(values, &maxima);
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) values[i] = values[i] > values[i + half] ? values[i] : values[i + half];
    return values[0];
}

INLINED void softmax_row(float *x, size_t width) {
    const float max = maximum(x, width);
    const size_t whole = width / lanes * lanes;
    line a, power, sums = {0};
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, x + i);
        a = max - a;
        exp_of_negative(&a, &power);
        sums += power;
        store(x + i, &power);
    }
    float sum = sum_of(&sums);
    if (whole < width) {
        load_some(&a, x + whole, width - whole, 0);
        a = max - a;
        exp_of_negative(&a, &power);
        for (size_t i = whole; i < width; i++) {
            x[i] = power[i - whole];
            sum += x[i];
        }
    }
    const float factor = 1 / sum;
    for (size_t i = 0; i < width; i++) x[i] *= factor;
}

CLONED void vit_softmax(float *x, size_t rows, size_t width, size_t stride) {
    for (size_t row = 0; row < rows; row++) softmax_row(x + row * stride, width);
}

INLINED void softmax_row_backward(const float *y, size_t width, float *dy) {
    const size_t whole = width / lanes * lanes;
    line a, b, sums = {0};
    for (size_t i = 0; i < whole; i += lanes) {
        load(&a, y + i);
        load(&b, dy + i);
        sums += a * b;
    }
    float sum = sum_of(&sums);
    for (size_t i = whole; i < width; i++) sum += y[i] * dy[i];
    for (size_t i = 0; i < width; i++) dy[i] = y[i] * (dy[i] - sum);
}

CLONED void vit_softmax_backward(const float *y, size_t rows, size_t width, size_t stride, float *dy) {
    for (size_t row = 0; row < rows; row++) softmax_row_backward(y + row * stride, width, dy + row * stride);
}
