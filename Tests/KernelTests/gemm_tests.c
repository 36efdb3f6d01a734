#include <string.h>

#include "support.h"

// What a case does besides multiplying.
typedef struct {
    int64_t m, n, k;
    int reads_columns_of_a, is_packed, b_is_transposed, has_conflicting_stride, accumulates, has_epilogue;
} gemm_case;

// C = column_scale * (alpha * A B + bias) + residual, or C + alpha * A B.
static double expected_element(const vit_gemm_operands *o, const vit_b_matrix *b, double before, int64_t row, int64_t column) {
    double sum = 0;
    for (int64_t i = 0; i < o->k; i++)
        sum += (double)o->a[row * o->a_row_stride + i * o->a_column_stride] *
               b->b[i * b->row_stride + column * b->column_stride];
    sum *= o->alpha;
    if (o->accumulates) sum += before;
    if (o->bias) sum += o->bias[column];
    if (o->column_scale) sum *= o->column_scale[column];
    if (o->residual) sum += o->residual[row * o->residual_row_stride + column];
    return sum;
}

static void run_case(vit_instruction_set set, gemm_case c) {
    const int64_t nr = vit_gemm_nr(set);
    if (!c.is_packed) c.n = (c.n + nr - 1) / nr * nr;
    const int64_t contiguous = c.reads_columns_of_a ? c.m : c.k, others = c.reads_columns_of_a ? c.k : c.m;
    const int64_t a_stride = c.has_conflicting_stride ? (contiguous + 1023) / 1024 * 1024 : contiguous + 3;
    const int64_t b_stride = (c.b_is_transposed ? c.k : c.n) + 5, c_stride = c.n + 7;
    float *a = random_floats((size_t)(a_stride * others));
    float *b = random_floats((size_t)(b_stride * (c.b_is_transposed ? c.n : c.k)));
    float *result = c.accumulates ? random_floats((size_t)(c_stride * c.m)) : unwritten_floats((size_t)(c_stride * c.m));
    float *before = unwritten_floats((size_t)(c_stride * c.m));
    memcpy(before, result, (size_t)(c_stride * c.m) * sizeof(float));
    float *bias = random_floats((size_t)c.n), *scale = random_floats((size_t)c.n);
    float *residual = random_floats((size_t)(c_stride * c.m));
    const int64_t panels = (c.n + nr - 1) / nr;
    float *packed = unwritten_floats((size_t)(panels * nr * c.k));
    const vit_b_matrix matrix = {
        .b = b, .row_stride = c.b_is_transposed ? 1 : b_stride, .column_stride = c.b_is_transposed ? b_stride : 1,
        .k = c.k, .n = c.n, .nr = nr};
    if (c.is_packed) {
        const int64_t some = panels / 2;
        vit_pack_b(&matrix, 0, some, packed);
        vit_pack_b(&matrix, some, panels - some, packed);
    }
    const vit_gemm_operands operands = {
        .m = c.m, .n = c.n, .k = c.k, .a = a, .a_row_stride = c.reads_columns_of_a ? 1 : a_stride,
        .a_column_stride = c.reads_columns_of_a ? a_stride : 1, .b = c.is_packed ? packed : b,
        .b_panel_stride = c.is_packed ? c.k * nr : nr, .b_row_stride = c.is_packed ? nr : b_stride,
        .alpha = c.has_epilogue ? 0.25f : 1, .accumulates = c.accumulates, .bias = c.has_epilogue ? bias : NULL,
        .column_scale = c.has_epilogue ? scale : NULL, .residual = c.has_epilogue ? residual : NULL,
        .residual_row_stride = c_stride, .c = result, .c_row_stride = c_stride};
    float *workspace = unwritten_floats((size_t)vit_gemm_workspace(set, c.m, c.k));
    vit_gemm(set, &operands, workspace);
    for (int64_t row = 0; row < c.m; row++)
        for (int64_t column = 0; column < c_stride; column++) {
            const float got = result[row * c_stride + column], old = before[row * c_stride + column];
            if (column < c.n)
                expect_near("gemm", got, expected_element(&operands, &matrix, old, row, column), (double)c.k / 8, 2e-6);
            else if (memcmp(&got, &old, sizeof got) != 0)
                expect_near("gemm beside C", got, NAN, 1, 0);
        }
    free(a), free(b), free(result), free(before), free(bias), free(scale), free(residual), free(packed), free(workspace);
}

void test_gemm(vit_instruction_set set) {
    // Every number of rows of a tile, and parts of k.
    for (int64_t m = 1; m <= 13; m++) run_case(set, (gemm_case){.m = m, .n = 40, .k = 19, .is_packed = 1, .b_is_transposed = 1});
    for (int i = 0; i < 200; i++) {
        const int is_packed = random_index(3) > 0;
        run_case(
            set, (gemm_case){
                     .m = 1 + (int64_t)random_index(50), .n = 1 + (int64_t)random_index(i % 10 == 0 ? 300 : 90),
                     .k = 1 + (int64_t)random_index(i % 10 == 1 ? 1700 : 120), .reads_columns_of_a = random_index(2) > 0,
                     .is_packed = is_packed, .b_is_transposed = is_packed && random_index(2) > 0,
                     .has_conflicting_stride = random_index(4) == 0, .accumulates = random_index(2) > 0,
                     .has_epilogue = random_index(2) > 0});
    }
}

void test_gemv(void) {
    for (int i = 0; i < 60; i++) {
        const size_t m = 1 + random_index(20), n = 1 + random_index(300), stride = n + random_index(9);
        float *a = random_floats(m * stride), *x = random_floats(n), *weights = random_floats(m);
        float *y = random_floats(m), *before = unwritten_floats(m), *sum = unwritten_floats(n);
        memcpy(before, y, m * sizeof(float));
        const int accumulates = i % 2;
        vit_gemv(a, stride, m, n, x, 0.5f, accumulates, y);
        vit_gemv_transposed(a, stride, m, n, weights, sum);
        for (size_t row = 0; row < m; row++) {
            double expected = 0;
            for (size_t column = 0; column < n; column++) expected += (double)a[row * stride + column] * x[column];
            expect_near("gemv", y[row], 0.5 * expected + (accumulates ? before[row] : 0), (double)n / 8, 2e-6);
        }
        for (size_t column = 0; column < n; column++) {
            double expected = 0;
            for (size_t row = 0; row < m; row++) expected += (double)weights[row] * a[row * stride + column];
            expect_near("gemv_transposed", sum[column], expected, 1, 2e-6);
        }
        free(a), free(x), free(weights), free(y), free(before), free(sum);
    }
}
