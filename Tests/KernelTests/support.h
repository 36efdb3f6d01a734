// What the tests of the C kernels share: random numbers, and the comparison with plain loops in double.
#ifndef KERNEL_TESTS_SUPPORT_H
#define KERNEL_TESTS_SUPPORT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"

extern int failures;

// Uniform in -1..<1.
double random_number(void);
// Uniform in 0..<below.
size_t random_index(size_t below);
// `count` random floats, aligned to 64 bytes; memory that is not written yet is NaN.
float *random_floats(size_t count);
float *unwritten_floats(size_t count);

// Reports where a value is off by more than `tolerance`, relative to the larger of `scale` and 1.
void expect_near(const char *what, double got, double expected, double scale, double tolerance);

void test_gemm(vit_instruction_set set, vit_gemm_format format);
void test_bits(vit_gemm_format format, const vit_instruction_set *sets, int set_count);
void test_gemv(void);
void test_operations(void);

#endif
