#ifndef VIT_REDUCTIONS_H
#define VIT_REDUCTIONS_H

#include <stddef.h>

// sums[c] += the sum of column c over all rows, in the order of the rows. Rows lie `stride` floats apart.
void vit_add_column_sums(const float *x, size_t rows, size_t columns, size_t stride, float *sums);

// The sum of squares, in double.
double vit_sum_of_squares(const float *x, size_t count);

#endif
