#include "reductions.h"

#include "../clones.h"

CLONED void vit_add_column_sums(const float *x, size_t rows, size_t columns, size_t stride, float *restrict sums) {
    for (size_t row = 0; row < rows; row++) {
        const float *from = x + row * stride;
        for (size_t column = 0; column < columns; column++) sums[column] += from[column];
    }
}

// Eight running sums, added up in a fixed order, so that the loop can be vectorised without changing its result.
CLONED double vit_sum_of_squares(const float *x, size_t count) {
    double sums[8] = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (size_t lane = 0; lane < 8; lane++) sums[lane] += (double)x[i + lane] * (double)x[i + lane];
    for (; i < count; i++) sums[i % 8] += (double)x[i] * (double)x[i];
    double sum = 0;
    for (size_t lane = 0; lane < 8; lane++) sum += sums[lane];
    return sum;
}
